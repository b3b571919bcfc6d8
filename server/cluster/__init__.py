"""The cluster: who may exist (roster), who is alive (directory), and this server's part in it."""

"""The cluster: its members (roster), who of them is alive (directory), and this server's membership."""

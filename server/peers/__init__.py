"""What the servers of one cluster ask each other."""

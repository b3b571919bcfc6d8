"""Calls between the servers of one cluster."""

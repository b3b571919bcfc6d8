"""Exhaustive and random searches of small models of the protocol, built on the rules that ship."""

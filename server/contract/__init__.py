"""The protocol between client and servers: message shapes, limits, error codes and paths.

The package imports no other package of this project, because both programs depend on it.
"""

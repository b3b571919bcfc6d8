"""The wire between client and servers: shapes, limits, error codes and paths. Imports nothing of ours."""

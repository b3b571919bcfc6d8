"""A demonstration cluster on this computer: `make cluster` and `make cluster-demo`."""

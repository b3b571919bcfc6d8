"""A cluster on this computer to look at: `make cluster` and `make cluster-demo`."""

"""The benchmarks: each row is measured in turn with its reference, in the same run."""

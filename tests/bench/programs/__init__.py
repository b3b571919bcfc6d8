"""Programs that the benchmarks start as processes. Most print one JSON line and end."""

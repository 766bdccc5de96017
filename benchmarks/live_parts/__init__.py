"""Parts of `benchmarks/live.py`."""

"""Parts of `benchmarks/recordings.py`."""

"""Parts of `benchmarks/privacy.py`."""

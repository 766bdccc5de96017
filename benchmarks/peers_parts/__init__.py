"""Parts of `benchmarks/peers.py`."""

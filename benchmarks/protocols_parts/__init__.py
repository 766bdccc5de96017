"""What `benchmarks/protocols.py` is made of."""

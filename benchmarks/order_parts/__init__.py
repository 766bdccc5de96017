"""What `benchmarks/order.py` is made of."""

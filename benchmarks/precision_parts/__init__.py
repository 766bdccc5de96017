"""Parts of benchmarks/precision.py."""

"""Parts of the benchmark of still steps."""

"""A half-real test for hitting oneself: real bodies, synthetic arms."""

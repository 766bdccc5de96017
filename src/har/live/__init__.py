"""Live cameras: several at once, recognized as they film."""

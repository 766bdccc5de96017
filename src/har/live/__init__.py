"""Live cameras: several at once, recognised as they film."""

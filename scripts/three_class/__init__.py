"""What only trains the shipped three-class bundle."""

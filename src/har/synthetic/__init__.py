"""Synthetic clips: skeletons and their motion, cameras, pictures."""

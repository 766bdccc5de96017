"""Figures of clips, events and probabilities, with intervals."""

"""Captured takes: what is requested, whether it was seen, and the labeled folder it becomes."""

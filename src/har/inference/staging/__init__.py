"""Staged takes: what is asked for, whether it was seen, and the labelled folder it becomes."""

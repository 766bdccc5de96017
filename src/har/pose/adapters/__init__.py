"""Keypoints of other tools: one module a kind of file, and one table of the joints' names."""

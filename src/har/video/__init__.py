"""Decoding, seeking, rotation, color, resizing and writing: the only door to FFmpeg."""

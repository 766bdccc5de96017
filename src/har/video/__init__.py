"""Decoding, seeking, rotation, colour, resizing and writing: the only door to FFmpeg."""

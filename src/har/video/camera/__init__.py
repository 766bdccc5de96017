"""Cameras: packets, webcams, one timeline that never goes back, the last seconds in memory."""

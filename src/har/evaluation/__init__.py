"""Metrics with intervals, and their report."""

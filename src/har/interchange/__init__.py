"""Coded events into and out of the tools that people use: one table, one module a format."""

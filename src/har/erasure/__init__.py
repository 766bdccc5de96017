"""Removes what har has written of a person or a recording."""

"""Models for other engines: writing them, and measuring what that costs."""

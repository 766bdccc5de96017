"""Pages, tables and pictures of results that a person reads."""

"""Looking at what a model found, and mending it: the store of verdicts and the page."""

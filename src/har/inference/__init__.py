"""Recognition of clips, recordings and streams."""

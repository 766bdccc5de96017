"""Recognition over HTTP, for programs that are not written in Python (`har serve`)."""

"""Single cues that could tell the class of a synthetic sequence."""

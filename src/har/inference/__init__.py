"""Recognition with the exported graphs of a bundle: clips, recordings, streams. No Keras here."""

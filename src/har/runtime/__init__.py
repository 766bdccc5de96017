"""Loads the exported graphs of a bundle; needs no Keras and no TensorFlow."""

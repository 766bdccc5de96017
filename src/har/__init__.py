"""Human action recognition in video: a CNN for each frame and an LSTM over time.

Importing this package loads no Keras, TensorFlow or OpenCV; its parts load them when used.
"""

__version__ = "0.1.0"

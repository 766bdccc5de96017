"""Video files: demuxing, decoding, frame times, pictures, writing."""

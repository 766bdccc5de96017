"""Same as `har train cnn`; further options are passed on."""

import sys

from har.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["train", "cnn"]
    main()

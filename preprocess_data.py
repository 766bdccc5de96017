"""Same as `har prepare data/`; further options are passed on."""

import sys

from har.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["prepare", "data/"]
    main()

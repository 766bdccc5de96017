"""Same as `har predict V` for `--video_path V`; further options are passed on."""

import sys

from har.cli import main

if __name__ == "__main__":
    words = [word.removeprefix("--video_path=") for word in sys.argv[1:]]
    sys.argv[1:] = ["predict", *(word for word in words if word != "--video_path")]
    main()

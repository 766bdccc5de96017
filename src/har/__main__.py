"""Makes ``python -m har`` the same as ``har``."""

from har.cli import main

if __name__ == "__main__":
    main()

"""`python -m vmdiag`: the command without its script."""

import sys

from vmdiag.cli.app import main

if __name__ == "__main__":
    sys.exit(main())

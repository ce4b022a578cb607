"""`python -m vmdiag`: the command without its script."""

from vmdiag.cli.app import run

if __name__ == "__main__":
    run()

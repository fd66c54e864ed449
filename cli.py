"""The command line from a checkout: ``python cli.py ...`` is the same program as ``eligibility ...``."""

from eligibility.cli import main

if __name__ == "__main__":
    main()

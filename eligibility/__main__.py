"""``python -m eligibility ...``: the same program as ``eligibility ...``."""

from .cli import main

if __name__ == "__main__":
    main()

"""Where the shipped rule library lies: concepts, units, definitions, trials, flags, cases."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError


def library_path() -> Path:
    """The folder of the shipped library.

    Installed it is ``eligibility/library/`` (the build puts ``rules/`` there); in a checkout it is
    ``rules/`` beside the package. Raises ``UsageError`` where neither is there.

    >>> (library_path() / "units.yaml").is_file()
    True
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "library", package.parent / "rules"):
        if (folder / "concepts").is_dir():
            return folder
    raise UsageError(
        "the rule library is missing: there is no concepts/ folder inside the package or in rules/ beside it; "
        "install the package anew, or run from a complete checkout"
    )

"""Appending to a file that others append to: under a lock, in one write, whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UsageError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HEAD = 1 << 16


def append(path: Path, head: bytes, lines: bytes, check: Callable[[bytes], None]) -> None:
    """Append lines to a file, ``head`` first where it is new or empty.

    ``check`` is given the first bytes of what is there and raises :class:`UsageError` where the lines do
    not belong to it. Two programs that append at once both come through: each waits for the other. If
    the disk takes only a part, the part is taken back.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; choose a folder that exists and may be written to") from None
    with os.fdopen(handle, "rb", buffering=0) as file, _locked(handle):
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UsageError(f"{path} cannot be added to: it is a device or a pipe; choose a file")
        size = os.fstat(handle).st_size
        start = file.read(_HEAD) or b""
        if size:
            check(start)
            file.seek(size - 1)
            broken = file.read(1) != b"\n"  # an editor may have left the last line without its end
            data = (b"\n" if broken else b"") + lines
        else:
            data = head + lines
        try:
            if os.write(handle, data) != len(data):
                raise OSError("the disk is full")
            os.fsync(handle)
        except OSError as error:
            os.ftruncate(handle, size)
            raise UsageError(f"{path} cannot be written: {error.strerror or error}; nothing was added") from None


@contextmanager
def _locked(handle: int) -> Iterator[None]:
    if sys.platform == "win32":
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)

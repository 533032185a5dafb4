"""The input of a command: a file or standard input, read as it arrives."""

from __future__ import annotations

import os
import stat
import sys
from types import TracebackType
from typing import IO, Final, Self

_CHUNK: Final = 65536


class CommandError(Exception):
    """A command cannot go on. `str()` is the line that says why."""

    @classmethod
    def with_file(cls, verb: str, name: str, error: OSError) -> Self:
        """Return the error that a file cannot be read or written."""
        return cls(f"cannot {verb} {name!r}: {error.strerror or error}")


class Input:
    """A file, or standard input for "-". It is unbuffered, so that what has arrived does not wait for more.

    Raises `CommandError` if it cannot be opened.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        try:
            self._file = _open(name)
            self.is_live = not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        except OSError as error:
            raise CommandError.with_file("read", name, error) from error

    def read(self) -> bytes:
        """Return what has arrived, b"" at the end. Raises `CommandError` if it cannot be read."""
        try:
            return self._file.read(_CHUNK)
        except OSError as error:
            raise CommandError.with_file("read", self._name, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


def _open(name: str) -> IO[bytes]:
    if name != "-":
        return open(name, "rb", buffering=0)
    if sys.stdin is None:
        raise CommandError("cannot read '-': standard input is closed")
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0)

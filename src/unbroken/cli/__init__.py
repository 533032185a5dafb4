"""The command `unbroken`: repair or inspect a stream from a file or a pipe."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Ctrl-C ends it without a traceback."""
    try:
        # Imported here, since it takes a tenth of a second, during which Ctrl-C may come.
        from .command import run

        return run(argv)
    except KeyboardInterrupt:
        return 130

"""The command `unbroken`: mend a stream from a file or a pipe, and look into one."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code. Ctrl-C ends it without a traceback."""
    try:
        # Here, since loading it takes a tenth of a second, in which Ctrl-C may come.
        from .command import run

        return run(argv)
    except KeyboardInterrupt:
        return 130

"""The command `unbroken`: its parser, its exit codes, and how its errors are printed."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib.metadata import version

from . import demo, exits, inspect, repair
from .source import CommandError
from .terminal import print_error


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="unbroken",
        description="Repair SSE and NDJSON streams, and say what was mended and how they ended.",
        epilog=exits.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"unbroken {version('unbroken')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    repair.add_command(commands, epilog=exits.EPILOG)
    inspect.add_command(commands, epilog=exits.EPILOG)
    demo.add_command(commands)
    return parser


def run(argv: Sequence[str] | None) -> int:
    """Run one command and return its exit code. A reader that closes the pipe ends it without a traceback."""
    _escape_unencodable_text()
    try:
        try:
            return _run(argv)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        # The rest of the buffer cannot be written; without this the interpreter would report that at exit.
        sys.stdout = None
        return 0
    except CommandError as failure:
        print_error(failure)
    except OSError as error:
        # Errors of inputs and pages are command errors. If standard error fails, nothing can be reported.
        sys.stdout = None
        print_error(f"cannot write to standard output: {error.strerror or error}")
    return exits.MISUSE


def _run(argv: Sequence[str] | None) -> int:
    arguments = build_parser().parse_args(argv)
    if sys.stdout is None:
        raise CommandError("cannot write: standard output is closed")
    code: int = arguments.run(arguments)
    return code


def _escape_unencodable_text() -> None:
    """Make standard output write characters that its encoding lacks as escapes, instead of raising.

    Standard error does so by default.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")

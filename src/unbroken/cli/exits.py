"""The exit codes of the commands, by how a stream ended."""

from __future__ import annotations

from typing import Final

from ..core.events import Format
from ..core.report import StreamReport, Verdict

WELL: Final = 0
STRICT: Final = 1
MISUSE: Final = 2
FAILED: Final = 3
DAMAGED: Final = 4
EMPTY: Final = FAILED
"""The exit code of an input that holds no event, whatever its verdict is."""
INTERRUPTED: Final = 130
"""The convention of shells: 128 + the number of the signal."""

EPILOG: Final = """exit codes:
  0  the stream ended well: COMPLETE, or ENDED where its dialect is not known
  1  --strict, and something had to be mended, or the diagnosis names a problem
  2  wrong arguments, or the input cannot be read, or the output cannot be written
  3  the stream failed or was cut (FAILED or TRUNCATED), was stopped, or not one event came
  4  the stream ended, but a payload was lost or is unreadable: DAMAGED
"""


def exit_code(report: StreamReport, *, is_faulty: bool) -> int:
    """Return the exit code for a stream that has ended; `is_faulty`: something `--strict` refuses was found."""
    if report.error is not None or report.verdict in (Verdict.FAILED, Verdict.TRUNCATED):
        return FAILED
    if report.verdict is Verdict.DAMAGED:
        return DAMAGED
    if is_empty(report):
        return EMPTY
    return STRICT if is_faulty else WELL


def is_empty(report: StreamReport) -> bool:
    """Whether not one event came. A JSON array that ended holds what it says, and be it nothing."""
    is_array = report.format is Format.JSON_ARRAY and report.verdict is not Verdict.CANCELLED
    return report.events == 0 and not is_array

"""What an observer is shown of a stream on a clock, in order: chunks, events of content, and the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...core.observer import Observer
from ...core.report import StreamReport
from .case import DONE, FINISH, SAME, said, told, told_first
from .timed import Step, TimedCase

_ROLE: Final = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'


class _Witness(Observer):
    """Compares at the end what it was shown with what it should be: chunks with when, gaps before content, the end."""

    def __init__(self, *expected: object) -> None:
        self._expected = ["started", *expected]
        self._shown: list[Any] = []

    def started(self, report: StreamReport) -> None:
        assert not self._shown, "the stream before this one did not end"
        self._shown = ["started"]

    def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
        self._shown.append((chunk, at))

    def content(self, report: StreamReport, gap: float) -> None:
        self._shown.append(gap)

    def ended(self, report: StreamReport) -> None:
        shown, self._shown = [*self._shown, report.verdict.value], []
        assert shown == self._expected, shown


def _fed(at: float, chunk: bytes, out: bytes = SAME) -> Step:
    return "feed", (chunk, at), out, None


def _observed(name: str, *steps: Step, shown: tuple[object, ...], facts: Mapping[str, Any] | None = None) -> TimedCase:
    """Return a case with what its observer is shown."""
    return TimedCase(name, steps, options={"observers": [_Witness(*shown)]}, facts=facts or {})


_BEGIN: Final[Step] = ("resume", (1.0,), b"", None)

CASES: Final[tuple[TimedCase, ...]] = (
    _observed(
        "an observer is shown each chunk, and each event of content once, however many of them a chunk has",
        _BEGIN,
        _fed(2.0, _ROLE),
        _fed(3.0, said(*"abcde")),
        _fed(5.0, said("f")),
        _fed(8.0, said("g", "h", "i")),
        _fed(12.0, said("j")),
        _fed(12.5, b": c\n\n"),
        _fed(12.75, said("k", "l")),
        _fed(13.0, FINISH + DONE),
        ("close", (14.0,), b"", None),
        shown=(
            (_ROLE, 1.0),
            *((said(*"abcde"), 2.0), 2.0, 0.0, 0.0, 0.0, 0.0),
            *((said("f"), 4.0), 2.0),
            *((said("g", "h", "i"), 7.0), 3.0, 0.0, 0.0),
            *((said("j"), 11.0), 4.0),
            (b": c\n\n", 11.5),
            *((said("k", "l"), 11.75), 0.75, 0.0),
            (FINISH + DONE, 12.0),
            "complete",
        ),
        facts={"chunks_in": 8},
    ),
    _observed(
        "an observer is shown nothing behind the sentinel",
        _BEGIN,
        _fed(2.0, said("a")),
        _fed(3.0, FINISH + DONE),
        _fed(4.0, said("b"), b""),
        ("close", (5.0,), b"", None),
        shown=((said("a"), 1.0), 1.0, (FINISH + DONE, 2.0), "complete"),
        facts={"chunks_in": 2},
    ),
    _observed(
        "an observer is shown a failure once, and nothing behind it",
        _BEGIN,
        _fed(2.0, said(*"abcd")),
        _fed(3.0, said("e")),
        ("fail", (4.0,), told("upstream-failed"), None),
        _fed(5.0, said("f"), b""),
        ("close", (6.0,), b"", None),
        shown=((said(*"abcd"), 1.0), 1.0, 0.0, 0.0, 0.0, (said("e"), 2.0), 1.0, "failed"),
    ),
    _observed(
        "an observer is shown an empty chunk",
        _BEGIN,
        _fed(2.0, said(*"abcd")),
        _fed(3.0, b""),
        _fed(4.0, said("e")),
        ("cancel", (5.0,), b"", None),
        shown=((said(*"abcd"), 1.0), 1.0, 0.0, 0.0, 0.0, (b"", 2.0), (said("e"), 3.0), 2.0, "cancelled"),
    ),
    *(
        _observed(
            f"an observer is shown that a stream began and ended of which the first call is {call}",
            (call, (1.0,), out, None),
            shown=(verdict,),
            facts={"duration": 0.0},
        )
        for call, out, verdict in (
            ("close", b"", "ended"),
            ("fail", told_first("upstream-failed", 502), "failed"),
            ("cancel", b"", "cancelled"),
        )
    ),
    _observed(
        "an observer is shown what comes in a pause",
        _BEGIN,
        ("pause", (2.0,), b"", None),
        _fed(3.0, said("a")),
        ("cancel", (7.0,), b"", None),
        shown=((said("a"), 2.0), 2.0, "cancelled"),
        facts={"longest_pause": 5.0, "chunks_in": 1},
    ),
)

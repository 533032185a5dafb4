"""Observers and callbacks see everything, and what they raise never reaches the stream."""

from __future__ import annotations

from typing import Any

import pytest

import unbroken

CHUNK = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


class Everything(unbroken.Observer):
    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def started(self, report: unbroken.StreamReport) -> None:
        self.seen.append(("started", report.verdict))

    def received(self, report: unbroken.StreamReport, chunk: bytes, at: float) -> None:
        self.seen.append(("received", len(chunk)))

    def content(self, report: unbroken.StreamReport, gap: float) -> None:
        self.seen.append(("content",))

    def repaired(self, repair: unbroken.Repair) -> None:
        self.seen.append(("repaired", str(repair)))

    def ended(self, report: unbroken.StreamReport) -> None:
        self.seen.append(("ended", report.verdict))


class Raising(Everything):
    def started(self, report: unbroken.StreamReport) -> None:
        raise RuntimeError("secret words")

    repaired = received = content = ended = started  # type: ignore[assignment]


def test_an_observer_sees_everything_in_order() -> None:
    observer = Everything()
    broken = b'data: {"a":1}\ndata: {"b":2}\n\n'
    list(unbroken.repair([CHUNK, broken, DONE], observers=[observer], heartbeat=None, timeouts=None))
    assert observer.seen == [
        ("started", unbroken.Verdict.OPEN),
        ("received", len(CHUNK)),
        ("content",),
        ("received", len(broken)),
        ("repaired", f"missing-blank-line at byte {len(CHUNK) + 14}"),
        ("received", len(DONE)),
        ("ended", unbroken.Verdict.COMPLETE),
    ]


def test_what_observers_and_callbacks_raise_is_logged_by_type_and_the_stream_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = b"data: {'a': None}\n\n"
    out = b"".join(unbroken.repair([broken], observers=[Raising()], on_repair=lambda repair: 1 / 0, timeouts=None))
    assert out == b'data: {"a": null}\n\n'
    assert "Raising.repaired raised RuntimeError" in caplog.text
    assert "on_repair raised ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


def test_one_observer_in_place_of_a_collection_is_refused_with_the_fix() -> None:
    with pytest.raises(TypeError, match=r"observers=\[observer\]"):
        unbroken.repair([], observers=Everything())  # type: ignore[arg-type]


def test_hooks_see_chunks_that_are_alike_as_any_others():
    seen: list[tuple[str, float, int]] = []

    class Both(unbroken.Observer):
        def received(self, report: unbroken.StreamReport, chunk: bytes, at: float) -> None:
            seen.append(("received", at, report.events))

        def content(self, report: unbroken.StreamReport, gap: float) -> None:
            seen.append(("content", gap, report.events))

    engine = unbroken.StreamRepairer(observers=[Both()])
    for number in range(10):
        engine.feed(CHUNK.replace(b"hi", b"text %d" % number), float(number))
    content = [("content", float(number > 0), number + 1) for number in range(10)]
    received = [("received", float(number), number) for number in range(10)]
    assert seen == [call for pair in zip(received, content, strict=True) for call in pair]

"""A stream is iterated by `for` as by `next`: the same items, the same end, whoever closes it and when."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from unbroken import Event, EventStream, Repair, Source, StreamError, Verdict, iter_events, repair
from unbroken.core.dialect import Dialect, Reading
from unbroken.core.engine import EventEngine

FRAMES = [b'data: {"n":%d}\n\n' % number for number in range(6)]
LEAN: dict[str, Any] = {"account": False, "timeouts": None}


def numbers(events: list[Event]) -> list[int]:
    return [event.json()["n"] for event in events]


def test_next_and_for_share_what_is_left() -> None:
    stream = iter_events([b"".join(FRAMES[:3]), b"".join(FRAMES[3:])], **LEAN)
    seen = [next(stream)]
    for event in stream:
        seen.append(event)
        break
    seen.append(next(stream))
    seen += stream
    assert numbers(seen) == [0, 1, 2, 3, 4, 5]
    assert list(stream) == []
    with pytest.raises(StopIteration):
        next(stream)


@pytest.mark.parametrize("threadless", [{}, {"heartbeat": None, "timeouts": None}], ids=["threaded", "in the caller"])
def test_a_generator_that_yields_from_a_stream_closes_it_whoever_else_holds_it(threadless: dict[str, Any]) -> None:
    told = threading.Event()

    def chunks() -> Iterator[bytes]:
        with closing(_Closed(told)):
            yield from FRAMES
            yield from iter(lambda: b": on and on\n", b"")

    stream = repair(chunks(), **threadless)

    def generate() -> Iterator[bytes]:
        yield from stream

    route = generate()
    next(route)
    route.close()
    assert told.wait(10)
    assert stream.report.verdict is Verdict.CANCELLED
    assert iter(stream) is stream


def test_nothing_comes_after_a_close_inside_of_the_loop() -> None:
    stream = iter_events([b"".join(FRAMES[:3]), *FRAMES[3:]], **LEAN)
    seen = []
    for event in stream:
        seen.append(event)
        stream.close()
    assert numbers(seen) == [0]
    assert stream.report.verdict is Verdict.CANCELLED


@pytest.mark.parametrize("before", [1, 2, 3])
def test_a_close_by_another_thread_ends_the_read_in_progress(before: int) -> None:
    reading, closed, aborted = threading.Event(), threading.Event(), threading.Event()

    def chunks() -> Iterator[bytes]:
        with closing(_Closed(closed)):
            yield from FRAMES[:before]
            reading.set()
            assert aborted.wait(10)
            yield FRAMES[before]

    stream = iter_events(chunks(), abort=aborted.set, **LEAN)
    seen: list[Event] = []
    thread = threading.Thread(target=lambda: seen.extend(stream))
    thread.start()
    assert reading.wait(10)
    with pytest.raises(RuntimeError, match="another thread"):
        next(stream)
    stream.close()
    thread.join(10)
    assert numbers(seen) == [*range(before)]
    assert closed.is_set()
    assert aborted.is_set()


@pytest.mark.parametrize("taken", range(1, 4))
def test_a_close_between_two_items_closes_upstream_at_once_and_aborts_nothing(taken: int) -> None:
    closed, aborted = threading.Event(), threading.Event()

    def chunks() -> Iterator[bytes]:
        with closing(_Closed(closed)):
            yield from FRAMES

    stream = iter_events(chunks(), abort=aborted.set, **LEAN)
    for _ in range(taken):
        next(stream)
    stream.close()
    assert closed.is_set()
    assert not aborted.is_set()


class _Closed:
    def __init__(self, told: threading.Event) -> None:
        self.close = told.set


def test_a_stream_that_is_dropped_within_its_loop_lets_go_of_upstream() -> None:
    told = threading.Event()

    def chunks() -> Iterator[bytes]:
        with closing(_Closed(told)):
            yield from FRAMES

    stream = iter(iter_events(chunks(), **LEAN))
    next(stream)
    assert not told.is_set()
    del stream
    assert told.is_set()


def test_a_stream_holds_no_cycle() -> None:
    stream = iter_events(iter(FRAMES), **LEAN)
    next(stream)
    for _ in stream:
        break
    gone = weakref.ref(stream)
    gc.disable()
    try:
        del stream
        assert gone() is None
    finally:
        gc.enable()


MISSPELT = b'Data : {"n":9}\n\n'
CHUNKS = [b": hello\n\n", b"".join(FRAMES[:3]), b"".join(FRAMES[3:])]


@pytest.mark.parametrize("taken", range(5))
def test_priming_between_two_items_of_a_chunk_loses_none(taken: int) -> None:
    stream = iter_events(CHUNKS, **LEAN)
    seen = [next(stream) for _ in range(taken)]
    assert stream.prime()
    seen += stream
    assert numbers(seen) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("at", range(1, 4))
@pytest.mark.parametrize("make", [iter_events, repair])
def test_nothing_comes_after_a_callback_that_closes_the_stream(make: Any, at: int) -> None:
    told = threading.Event()

    def chunks() -> Iterator[bytes]:
        with closing(_Closed(told)):
            for number, frame in enumerate(FRAMES):
                yield MISSPELT if number == at else frame

    options = LEAN if make is iter_events else LEAN | {"heartbeat": None}
    stream = make(chunks(), on_repair=lambda repair: stream.close(), **options)
    assert len(list(stream)) == at
    assert told.is_set()
    assert stream.report.verdict is Verdict.CANCELLED
    assert list(stream) == []


def test_what_the_engine_raises_is_no_failure_of_upstream_and_passes() -> None:
    class Broken(EventEngine):
        def feed(self, chunk: bytes, now: float) -> list[Event]:
            if chunk == FRAMES[2]:
                raise ValueError("a bug")
            return super().feed(chunk, now)

    stream = EventStream(Broken(account=False), Source(FRAMES), threaded=False)
    assert numbers([next(stream), next(stream)]) == [0, 1]
    with pytest.raises(ValueError, match="a bug"):
        next(stream)
    assert stream.report.verdict is Verdict.CANCELLED
    assert list(stream) == []


def test_an_interrupt_in_a_callback_passes_and_closes_the_stream() -> None:
    told = threading.Event()

    def interrupt(repair: Repair) -> None:
        raise KeyboardInterrupt

    def chunks() -> Iterator[bytes]:
        with closing(_Closed(told)):
            yield FRAMES[0]
            yield MISSPELT
            yield FRAMES[2]

    stream = iter_events(chunks(), on_repair=interrupt, **LEAN)
    assert numbers([next(stream)]) == [0]
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert told.is_set()
    assert stream.report.verdict is Verdict.CANCELLED
    assert list(stream) == []


def test_a_failure_is_raised_once_behind_the_last_item() -> None:
    stream = iter_events([b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'], **LEAN)
    items = iter(stream)
    assert next(items).data
    with pytest.raises(StreamError):
        next(items)
    assert next(items, None) is None


def test_what_upstream_raises_fails_the_stream_and_what_a_dialect_raises_is_raised() -> None:
    class Broken(Dialect):
        name = "broken"

        def read(self, event: str, payload: Any) -> Reading:
            raise ZeroDivisionError

    def failing() -> Iterator[bytes]:
        yield FRAMES[0]
        raise OSError("gone")

    with pytest.raises(StreamError):
        list(iter_events(failing(), **LEAN))
    with pytest.raises(ZeroDivisionError):
        list(iter_events(FRAMES, dialect=Broken(), **LEAN))
    with pytest.raises(TypeError, match="bytes"):
        list(iter_events([FRAMES[0], "text"], **LEAN))  # type: ignore[list-item]


def test_what_is_written_at_one_moment_is_one_item() -> None:
    chunks = [b"".join(FRAMES[:2]) + b": ping\n\n" + FRAMES[2], FRAMES[3]]
    assert list(repair(chunks, heartbeat=None, timeouts=None)) == chunks


def test_a_reused_buffer_is_copied() -> None:
    def chunks() -> Iterator[bytearray]:
        buffer = bytearray()
        for frame in FRAMES:
            buffer[:] = frame
            yield buffer

    assert b"".join(repair(chunks(), heartbeat=None, timeouts=None)) == b"".join(FRAMES)

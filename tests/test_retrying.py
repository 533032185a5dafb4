"""The two functions: their arguments, and errors of the program that come out of `connect`."""

from __future__ import annotations

import asyncio
import gc
import logging
import pickle
import traceback
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.attempts import (
    OFF,
    QUICK,
    Attempts,
    event,
    no_thread_is_left,  # noqa: F401  # a fixture of every test
    read_events,
    read_frames,
    status_error,
)
from tests.scripted import Clock
from unbroken import (
    Attempt,
    Failure,
    Retry,
    StreamError,
    Timeouts,
    aiter_events,
    arepair,
    aretrying,
    iter_events,
    repair,
    retrying,
)

# Errors of the program


def broken(attempt: Attempt) -> Iterator[bytes]:
    yield b": hello\n\n"
    raise KeyError("oops\x1b[2J\nforged")


async def abroken(attempt: Attempt) -> AsyncIterator[bytes]:
    for chunk in broken(attempt):
        yield chunk


def wrong_arity() -> Any:
    pytest.fail("is never called")


def frames_of(error: BaseException | None) -> list[str]:
    assert error is not None
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("timeouts", [None, OFF])
def test_an_error_of_the_program_is_the_cause_of_what_is_raised(timeouts: Timeouts | None) -> None:
    for chunks in (retrying(broken), broken(Attempt())):
        stream = iter_events(chunks, timeouts=timeouts)
        with pytest.raises(StreamError) as raised:
            list(stream)
        assert isinstance(raised.value.__cause__, KeyError)
        assert frames_of(raised.value.__cause__)[-1] == "broken"
        assert raised.value is stream.report.error
        assert pickle.loads(pickle.dumps(raised.value)).__cause__ is None
    with pytest.raises(TypeError, match="write lambda attempt"):
        retrying(wrong_arity)  # type: ignore[arg-type]


def test_an_error_of_the_program_is_the_cause_of_what_is_raised_asynchronously() -> None:
    async def main(clock: Clock) -> None:
        for stream in (aiter_events(aretrying(abroken)), aiter_events(retrying(broken))):
            with pytest.raises(StreamError) as raised:
                _ = [item async for item in stream]
            assert "broken" in frames_of(raised.value.__cause__)[-1]
        stream = arepair(aretrying(abroken))
        with pytest.raises(StreamError) as raised:
            await stream.aprime()
        assert isinstance(raised.value.__cause__, KeyError)

    asyncio.run(main(Clock()))


def test_an_error_of_the_program_is_the_cause_of_what_priming_raises() -> None:
    stream = repair(retrying(broken))
    with pytest.raises(StreamError) as raised:
        stream.prime()
    assert isinstance(raised.value.__cause__, KeyError)


def test_the_cause_is_what_the_client_raised_and_not_what_upstream_had_said() -> None:
    refusal = status_error(401)
    assert read_events(Attempts([[refusal]])).error.__cause__ is refusal  # type: ignore[union-attr]
    told = b'data: {"type":"unbroken_error","error":{"type":"unbroken_error","code":"overloaded"}}\n\n'
    outcome = read_events(Attempts([[told, ConnectionResetError()]]))
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.__cause__) == ("overloaded", None)


def test_a_function_of_nothing_is_refused_at_the_call() -> None:
    for function in (retrying, aretrying):
        with pytest.raises(
            TypeError, match=r"\(connect\) takes a function of the attempt: write lambda attempt: \.\.\."
        ):
            function(wrong_arity)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeouts", [None, OFF])
def test_where_a_frame_tells_the_failure_the_log_tells_where_it_came_from(
    timeouts: Timeouts | None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "unbroken"):
        stream = repair(retrying(broken), heartbeat=None, timeouts=timeouts)
        assert b"oops" not in b"".join(stream)
    (record,) = (it for it in caplog.records if it.levelno == logging.ERROR)
    assert record.getMessage() == "the application raised KeyError"
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError
    assert "in broken\n" in caplog.text
    assert "oops" in caplog.text
    assert "\x1b" not in caplog.text
    assert "forged" not in {line[:6] for line in caplog.text.splitlines()}
    assert stream.report.error is not None
    assert stream.report.error.__cause__ is None  # a report is kept longer than what the frames of a cause hold


def test_the_log_tells_the_causes_of_a_cause(caplog: pytest.LogCaptureFixture) -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        try:
            yield from broken(attempt)
        except KeyError as error:
            raise RuntimeError("no such setting") from error

    with caplog.at_level(logging.DEBUG, "unbroken"):
        b"".join(repair(retrying(connect), heartbeat=None, timeouts=None))
    assert caplog.text.index("KeyError: ") < caplog.text.index("This led to:") < caplog.text.index("RuntimeError: ")


def test_the_causes_of_a_cause_may_go_in_a_circle(caplog: pytest.LogCaptureFixture) -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    with caplog.at_level(logging.DEBUG, "unbroken"):
        read_frames(Attempts([[one]]))
    assert caplog.text.count("RuntimeError: one") == 4


def test_what_is_raised_is_not_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "unbroken"):
        read_events(Attempts([[KeyError()]]))
        assert not [it for it in caplog.records if it.levelno == logging.DEBUG]
        read_events(Attempts([[ConnectionResetError()], [event(1)]]), retry=QUICK)  # raised nowhere
    assert [it.getMessage() for it in caplog.records if it.levelno == logging.DEBUG] == [
        "upstream raised ConnectionResetError"
    ]


@pytest.mark.parametrize("make", [lambda: repair(retrying(broken)), lambda: repair(broken(Attempt()))])
def test_a_stream_that_met_an_error_is_gone_as_soon_as_it_is_dropped(make: Callable[[], Any]) -> None:
    stream = make()
    gc.disable()
    try:
        b"".join(stream)
        gone = weakref.ref(stream)
        del stream
        assert gone() is None
    finally:
        gc.enable()


def test_the_error_of_a_retry_loop_pickles() -> None:
    outcome = read_events(Attempts([[status_error(429, Retry_After="2")]]), retry=Retry(max_retries=0))
    assert outcome.error is not None
    copy = pickle.loads(pickle.dumps(outcome.error))
    facts = ("code", "status_hint", "retry_after", "retry_count", "tokens_received", "safe_to_retry", "public_message")
    assert {name: getattr(copy, name) for name in facts} == {name: getattr(outcome.error, name) for name in facts}
    assert str(copy) == str(outcome.error)
    assert copy.report is None


def test_jitter_spreads_the_waits() -> None:
    delays = set[float]()
    for _ in range(20):
        attempts = Attempts([[ConnectionResetError()], [event(1)]])
        read_events(attempts, retry=Retry(base=0.001))
        delays.update(attempts.delays)
    assert len(delays) > 1
    assert min(delays) >= 0.0005
    assert max(delays) <= 0.001


def test_the_twins_take_the_same_arguments() -> None:
    assert retrying.__kwdefaults__ == aretrying.__kwdefaults__
    assert retrying.__annotations__ == aretrying.__annotations__


def test_a_stream_error_of_an_inner_stream_is_judged_like_any_other() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        if attempt.number == 1:
            raise StreamError(Failure("overloaded", 529, retry_after=0.0))
        yield event(1)

    assert [item.data for item in iter_events(retrying(connect, retry=Retry(base=0.0)))] == ["event 1"]


def test_interrupts_pass() -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        raise KeyboardInterrupt

    for timeouts in (None, OFF):
        with pytest.raises(KeyboardInterrupt):
            list(iter_events(retrying(connect), timeouts=timeouts))

"""Answers that outlive their readers: started once, followed from anywhere, ended once, by anybody."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

import unbroken
from tests.cuts_of_replay import blocks_of
from tests.scripted import DONE, LIMIT, TOKEN
from unbroken import Attempt, Retry, StreamReport, Verdict, aretrying, retrying
from unbroken.core.failure import Failure
from unbroken.replay import ExpiredAnswer, InvalidId, MemoryStore, Replay, SQLiteStore, TrimmedAnswer, UnknownAnswer
from unbroken.replay.ids import START
from unbroken.testing import FakeClock

ANSWER = [TOKEN, TOKEN, DONE]
IDS = ["1-1", "1-2", "1-3"]
NewStore = Callable[..., Any]


class Feed:
    """An upstream that sends what it is told to, and says when it was closed."""

    def __init__(self) -> None:
        self.queue: Queue[bytes | None] = Queue()
        self.closed = threading.Event()

    def __call__(self) -> Iterator[bytes]:
        return self.read()

    def read(self) -> Iterator[bytes]:
        try:
            while (chunk := self.queue.get(timeout=LIMIT)) is not None:
                yield chunk
        finally:
            self.closed.set()

    def send(self, *chunks: bytes | None) -> None:
        for chunk in chunks:
            self.queue.put(chunk)


def ids(wire: bytes) -> list[str | None]:
    return [event[2] for event in blocks_of(wire)]


def end(answers: Replay, id: str) -> bytes:
    """Wait for the end, and return all of the answer."""
    return b"".join(answers.follow(id, heartbeat=None))


def produce(answers: Replay, id: str, upstream: Any) -> None:
    """Start an answer, and wait until it has ended."""
    ended = threading.Event()
    assert answers.start(id, upstream, on_end=lambda report: ended.set())
    assert ended.wait(LIMIT)


@pytest.fixture(name="new_store", params=["memory", "sqlite"])
def _new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewStore]:
    """Return a function that makes a store; a clock is optional."""
    made: list[SQLiteStore] = []

    def new(**facts: Any) -> Any:
        if request.param == "memory":
            return MemoryStore(**facts)
        made.append(SQLiteStore(tmp_path / f"{len(made)}.db", **facts))
        return made[-1]

    yield new
    for store in made:
        store.close()


@pytest.fixture(name="answers")
def _answers(new_store: NewStore) -> Iterator[Replay]:
    answers = Replay(new_store())
    yield answers
    answers.close(0)


# One log


def test_every_reader_gets_the_same_bytes_with_ids_of_ours(answers: Replay) -> None:
    assert answers.start("a", ANSWER)
    whole = end(answers, "a")
    assert whole == b"".join(b"id: 1-%d\n" % number + frame for number, frame in enumerate(ANSWER, 1))
    assert end(answers, "a") == whole
    for at, after in enumerate(["", *IDS]):
        assert ids(b"".join(answers.follow("a", after))) == IDS[at:]
    status = answers.status("a")
    assert (status.state, status.verdict, status.first_id, status.last_id) == ("ended", Verdict.COMPLETE, "1-1", "1-3")
    assert status.report is not None
    assert (status.report["text"], status.report["verdict"]) == ("xx", "complete")
    assert [status.is_over(after) for after in ("", "1-2", "1-3", "1-4")] == [False, False, True, False]
    assert status.ended is not None
    assert status.started <= status.ended <= time.time()


def test_a_second_start_opens_nothing_and_closes_what_it_was_given(answers: Replay) -> None:
    opened: list[int] = []
    assert answers.start("a", ANSWER)
    assert not answers.start("a", lambda: opened.append(1))
    feed = unbroken.Source([TOKEN], close=lambda: opened.append(2))
    assert not answers.start("a", feed)
    end(answers, "a")
    assert not answers.start("a", ANSWER)
    assert opened == [2]


def test_a_reader_follows_live_from_where_it_was_and_leaving_changes_nothing(answers: Replay) -> None:
    feed = Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    first, second = answers.follow("a", heartbeat=None), answers.follow("a", heartbeat=None)
    assert ids(next(first)) == ["1-1"]
    assert ids(next(second)) == ["1-1"]
    first.close()
    assert list(first) == []
    feed.send(TOKEN)
    assert ids(next(second)) == ["1-2"]
    feed.send(DONE, None)
    assert ids(b"".join(second)) == ["1-3"]
    with answers.follow("a", "1-1") as back:
        assert ids(b"".join(back)) == ["1-2", "1-3"]
    assert feed.closed.wait(LIMIT)


def test_the_end_is_there_while_upstream_stays_open(answers: Replay) -> None:
    feed = Feed()
    answers.start("a", feed)
    feed.send(*ANSWER)
    assert ids(end(answers, "a")) == IDS
    assert not feed.closed.is_set()
    assert answers.status("a").verdict is Verdict.COMPLETE
    feed.send(None)


def test_heartbeats_are_the_readers_own_and_have_no_blank_line_after_an_id(answers: Replay) -> None:
    feed = Feed()
    answers.start("a", feed)
    reader = answers.follow("a", heartbeat=0.01)
    assert next(reader) == b":\n\n"
    feed.send(TOKEN)
    while (item := next(reader)) == b":\n\n":
        pass
    assert ids(item) == ["1-1"]
    assert next(reader) == b":\n"
    assert answers.status("a").last_id == "1-1"


def test_unknown_expired_and_trimmed_are_three_answers(new_store: NewStore) -> None:
    clock = FakeClock()
    answers = Replay(new_store(clock=clock), ttl=60, max_age=600, max_bytes=3 * len(TOKEN))
    for call in (answers.status, answers.follow, answers.stop):
        for id in ("nobody's", "", "line\nend", "x" * 600):
            with pytest.raises(UnknownAnswer):
                call(id)  # type: ignore[operator]
    produce(answers, "a", [TOKEN] * 9 + [DONE])
    last = answers.status("a").last_id
    with pytest.raises(TrimmedAnswer) as trimmed:
        answers.follow("a")
    told = trimmed.value
    assert told.first_id == answers.status("a").first_id
    assert ids(b"".join(answers.follow("a", told.after)))[0] == told.first_id
    assert ids(b"".join(answers.follow("a", told.after)))[-1] == last
    with pytest.raises(UnknownAnswer):
        answers.follow("a", "1-99")
    for after in ("x", "1", "0-1"):
        with pytest.raises(InvalidId, match="no id"):
            answers.follow("a", after)
    clock.advance(61)
    for call in (answers.status, answers.follow):
        with pytest.raises(ExpiredAnswer):
            call("a")  # type: ignore[operator]
    assert not answers.start("a", ANSWER)
    clock.advance(600)
    with pytest.raises(UnknownAnswer):
        answers.status("a")
    produce(answers, "a", ANSWER)


def test_a_reader_that_falls_behind_what_is_kept_is_told_so_without_an_id(new_store: NewStore) -> None:
    answers = Replay(new_store(), max_bytes=3 * len(TOKEN))
    feed = Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    slow, fast = answers.follow("a", heartbeat=None), answers.follow("a", heartbeat=None)
    assert (ids(next(slow)), ids(next(fast))) == (["1-1"], ["1-1"])
    for _ in range(8):
        feed.send(TOKEN)
        next(fast)
    told = next(slow)
    assert b'"code": "trimmed"' in told
    assert (ids(told), list(slow)) == ([None], [])
    answers.stop("a")
    assert b"stopped" in b"".join(fast)
    feed.send(None)


def test_an_answer_without_an_event_is_over_from_its_beginning(answers: Replay) -> None:
    answers.start("a", [b": nothing\n\n"])
    assert end(answers, "a") == b""
    status = answers.status("a")
    assert (status.verdict, status.first_id, status.last_id, status.is_over("")) == (Verdict.ENDED, "", "", True)


# One end


def test_stop_ends_a_silent_upstream_at_once_and_closes_it(answers: Replay) -> None:
    feed = Feed()
    reports: list[StreamReport] = []
    answers.start("a", feed, on_end=reports.append)
    feed.send(TOKEN)
    reader = answers.follow("a", heartbeat=None)
    next(reader)
    began = time.monotonic()
    assert answers.stop("a")
    last = b"".join(reader)
    assert time.monotonic() - began < 1
    assert blocks_of(last) == [("message", json.dumps(Failure("stopped").as_error()), "1-2")]
    assert answers.status("a").verdict is Verdict.CANCELLED
    assert not answers.stop("a")
    feed.send(None)
    assert feed.closed.wait(LIMIT)
    again = unbroken.iter_events([end(answers, "a")])
    with pytest.raises(unbroken.StreamError, match="stopped"):
        list(again)
    assert again.report.verdict is Verdict.CANCELLED
    answers.close()
    assert [report.verdict for report in reports] == [Verdict.CANCELLED]


def test_stop_reaches_a_producer_elsewhere_and_ends_for_one_that_does_not_answer(new_store: NewStore) -> None:
    clock = FakeClock()
    store = new_store(clock=clock)
    here, there = Replay(store), Replay(store)
    feed = Feed()
    there.start("a", feed)
    feed.send(TOKEN)
    assert here.stop("a")
    assert ids(end(here, "a"))[-1] in ("1-2", "1-1")
    store.open(":b", "hangs", lease=10, keep=100)
    reader = here.follow("b")
    assert here.stop("b")
    last = b"".join(reader)
    assert ids(last) == ["2-0"]
    assert b"stopped" in last
    assert here.status("b").verdict is Verdict.CANCELLED
    there.close(0)


def test_a_lost_producer_is_an_end_for_who_reads_who_asks_and_who_comes_back(new_store: NewStore) -> None:
    for how in ("follow", "status"):
        clock = FakeClock()
        store = new_store(clock=clock)
        answers = Replay(store, lease=10)
        store.open(":a", "killed", lease=10, keep=100)
        facts: dict[str, Any] = {"first": START.following(), "lease": 10, "form": None}
        store.append(":a", "killed", START.following(), [b"id: 1-1\n" + TOKEN], **facts)
        reader = answers.follow("a", heartbeat=None)
        assert ids(next(reader)) == ["1-1"]
        clock.advance(10.5)
        if how == "status":
            status = answers.status("a")
            assert (status.verdict, status.last_id) == (Verdict.FAILED, "2-0")
            assert status.report is not None
            assert status.report["error"]["code"] == "producer-lost"
        last = b"".join(reader)
        assert (ids(last), b'"code": "producer-lost"' in last) == (["2-0"], True)
        for after in ("1-1", "1-80"):  # it saw what the store has lost
            assert b"".join(answers.follow("a", after)) == last
        with pytest.raises(UnknownAnswer):
            answers.follow("a", "2-1")
        with pytest.raises(Exception, match=":a"):
            store.append(":a", "killed", START.following(2), [TOKEN], **facts)


def test_a_producer_that_was_replaced_writes_nothing_more_and_closes_upstream(new_store: NewStore, caplog: Any) -> None:
    store = new_store()
    answers = Replay(store)
    feed = Feed()
    reports: Queue[StreamReport] = Queue()
    answers.start("a", feed, on_end=reports.put)
    feed.send(TOKEN)
    reader = answers.follow("a", heartbeat=None)
    next(reader)
    with caplog.at_level(logging.WARNING, "unbroken"):
        slice = store.read(":a", START, 0)
        assert slice is not None
        from unbroken.replay.calls import InThread, run
        from unbroken.replay.cursor import LOST
        from unbroken.replay.outside import end_from_outside

        run(end_from_outside(InThread(), store, ":a", slice.state, LOST, answers._terms, "closer"))
    feed.send(TOKEN, TOKEN)
    assert ids(b"".join(reader)) == ["2-0"]
    error = reports.get(timeout=LIMIT).error
    assert error is not None
    assert error.code == "producer-lost"
    feed.send(None)
    answers.close()
    assert ids(end(answers, "a")) == ["1-1", "2-0"]
    assert feed.closed.wait(LIMIT)
    assert "ended from outside" in caplog.text


def test_an_answer_that_never_ends_is_ended(new_store: NewStore) -> None:
    answers = Replay(new_store(), max_age=0.3)
    feed = Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    assert b"too-old" in end(answers, "a")
    assert answers.status("a").verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("upstream", "code"),
    [
        (lambda: ["text"], "application-error"),
        (lambda: None, "application-error"),
        (lambda: (_ for _ in ()).throw(SystemExit), "application-error"),
        (lambda: (_ for _ in ()).throw(KeyError("secret")), "application-error"),
        (lambda: (_ for _ in ()).throw(ConnectionError("secret")), "upstream-failed"),
        ([TOKEN], "truncated"),
    ],
    ids=["str", "none", "exit", "bug", "connection", "cut"],
)
def test_what_goes_wrong_inside_is_an_end_that_tells_no_exception(upstream: Any, code: str, answers: Replay) -> None:
    answers.start("a", upstream)
    whole = end(answers, "a")
    assert f'"code": "{code}"'.encode() in whole
    assert b"secret" not in whole
    assert answers.status("a").verdict is (Verdict.TRUNCATED if code == "truncated" else Verdict.FAILED)


def test_a_callback_that_raises_ends_the_answer_and_on_end_may_raise(answers: Replay) -> None:
    def bad(*_: object) -> int:
        raise KeyError("secret")

    answers.start("a", [TOKEN, DONE], count_tokens=bad, on_end=bad)
    assert ids(end(answers, "a"))[-1] is not None
    assert answers.status("a").state == "ended"


def test_upstream_is_opened_again_where_an_attempt_is_taken(answers: Replay) -> None:
    attempts: list[int] = []

    def connect(attempt: unbroken.Attempt) -> list[bytes]:
        attempts.append(attempt.number)
        if attempt.number == 1:
            raise ConnectionError
        return ANSWER

    answers.start("a", connect, retry=Retry(base=0.001))
    assert ids(end(answers, "a")) == IDS
    assert attempts == [1, 2]


def test_an_asynchronous_context_manager_is_entered_and_not_called_with_an_attempt(new_store: NewStore) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        async def body() -> AsyncIterator[bytes]:
            for frame in ANSWER:
                yield frame

        yield body()

    async def main() -> None:
        answers = Replay(new_store())
        await answers.astart("a", opened())  # as `client.stream(...)` of httpx returns
        assert ids(b"".join([frames async for frames in answers.afollow("a", heartbeat=None)])) == IDS
        assert (await answers.astatus("a")).verdict is Verdict.COMPLETE
        await answers.aclose()

    asyncio.run(main())


def test_close_waits_and_then_ends_the_rest(answers: Replay) -> None:
    feed, quick = Feed(), Feed()
    answers.start("a", feed)
    answers.start("b", quick)
    feed.send(TOKEN)
    quick.send(*ANSWER, None)
    reader = answers.follow("a", heartbeat=None)
    answers.close(0.05)
    assert b"shutting-down" in b"".join(reader)
    assert answers.status("b").verdict is Verdict.COMPLETE
    assert not [thread for thread in threading.enumerate() if thread.name == "unbroken producer"]
    with pytest.raises(RuntimeError, match="close"):
        answers.start("c", ANSWER)


def test_a_server_that_ends_its_streams_sends_readers_away_and_lets_the_answer_go_on(answers: Replay) -> None:
    feed = Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    reader = answers.follow("a", heartbeat=None)
    next(reader)
    unbroken.end_streams()
    (told,) = list(reader)
    assert (ids(told), b"shutting-down" in told) == ([None], True)
    feed.send(DONE)
    assert ids(b"".join(answers.follow("a", "1-1"))) == ["1-2"]


# The store may fail


class Flaky(MemoryStore):
    """A store whose calls raise once `broken` is set; readers of another process ask it too."""

    instant = False  # type: ignore[misc]
    broken = False

    def __getattribute__(self, name: str) -> Any:
        if name in ("open", "append", "end", "read", "report", "ask_stop") and object.__getattribute__(self, "broken"):
            return self.refuse
        return object.__getattribute__(self, name)

    def refuse(self, *args: object, **kwargs: object) -> Any:
        raise ConnectionError("secret")


@pytest.mark.parametrize("recovers", [True, False])
def test_where_the_store_fails_readers_beside_the_producer_go_on_to_the_end(recovers: bool, caplog: Any) -> None:
    store = Flaky()
    here, there = Replay(store), Replay(store)
    feed = Feed()
    reports: list[StreamReport] = []
    here.start("a", feed, on_end=reports.append)
    feed.send(TOKEN)
    reader, other = here.follow("a", heartbeat=None), there.follow("a", heartbeat=None)
    assert (ids(next(reader)), ids(next(other))) == (["1-1"], ["1-1"])
    store.broken = True
    feed.send(TOKEN)
    assert ids(next(reader)) == ["1-2"]
    last = b"".join(other)
    assert (ids(last), b"store-failed" in last) == ([None], True)
    assert ids(next(here.follow("a", "1-1", heartbeat=None))) == ["1-2"]
    with pytest.raises(ConnectionError):
        there.follow("a")
    store.broken = not recovers
    feed.send(DONE, None)
    assert ids(b"".join(reader)) == ["1-3"]
    here.close(None if recovers else 0)
    assert [report.store_error for report in reports] == ["ConnectionError"]
    assert "secret" not in caplog.text
    store.broken = False
    assert there.status("a").state == ("ended" if recovers else "running")
    if recovers:
        assert ids(b"".join(there.follow("a", "1-1"))) == ["1-2", "1-3"]


def test_a_reader_that_was_faster_than_the_producers_own_call_waits_for_it() -> None:
    """It read from the store what the producer does not know to be written; then the store fails."""

    class Late(Flaky):
        heard = threading.Event()

        def append(self, *args: Any, **facts: Any) -> bool:
            stop = super().append(*args, **facts)
            assert self.heard.wait(LIMIT)
            return stop

    store = Late()
    answers = Replay(store)
    feed = Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    until = time.monotonic() + LIMIT
    while answers.status("a").last_id != "1-1":
        assert time.monotonic() < until
    reader = answers.follow("a", heartbeat=None)
    assert ids(next(reader)) == ["1-1"]
    store.broken = True
    feed.send(TOKEN)
    threading.Timer(1.0, store.heard.set).start()
    assert ids(next(reader)) == ["1-2"]
    feed.send(DONE, None)
    assert ids(b"".join(reader)) == ["1-3"]
    answers.close(0)  # the store takes no end


def test_a_start_whose_store_fails_closes_upstream() -> None:
    store = Flaky()
    store.broken = True
    closed: list[int] = []
    with pytest.raises(ConnectionError):
        Replay(store).start("a", unbroken.Source([TOKEN], close=lambda: closed.append(1)))
    assert closed == [1]


# Arguments

REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"heartbeat": 5.0}, TypeError, "follow"),
    ({"heartbeat_as": "event"}, TypeError, "follow"),
    ({"heartbeat_bytes": "comment"}, TypeError, "follow"),
    ({"to": "ndjson"}, ValueError, '"sse" alone'),
    ({"retry": Retry()}, TypeError, "lambda attempt"),
    ({"on_end": 5}, TypeError, "on_end"),
    ({"timeout": 5}, TypeError, "timeouts"),
    ({"dialect": "x"}, ValueError, "dialect"),
]


def test_wrong_arguments_are_refused_before_anything_is_started(answers: Replay) -> None:
    for options, kind, words in REFUSED:
        with pytest.raises(kind, match=words):
            answers.start("a", ANSWER, **options)
    for id, kind in (("", InvalidId), ("a\nb", InvalidId), ("x" * 513, InvalidId), (5, TypeError)):
        with pytest.raises(kind):
            answers.start(id, ANSWER)  # type: ignore[arg-type]
    for upstream in ("text", b"bytes", 5):
        with pytest.raises(TypeError):
            answers.start("a", upstream)
    for settings in ({"ttl": 0}, {"lease": -1}, {"max_bytes": 0}, {"max_age": float("nan")}, {"namespace": "a:b"}):
        with pytest.raises(ValueError):
            Replay(MemoryStore(), **settings)  # type: ignore[arg-type]
    for store in (object(), MemoryStore):
        with pytest.raises(TypeError):
            Replay(store)  # type: ignore[arg-type]
    with pytest.raises(UnknownAnswer):
        answers.status("a")
    with pytest.raises(ValueError) as wrong:
        answers.follow("a", heartbeat=0)
    assert not isinstance(wrong.value, InvalidId)  # no client can do this


MEANT = {
    "retries": r"did you mean retry=unbroken.Retry\(max_retries=...\)\?",
    "continues": r"did you mean {0}\(id, {1}retrying\(connect, continues=...\)\)\?",
    "resume": r"did you mean {0}\(id, {1}retrying\(connect, resume=...\)\)\?",
    "dialct": "did you mean dialect\\?",
    "zzz": "takes no argument 'zzz'; it",
}


@pytest.mark.parametrize("wrong", MEANT)
def test_an_argument_that_nobody_takes_is_told_with_those_of_start(answers: Replay, wrong: str) -> None:
    for function, a in (("start", ""), ("astart", "a")):
        with pytest.raises(TypeError, match=MEANT[wrong].format(function, a)) as told:
            started = getattr(answers, function)("a", [], **{wrong: 3})
            asyncio.run(started)
        listed = str(told.value).partition("; it takes ")[2].split(", ")
        assert {"abort", "on_end", "retry", "dialect", "to"} <= {*listed}
        assert not any(name.startswith("heartbeat") for name in listed)


def test_an_answer_is_gone_on_with_where_the_source_says_so(answers: Replay) -> None:
    def connect(attempt: Attempt) -> Iterator[bytes]:
        yield DONE if attempt.text else TOKEN
        if not attempt.text:
            raise ConnectionResetError

    retry = Retry(base=0.0, jitter=False)

    async def aconnect(attempt: Attempt) -> AsyncIterator[bytes]:
        for chunk in connect(attempt):
            yield chunk

    async def start() -> None:
        assert await answers.astart("b", aretrying(aconnect, retry=retry, continues=True))
        await answers.aclose()

    assert answers.start("a", retrying(connect, retry=retry, continues=True))
    assert b"".join(answers.follow("a")).count(b"data:") == 2
    asyncio.run(start())
    assert answers.status("b").verdict == answers.status("a").verdict == Verdict.COMPLETE


def test_namespaces_do_not_meet(new_store: NewStore) -> None:
    store = new_store()
    first, second = Replay(store, namespace="a"), Replay(store, namespace="")
    assert first.start("b", ANSWER)
    assert second.start("b", ANSWER)
    assert second.start("a:b", ANSWER)
    for answers in (first, second):
        answers.close()


# asyncio


async def _live(chunks: list[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


class Slow(MemoryStore):
    """A store that waits: not one to be called in the thread of a loop."""

    instant = False  # type: ignore[misc]


@pytest.mark.parametrize("store", [MemoryStore, Slow], ids=["instant", "in threads"])
def test_the_a_functions_do_the_same(store: type[MemoryStore]) -> None:
    async def main() -> None:
        answers = Replay(store())
        with pytest.raises(UnknownAnswer):
            await anext(answers.afollow("a"))
        assert await answers.astart("a", lambda: _live(ANSWER))
        assert not await answers.astart("a", lambda: _live(ANSWER))
        wholes = await asyncio.gather(*[_read(answers, "a") for _ in range(20)])
        assert {ids(whole) == IDS for whole in wholes} == {True}
        assert (await answers.astatus("a")).verdict is Verdict.COMPLETE
        assert ids(await _read(answers, "a", "1-2")) == ["1-3"]
        closed = asyncio.Event()

        async def silent() -> AsyncIterator[bytes]:
            try:
                yield TOKEN
                await asyncio.sleep(LIMIT)
            finally:
                closed.set()

        reports: list[StreamReport] = []

        async def told(report: StreamReport) -> None:
            reports.append(report)

        assert await answers.astart("b", silent, on_end=told)
        reader = answers.afollow("b", heartbeat=0.05)
        while ids(await anext(reader)) != ["1-1"]:
            pass
        assert await anext(reader) == b":\n"
        assert await answers.astop("b")
        assert b"stopped" in b"".join([item async for item in reader])
        await asyncio.wait_for(closed.wait(), 1)
        assert await answers.astart("c", silent)
        assert ids(await anext(answers.afollow("c", heartbeat=None))) == ["1-1"]
        await answers.aclose(0)
        assert (await answers.astatus("c")).report["error"]["code"] == "shutting-down"  # type: ignore[index]
        assert [report.verdict for report in reports] == [Verdict.CANCELLED]

    asyncio.run(main())


async def _read(answers: Replay, id: str, after: str = "") -> bytes:
    return b"".join([item async for item in answers.afollow(id, after, heartbeat=None)])


def test_where_the_loop_ends_its_answers_are_ended(new_store: NewStore) -> None:
    store = new_store()

    async def main() -> None:
        answers = Replay(store)

        async def silent() -> AsyncIterator[bytes]:
            yield TOKEN
            await asyncio.sleep(LIMIT)

        await answers.astart("a", silent)
        await anext(answers.afollow("a", heartbeat=None))

    asyncio.run(main())
    assert b"shutting-down" in end(Replay(store), "a")


def test_a_thread_reads_what_a_task_produces_and_the_other_way_round(new_store: NewStore) -> None:
    answers = Replay(new_store())

    async def main() -> None:
        await answers.astart("a", lambda: _live([TOKEN] * 50 + [DONE]))
        assert len(ids(await asyncio.to_thread(end, answers, "a"))) == 51
        answers.start("b", [TOKEN] * 50 + [DONE])
        assert len(ids(await _read(answers, "b"))) == 51
        await answers.aclose()

    asyncio.run(main())


def test_a_store_for_asyncio_serves_the_a_functions_alone() -> None:
    from tests.test_replay_stores import _AsAsync

    answers = Replay(_AsAsync(MemoryStore()))  # type: ignore[arg-type]
    for call in (answers.start, answers.follow, answers.stop, answers.status):
        with pytest.raises(TypeError, match="asyncio"):
            call("a", []) if call == answers.start else call("a")  # type: ignore[operator]

    async def main() -> bytes:
        await answers.astart("a", lambda: _live(ANSWER))
        return await _read(answers, "a")

    assert ids(asyncio.run(main())) == IDS


# As a context manager


def test_leaving_a_block_waits_for_what_is_produced_and_starts_nothing_more(new_store: NewStore) -> None:
    reports: list[StreamReport] = []
    with Replay(new_store()) as answers:
        answers.start("a", ANSWER, on_end=reports.append)
    assert [report.verdict for report in reports] == [Verdict.COMPLETE]
    assert ids(end(answers, "a")) == IDS
    with pytest.raises(RuntimeError, match="after close"):
        answers.start("b", ANSWER)

    async def begin() -> Replay:
        async with Replay(new_store()) as answers:
            await answers.astart("a", _live(ANSWER), on_end=reports.append)
        with pytest.raises(RuntimeError, match="after close"):
            await answers.astart("b", _live(ANSWER))
        return answers

    assert ids(end(asyncio.run(begin()), "a")) == IDS
    assert len(reports) == 2


def test_a_block_that_raises_ends_what_it_began_and_raises_on() -> None:
    feed = Feed()
    with pytest.raises(KeyError), Replay(MemoryStore()) as answers:
        answers.start("a", feed)
        feed.send(*ANSWER, None)
        raise KeyError
    assert ids(end(answers, "a")) == IDS

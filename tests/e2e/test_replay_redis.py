"""Replayed answers in a real Redis: the contract of stores, the laws, and processes and servers that are killed."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import re
import signal
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from queue import Queue
from tempfile import mkdtemp
from typing import Any

import fastapi
import httpx
import pytest
import redis
import redis.asyncio
from fastapi.responses import JSONResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests import test_replay as held
from tests.cuts_of_replay import blocks_of
from tests.fences import ROOT, fences
from tests.scripted import DONE, LIMIT, TOKEN
from unbroken import Verdict
from unbroken.replay import Ending, Fenced, Id, RedisStore, Replay
from unbroken.replay.redis import hash_of
from unbroken.testing import StoreContract

from .alone import again_alone, in_time
from .processes import free_port
from .redis_server import RedisServer
from .replay_process import Producer

pytestmark = pytest.mark.e2e
FIRST = Id(1, 1)


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis"), durable=False) as server:
        yield server


@pytest.fixture(scope="module", name="cluster")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A cluster of one node, which refuses what touches two slots as any other does."""
    folder = tmp_path_factory.mktemp("cluster")
    bus = ("--cluster-port", str(free_port()))
    with RedisServer(folder, "--cluster-enabled", "yes", *bus, durable=False) as server:
        client = server.client()
        client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        until = time.monotonic() + LIMIT
        while "cluster_state:ok" not in _text(client.execute_command("CLUSTER", "INFO")):
            assert time.monotonic() < until
            time.sleep(0.05)
        yield server


def _text(reply: Any) -> str:
    return reply.decode() if isinstance(reply, bytes) else "".join(f"{key}:{value}\n" for key, value in reply.items())


@pytest.fixture(name="client")
def _client(server: RedisServer) -> redis.Redis:
    client = server.client()
    client.flushall()
    return client


@pytest.fixture(name="left_open")
def _left_open() -> Iterator[None]:
    """For a test whose loop ends before anybody could close a client in it."""
    yield
    with warnings.catch_warnings(action="ignore"):
        gc.collect()


# The contract of stores


class _Contract(StoreContract):
    examples = 0.12

    server: RedisServer

    def client(self) -> Any:
        """Return a client of the kind under test."""
        raise NotImplementedError

    def store(self, clock: Callable[[], float]) -> Any:
        self.server.client().flushall()
        return RedisStore(self.client(), clock=clock)


class TestStore(_Contract):
    @pytest.fixture(autouse=True)
    def _with_server(self, server: RedisServer) -> None:
        self.server = server

    def client(self) -> Any:
        return self.server.client()


class TestStoreOfDecodedReplies(TestStore):
    examples = 0.05

    def client(self) -> Any:
        return self.server.client(decode_responses=True)


@pytest.mark.usefixtures("left_open")
@pytest.mark.filterwarnings("ignore:[Uu]nclosed:ResourceWarning", "ignore:.*[Uu]nclosed")
class TestAsyncStore(TestStore):
    def client(self) -> Any:
        return self.server.async_client()


class TestStoreInACluster(_Contract):
    examples = 0.05

    @pytest.fixture(autouse=True)
    def _with_server(self, cluster: RedisServer) -> None:
        self.server = cluster

    def client(self) -> Any:
        return redis.RedisCluster(host="127.0.0.1", port=self.server.port)


@pytest.mark.usefixtures("left_open")
@pytest.mark.filterwarnings("ignore:[Uu]nclosed:ResourceWarning", "ignore:.*[Uu]nclosed")
class TestAsyncStoreInACluster(TestStoreInACluster):
    def client(self) -> Any:
        return redis.asyncio.RedisCluster(host="127.0.0.1", port=self.server.port)


def test_what_may_not_be_written_is_refused_and_changes_nothing(client: redis.Redis) -> None:
    store = RedisStore(client)
    facts: dict[str, Any] = {"first": FIRST, "lease": 9.0, "form": None}
    ending = Ending(verdict="complete", report="{}", ttl=60.0, remember=60.0)
    assert store.open("k", "producer", lease=9.0, keep=99.0)
    refused: list[tuple[str, Id, list[bytes]]] = [
        ("another", FIRST, [b"a"]),
        ("another", FIRST, []),
        ("producer", Id(1, 2), [b"a"]),
        ("producer", Id(2, 0), [b"a"]),
        ("producer", Id(2, 1), [b"a"]),
    ]
    for owner, at, records in refused:
        with pytest.raises(Fenced):
            store.append("k", owner, at, records, **facts)
        if records:
            assert not store.end("k", owner, Id(1, 9), records, ending, first=FIRST, form=None)
    for _ in range(2):
        assert store.append("k", "producer", FIRST, [b"a", b"b"], **facts) is False
    for at, records in ((FIRST, [b"a", b"c"]), (FIRST, [b"a"]), (Id(1, 2), [b"c"])):
        with pytest.raises(Fenced):
            store.append("k", "producer", at, records, **facts)
    assert not store.end("k", "another", Id(1, 3), [b"c"], ending, first=FIRST, form=None)
    for _ in range(2):
        assert store.end("k", "producer", Id(1, 3), [b"c"], ending, first=FIRST, form=None)
    assert not store.end("k", "another", Id(2, 0), [b"d"], ending, first=FIRST, form=None)
    slice = store.read("k", Id(1, 0), 99)
    assert (slice.records, slice.first, slice.last) == ([b"a", b"b", b"c"], FIRST, Id(1, 3))


# What every store's Replay is held to

HELD: list[Callable[..., None]] = [
    held.test_every_reader_gets_the_same_bytes_with_ids_of_ours,
    held.test_a_second_start_opens_nothing_and_closes_what_it_was_given,
    held.test_a_reader_follows_live_from_where_it_was_and_leaving_changes_nothing,
    held.test_the_end_is_there_while_upstream_stays_open,
    held.test_heartbeats_are_the_readers_own_and_have_no_blank_line_after_an_id,
    held.test_unknown_expired_and_trimmed_are_three_answers,
    held.test_a_reader_that_falls_behind_what_is_kept_is_told_so_without_an_id,
    held.test_an_answer_without_an_event_is_over_from_its_beginning,
    held.test_stop_ends_a_silent_upstream_at_once_and_closes_it,
    held.test_stop_reaches_a_producer_elsewhere_and_ends_for_one_that_does_not_answer,
    held.test_a_lost_producer_is_an_end_for_who_reads_who_asks_and_who_comes_back,
    held.test_an_answer_that_never_ends_is_ended,
    held.test_upstream_is_opened_again_where_an_attempt_is_taken,
    held.test_close_waits_and_then_ends_the_rest,
    held.test_a_server_that_ends_its_streams_sends_readers_away_and_lets_the_answer_go_on,
    held.test_namespaces_do_not_meet,
    held.test_where_the_loop_ends_its_answers_are_ended,
    held.test_a_thread_reads_what_a_task_produces_and_the_other_way_round,
]


@pytest.mark.parametrize("law", HELD, ids=lambda law: law.__name__)
def test_what_every_store_is_held_to(
    law: Callable[..., None], server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def store(*, clock: Callable[[], float] | None = None) -> Any:
        client.flushall()
        return RedisStore(client, clock=clock)

    monkeypatch.setattr(held, "MemoryStore", store)
    given: dict[str, Any] = {"answers": Replay(store()), "new_store": store, "caplog": caplog}
    law(**{name: given[name] for name in inspect.signature(law).parameters})
    given["answers"].close(0)


@pytest.mark.usefixtures("left_open")
@pytest.mark.parametrize("kind", ["redis.Redis", "redis.asyncio.Redis"])
def test_the_a_functions_do_the_same(kind: str, server: RedisServer, client: redis.Redis) -> None:
    def store() -> Any:
        return RedisStore(client if kind == "redis.Redis" else server.async_client())

    held.test_the_a_functions_do_the_same(store)  # type: ignore[arg-type]


def test_a_client_for_asyncio_serves_the_a_functions_alone(server: RedisServer) -> None:
    answers = Replay(RedisStore(server.async_client()))
    with pytest.raises(TypeError, match="asyncio"):
        answers.follow("a")
    for wrong in (object(), redis.Redis, None):
        with pytest.raises(TypeError, match=r"redis\.Redis"):
            RedisStore(wrong)


# Keys

HOSTILE = [
    "a",
    "a:log",
    "a}:log",
    "{a}",
    "}{",
    "{}",
    "*",
    "a b",
    "%7D",
    "a%7D:log",
    "\u00e9\u4e2d",
    "a:report",
    "$(x)`'\"",
]


def test_no_id_breaks_out_of_its_keys(client: redis.Redis, cluster: RedisServer) -> None:
    answers = Replay(RedisStore(client))
    for number, id in enumerate(HOSTILE):
        held.produce(answers, id, [TOKEN] * (number + 1) + [DONE])
    for number, id in enumerate(HOSTILE):
        assert len(blocks_of(held.end(answers, id))) == number + 2
    keys = client.keys("*")
    assert len(keys) == 3 * len(HOSTILE)
    tags = [key.decode().partition("{")[2].partition("}")[0] for key in keys]
    assert len({*tags}) == len(HOSTILE)
    slots = cluster.client()
    for id in HOSTILE:
        key = hash_of(f":{id}")
        found = {slots.execute_command("CLUSTER", "KEYSLOT", name) for name in (key, f"{key}:log", f"{key}:report")}
        assert len(found) == 1
    assert len({slots.execute_command("CLUSTER", "KEYSLOT", hash_of(f":{n}")) for n in range(200)}) > 150


def test_every_key_is_forgotten_in_time(client: redis.Redis) -> None:
    answers = Replay(RedisStore(client), ttl=60, max_age=600, lease=10)
    feed = held.Feed()
    answers.start("a", feed)
    feed.send(TOKEN)
    next(answers.follow("a"))
    hash = hash_of(":a")
    for key in (hash, f"{hash}:log"):
        assert 660 < client.ttl(key) <= 670
    feed.send(DONE, None)
    held.end(answers, "a")
    assert 590 < client.ttl(hash) <= 600
    for key in (f"{hash}:log", f"{hash}:report"):
        assert 55 < client.ttl(key) <= 61


def test_what_redis_evicted_is_told_and_never_skipped(client: redis.Redis) -> None:
    answers = Replay(RedisStore(client))
    held.produce(answers, "a", [TOKEN, TOKEN, DONE])
    client.delete(hash_of(":a") + ":log")
    with pytest.raises(held.ExpiredAnswer):
        answers.follow("a")
    feed = held.Feed()
    answers.start("b", feed)
    feed.send(TOKEN)
    reader = Replay(RedisStore(client)).follow("b", heartbeat=None)
    next(reader)
    client.delete(hash_of(":b") + ":log")
    feed.send(TOKEN)
    assert b"trimmed" in b"".join(reader)
    feed.send(None)
    answers.close()


@again_alone
def test_the_client_of_the_page_gives_up_within_a_second(server: RedisServer) -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    (call,) = re.findall(r"^`(redis\.Redis\(.+\))`$", page, re.MULTILINE)
    made = call.replace('host="localhost"', f'host="127.0.0.1", port={server.port}')
    client = eval(made, {"redis": redis, "Retry": Retry, "NoBackoff": NoBackoff})
    client.flushall()
    answers = Replay(RedisStore(client))
    held.produce(answers, "of the page", [TOKEN, DONE])
    assert held.ids(held.end(answers, "of the page")) == ["1-1", "1-2"]
    server.send(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            answers.status("of the page")
        took = time.monotonic() - began
    finally:
        server.send(signal.SIGCONT)
    client.close()
    assert took > 0.5
    in_time(took, 1.2)


@pytest.mark.parametrize("raises", ["its own exception", "a TimeoutError"])
def test_where_redis_is_down_the_handlers_of_the_page_answer(raises: str, tmp_path: Path) -> None:
    """The page is replay.md. A client that tries again and again is left behind after a second by the a-functions."""
    (handlers,) = [it for it in fences(ROOT / "docs" / "how-to" / "replay.md") if "redis.RedisError" in it.text]
    app = fastapi.FastAPI()
    exec(handlers.text, {"app": app, "Request": fastapi.Request, "JSONResponse": JSONResponse})
    with RedisServer(tmp_path, durable=False) as down:
        down.client().ping()
    gives_up = raises == "its own exception"
    answers = Replay(
        RedisStore(
            redis.Redis(port=down.port, retry=Retry(NoBackoff(), 1))
            if gives_up
            else redis.asyncio.Redis(port=down.port)
        )
    )

    @app.post("/start")
    async def start() -> bool:
        return await answers.astart("a", [TOKEN, DONE])

    @app.post("/follow")
    async def follow() -> None:
        await answers.afollow("a")

    @app.post("/stop")
    async def stop() -> bool:
        return await answers.astop("a")

    @app.post("/status")
    async def status() -> str:
        return (await answers.astatus("a")).state

    @app.post("/threads")
    def threads() -> bool:
        return answers.start("a", [TOKEN, DONE])

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as browser:
            for path in ("/start", "/follow", "/stop", "/status", *(["/threads"] if gives_up else [])):
                answered = await browser.post(path)
                assert (path, answered.status_code, answered.json()) == (path, 503, {"error": "store"})

    asyncio.run(ask())


# Hints


def test_one_connection_serves_all_that_is_watched(server: RedisServer, client: redis.Redis) -> None:
    store, other = RedisStore(server.client(client_name="watched")), RedisStore(client)
    rung: Queue[int] = Queue()
    leaves = [store.watch(f":{number}", lambda number=number: rung.put(number)) for number in range(50)]
    assert {rung.get(timeout=LIMIT) for _ in range(50)} == {*range(50)}, "woken once when it is subscribed"
    assert [connection["name"] for connection in client.client_list(_type="pubsub")].count("watched") == 1
    other.open(":7", "me", lease=9, keep=99)
    other.append(":7", "me", FIRST, [TOKEN], first=FIRST, lease=9, form=None)
    assert rung.get(timeout=LIMIT) == 7
    for leave in leaves:
        leave()
        leave()
    other.ask_stop(":7")
    late = store.watch(":7", lambda: rung.put(-1))
    assert rung.get(timeout=LIMIT) == -1
    late()


@again_alone
@pytest.mark.usefixtures("left_open")
def test_hints_come_at_once_for_threads_and_tasks(server: RedisServer, client: redis.Redis) -> None:
    """Ten events from elsewhere, each waited for before the next: by looking each half second it takes five seconds."""
    client.flushall()
    there = Replay(RedisStore(client))

    async def read(kind: str) -> float:
        feed = held.Feed()
        await asyncio.to_thread(there.start, kind, feed)
        feed.send(TOKEN)
        store = RedisStore(server.client() if kind == "threads" else server.async_client())
        reader = Replay(store).afollow(kind, heartbeat=None)
        await anext(reader)
        began = time.monotonic()
        for _ in range(10):
            feed.send(TOKEN)
            await anext(reader)
        took = time.monotonic() - began
        feed.send(DONE, None)
        assert held.ids(b"".join([frame async for frame in reader])) == ["1-12"]
        return took

    slowest = max(asyncio.run(read(kind)) for kind in ("threads", "tasks"))
    there.close()
    in_time(slowest, 2.5)


@pytest.mark.usefixtures("left_open")
def test_a_thousand_readers_of_one_process_do_not_use_up_the_connections(server: RedisServer) -> None:
    async def main(store: Any) -> None:
        answers, elsewhere = Replay(RedisStore(server.client())), Replay(store)
        feed = held.Feed()
        answers.start("many", feed)
        feed.send(TOKEN)
        readers = [elsewhere.afollow("many", heartbeat=None) for _ in range(1000)]
        reads = [asyncio.ensure_future(_read(reader)) for reader in readers]
        await asyncio.sleep(0.2)
        feed.send(TOKEN, DONE, None)
        assert {tuple(held.ids(wire)) for wire in await asyncio.gather(*reads)} == {("1-1", "1-2", "1-3")}

    for store in (lambda: RedisStore(server.client()), lambda: RedisStore(server.async_client())):
        server.client().flushall()
        asyncio.run(main(store()))


async def _read(reader: AsyncIterator[bytes]) -> bytes:
    return b"".join([frame async for frame in reader])


# Processes


def _code(frame: bytes) -> str:
    return frame.partition(b'"code": "')[2].partition(b'"')[0].decode()


@again_alone
def test_a_killed_producer_is_told_after_its_lease(server: RedisServer, client: redis.Redis) -> None:
    client.flushall()
    answers = Replay(RedisStore(client), lease=1.0)
    with Producer(server.port, "ticking", ["a"], lease=1.0) as producer:
        producer.go()
        assert producer.line() == "started True"
        reader = answers.follow("a", heartbeat=None)
        for _ in range(5):
            next(reader)
        producer.send(signal.SIGKILL)
        began = time.monotonic()
        *_, last = reader
        took = time.monotonic() - began
    assert _code(last) == "producer-lost"
    assert held.end(answers, "a").endswith(last)
    assert answers.status("a").verdict is Verdict.FAILED
    in_time(took, 1.0 + 2.0)


def test_a_producer_that_was_stopped_and_wakes_up_is_fenced(server: RedisServer, client: redis.Redis) -> None:
    answers = Replay(RedisStore(client), lease=1.0)
    with Producer(server.port, "ticking", ["a"], lease=1.0) as producer:
        producer.go()
        assert producer.line() == "started True"
        reader = answers.follow("a", heartbeat=None)
        next(reader)
        producer.send(signal.SIGSTOP)
        whole = held.end(answers, "a")
        assert b"producer-lost" in whole
        producer.send(signal.SIGCONT)
        assert producer.line() == "ended producer-lost"
        assert held.end(answers, "a") == whole
        assert held.ids(whole) == [f"1-{n}" for n in range(1, len(held.ids(whole)))] + ["2-0"]
    reader.close()


def test_of_four_processes_that_start_one_produces_each_answer(server: RedisServer, client: redis.Redis) -> None:
    answers = Replay(RedisStore(client))
    ids = [f"a{number}" for number in range(20)]
    with (
        Producer(server.port, "whole", ids) as p1,
        Producer(server.port, "whole", ids) as p2,
        Producer(server.port, "whole", ids) as p3,
        Producer(server.port, "whole", ids) as p4,
    ):
        producers = (p1, p2, p3, p4)
        for producer in producers:
            producer.go()
        started = [_started(producer, len(ids)) for producer in producers]
        assert [column.count(True) for column in zip(*started, strict=True)] == [1] * len(ids)
        for id in ids:
            assert held.ids(held.end(answers, id)) == ["1-1", "1-2", "1-3"]


def _started(producer: Producer, count: int) -> list[bool]:
    """Return what each start returned; ends are printed between them."""
    said: list[bool] = []
    while len(said) < count:
        line = producer.line()
        if line.startswith("started"):
            said.append(line == "started True")
        assert line
    return said


@again_alone
def test_stop_ends_an_answer_of_another_process_whose_upstream_is_silent(
    server: RedisServer, client: redis.Redis
) -> None:
    client.flushall()
    answers = Replay(RedisStore(client))
    with Producer(server.port, "silent", ["a"]) as producer:
        producer.go()
        assert producer.line() == "started True"
        reader = answers.follow("a", heartbeat=None)
        next(reader)
        began = time.monotonic()
        assert answers.stop("a")
        last = b"".join(reader)
        took = time.monotonic() - began
        assert producer.line() == "ended stopped"
    assert (_code(last), held.ids(last)) == ("stopped", ["1-2"])
    in_time(took, 1.0)


# The server


@again_alone
def test_a_server_that_is_killed_under_load_costs_readers_elsewhere_a_reconnection(tmp_path: Path) -> None:
    ids = [f"a{number}" for number in range(8)]
    with RedisServer(Path(mkdtemp(dir=tmp_path))) as server:
        here, there = Replay(RedisStore(server.client())), Replay(RedisStore(server.client()))
        killed = threading.Event()
        recovered = threading.Event()

        def upstream() -> Iterator[bytes]:
            for number in range(10**6):
                yield TOKEN
                time.sleep(0.005)
                if number > 20 and recovered.is_set():
                    break
            yield DONE

        reports: Queue[Any] = Queue()
        for id in ids:
            assert here.start(id, upstream, on_end=reports.put)
        beside = [here.follow(id, heartbeat=None) for id in ids]
        elsewhere = [there.follow(id, heartbeat=None) for id in ids]
        seen = [next(reader) for reader in elsewhere]
        wholes: dict[int, bytes] = {}
        pauses: list[float] = []
        running: Queue[int] = Queue()

        def read(at: int) -> None:
            pieces, last = [], time.monotonic()
            for piece in beside[at]:
                running.put(at)
                if killed.is_set():
                    pauses.append(time.monotonic() - last)
                last = time.monotonic()
                pieces.append(piece)
            wholes[at] = b"".join(pieces)

        threads = [threading.Thread(target=read, args=(at,)) for at in range(len(ids))]
        for thread in threads:
            thread.start()
        while {*running.queue} != {*range(len(ids))}:
            time.sleep(0.01)
        killed.set()
        server.kill()
        for at, reader in enumerate(elsewhere):
            seen[at] += b"".join(reader)
        for wire in seen:
            assert (held.ids(wire)[-1], _code(wire)) == (None, "store-failed")
        time.sleep(1.5)  # longer than the client tries again by itself, or an answer may never notice
        server.start()
        recovered.set()
        for thread in threads:
            thread.join(LIMIT)
        assert {reports.get(timeout=LIMIT).store_error is not None for _ in ids} == {True}
        here.close(LIMIT)
        for at, id in enumerate(ids):
            whole = held.ids(wholes[at])
            assert whole == [f"1-{number}" for number in range(1, len(whole) + 1)]
            assert held.end(there, id) == wholes[at], "the log has caught up"
            before = seen[at].rpartition(b"event: error")[0] or seen[at]
            cursor = [id for id in held.ids(before) if id is not None][-1]
            assert wholes[at].endswith(b"".join(there.follow(id, cursor, heartbeat=None)))
        in_time(max(pauses), 3.0)


@again_alone
def test_a_server_that_hangs_does_not_hold_the_reader_beside_the_producer(tmp_path: Path) -> None:
    with RedisServer(Path(mkdtemp(dir=tmp_path))) as server:
        answers = Replay(RedisStore(server.client()))
        feed = held.Feed()
        answers.start("a", feed)
        feed.send(TOKEN)
        reader = answers.follow("a", heartbeat=None)
        next(reader)
        server.send(signal.SIGSTOP)
        try:
            feed.send(TOKEN)
            began = time.monotonic()
            assert held.ids(next(reader)) == ["1-2"]
            took = time.monotonic() - began
        finally:
            server.send(signal.SIGCONT)
        feed.send(DONE, None)
        assert held.ids(b"".join(reader)) == ["1-3"]
        answers.close()
        assert held.ids(held.end(answers, "a")) == ["1-1", "1-2", "1-3"]
        in_time(took, 2.0)


def test_hints_come_again_after_a_restart(tmp_path: Any) -> None:
    with RedisServer(tmp_path) as server:
        store = RedisStore(server.client())
        rung = threading.Event()
        leave = store.watch(":a", rung.set)
        assert rung.wait(LIMIT)
        server.kill()
        server.start()
        rung.clear()
        assert rung.wait(LIMIT), "it is subscribed again"
        leave()


def test_a_process_that_was_forked_has_a_connection_of_its_own(server: RedisServer, client: redis.Redis) -> None:
    store = RedisStore(client)
    rung = threading.Event()
    leave = store.watch(":a", rung.set)
    assert rung.wait(LIMIT)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            again = threading.Event()
            store.watch(":a", again.set)
            os.write(write, b"1" if again.wait(LIMIT) else b"0")
        finally:
            os._exit(0)
    assert os.read(read, 1) == b"1"
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    leave()

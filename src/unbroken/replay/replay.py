"""Answers that outlive their readers: started once, followed by anybody from any event on, stopped by anybody."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from inspect import iscoroutinefunction, signature
from secrets import token_hex
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from ..adapters.arguments import complete
from ..adapters.frame_stream import AsyncFrameStream, FrameStream
from ..adapters.source import Source, client_of
from ..adapters.upstream import is_entered, is_read, sync_upstream_source, upstream_source
from ..core.failure import SHUTTING_DOWN
from ..core.heartbeat import check_interval
from ..core.options import DEFAULT_HEARTBEAT, refuse_unknown
from ..core.quantities import check_count, check_seconds
from ..core.repairer import StreamRepairer
from ..core.report import Verdict
from .bells import Bells, Timer
from .calls import InThread, StoreTimeout, calls_for, check_store, run
from .cursor import POLL, STOPPED
from .follower import AsyncFollower, Follower, Log, first_slice, lags
from .form import FormKeeper
from .ids import START, Id, InvalidId, parse
from .outside import Terms, end_unproduced
from .producer import Producer, TaskProducer, ThreadProducer
from .status import Status, UnknownAnswer

if TYPE_CHECKING:
    from .calls import Calls
    from .store import AsyncStore, Store
    from .tally import Changed

MAX_ID: Final = 512
"""Bytes of an id, as UTF-8."""
_HEARTBEATS: Final = ("heartbeat", "heartbeat_as", "heartbeat_bytes")
"""Options of `repair` that are of no use where nobody is written to: `follow` writes heartbeats."""
_OWN: Final = ("abort", "on_end", "retry")
"""What `start` takes by name besides options."""
_TRIES: Final = 5
"""How often a store that was slow is asked to end what it may have opened."""
_LEAVES: Final = 1.0
"""Seconds for which a producer that was ended by `close` may take to release upstream and to call `on_end`."""
_OBEYS: Final = 0.7
"""Seconds for which a producer of another process may take to end an answer itself, before that is done for it."""


class Replay:
    """Answers that outlive their readers.

    `store` keeps them: `MemoryStore()` in this process, others for several. `ttl`: seconds for which an answer is kept
    after its end. `lease`: seconds after which a producer that is silent counts as lost; it says that it is there every
    third of that. `max_bytes`: bytes that are kept of one answer, at least its newest event. `max_age`: seconds after
    which an answer that never ended is ended, and for which the id of one that has expired is remembered.
    `namespace` stands in front of all keys.

    A context manager, also for asyncio, that ends by `close()` or `aclose()`: it waits for every end. Nothing is
    opened, and no thread started, before the first call. Any thread may call any method; those that begin
    with `a` are for asyncio. Raises `TypeError` or `ValueError` for a wrong argument.
    """

    def __init__(
        self,
        store: Store | AsyncStore,
        *,
        ttl: float = 3600.0,
        lease: float = 10.0,
        max_bytes: int = 16 * 2**20,
        max_age: float = 86400.0,
        namespace: str = "",
    ) -> None:
        self._store: Any = store
        self._is_async = check_store(store)
        for name, seconds in {"ttl": ttl, "lease": lease, "max_age": max_age}.items():
            check_seconds(f"Replay({name}=...)", seconds)
        check_count("Replay(max_bytes=...)", max_bytes, least=1, unit=" of bytes")
        given: object = namespace
        if not isinstance(given, str) or ":" in given:
            raise ValueError("Replay(namespace=...) takes a string without a colon, which ends it in each key")
        self._terms = Terms(float(ttl), float(lease), max_bytes, float(max_age))
        self._namespace = namespace
        self._here: Calls = InThread()
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        # its threads do not live through a fork
        self._there: Calls = calls_for(self._store, self._terms.lease, is_async=self._is_async)
        self._lock = threading.Lock()
        self._bells = Bells(self._store)
        self._producers: dict[str, Producer] = {}
        self._undoing: set[asyncio.Future[None]] = set()

    def _forget_fork(self) -> None:
        """Leave to the process that forked what it produces."""
        if self._pid != os.getpid():
            self._begin()

    # What is called in threads

    def start(self, id: str, upstream: Any, **options: Any) -> bool:
        """Produce the answer `id` in a thread of its own, whoever reads it or leaves; return whether that began.

        `upstream` is what `repair` takes, or a `connect(attempt)` as `retrying` takes. `options` are those of `repair`
        but those of heartbeats; `abort`; `retry`, a `Retry` for `connect`; and `on_end`, which is called with the
        report at the end, in that thread. False: the id was started already, running, ended or expired; nothing was
        opened, and an upstream that was handed in open is closed.

        Raises `TypeError` or `ValueError` for a wrong argument (`InvalidId` for an id), `RuntimeError` after `close`,
        and what the store raises. What goes wrong later ends the answer as FAILED, and is logged.
        """
        self._refuse_async("start")
        key, owner = self._startable("start", id), token_hex(8)
        stream, on_end = _stream_of("start", upstream, options)
        try:
            form = FormKeeper(stream)
            elected = self._store.open(key, owner, lease=self._terms.lease, keep=self._keep, form=form.text)
        except BaseException:
            stream.close()
            raise
        if not elected:
            stream.close()
            return False
        form.stored(form.text)
        bell = self._bells.take(key)
        producer = ThreadProducer(self._store, self._here, key, owner, stream, form, bell, self._terms, on_end)
        try:
            self._launch("start", key, producer)
        except BaseException:
            run(producer.abandon(SHUTTING_DOWN))
            raise
        return True

    def follow(self, id: str, after: str = "", *, heartbeat: float | None = DEFAULT_HEARTBEAT) -> Follower:
        """Return an iterator over the frames of an answer behind the event `after`, "" for all: to its end.

        Each event bears an `id:`, with which a reader comes back. A heartbeat is written after so many seconds without
        a frame, None for none: a comment, or a blank line to clients of a dialect that fail at comments.

        Raises `UnknownAnswer`, `ExpiredAnswer` or `TrimmedAnswer` at once, `InvalidId` for an `after` that is no id,
        `TypeError` or another `ValueError` for a wrong argument, and what the store raises. A cursor beyond a running
        answer waits until the answer reaches it, and is told `store-failed` if that ends before.
        """
        self._refuse_async("follow")
        cursor = _cursor_of(after, heartbeat)
        log = self._log(id, self._here)
        return Follower(log, self._bells, cursor, heartbeat, run(first_slice(log, cursor)))

    def stop(self, id: str) -> bool:
        """End a running answer as CANCELLED, code `stopped`, and close upstream; return whether it was running.

        The last frame follows within a second, also where upstream is silent or another process produces. Raises
        `UnknownAnswer` and `ExpiredAnswer`, and what the store raises.
        """
        self._refuse_async("stop")
        return run(self._stop(self._log(id, self._here)))

    def status(self, id: str) -> Status:
        """Return what is known of an answer. Raises `UnknownAnswer` and `ExpiredAnswer`, and what the store raises."""
        self._refuse_async("status")
        return run(self._status(self._log(id, self._here)))

    def close(self, timeout: float | None = None) -> None:
        """Wait for what is produced here, `timeout` seconds at most, then end the rest as `shutting-down`.

        Nothing is started from here on; readers may go on. None waits for every end; otherwise it returns a second
        behind `timeout` at the latest, whatever `on_end` or upstream still do. Tasks of `astart` are only ended:
        `aclose` waits for them.
        """
        until = self._until("close", timeout)
        threads = [producer for producer in self._open() if isinstance(producer, ThreadProducer)]
        for thread in threads:
            thread.wait(_left(until))
        for producer in self._open():
            producer.ask(SHUTTING_DOWN)
        for thread in threads:
            thread.wait(_left(None if until is None else until + _LEAVES))
        self._bells.sweep()

    # What is called in tasks

    async def astart(self, id: str, upstream: Any, **options: Any) -> bool:
        """Produce an answer as `start` does, in a task that this object holds. `upstream` is what `arepair` takes."""
        key, owner = self._startable("astart", id), token_hex(8)
        stream, on_end = _stream_of("astart", upstream, options)
        try:
            form = FormKeeper(stream)
            elected = await self._elect(key, owner, form.text)
        except BaseException:
            await stream.aclose()
            raise
        if not elected:
            await stream.aclose()
            return False
        form.stored(form.text)
        bell = self._bells.take(key)
        producer = TaskProducer(self._store, self._there, key, owner, stream, form, bell, self._terms, on_end)
        try:
            self._launch("astart", key, producer)
        except BaseException:
            await producer.abandon(SHUTTING_DOWN)
            raise
        return True

    def afollow(self, id: str, after: str = "", *, heartbeat: float | None = DEFAULT_HEARTBEAT) -> AsyncFollower:
        """Return the iterator of `follow` for asyncio. What `follow` raises at once is raised by its first step, or by
        `await answers.afollow(id)`, which gives the same iterator.
        """
        cursor = _cursor_of(after, heartbeat)
        return AsyncFollower(self._log(id, self._there), self._bells, cursor, heartbeat, None)

    async def astop(self, id: str) -> bool:
        """End a running answer as `stop` does."""
        return await self._stop(self._log(id, self._there))

    async def astatus(self, id: str) -> Status:
        """Return what is known of an answer, as `status` does."""
        return await self._status(self._log(id, self._there))

    async def aclose(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - nothing is cancelled
        """Wait as `close` does, without blocking the loop: for tasks, those of other loops too, and for threads."""
        until = self._until("aclose", timeout)
        ends = {asyncio.ensure_future(producer.ended()) for producer in self._open()}
        if ends:
            _, ends = await asyncio.wait(ends, timeout=_left(until))
        if ends:
            for producer in self._open():
                producer.ask(SHUTTING_DOWN)
            _, ends = await asyncio.wait(ends, timeout=_left(None if until is None else until + _LEAVES))
        for end in ends:
            end.cancel()
        self._bells.sweep()

    # What both share

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    def figures(self) -> dict[str, int]:
        """Return what this process does at the moment: `running` answers that it produces, `readers`, their `lag` (the
        events by which the slowest one is behind); and what it did so far: `store_errors`, and events that were
        `trimmed`. `Collector.watch` asks for them.
        """
        behind = lags(self._bells)
        return {
            "running": len(self._open()),
            "readers": len(behind),
            "lag": max(behind, default=0),
            "store_errors": self._terms.tally.total("store_errors"),
            "trimmed": self._terms.tally.total("trimmed"),
        }

    def ends(self) -> dict[tuple[str, str], int]:
        """Return how many ends this process has written, by verdict and the code of the error, "" without one."""
        return self._terms.tally.ends()

    def on_change(self, changed: Changed) -> None:
        """Have `changed(name, amount, labels)` called with what was counted so far, and then with each change of
        `running`, `readers`, `ends`, `store_errors` or `trimmed`, in any thread. It must return at once.
        """
        self._terms.tally.tell(changed)

    @property
    def _keep(self) -> float:
        """Seconds after which an answer that nobody ended, since nobody looked at it, may be forgotten."""
        return self._terms.max_age + self._terms.ttl + self._terms.lease

    def _refuse_async(self, function: str) -> None:
        if self._is_async:
            name = type(self._store).__name__
            raise TypeError(f"{function}() waits for the store in its thread, and {name} is for asyncio: a{function}()")

    def _startable(self, function: str, id: str) -> str:
        self._forget_fork()
        self._check_open(function)
        _check_id(function, id)
        return f"{self._namespace}:{id}"

    def _launch(self, function: str, key: str, producer: Producer) -> None:
        """Start a producer and hold it until its end. Raises `RuntimeError` where that cannot be, or not any more."""
        bells, producers, bell, tally = self._bells, self._producers, producer.bell, self._terms.tally

        def done() -> None:
            if producers.pop(key, None) is not None:
                tally.count("running", -1)
            bell.ring()
            bells.give_back(key, bell)
            bells.sweep()

        try:
            with self._lock:
                self._check_open(function)
                producers[key] = producer
            tally.count("running")
            producer.start(done)
        except BaseException:
            done()
            raise

    async def _elect(self, key: str, owner: str, form: str) -> bool:
        """Return whether a task is to produce the answer. Who gives up meanwhile may have been elected all the same:
        such an answer is ended.
        """
        terms = {"lease": self._terms.lease, "keep": self._keep, "form": form}
        opening = asyncio.ensure_future(self._there.call(self._store.open, key, owner, **terms))
        try:
            return bool(await asyncio.shield(opening))
        except (asyncio.CancelledError, StoreTimeout):
            undoing = asyncio.ensure_future(self._undo(key, owner, form, opening))
            self._undoing.add(undoing)
            undoing.add_done_callback(self._undoing.discard)
            raise

    async def _undo(self, key: str, owner: str, form: str, opening: asyncio.Future[bool]) -> None:
        """End an answer that was opened for somebody who gave up, as soon as a slow store has it."""
        for _ in range(_TRIES):
            try:
                if not opening.done() and not await opening:
                    return
                if await end_unproduced(self._there, self._store, key, owner, SHUTTING_DOWN, self._terms, form):
                    return
            except Exception:
                pass  # it is asked again
            await asyncio.sleep(POLL)

    def _check_open(self, function: str) -> None:
        if self._closed:
            raise RuntimeError(f"{function}() was called after close()")

    def _open(self) -> list[Producer]:
        with self._lock:
            return list(self._producers.values())

    def _until(self, function: str, timeout: float | None) -> float | None:
        if timeout is not None:
            check_seconds(f"{function}(timeout=...)", timeout, least=0, instead="None waits for every end")
        self._forget_fork()
        with self._lock:
            self._closed = True
        return None if timeout is None else time.monotonic() + timeout

    def _log(self, id: str, calls: Calls) -> Log:
        """Return the log of an answer. An id that nobody can have started is unknown like any other."""
        self._forget_fork()
        try:
            _check_id("follow", id)
        except InvalidId:
            raise UnknownAnswer(id) from None
        return Log(self._store, calls, id, f"{self._namespace}:{id}", self._terms, self._producers.get)

    async def _status(self, log: Log) -> Status:
        state = (await log.known(START, 0)).state
        report = None if state.verdict is None else await log.report()
        has_events = state.last > START
        return Status(
            state="running" if state.verdict is None else "ended",
            verdict=Verdict.OPEN if state.verdict is None else Verdict(state.verdict),
            first_id=str(min(state.first, state.last)) if has_events else "",
            last_id=str(state.last) if has_events else "",
            report=None if report is None else json.loads(report),
            started=state.started,
            ended=state.ended,
        )

    async def _stop(self, log: Log) -> bool:
        producer = self._producers.get(log.key)
        if producer is not None and producer.ask(STOPPED):
            return True  # whatever the store does
        slice = await log.known(START, 0)
        if slice.state.verdict is not None:
            return False
        if not await log.ask_stop():
            return False
        bell, timer = self._bells.take(log.key), Timer()
        try:
            until = time.monotonic() + _OBEYS
            while slice.state.verdict is None:
                rings, left = bell.rings, until - time.monotonic()
                if left <= 0:
                    await log.end(slice, STOPPED)
                    break
                await log.wait(bell, rings, min(left, POLL / 4), timer)
                slice = await log.known(START, 0)
        finally:
            timer.cancel()
            self._bells.give_back(log.key, bell)
            self._bells.sweep()
        return True


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - time.monotonic())


def _check_id(function: str, id: object) -> None:
    if not isinstance(id, str):
        raise TypeError(f"{function}(id, ...) takes a string, not {type(id).__name__}")
    try:
        size = len(id.encode())
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= MAX_ID or not id.isprintable():
        raise InvalidId(f"{function}(id, ...) takes printable text of 1 to {MAX_ID} bytes")


def _cursor_of(after: str, heartbeat: float | None) -> Id:
    check_interval("heartbeat", heartbeat)
    return parse(after)


def _stream_of(function: str, upstream: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """Return the stream of an upstream, of which nothing is opened yet, and `on_end`; check everything else."""
    for name in _HEARTBEATS:
        if name in options:
            raise TypeError(
                f"{function}() takes no argument {name!r}: follow(heartbeat=...) writes heartbeats, as comments"
            )
    refuse_unknown(function, options, writes=True, also=_OWN, but=_HEARTBEATS, means=_meant(function))
    if options.setdefault("to", "sse") != "sse":
        raise ValueError(f'{function}(to=...) takes "sse" alone: ids need a place')
    on_end, retry, abort = options.pop("on_end", None), options.pop("retry", None), options.pop("abort", None)
    if on_end is not None and not callable(on_end):
        raise TypeError(f"{function}(on_end=...) takes a function of the report, not {type(on_end).__name__}")
    is_async = function.startswith("a")
    if not is_async and iscoroutinefunction(on_end):
        raise TypeError(f"{function}(on_end=...) takes a plain function, which is called in a thread")
    if _takes_an_attempt(upstream):
        from ..retry.retrying import aretrying, retrying

        upstream = (aretrying if is_async else retrying)(upstream, retry=retry)
    elif retry is not None:
        raise TypeError(f"{function}(retry=...) needs an upstream that can be opened again: lambda attempt: ...")
    source_of = upstream_source if is_async else sync_upstream_source
    source = source_of(function, upstream, abort, options.get("last_event_id", ""))
    complete(function, options, source, writes=True)  # type: ignore[arg-type]
    options["heartbeat"] = None
    stream = (AsyncFrameStream if is_async else FrameStream)(StreamRepairer(**options), source)
    return stream, on_end


def _meant(function: str) -> dict[str, str]:
    """Return what to write for arguments of `retrying` and `Retry`, of which `start` takes a `Retry` alone."""
    connect = f"{function}(id, {'aretrying' if function == 'astart' else 'retrying'}(connect, "
    return {
        **dict.fromkeys(("retries", "max_retries"), "retry=unbroken.Retry(max_retries=...)"),
        **{name: f"{connect}{name}=...))" for name in ("continues", "resume", "on_retry")},
    }


def _takes_an_attempt(upstream: Any) -> bool:
    """Return whether this is a function that must be called with an attempt."""
    if not callable(upstream) or is_read(upstream) or is_entered(upstream):
        return False
    if isinstance(upstream, Source) or client_of(upstream) is not None:
        return False
    try:
        parameters = signature(upstream)
    except (TypeError, ValueError):
        return False
    try:
        parameters.bind()
    except TypeError:
        return True
    return False

"""A replayed answer over `retrying`, step by step: upstream breaks anywhere, readers come and go, somebody stops it.

What stands in the log at the end is what `arepair` makes of the same connections, up to a stop; every reader has what
follows its cursor, once, whenever it came, left and came back.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.cuts_of_replay import blocks_of
from tests.scripted import DONE, TOKEN, Clock, WarpLoop, warp
from unbroken import Attempt, Retry, StreamReport, Verdict, arepair, aretrying
from unbroken.replay import AsyncFollower, MemoryStore, Replay

ROLE = TOKEN.replace(b'"content":"x"', b'"role":"assistant","content":""')
TURNS = 100
"""Turns of the loop after which whatever a step set off has come to rest."""
RETRY = Retry(base=0.0)


async def rest() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Connection:
    """What one connection sends; the script of it is kept, for who reads it again."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.script: list[bytes | Exception | None] = []
        self.closed = False

    def send(self, what: bytes | Exception | None) -> None:
        self.script.append(what)
        self.queue.put_nowait(what)

    @property
    def is_open(self) -> bool:
        return not self.closed and not (self.script and not isinstance(self.script[-1], bytes))

    async def read(self) -> AsyncIterator[bytes]:
        try:
            while (chunk := await self.queue.get()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            self.closed = True


@dataclass
class Reader:
    """One reader: where it began, and what it got, over all its visits."""

    answers: Replay
    begun: str
    read: list[bytes] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    follower: AsyncFollower | None = None

    @property
    def wire(self) -> bytes:
        return b"".join(self.read)

    @property
    def last(self) -> str:
        ids = re.findall(rb"^id: (\S+)$", self.wire, re.MULTILINE)
        return ids[-1].decode() if ids else self.begun

    def come(self) -> None:
        self.follower = self.answers.afollow("a", self.last, heartbeat=None)

        async def work(follower: AsyncFollower) -> None:
            async for frames in follower:
                self.read.append(frames)

        self.task = asyncio.get_running_loop().create_task(work(self.follower))

    async def leave(self, *, cancelled: bool) -> None:
        assert self.task is not None
        assert self.follower is not None
        if cancelled:
            self.task.cancel()
        await self.follower.aclose()
        await asyncio.wait({self.task})
        self.task = None


class ReplayOverRetrying(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=lambda: WarpLoop(Clock(time.monotonic())))
        self.connections: list[Connection | None] = []  # None: it was refused
        self.refusals = 0
        self.readers: list[Reader] = []
        self.reports: list[StreamReport] = []
        self.is_stopped = False
        store = MemoryStore()
        self.here, self.there = Replay(store), Replay(store)
        self.runner.run(self.begin())

    def connect(self, attempt: Attempt) -> AsyncIterator[bytes]:
        if self.refusals:
            self.refusals -= 1
            self.connections.append(None)
            raise ConnectionRefusedError
        connection = Connection()
        self.connections.append(connection)
        return connection.read()

    async def begin(self) -> None:
        assert await self.here.astart("a", self.connect, retry=RETRY, timeouts=None, on_end=self.reports.append)
        assert not await self.there.astart("a", self.connect, retry=RETRY)
        await rest()

    def step(self, what: Any = None) -> None:
        async def run() -> None:
            if what is not None:
                await what
            await rest()

        self.runner.run(run())

    @property
    def upstream(self) -> Connection | None:
        """The connection that is open, if there is one."""
        newest = self.connections[-1] if self.connections else None
        return newest if newest is not None and newest.is_open else None

    # Upstream

    @rule(count=st.integers(1, 3))
    def refuse(self, count: int) -> None:
        """Refuse the connections that come next."""
        self.refusals = count

    @precondition(lambda self: self.upstream)
    @rule(chunks=st.lists(st.sampled_from([ROLE, TOKEN, TOKEN[:40], TOKEN[40:]]), min_size=1, max_size=4))
    def send(self, chunks: list[bytes]) -> None:
        assert self.upstream is not None
        for chunk in chunks:
            self.upstream.send(chunk)
        self.step()

    @precondition(lambda self: self.upstream)
    @rule(how=st.sampled_from(["reset", "bug", "cut", "done"]))
    def end(self, how: str) -> None:
        assert self.upstream is not None
        if how == "done":
            self.upstream.send(DONE)
        ends: dict[str, Exception | None] = {"reset": ConnectionResetError(), "bug": KeyError("oops")}
        self.upstream.send(ends.get(how))
        self.step()

    # Readers

    @rule(back=st.integers(0, 5), elsewhere=st.booleans())
    def attach(self, back: int, elsewhere: bool) -> None:
        """Begin a few events behind the newest one."""
        answers = self.there if elsewhere else self.here

        async def begin() -> None:
            newest = (await answers.astatus("a")).last_id or "1-0"
            epoch, seq = map(int, newest.split("-"))
            after = max(0, seq - back) if epoch == 1 else 0
            self.readers.append(Reader(answers, f"1-{after}" if after else ""))
            self.readers[-1].come()

        self.step(begin())

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), cancelled=st.booleans())
    def leave_or_come_back(self, data: st.DataObject, cancelled: bool) -> None:
        reader = data.draw(st.sampled_from(self.readers))

        async def change() -> None:
            if reader.task is not None:
                await reader.leave(cancelled=cancelled)
            else:
                reader.come()

        self.step(change())

    @rule(elsewhere=st.booleans())
    def stop(self, elsewhere: bool) -> None:
        async def stop() -> None:
            was_running = (await self.here.astatus("a")).state == "running"
            assert await (self.there if elsewhere else self.here).astop("a") is was_running
            self.is_stopped = self.is_stopped or was_running

        self.step(stop())

    @rule()
    def pass_time(self) -> None:
        """Let the producer look at the store."""
        self.step(asyncio.sleep(1.0))

    # The end

    def teardown(self) -> None:
        try:
            events, verdict = self.runner.run(self.check())
        finally:
            self.runner.close()
        self.compare(events, verdict)

    async def check(self) -> tuple[list[tuple[str, str]], Verdict]:
        for _ in range(10):
            if self.upstream is not None:
                self.upstream.send(DONE)
                self.upstream.send(None)
            await asyncio.sleep(0.1)
            await rest()
        assert (await self.here.astatus("a")).state == "ended"
        for reader in self.readers:
            if reader.task is None:
                reader.come()
        await self.here.aclose()
        await rest()
        log = b"".join([frames async for frames in self.there.afollow("a")])
        status = await self.there.astatus("a")
        (report,) = self.reports
        assert (status.verdict, status.is_over(status.last_id)) == (report.verdict, True)
        blocks = blocks_of(log)
        ids = [id or "" for _, _, id in blocks]
        if status.last_id == "2-0":
            assert ids.pop() == "2-0"
        assert ids == [f"1-{number}" for number in range(1, len(ids) + 1)], "dense"
        for reader in self.readers:
            assert reader.task is not None
            assert reader.task.done(), "nobody waits for more"
            reader.task.result()
            at = int(reader.begun.partition("-")[2] or 0)
            assert blocks_of(reader.wire) == blocks[at:], "what follows the cursor, once"
        for connection in self.connections:
            assert connection is None or connection.closed
        return [block[:2] for block in blocks], status.verdict

    def compare(self, events: list[tuple[str, str]], verdict: Verdict) -> None:
        """Compare with what `arepair` makes of the same connections."""
        repaired, report = warp(self.repaired)
        if not self.is_stopped:
            assert (events, verdict) == (repaired, report.verdict)
            return
        assert verdict is Verdict.CANCELLED
        assert "stopped" in events[-1][1]
        told = events[:-1]
        (beginning,) = [block[:2] for block in blocks_of(ROLE)]
        # A beginning that waited leaves with the stop; `arepair`, which is not stopped, asks again and drops it.
        while told != repaired[: len(told)] and told[-1] == beginning:
            del told[-1]
        assert told == repaired[: len(told)]

    async def repaired(self, clock: Clock) -> tuple[list[tuple[str, str]], StreamReport]:
        left = list(self.connections)

        async def read(connection: Connection) -> AsyncIterator[bytes]:
            for chunk in connection.script:
                if isinstance(chunk, Exception):
                    raise chunk
                if chunk is not None:
                    yield chunk

        def connect(attempt: Attempt) -> AsyncIterator[bytes]:
            connection = left.pop(0) if left else None
            if connection is None:
                raise ConnectionRefusedError
            return read(connection)

        stream = arepair(aretrying(connect, retry=RETRY), heartbeat=None, timeouts=None)
        wire = b"".join([item async for item in stream])
        return [block[:2] for block in blocks_of(wire)], stream.report


TestReplayOverRetrying = ReplayOverRetrying.TestCase

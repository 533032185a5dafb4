"""The faults, and what readers got: each case runs processes of one library, and returns its finding in a few words.

A reader of another process is one of a second process that shares the Redis, or the file, with the first. A library
that keeps answers in the memory of one process has all its readers there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.e2e.redis_server import RedisServer
from tests.fences import ROOT
from tests.peers.installing import installed, installed_by_npm
from tests.peers.replay.rivals import Rival
from tests.peers.replay.worker import DONE, SECRET, token

STARTED = 20.0
"""Seconds that a process may take until it is ready."""
PACE = 0.03
"""Seconds between two tokens."""
TOKENS = [token(number) for number in range(10)]
WHOLE = [*TOKENS, DONE]


class Hang(Exception):
    """Nothing came for as long as the run waits."""


class Process:
    """A process that runs a library, and what it has told so far."""

    def __init__(self, rival: Rival, port: int, folder: str, patience: float) -> None:
        self._patience = patience
        self._told: list[dict[str, Any]] = []
        self._more = threading.Condition()
        self._popen = subprocess.Popen(
            _command(rival, port, folder), env=_environment(rival), cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            if line.startswith("{"):
                with self._more:
                    self._told.append(json.loads(line))
                    self._more.notify_all()

    def ready(self) -> bool:
        """Wait until it is ready; return whether the library can be told to stop."""
        return bool(self.find(STARTED, what="ready")["can_stop"])

    def tell(self, do: str, **rest: Any) -> None:
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps({"do": do, **rest}) + "\n")
        self._popen.stdin.flush()

    def start(self, id: str, reader: str, ending: str) -> None:
        self.tell("start", ids=[id], readers=[reader], ending=ending, pace=PACE)

    def all(self, **what: Any) -> list[dict[str, Any]]:
        """Return all that it told of this kind."""
        with self._more:
            return [told for told in self._told if all(told.get(key) == value for key, value in what.items())]

    def find(self, seconds: float = 0.0, **what: Any) -> dict[str, Any]:
        """Wait until it tells this, and return it. Raises `Hang`."""
        return self.wait_for(lambda: self.all(**what), seconds)[0]

    def wait_for(self, look: Callable[[], Any], seconds: float = 0.0) -> Any:
        """Wait until something is true of what it told, and return that. Raises `Hang`."""
        until = time.monotonic() + (seconds or self._patience)
        while not (found := look()):
            left = until - time.monotonic()
            if left <= 0:
                raise Hang
            with self._more:
                self._more.wait(min(left, 0.1))
        return found

    def text(self, reader: str) -> str:
        """Return what a reader has so far."""
        return "".join(told["text"] for told in self.all(what="piece", reader=reader))

    def has(self, reader: str, frames: int) -> None:
        """Wait until a reader has so many frames."""
        self.wait_for(lambda: len(data_of(self.text(reader))) >= frames)

    def end(self, reader: str, until: float | None = None) -> str:
        """Wait for the end of a reader, until a time where one is given; return how it ended, with what it was told."""
        end = self.find(0.0 if until is None else max(0.1, until - time.monotonic()), what="end", reader=reader)
        return str(end["how"]) + str(end.get("text", ""))

    def kill(self) -> None:
        """End it as the kernel does that is out of memory."""
        self._popen.send_signal(signal.SIGKILL)
        self._popen.wait()

    def close(self) -> None:
        self.kill()
        self._thread.join()
        for pipe in (self._popen.stdin, self._popen.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass


def _command(rival: Rival, port: int, folder: str) -> Sequence[str]:
    if rival.is_npm:
        return ["node", str(Path(__file__).with_name(rival.program)), str(installed_by_npm(rival)), str(port)]
    return [sys.executable, "-m", "tests.peers.replay.worker", rival.program, rival.argument, str(port), folder]


def _environment(rival: Rival) -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    if not rival.is_npm:
        paths.insert(0, str(installed(rival)))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "AGNO_TELEMETRY": "false"}


def data_of(text: str) -> list[str]:
    """Return the data of the events, in order."""
    return [line[6:] for line in text.splitlines() if line.startswith("data: ")]


def last_id(text: str) -> str:
    """Return the last id, "" where there is none."""
    ids = [line[4:] for line in text.splitlines() if line.startswith("id: ")]
    return ids[-1] if ids else ""


def seen(text: str) -> dict[str, Any]:
    """Return what a reader that comes back says that it has."""
    return {"frames": len(data_of(text)), "characters": len(text), "last_id": last_id(text)}


class Room:
    """A Redis of its own, a folder, and two processes that share them; one where the library has only one."""

    def __init__(self, rival: Rival, patience: float) -> None:
        self._folder = TemporaryDirectory()
        path = Path(self._folder.name)
        self.redis = RedisServer(path, durable=False)
        self.redis.__enter__()
        self.patience = patience
        self.first = Process(rival, self.redis.port, self._folder.name, patience)
        self.other = self.first if rival.is_alone else Process(rival, self.redis.port, self._folder.name, patience)
        self.is_alone = rival.is_alone
        self.can_stop = self.first.ready()
        self.other.ready()

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *raised: object) -> None:
        for process in {self.first, self.other}:
            process.close()
        self.redis.__exit__(*raised)
        self._folder.cleanup()

    def until(self) -> float:
        """Return the time from which on a reader hangs that has no end yet."""
        return time.monotonic() + self.patience

    def two_readers(self, ending: str) -> None:
        """Start an answer, with a reader "a" beside its producer and a reader "b" of the other process."""
        self.first.start("1", "a", ending)
        self.first.has("a", 2)
        self.other.tell("follow", id="1", reader="b", seen=None)
        self.other.has("b", 3)


def told(process: Process, reader: str, until: float | None = None) -> str:
    """Return what a reader was told at an end that is none: in words of the page."""
    try:
        end = process.end(reader, until)
    except Hang:
        return "hang"
    said = data_of(process.text(reader))
    rest = [data for data in said if '"choices"' not in data]
    if SECRET in end or SECRET in "".join(rest):
        return "told, with the exception's text"
    if end.startswith("raised") or any('"error"' in data for data in rest):
        return "told"
    return "clean end" if end == "clean" else "refused"


def both(first: str, other: str) -> str:
    """Return what was found of the reader beside the producer, and of the one elsewhere."""
    return first if first == other else f"beside: {first}; elsewhere: {other}"


def upstream_raises(room: Room) -> str:
    room.two_readers("raises")
    until = room.until()
    return both(told(room.first, "a", until), told(room.other, "b", until))


def producer_killed(room: Room) -> str:
    room.two_readers("endless")
    room.first.kill()
    return told(room.other, "b")


def stopped_while_silent(room: Room) -> str:
    if not room.can_stop:
        return "–"
    room.two_readers("silent")
    room.other.has("b", len(TOKENS))
    room.other.tell("stop", id="1")
    until = room.until()
    found = both(told(room.first, "a", until), told(room.other, "b", until))
    try:
        room.first.find(1.0, what="closed", id="1")
    except Hang:
        return "no effect" if found == "hang" else f"{found}, upstream runs on"
    return f"{found}, upstream closed"


def started_at_once(room: Room) -> str:
    """Ten answers, each started twice by each process, all of it at one moment."""
    ids, at = [str(number) for number in range(10)] * 2, time.time() + 0.3
    readers = [str(place) for place in range(len(ids))]
    for process in (room.first, room.other):
        process.tell("start", ids=ids, readers=readers, ending="done", pace=PACE, at=at)
    until, found = room.until(), set()
    for process in (room.first, room.other):
        for reader in readers:
            try:
                end = process.end(reader, until)
            except Hang:
                found.add("some hang")
                continue
            whole = data_of(process.text(reader)) == data_of("".join(WHOLE))
            found.add("exact" if whole else "some raise" if end.startswith("raised") else "wrong bytes")
    opened = [told["id"] for process in (room.first, room.other) for told in process.all(what="opened")]
    found.add("one producer" if len(opened) == len(set(opened)) else "several producers")
    return worst([", ".join(found)])


RACES = (started_at_once,)
"""What goes well in some runs and not in others."""
ROUNDS = 10


def worst(found: Sequence[str]) -> str:
    """Return what several runs of a race have found together."""
    parts = {part for one in found for part in one.split(", ")}
    bad = sorted(parts - {"one producer", "several producers", "exact"})
    return ", ".join(["several producers" if "several producers" in parts else "one producer", *(bad or ["exact"])])


def read_late(room: Room) -> str:
    """A reader of the other process that comes after the end."""
    room.first.start("1", "a", "done")
    room.first.end("a")
    room.other.tell("follow", id="1", reader="b", seen=None)
    try:
        end = room.other.end("b")
    except Hang:
        return "hang"
    if end == "refused":
        return "refused: it is over"
    return "exact" if room.other.text("b") == room.first.text("a") else "not exact"


def reloaded_in_the_middle(room: Room) -> str:
    """The only reader leaves after some tokens, and comes back at the other process with what it has."""
    room.first.start("1", "a", "done")
    room.first.has("a", 4)
    room.first.tell("leave", reader="a")
    time.sleep(0.1)
    before = room.first.text("a")
    room.other.tell("follow", id="1", reader="b", seen=seen(before))
    try:
        if room.other.end("b") == "refused":
            return "refused"
    except Hang:
        return "hang"
    got, whole = data_of(room.other.text("b")), data_of("".join(WHOLE))
    if got == whole:
        return "all of it again"
    return "exact" if data_of(before) + got == whole else "not exact"


def redis_killed(room: Room) -> str:
    """The Redis dies in the middle of an answer that upstream then ends."""
    room.two_readers("done")
    room.redis.kill()
    until = room.until()
    try:
        end = room.first.end("a", until)
        whole = data_of(room.first.text("a")) == data_of("".join(WHOLE))
        first = "all" if whole and end == "clean" else told(room.first, "a")
    except Hang:
        first = "hang"
    return both(first, told(room.other, "b", until))


Case = Callable[[Room], str]
NEEDS_ANOTHER_PROCESS = (producer_killed, started_at_once)
CASES: dict[str, Case] = {
    "upstream raises": upstream_raises,
    "the producing process is killed": producer_killed,
    "stop, while upstream is silent": stopped_while_silent,
    "two processes start one id at once": started_at_once,
    "a reader comes after the end": read_late,
    "a reload in the middle, with a cursor": reloaded_in_the_middle,
    "Redis is killed": redis_killed,
}


def found(rival: Rival, fault: str, patience: float, rounds: int = ROUNDS) -> str:
    """Return what a library does about a fault; whoever has got nothing after `patience` seconds hangs."""
    case = CASES[fault]
    if fault in rival.left_to_callers:
        return "†"
    if (case in NEEDS_ANOTHER_PROCESS and rival.is_alone) or (case is redis_killed and not rival.is_in_redis):
        return "–"
    return (
        worst([_once(rival, case, patience) for _ in range(rounds)]) if case in RACES else _once(rival, case, patience)
    )


def _once(rival: Rival, case: Case, patience: float) -> str:
    with Room(rival, patience) as room:
        try:
            return case(room)
        except Hang:
            return "hang before the fault"

"""Replayed answers in real processes that are killed, stopped, started at once and locked out of their store.

    python -m tests.crashes_of_replay 100            # each case a hundred times
    python -m tests.crashes_of_replay 100 killed     # one of them
    python -m tests.crashes_of_replay 100 --jobs 2   # two rounds at a time

A case raises `AssertionError` where a law does not hold, and returns how long it took until readers were told. Where a
machine gives a producer no time for a whole lease, it is declared lost before the case begins, as it should be: such a
round raises `Starved`, and is begun anew.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any

from tests.cuts_of_replay import blocks_of
from tests.scripted import DONE, LIMIT, TOKEN
from unbroken import StreamReport
from unbroken.replay import Replay, SQLiteStore

ROOT = Path(__file__).parents[1]
LEASE = 1.0
TOLD = LEASE + 2.0
"""Seconds after which each reader has been told that the producer was killed."""
STOPPED = 1.0
PATIENCE = 60.0
"""Seconds after which a process hangs that should say something: a busy machine takes ten for its start alone."""


# In a process of its own


class Upstream:
    """Sends tokens, `pace` seconds apart, until it is told otherwise by lines of stdin."""

    def __init__(self, pace: float) -> None:
        self.pace = pace
        self.ended = threading.Event()
        self.silent = threading.Event()
        self.closed = threading.Event()

    def __call__(self) -> Iterator[bytes]:
        try:
            while not self.ended.is_set():
                yield TOKEN
                if self.silent.is_set():
                    self.ended.wait()
                if self.pace:
                    self.ended.wait(self.pace)
            yield DONE
        finally:
            say("closed")
            self.closed.set()

    def obey(self) -> None:
        for line in sys.stdin:
            {"end": self.ended, "silent": self.silent}[line.strip()].set()


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")  # in one piece: two threads say something
    sys.stdout.flush()


def produce(path: str, id: str, pace: str) -> None:
    """Produce an answer, read it beside the producer, and tell both ends."""
    answers, upstream = Replay(SQLiteStore(path), lease=LEASE), Upstream(float(pace))

    def on_end(report: StreamReport) -> None:
        say("ended", report.error.code if report.error else report.verdict.value)

    assert answers.start(id, upstream, on_end=on_end)
    say("started")
    threading.Thread(target=upstream.obey, daemon=True).start()
    say("beside", json.dumps(b"".join(answers.follow(id, heartbeat=None)).decode()))
    answers.close()
    assert upstream.closed.wait(LIMIT)
    say("over")


def start_many(path: str, count: str, at: str) -> None:
    """Start many answers at one moment; each says who wrote it."""
    answers, opened = Replay(SQLiteStore(path), lease=LEASE), list[str]()

    def upstream_of(id: str) -> Callable[[], list[bytes]]:
        def read() -> list[bytes]:
            opened.append(id)
            return [TOKEN.replace(b'"x"', b'"%d"' % os.getpid())] * 20 + [DONE]

        return read

    time.sleep(max(0.0, float(at) - time.time()))
    elected = [id for id in map(str, range(int(count))) if answers.start(id, upstream_of(id))]
    answers.close()
    say("elected", json.dumps([elected, sorted(opened)]))


def follow(path: str, id: str) -> None:
    """Follow an answer to its end, and tell all of it."""
    answers = Replay(SQLiteStore(path), lease=LEASE)
    reader = answers.follow(id, heartbeat=None)
    first = next(reader)
    say("following")
    whole = first + b"".join(reader)
    say("whole", json.dumps([time.time(), whole.decode()]))


ROLES = {"produce": produce, "start_many": start_many, "follow": follow}


# The cases


class Process:
    """A role in a process of its own. What it says is read by a thread, line by line."""

    def __init__(self, role: str, *args: object) -> None:
        command = [sys.executable, "-m", "tests.crashes_of_replay", role, *map(str, args)]
        paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        self.popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
        )
        self._said: Queue[str] = Queue()
        self._heard: dict[str, str] = {}
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self._said.put(line.strip())

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *raised: object) -> None:
        self.popen.send_signal(signal.SIGCONT)
        self.popen.kill()
        self.popen.wait()
        self._thread.join()
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.popen.stdin.close()
        self.popen.stdout.close()

    def hears(self, word: str) -> Any:
        """Wait until it has said something, in any order, and return what came behind that word."""
        while word not in self._heard:
            said, _, rest = self._said.get(timeout=PATIENCE).partition(" ")
            self._heard[said] = rest
        rest = self._heard.pop(word)
        return json.loads(rest) if rest[:1] in ("[", '"') else rest

    def tell(self, word: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(word + "\n")
        self.popen.stdin.flush()

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)


class Starved(Exception):
    """The producer got no time of the processor for a whole lease."""


class Reader:
    """A reader in a thread of this process. `told_at` is when it had the end."""

    def __init__(self, answers: Replay, id: str, after: str = "") -> None:
        self._reader = answers.follow(id, after, heartbeat=None)
        self._frames: list[bytes] = []
        self.told_at = 0.0
        self.some = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for frames in self._reader:
            self._frames.append(frames)
            if len(self._frames) == 3:
                self.some.set()
        self.told_at = time.time()

    def has_some(self) -> None:
        """Wait until it has something. Raises `Starved` where its producer was declared lost before."""
        until = time.monotonic() + LIMIT
        while not self.some.wait(0.05):
            if self.told_at and code_of(b"".join(self._frames)) == "producer-lost":
                raise Starved
            assert time.monotonic() < until, "it never got anything"

    def end(self) -> bytes:
        """Wait for the end, and return all that it was given."""
        self._thread.join(LIMIT)
        assert self.told_at, "it was never told"
        return b"".join(self._frames)


def check_dense(wire: bytes, end: str | None) -> None:
    """Raise unless the ids have no hole, and the last one is `end`, None for a frame without an id."""
    ids = [id for _, _, id in blocks_of(wire)]
    numbers = [f"1-{number}" for number in range(1, len(ids))]
    assert ids[:-1] == numbers, ids[-5:]
    assert ids[-1] == end, ids[-5:]


def code_of(wire: bytes) -> str:
    """Return the code that the last frame tells, "" for none."""
    data = blocks_of(wire)[-1][1]
    error = json.loads(data).get("error") if data.startswith("{") else None
    return str(error["code"]) if error else ""


def last_id(wire: bytes) -> str:
    """Return the last id that a reader has."""
    return [id for _, _, id in blocks_of(wire) if id is not None][-1]


def killed(path: str, answers: Replay) -> float:
    """A producer that is killed, while it writes as fast as it can or now and then: each reader is told."""
    with Process("produce", path, "a", random.choice(["0", "0.01"])) as producer:
        producer.hears("started")
        with Process("follow", path, "a") as other:
            other.hears("following")
            readers = [Reader(answers, "a"), Reader(answers, "a")]
            readers[0].has_some()
            time.sleep(random.random() / 20)
            producer.signal(signal.SIGKILL)
            killed_at = time.time()
            wires = [reader.end() for reader in readers]
            told_at, whole = other.hears("whole")
    check_dense(wires[0], "2-0")
    assert {code_of(wire) for wire in wires} == {"producer-lost"}
    assert {*wires, whole.encode()} == {b"".join(answers.follow("a"))}, "every reader has the log"
    assert answers.status("a").verdict.value == "failed"
    took = max(told_at, *(reader.told_at for reader in readers)) - killed_at
    assert took < TOLD, took
    return took


def stopped_past_the_lease(path: str, answers: Replay) -> float:
    """A producer that sleeps past its lease and wakes up is fenced, writes nothing, and closes upstream."""
    with Process("produce", path, "a", "0.005") as producer:
        producer.hears("started")
        reader = Reader(answers, "a")
        reader.has_some()
        time.sleep(random.random() / 20)
        producer.signal(signal.SIGSTOP)
        stopped_at = time.time()
        wire = reader.end()
        producer.signal(signal.SIGCONT)
        if code_of(wire) == "store-failed":  # it was stopped as it wrote, and holds the lock: the answer goes on
            producer.tell("end")
            wire = wire[: wire.rindex(b"data:")] + b"".join(answers.follow("a", last_id(wire)))
            check_dense(wire, last_id(wire))
            return reader.told_at - stopped_at
        for word in ("closed", "ended"):
            assert producer.hears(word) in ("", "producer-lost")
        assert b"".join(answers.follow("a")) == wire
        beside = producer.hears("beside").encode()
    assert code_of(wire) == "producer-lost"
    check_dense(wire, "2-0")
    assert beside == wire, "the reader beside it is told the same"
    took = reader.told_at - stopped_at
    assert took < TOLD, took
    return took


def started_at_once(path: str, answers: Replay) -> float:
    """Four processes start the same answers at the same moment, in a file that none has opened: each has one
    producer.
    """
    at, count = time.time() + 1.0, 10
    processes = [Process("start_many", path, count, at) for _ in range(4)]
    elected: Counter[str] = Counter()
    for process in processes:
        with process:
            ids, opened = process.hears("elected")
            assert ids == opened, "who is not elected opens nothing"
            elected.update(ids)
    assert elected == Counter(map(str, range(count)))
    for id in elected:
        wire = b"".join(answers.follow(id))
        check_dense(wire, "1-21")
        assert len({data for _, data, _ in blocks_of(wire)}) == 2, "one wrote all of it"
    return 0.0


def locked(path: str, answers: Replay) -> float:
    """Somebody else holds the lock: who reads beside the producer goes on, others are told, and can come back."""
    with Process("produce", path, "a", "0.01") as producer:
        producer.hears("started")
        reader = Reader(answers, "a")
        reader.has_some()
        writer = sqlite3.connect(path, isolation_level=None, timeout=LIMIT)
        writer.execute("BEGIN IMMEDIATE")
        locked_at = time.time()
        wire = reader.end()
        check_dense(wire, None)
        assert code_of(wire) == "store-failed"
        took = reader.told_at - locked_at
        writer.execute("ROLLBACK")
        writer.close()
        producer.tell("end")
        beside = producer.hears("beside").encode()
        producer.hears("over")
    check_dense(beside, last_id(beside))
    assert beside.endswith(DONE)
    assert b"".join(answers.follow("a")) == beside, "what was missed is in the log"
    back = b"".join(answers.follow("a", last_id(wire)))
    assert beside.endswith(back), "who comes back misses nothing"
    assert last_id(back) == last_id(beside)
    assert took < TOLD, took
    return took


def stopped_from_elsewhere(path: str, answers: Replay) -> float:
    """A stop reaches a producer of another process whose upstream is silent, and closes upstream."""
    with Process("produce", path, "a", "0.01") as producer:
        producer.hears("started")
        reader = Reader(answers, "a")
        reader.has_some()
        producer.tell("silent")
        time.sleep(0.1)
        began = time.time()
        assert answers.stop("a")
        wire = reader.end()
        producer.tell("end")  # generators end between two chunks alone
        producer.hears("closed")
        assert producer.hears("ended") == "stopped"
        beside = producer.hears("beside").encode()
    assert code_of(wire) == "stopped"
    assert beside == wire == b"".join(answers.follow("a"))
    assert answers.status("a").verdict.value == "cancelled"
    took = reader.told_at - began
    assert took < STOPPED, took
    return took


CASES: dict[str, Callable[[str, Replay], float]] = {
    case.__name__: case for case in (killed, stopped_past_the_lease, started_at_once, locked, stopped_from_elsewhere)
}


def run(name: str) -> tuple[float, int]:
    """Run a case once, in a folder of its own; return its seconds, and how often it was begun anew."""
    for starved in range(5):
        # The thread that looks for changes may be about to open the file, and makes it again.
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = str(Path(folder) / "answers.db")
            try:
                with closing(SQLiteStore(path)) as store:
                    return CASES[name](path, Replay(store, lease=LEASE)), starved
            except Starved:
                continue
    raise AssertionError(f"{name}: this machine has no time for it")


def main() -> None:
    """Run cases again and again, and print how long it took until readers were told."""
    parser = argparse.ArgumentParser(prog="python -m tests.crashes_of_replay")
    parser.add_argument("times", type=int)
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    parser.add_argument("--jobs", type=int, default=1, help="rounds at a time")
    options = parser.parse_args()
    for name in options.cases or CASES:
        began = time.monotonic()
        with ThreadPoolExecutor(options.jobs) as pool:
            rounds = list(pool.map(run, [name] * options.times))
        took = sorted(seconds for seconds, _ in rounds)
        say(
            f"{name}: {len(took)} rounds, 0 violations, {sum(starved for _, starved in rounds)} begun anew; "
            f"told after {took[len(took) // 2]:.2f} s (median), {took[-1]:.2f} s (max); "
            f"{time.monotonic() - began:.0f} s in all"
        )


if __name__ == "__main__":
    if sys.argv[1] in ROLES:
        ROLES[sys.argv[1]](*sys.argv[2:])
    else:
        main()

"""What others write in a producer's place is what the producer would have written, whatever they know of its stream."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fences import ROOT
from tests.scripted import TOKEN
from tests.test_replay import Feed, ids
from unbroken import Conversion
from unbroken.core import dialect, registry
from unbroken.core.failure import Failure
from unbroken.core.repairer import StreamRepairer
from unbroken.dialects.declared import declare
from unbroken.replay import MemoryStore, Replay, SQLiteStore
from unbroken.replay.cursor import LOST, TRIMMED
from unbroken.testing import FakeClock


class Own(dialect.Dialect):
    """A dialect of the producing process alone, which is registered nowhere, and fails at comments."""

    name = "own"
    takes_comments = False

    def __init__(self) -> None:
        self.read_so_far = 0

    def read(self, event: str, payload: Any) -> dialect.Reading:
        self.read_so_far += 1
        return dialect.NOTHING

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        return "oops", {"after": self.read_so_far, "said": failure.code}


def declared() -> dialect.Dialect:
    table = {"text": "t", "ends": "end", "kind": "k", "error_frame": {"event": "bad", "data": {"why": "$code"}}}
    return declare("declared-here", **table)()


CASES: dict[str, tuple[dict[str, Any], bytes]] = {
    "nothing is known": ({}, b'data: {"a": 1}\n\n'),
    "recognised": ({}, TOKEN),
    "named": ({"dialect": "anthropic"}, TOKEN),
    "gemini": ({"dialect": "gemini"}, b'data: {"candidates": [{"content": {"parts": [{"text": "x"}]}}]}\n\n'),
    "declared": ({"dialect": declared}, b'data: {"k": "x", "t": "y"}\n\n'),
    "its own class": ({"dialect": Own}, b"data: {}\n\n"),
    "converted": (
        {"convert": Conversion(errors="openai")},
        b'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 0, "delta":'
        b' {"type": "text_delta", "text": "x"}}\n\n',
    ),
    "errors of openai": ({"convert": Conversion(errors="openai")}, TOKEN),
    "numbered": (
        {"dialect": "openai-responses"},
        b'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "sequence_number": 7,'
        b' "item_id": "i", "output_index": 0, "content_index": 0, "delta": "x"}\n\n',
    ),
}


def options_of(case: str) -> dict[str, Any]:
    return {name: value() if callable(value) else value for name, value in CASES[case][0].items()}


def as_the_producer_tells(case: str, count: int, failure: Failure) -> bytes:
    engine = StreamRepairer(**options_of(case), to="sse")
    for number in range(count):
        engine.feed(CASES[case][1], float(number))
    return engine.end(failure, float(count))[-1]


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("case", CASES)
def test_an_end_from_outside_is_spelt_as_the_producer_spells_it(
    case: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, feed = FakeClock(), Feed()
    store = MemoryStore(clock=clock)
    here, there = Replay(store), Replay(store)
    here.start("a", feed, **options_of(case))
    with here.follow("a", heartbeat=None) as reader:
        for _ in range(count):
            feed.send(CASES[case][1])
            next(reader)
        monkeypatch.delitem(registry.REGISTRY, "declared-here", raising=False)
        clock.advance(11)
        assert there.status("a").last_id == "2-0"
    last = b"".join(there.follow("a")).partition(b"id: 2-0\n")[2]
    assert last == as_the_producer_tells(case, count, LOST)
    feed.send(None)
    here.close(0)


def test_what_one_reader_is_told_is_spelt_so_too() -> None:
    answers, feed = Replay(MemoryStore(), max_bytes=1), Feed()
    answers.start("a", feed, dialect=Own())
    with answers.follow("a", heartbeat=None) as slow, answers.follow("a", heartbeat=None) as fast:
        for _ in range(3):
            feed.send(b"data: {}\n\n")
            next(fast)
        told = next(slow)
    assert b'event: oops\ndata: {"after": ' in told
    assert TRIMMED.code.encode() in told
    feed.send(None)
    answers.close(0)


READ_ELSEWHERE = """
import sys
from unbroken.replay import Replay, SQLiteStore
clock = lambda: float(sys.argv[2])
print(b"".join(Replay(SQLiteStore(sys.argv[1], clock=clock)).follow("a")).decode())
"""


@pytest.mark.parametrize("case", ["its own class", "errors of openai"])
def test_another_process_that_knows_nothing_of_the_stream_tells_it_so(case: str, tmp_path: Path) -> None:
    path, feed, clock = tmp_path / "a.db", Feed(), FakeClock(1000.0)
    answers = Replay(SQLiteStore(path, clock=clock))
    answers.start("a", feed, **options_of(case))
    with answers.follow("a", heartbeat=None) as reader:
        feed.send(CASES[case][1])
        assert ids(next(reader)) == ["1-1"]
        ran = subprocess.run(
            [sys.executable, "-c", READ_ELSEWHERE, str(path), "1011"], cwd=ROOT, capture_output=True, check=True
        )
    assert ran.stdout.partition(b"id: 2-0\n")[2].strip() == as_the_producer_tells(case, 1, LOST).strip()
    feed.send(None)
    answers.close(0)


@pytest.mark.parametrize(
    ("options", "before", "behind"),
    [
        ({}, b":\n\n", b":\n"),
        ({"dialect": "anthropic"}, b":\n\n", b":\n"),
        ({"dialect": "gemini"}, b"\n", b"\n"),
        ({"dialect": Own()}, b"\n", b"\n"),
    ],
    ids=["unknown", "anthropic", "gemini", "own"],
)
def test_heartbeats_are_no_comments_to_clients_that_fail_at_them(
    options: dict[str, Any], before: bytes, behind: bytes
) -> None:
    answers, feed = Replay(MemoryStore()), Feed()
    answers.start("a", feed, **options)
    with answers.follow("a", heartbeat=0.01) as reader:
        assert next(reader) == before
        feed.send(b'data: {"a": 1}\n\n')
        while (item := next(reader)) == before:
            pass
        assert ids(item) == ["1-1"]
        assert next(reader) == behind
    with answers.follow("a", "1-1", heartbeat=0.01) as back:
        assert next(back) == before  # this reader was sent no id yet
    feed.send(None)
    answers.close(0)


def test_an_answer_whose_start_was_given_up_is_told_so_too() -> None:
    class Closes(MemoryStore):
        def open(self, *args: Any, **kwargs: Any) -> bool:
            answers.close(0)
            return super().open(*args, **kwargs)

    answers = Replay(Closes())
    with pytest.raises(RuntimeError, match="after close"):
        answers.start("a", [], dialect=Own())
    assert b'event: oops\ndata: {"after": 0, "said": "shutting-down"}' in b"".join(answers.follow("a"))

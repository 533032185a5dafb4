"""Tests of counts of chunks, and of a reader that takes chunks: what it takes, how it ends, and what it says then."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from typing import Any, Final

from ...mistakes import hides
from ...require_hypothesis import SearchStrategy, st
from ...strategies import cut_streams
from ..counterexample import Raised
from . import returned
from .clocks import SILENCE, ClockTests, Player
from .law import Law
from .sameness import all_streams
from .under_test import ChunkReader, Facts, Options, broken

__tracebackhide__ = hides

_EMPTY: Final = st.lists(st.integers(0, 9), max_size=3)
"""After which chunks an empty one comes."""


def _with_empty(chunks: Sequence[bytes], places: Sequence[int]) -> list[bytes]:
    at = {place % (len(chunks) + 1) for place in places}
    ways = [[b"", chunk] if number in at else [chunk] for number, chunk in enumerate(chunks)]
    return [chunk for way in ways for chunk in way] + ([b""] if len(chunks) in at else [])


class IncrementalTests(ClockTests):
    """Chunks are counted, and a reader of chunks takes bytes until it is closed."""

    def test_chunks_are_counted(self) -> None:
        """`chunks_in`, where the report has it, counts the chunks until the end, an empty one too, and none behind."""
        self._needs("clocked", "options, **seconds")
        drawn = st.tuples(self._chunks(), self.options)
        self._run(drawn, "chunks_counted", lambda drawn: self._check_count(*drawn), times=1)

    def test_a_reader_of_chunks_reads_to_its_end(self) -> None:
        """It gives the same at any cut, counts all chunks, and is closed once; its error goes with its verdict."""
        self._needs("reading", "options")

        def check(chunks: list[bytes], options: Options) -> None:
            self._check_cuts(chunks, options)
            self._check_closed(chunks, options)

        drawn = st.tuples(self._chunks(), self._read_options())
        self._run(drawn, "reader", lambda drawn: check(*drawn), times=1)

    def test_a_reader_of_chunks_takes_bytes_and_nothing_else(self) -> None:
        """A buffer is copied when it comes; text and numbers raise `TypeError`, and change nothing."""
        self._needs("reading", "options")
        reader = self._reader({})
        buffer = bytearray(b"data: a")
        read = [*reader.feed(buffer)]
        buffer[:] = b"XXXXXXX"
        refused = [_refusal(reader, wrong) for wrong in ("data: b\n\n", 7, None, [1])]
        read += [*reader.feed(memoryview(b"\n\n")), *reader.feed(b""), *reader.close()]
        _, expected = self._read([b"data: a\n\n"], {})
        if (read, refused) != (expected, [TypeError] * 4):
            raise broken(Law.A_READER_TAKES_CHUNKS, [b"data: a", b"\n\n"], (expected, "TypeError"), (read, refused), {})

    def _chunks(self) -> SearchStrategy[list[bytes]]:
        return st.builds(lambda drawn, places: _with_empty(drawn[1], places), cut_streams(all_streams), _EMPTY)

    def _read_options(self) -> SearchStrategy[Options]:
        return self.options.map(
            lambda options: {name: options[name] for name in options if name not in ("to", "convert", "errors")}
        )

    def _read(self, chunks: Sequence[bytes], options: Options) -> tuple[ChunkReader, list[Any]]:
        reader = self._reader(options)
        read = [item for chunk in chunks for item in reader.feed(chunk)]
        return reader, [*read, *reader.close()]

    def _reader(self, options: Options) -> ChunkReader:
        return returned.with_methods("reading(options)", self.reading(dict(options)), ("feed", "close"))

    def _check_count(self, chunks: list[bytes], options: Options) -> None:
        player = Player(repairer := self._on_a_clock(options, silence=SILENCE))
        repairer.resume(0.0)
        expected = 0
        for chunk in (*chunks, b""):
            expected += repairer.next_deadline() is not None  # it has not ended
            player.feed(chunk)
        if expected <= len(chunks):
            self._check_ended(Law.A_TIMEOUT_ENDS_IT_ONCE, player, chunks[:expected], options, "silence")
        repairer.close(0.0)
        repairer.feed(b"data: late\n\n", 0.0)
        told = self._facts_of(repairer)
        if "chunks_in" not in told:
            raise unittest.SkipTest("does not define the fact 'chunks_in' in facts_of(repairer)")
        seen = [told["chunks_in"]]
        if self._defines("facts"):
            seen.append(
                returned.bytes_and_facts(self.facts([*chunks, b""], dict(options)))[1].get("chunks_in", expected)
            )
        if set(seen) != {expected}:
            raise broken(Law.CHUNKS_ARE_COUNTED, [*chunks, b""], expected, seen, options)

    def _check_cuts(self, chunks: list[bytes], options: Options) -> None:
        ways: list[tuple[list[Any], Facts]] = []
        for way in ([b"".join(chunks)], chunks):
            reader, read = self._read(way, options)
            said = self._facts_of(reader)
            counted = said.get("chunks_in", len(way))
            if counted != len(way):  # who reads such a reader feeds it, so that it cannot know what came too late
                raise broken(Law.CHUNKS_ARE_COUNTED, way, len(way), counted, options)
            ways.append((read, {name: value for name, value in said.items() if name != "chunks_in"}))
        if ways[0] != ways[1]:
            raise broken(Law.CHUNKS_HAVE_NO_EFFECT, chunks, ways[0], ways[1], options)

    def _check_closed(self, chunks: list[bytes], options: Options) -> None:
        reader, _ = self._read(chunks, options)
        said = self._facts_of(reader)
        seen = {"close": list(reader.close()), "b''": _refusal(reader, b""), "feed": _refusal(reader, b"data: a\n\n")}
        expected: dict[str, Any] = {"close": [], "b''": ValueError, "feed": ValueError}
        if "error" in said and "verdict" in said:
            # A cut that nobody promised to be an answer is no error.
            may_be = {"failed": (True,), "truncated": (True, False)}.get(said["verdict"], (False,))
            seen["fits its verdict"] = (said["error"] is not None) in may_be
            expected["fits its verdict"] = True
        seen["report"], expected["report"] = self._facts_of(reader), said
        if seen != expected:
            raise broken(Law.A_READER_TAKES_CHUNKS, chunks, expected, seen, options)


def _refusal(reader: Any, chunk: Any) -> Any:
    """Return the class of what a chunk raises, or what is given for it."""
    try:
        return reader.feed(chunk)
    except Exception as error:
        return Raised(error) if type(error) not in (TypeError, ValueError) else type(error)

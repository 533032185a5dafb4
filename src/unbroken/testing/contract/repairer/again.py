"""Tests of what a second repairer finds: nothing to do, and of healthy streams: nothing to do either."""

from __future__ import annotations

import unittest
from collections.abc import Iterable, Iterator
from typing import Any

from ...conversations import DIALECTS
from ...mistakes import hides
from ...require_hypothesis import SearchStrategy, st
from ...strategies import (
    cut_streams,
    dialect_streams,
    framed_streams,
    json_objects,
    json_texts,
    ndjson_streams,
    orders_of_frames,
    spoiled_answers,
    spoiled_lines,
    sse_streams,
)
from ...strategies.chunking import bytes_of
from ...strategies.framed import conversation_of, orders_before_a_dialect
from . import returned
from .law import Law
from .reading import by_value, events_in, framing_of
from .sameness import all_streams
from .under_test import Options, Outcome, RepairerUnderTest, broken

__tracebackhide__ = hides

_CONTENT_TYPES = {"sse": "text/event-stream", "ndjson": "application/x-ndjson"}

_IN_SSE = [name for name in DIALECTS if conversation_of(name).is_sse]
_IN_LINES = [name for name in DIALECTS if name not in _IN_SSE]
_healthy: dict[str, SearchStrategy[bytes]] = {
    "sse": st.one_of(
        sse_streams(json_texts(json_objects()), canonical=True).map(bytes_of),
        st.sampled_from(_IN_SSE).flatmap(dialect_streams).map(bytes_of),
    ),
    "ndjson": st.one_of(
        ndjson_streams(json_objects(), canonical=True).map(bytes_of),
        st.sampled_from(_IN_LINES).flatmap(dialect_streams).map(bytes_of),
    ),
}


_texts = st.lists(st.sampled_from(["a", " ", "\u2028", "\u2029", "\x85", "\u4f60"]), max_size=4).map("".join)
_with_line_ends: SearchStrategy[bytes] = st.builds(
    lambda texts, end: "".join(f'data: {{"t":"{text}"}}{end}{end}' for text in texts).encode(),
    st.lists(_texts, min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


class AgainTests(RepairerUnderTest):
    """What is written needs no repair."""

    def test_a_repaired_stream_needs_no_repair(self) -> None:
        """A second repairer with the same options writes the same bytes, and reports no repair."""
        self._ask_twice(all_streams, "again")

    def test_a_repaired_stream_needs_no_repair_whatever_stands_around_its_events(self) -> None:
        """The same for streams of frames that are no events, with an end in the middle of something."""
        self._ask_twice(framed_streams(), "again_framed")

    def test_a_repaired_stream_needs_no_repair_in_any_order_of_its_frames(self) -> None:
        """The same for every order of a few frames, without options."""
        for stream in orders_of_frames():
            self._check_again([stream], {})

    def test_a_repaired_stream_needs_no_repair_whatever_comes_before_its_dialect_shows(self) -> None:
        """The same for every order of a few events, among them errors, and for each conversion."""
        for stream in orders_before_a_dialect():
            for options in ({}, *self.conversions):
                self._check_again([stream], options)

    def test_a_repaired_answer_needs_no_repair(self) -> None:
        """The same for answers of which each frame is spoiled."""
        self._ask_twice(spoiled_answers() | spoiled_lines(), "again_spoiled")

    def test_a_converted_stream_needs_no_repair(self) -> None:
        """The same where the output is another framing or dialect; the second proxy converts again."""
        streams = st.one_of(framed_streams(), spoiled_answers(), spoiled_lines())
        self._ask_twice(streams, "again_converted", self._converted())

    def test_a_repaired_body_that_is_declared_as_json_needs_no_repair(self) -> None:
        """The same where the content type says that the body is one JSON document."""
        self._ask_twice(spoiled_lines(), "again_declared", self._declared_as_json())

    def _ask_twice(
        self, streams: SearchStrategy[bytes], name: str, options: SearchStrategy[Options] | None = None
    ) -> None:
        drawn = st.tuples(streams, self.options if options is None else options)
        self._run(drawn, name, lambda drawn: self._check_again([drawn[0]], drawn[1]))

    def _check_again(self, chunks: list[bytes], options: Options) -> None:
        once = self._attempt(chunks, options)
        if _differs_for_the_next(options, once.wire):
            return
        second = options_of_the_next(options)
        twice = self._attempt([once.wire], second)
        if twice.wire != once.wire or _repairs(twice):
            seen = {"written": twice.wire, "repairs": _repairs(twice)}
            raise broken(
                Law.NO_SECOND_REPAIR,
                chunks,
                {"written": once.wire, "repairs": []},
                seen,
                options,
                lambda again: self._check_again(again, options),
            )

    def test_a_healthy_stream_reads_the_same(self) -> None:
        """A reader sees the same events in the input and in the output, and no repair is reported."""

        def check(chunks: list[bytes]) -> None:
            data = b"".join(chunks)
            outcome = self._attempt(chunks, {})
            framing = framing_of(data)
            expected, seen = by_value(events_in(data, framing)), by_value(events_in(outcome.wire, framing))
            if seen != expected or _repairs(outcome):
                raise broken(Law.HEALTHY_STREAMS_STAY, chunks, expected, (seen, _repairs(outcome)), {}, check)

        self._run(cut_streams(self._healthy()), "healthy", lambda drawn: check(drawn[1]))

    def _healthy(self) -> SearchStrategy[bytes]:
        return st.one_of([_healthy[framing] for framing in self.framings])

    def test_a_healthy_stream_reads_the_same_with_other_line_ends(self) -> None:
        """The same where CRLF or CR ends the lines, and with separators that only `str.splitlines` takes for them."""

        def check(chunks: list[bytes]) -> None:
            outcome = self._attempt(chunks, {})
            expected, seen = by_value(events_in(b"".join(chunks), "sse")), by_value(events_in(outcome.wire, "sse"))
            if seen != expected:
                raise broken(Law.HEALTHY_STREAMS_STAY, chunks, expected, seen, {}, check)

        if "sse" not in self.framings:
            raise unittest.SkipTest("writes no events of SSE")
        self._run(cut_streams(_with_line_ends), "line_ends", lambda drawn: check(drawn[1]))

    def test_a_frame_is_written_before_the_next_chunk_is_asked_for(self) -> None:
        """Nothing whole is held back: asked where `repair` yields, of canonical events that come one in a chunk."""

        def check(frames: list[bytes]) -> None:
            written = bytearray()
            late: list[tuple[bytes, bytes]] = []

            def upstream() -> Iterator[bytes]:
                for number, frame in enumerate(frames):
                    came = b"".join(frames[:number])
                    if _seen_in(written) != _seen_in(came):
                        late.append((came, bytes(written)))  # a repairer may keep what is raised here to itself
                    yield frame

            for piece in pieces_of(upstream()):
                written += piece
            expected, seen = _seen_in(b"".join(frames)), _seen_in(written)
            if seen != expected:
                raise broken(Law.HEALTHY_STREAMS_STAY, frames, expected, seen, {}, check)
            for came, left in late[:1]:
                raise broken(Law.FRAMES_LEAVE_AT_ONCE, frames, came, left, {}, check)

        def pieces_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
            pieces = self.repair(chunks, {})
            if isinstance(pieces, (list, tuple)):
                raise unittest.SkipTest("repair() returns a list, so that promptness cannot be tested")
            return returned.pieces("repair(chunks, options)", pieces)

        if "sse" not in self.framings:
            raise unittest.SkipTest("writes no events of SSE")
        frames = st.lists(json_texts(json_objects()).map(lambda text: f"data: {text}\n\n".encode()), max_size=5)
        self._run(frames, "prompt", check)


def _seen_in(wire: bytes | bytearray) -> list[tuple[str, Any, str]]:
    return by_value(events_in(bytes(wire), "sse"))


def _repairs(outcome: Outcome) -> list[Any]:
    return [] if outcome.facts is None else list(outcome.facts.get("repairs", ()))


_PROSE = ("text", "replicate")


def _differs_for_the_next(options: Options, wire: bytes) -> bool:
    """Return whether what is written is known to mean something else to a second proxy."""
    if options.get("to") == "ndjson" and (wire.lstrip().startswith(b"[") or options.get("dialect") == "vocabulary"):
        return True  # a first line that is an array looks like a body that is one; lines have no place for names
    if options.get("dialect") in _PROSE and options.get("to") == "ndjson":
        return True  # the next one reads prose again, which comes in SSE only
    if options.get("dialect") == "text":  # has no end that could be converted
        return "convert" in options
    keeps = options.get("invalid_json") == "keep" or "invalid-json" not in _kinds(options)
    return keeps and not {"to", "convert"}.isdisjoint(options)  # other rules hold in another framing


def _kinds(options: Options) -> set[str]:
    return {getattr(kind, "value", kind) for kind in options.get("repairs", ["invalid-json"])}


def options_of_the_next(options: Options) -> Options:
    """Return the options of a second proxy: the same; where they say what is read, of what the first one wrote."""
    if "to" not in options and "convert" not in options:
        return options
    framing = options.get("to", "sse")
    second = dict(options)
    if "format" in second:
        second["format"] = framing
    second["content_type"] = _CONTENT_TYPES[framing]
    if "convert" in second and "dialect" in second:
        second["dialect"] = getattr(second["convert"], "to", second["convert"])
    return second

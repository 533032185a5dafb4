"""Tests that the same bytes are the same stream: at any cut, in any variant, for a reader and in what is written."""

from __future__ import annotations

import unittest
from typing import Any

from ...conversations import DIALECTS
from ...cuts import every
from ...mistakes import WrongContract, hides
from ...require_hypothesis import SearchStrategy, st
from ...standard import is_json
from ...strategies import (
    any_streams,
    cut_streams,
    dialect_streams,
    framed_streams,
    orders_of_frames,
    spoiled_answers,
    spoiled_lines,
)
from ...strategies import broken as broken_streams
from ...strategies.chunking import bytes_of
from ..counterexample import Raised
from . import returned
from .law import Law
from .reading import events_in, framing_of
from .under_test import Options, Outcome, RepairerUnderTest, broken

__tracebackhide__ = hides

Drawn = tuple[tuple[bytes, list[bytes]], Options]

all_streams: SearchStrategy[bytes] = st.one_of(
    any_streams(),
    framed_streams(),
    spoiled_answers(),
    spoiled_lines(),
    broken_streams().map(bytes_of),
    st.sampled_from(DIALECTS).flatmap(dialect_streams).map(bytes_of),
)
"""Whole, broken and hostile streams, of every framing and dialect."""


class SamenessTests(RepairerUnderTest):
    """The same bytes give the same."""

    def test_chunks_have_no_effect(self) -> None:
        """Output and facts depend on the bytes alone, whatever they are."""
        self._ask_at_any_cut(all_streams, "chunks")

    def test_chunks_have_no_effect_before_the_dialect_is_known(self) -> None:
        """The same where frames that are no events come first, between events, and last."""
        self._ask_at_any_cut(framed_streams(), "chunks_in_front")

    def test_chunks_have_no_effect_on_a_converted_stream(self) -> None:
        """The same where the output is another framing or dialect than the input."""
        streams = st.one_of(framed_streams(), spoiled_answers(), spoiled_lines())
        self._ask_at_any_cut(streams, "chunks_converted", self._converted())

    def test_chunks_have_no_effect_in_any_order_of_frames(self) -> None:
        """The same for every order of a few frames, without options, whole and byte by byte."""
        for stream in orders_of_frames(2):
            self._check_chunks(every(stream, 1), {})

    def _ask_at_any_cut(
        self, streams: SearchStrategy[bytes], name: str, options: SearchStrategy[Options] | None = None
    ) -> None:
        drawn = st.tuples(cut_streams(streams), self.options if options is None else options)
        self._run(drawn, name, lambda drawn: self._check_chunks(drawn[0][1], drawn[1]))

    def _check_chunks(self, chunks: list[bytes], options: Options) -> None:
        whole, cut = self._attempt([b"".join(chunks)], options), self._attempt(chunks, options)
        if whole != cut:
            expected, seen = differing(whole, cut)
            raise broken(
                Law.CHUNKS_HAVE_NO_EFFECT,
                chunks,
                expected,
                seen,
                options,
                lambda again: self._check_chunks(again, options),
            )

    def test_variants_agree(self) -> None:
        """Each variant writes the same bytes for the same chunks."""
        variants = returned.variants(self.variants())

        def check(chunks: list[bytes], options: Options) -> None:
            expected = self._attempt(chunks, options).wire
            for name, variant in variants.items():
                seen = returned.joined(f"variants()[{name!r}]", variant(chunks, dict(options)))
                if seen != expected:
                    raise broken(
                        Law.VARIANTS_AGREE, chunks, expected, (name, seen), options, lambda again: check(again, options)
                    )

        streams = st.one_of(all_streams, framed_streams(), spoiled_answers())
        drawn = st.tuples(cut_streams(streams), self.options)
        self._run(drawn, "variants", lambda drawn: check(drawn[0][1], drawn[1]))

    def test_a_reader_sees_the_events_that_are_written(self) -> None:
        """A reader with the same options gives the events that a conforming reader sees in the output."""
        self._needs("events")
        options = self.options.map(_without_writing)
        drawn = st.tuples(cut_streams(all_streams), options)
        self._run(drawn, "events", lambda drawn: self._check_events(drawn[0][1], drawn[1]))

    def _check_events(self, chunks: list[bytes], options: Options) -> None:
        outcome = self._attempt(chunks, options)
        try:
            seen: list[Any] = returned.events(self.events(chunks, dict(options)))
        except (unittest.SkipTest, WrongContract):
            raise
        except Exception as error:
            raise broken(
                Law.NOTHING_IS_RAISED,
                chunks,
                "the events until the stream failed: events() keeps what its reader raises to itself",
                Raised(error),
                options,
                lambda again: self._check_events(again, options),
            ) from error
        framing = (outcome.facts or {}).get("format") or framing_of(outcome.wire)
        if framing == "json-array" and not is_json(outcome.wire):
            return  # it was cut, which no reader of arrays can read
        written: list[Any] = events_in(outcome.wire, framing, options.get("last_event_id", ""))
        if framing != "sse":  # lines and elements have no place for names and ids
            seen, written = [data for _, data, _ in seen], [data for _, data, _ in written]
        has_error = outcome.facts is None or outcome.facts.get("error", True) is not None
        if has_error and seen == written[:-1]:
            return  # the last event is the error, which a reader raises or reports
        if seen != written:
            raise broken(
                Law.A_READER_AGREES, chunks, written, seen, options, lambda again: self._check_events(again, options)
            )


def _without_writing(options: Options) -> Options:
    return {name: value for name, value in options.items() if name not in ("to", "convert", "comments", "errors")}


def differing(whole: Outcome, cut: Outcome) -> tuple[object, object]:
    """Return what differs of two outcomes: the bytes, or else the facts."""
    if whole.wire != cut.wire or whole.facts is None or cut.facts is None:
        return whole.wire, cut.wire
    names = [name for name in whole.facts if whole.facts[name] != cut.facts.get(name)]
    return {name: whole.facts[name] for name in names}, {name: cut.facts.get(name) for name in names}

"""Tests of options that a repairer has: what each of them says is done, whatever the stream."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, TypeVar

from ...mistakes import hides
from ...require_hypothesis import SearchStrategy, Unsatisfiable, st
from ...standard import read_sse
from ...strategies import cut_streams, json_objects, json_texts
from . import returned
from .law import Law
from .reading import by_value, events_in
from .under_test import Options, RepairerUnderTest, broken

__tracebackhide__ = hides
_T = TypeVar("_T")
_LARGER = 64
"""Bytes by which an event is certainly larger, or smaller, than a limit, however its size is counted."""
_BEGIN = b'data: {"a":0}\n\n'
"""Shows that the stream is one of events."""


def _of(*frames: bytes) -> SearchStrategy[bytes]:
    return st.lists(st.sampled_from(frames), min_size=1, max_size=6).map(lambda some: _BEGIN + b"".join(some))


_with_comments = _of(b": c\n\n", b": c\n", b":\n\n", b'data: {"a":1}\n\n', b'data: {"a":\n: c\ndata: 1}\n\n', b"\n")
_without_ids = st.lists(json_texts(json_objects()), min_size=1, max_size=3).map(
    lambda texts: b"".join(b"data: %b\n\n" % text.encode() for text in texts)
)
_with_faults = _of(
    b'data: {"a":1}\n\n',
    b'Data: {"a":1}\n\n',
    b'{"a":1}\n\n',
    b'data: {"a":1}\ndata: {"b":2}\n\n',
    b'data: {"a":1}{"b":2}\n\n',
    b"data: {'a': 1}\n\n",
    b'event: {"a":1}\n\n',
    b"foo\n\n",
    b": c\n\n",
)


def _of_sizes(limit: int, sizes: Sequence[int]) -> bytes:
    return b"".join(b'data: {"a":"%b"}\n\n' % (b"x" * max(0, limit + size)) for size in sizes)


class ObeyingTests(RepairerUnderTest):
    """An option that `options` draws does what it says. Each is asked for alone."""

    def test_comments_that_are_to_be_dropped_do_not_leave(self) -> None:
        """With `comments="drop"` no line of the output is a comment, and its events are those of the input."""

        def check(chunks: list[bytes], options: Options) -> None:
            wire = self._attempt(chunks, options).wire
            comments = [line for line in wire.replace(b"\r", b"\n").split(b"\n") if line.startswith(b":")]
            expected, seen = (by_value(events_in(data, "sse")) for data in (b"".join(chunks), wire))
            if comments or seen != expected:
                raise broken(Law.OPTIONS_ARE_OBEYED, chunks, (expected, []), (seen, comments), options)

        self._ask_option("comments", _cut(_with_comments), check, lambda value: "drop")

    def test_events_before_the_first_id_have_the_id_to_start_from(self) -> None:
        """With `last_event_id` a reader's events have that id, in a stream that brings no other one."""
        self._needs("events")

        def check(chunks: list[bytes], options: Options) -> None:
            seen = [id for _, _, id in returned.events(self.events(chunks, dict(options)))]
            expected = [options["last_event_id"]] * len(read_sse(b"".join(chunks)).events)
            if seen != expected:
                raise broken(Law.OPTIONS_ARE_OBEYED, chunks, expected, seen, options)

        self._ask_option("last_event_id", _cut(_without_ids), check)

    def test_no_event_leaves_that_is_larger_than_the_limit(self) -> None:
        """With `max_event_bytes` a larger event does not leave, and what is smaller before it does."""

        def check(sizes: list[int], options: Options) -> None:
            limit = options["max_event_bytes"]
            data = _of_sizes(limit, sizes)
            seen = [len(data) for _, data, _ in events_in(self._attempt([data], options).wire, "sse")]
            came = [len(data) for _, data, _ in read_sse(data).events]
            first = list(takewhile(lambda size: size <= limit, came))  # a larger one may end the stream
            if seen[: len(first)] != first or max(seen, default=0) > limit:
                expected = f"events of {first} bytes, and none of more than {limit}"
                raise broken(Law.OPTIONS_ARE_OBEYED, [data], expected, seen, options)

        sizes = st.lists(st.sampled_from([-2 * _LARGER, -_LARGER, _LARGER, 3 * _LARGER]), min_size=1, max_size=3)
        self._ask_option("max_event_bytes", sizes, check)

    def test_what_is_not_to_be_repaired_leaves_as_it_came(self) -> None:
        """Without `repairs` the output has the events that the input has by the standard, and no repair is reported."""

        def check(chunks: list[bytes], options: Options) -> None:
            outcome = self._attempt(chunks, options)
            expected, seen = (by_value(events_in(data, "sse")) for data in (b"".join(chunks), outcome.wire))
            repairs = list((outcome.facts or {}).get("repairs", ()))
            if repairs or seen != expected:
                raise broken(Law.OPTIONS_ARE_OBEYED, chunks, (expected, []), (seen, repairs), options)

        self._ask_option("repairs", _cut(_with_faults), check, lambda value: type(value)())

    def _ask_option(
        self,
        name: str,
        streams: SearchStrategy[_T],
        check: Callable[[_T, Options], None],
        valued: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        """Ask of this option alone, in the values that `options` draws. Skips where that draws none."""
        drawn = self.options.filter(lambda options: name in options)
        options = drawn.map(lambda options: {name: valued(options[name])})
        try:
            self._run(st.tuples(options, streams), f"obeys_{name}", lambda drawn: check(*drawn[::-1]), times=1)
        except Unsatisfiable:
            raise unittest.SkipTest(f"does not define options that draw {name!r}") from None


def _cut(streams: SearchStrategy[bytes]) -> SearchStrategy[list[bytes]]:
    return cut_streams(streams).map(lambda drawn: drawn[1])

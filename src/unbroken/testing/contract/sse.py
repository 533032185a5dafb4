"""The tests of a reader of server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

import threading
import unittest
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from .. import measures
from ..cases import SSE_CASES, Clause, SSECase
from ..claims import Claim, reduced
from ..cuts import cuttings, every, inside_line_ends
from ..mistakes import WrongContract, hides
from ..properties import ANY_LINE_ENDS, CHARSET, PROMPT, RETRY, SSE_PROPERTIES, Property
from ..require_hypothesis import SearchStrategy, st
from ..shown import described
from ..standard import Seen
from ..strategies import cut_streams, hostile_bytes, sse_streams
from ..streams import SSEStream
from .counterexample import ContractBroken, Raised, with_fewest_bytes, with_fewest_cuts
from .generated import GeneratedTests, Test, check_memory, run_property, time_test
from .reader import AsyncReader, Reader

__tracebackhide__ = hides

_HANDOVER_SECONDS = (
    0.25  # seconds that a reader's own thread is given to hand over an event before the next byte is there
)


class ParserContract(Reader, GeneratedTests):
    """The tests of a reader of event streams. Subclass it as `Test...` and define `parse`.

    `parse(chunks)` takes any iterable of bytes and returns the events as (event, data, id): as a list, or one by one,
    so that promptness is tested too. `does_not_claim` names features that the reader does not support, and
    `max_event_bytes` the size of an event above which it raises. Override `last_retry(chunks)` and
    `parse_as(chunks, content_type)` to have these tested as well.
    """

    def parse(self, chunks: Iterable[bytes]) -> Iterable[Seen]:
        """Return the events of these chunks, each as (event, data, id)."""
        raise WrongContract(f"{type(self).__name__} must define parse(chunks)")

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        """Return the last reconnection time in milliseconds, None if none was set."""
        raise unittest.SkipTest("does not define last_retry(chunks)")

    def parse_as(self, chunks: Iterable[bytes], content_type: str) -> Iterable[Seen]:
        """Return the events of these chunks, read as the body of a response with this content type."""
        raise unittest.SkipTest("does not define parse_as(chunks, content_type)")

    def test_the_same_bytes_are_the_same_events_at_any_cut(self) -> None:
        """The result does not depend on the chunking, whatever the reader makes of the bytes."""

        def check(drawn: tuple[SSEStream, list[bytes]]) -> None:
            for chunks in _cut_as_drawn_and_inside_line_ends(*drawn):
                self._check_sameness(chunks)

        def check_anew(data: bytes) -> None:
            if reduced(data, self.does_not_claim) == data:
                for chunks in cuttings(data):
                    self._check_sameness(chunks)

        streams = self._claimed(st.one_of(sse_streams(), hostile_bytes().map(SSEStream.of), ANY_LINE_ENDS))
        try:
            for case in SSE_CASES:
                check_anew(case.data)
                # Behind an id an event shows that should not be; before another one, two events that are read as one.
                check_anew(b"id: 1\ndata: a\n\n" + case.data + b"data: b\n\n")
            run_property(cut_streams(streams), self, "same_bytes", check)
        except ContractBroken as broken:
            _raise_smallest(with_fewest_cuts(broken), check_anew)

    def test_an_event_leaves_with_the_byte_that_completes_it(self) -> None:
        """The reader waits neither for the next event nor for the end of the stream."""
        self._skip_unless_claimed(Claim.PROMPT)
        run_property(self._claimed(PROMPT.streams), self, PROMPT.slug, self._check_promptness)

    def test_a_chunk_may_be_empty(self) -> None:
        """An empty chunk does not end the input."""
        stream = SSEStream.of(b"data: a\n\ndata: b\n\n")
        for at in range(len(stream.data) + 1):
            self._check("an empty chunk", Clause.CHUNKS, stream, [stream.data[:at], b"", stream.data[at:]])

    def test_retry_takes_ascii_digits_only(self) -> None:
        """`int()` is too lenient: it accepts `1_000`, `-5` and digits of other scripts."""
        self._skip_unless_claimed(Claim.RETRY)

        def check(drawn: tuple[SSEStream, list[bytes]]) -> None:
            stream, chunks = drawn
            retry = self.last_retry(chunks)
            if retry != stream.retry:
                raise ContractBroken(
                    RETRY.name, RETRY.clause, chunks, stream.retry, retry, lambda chunks: check((stream, chunks))
                )

        run_property(RETRY.cut_streams, self, RETRY.slug, check)

    def test_the_charset_parameter_changes_nothing(self) -> None:
        """An event stream is UTF-8, whatever its content type says."""
        types = [f"text/event-stream{rest}" for rest in ("", "; charset=utf-8", "; charset=iso-8859-1", ";charset=x")]

        def check(drawn: tuple[tuple[SSEStream, list[bytes]], str]) -> None:
            (stream, chunks), content_type = drawn
            seen = list(self.parse_as(chunks, content_type))
            if seen != list(stream.events):
                name, expected = f"{CHARSET.name} ({content_type})", list(stream.events)
                raise ContractBroken(
                    name, CHARSET.clause, chunks, expected, seen, lambda chunks: check(((stream, chunks), content_type))
                )

        run_property(st.tuples(CHARSET.cut_streams, st.sampled_from(types)), self, CHARSET.slug, check)

    def test_memory_is_bounded(self) -> None:
        """A stream of which nothing has to be kept takes no more memory the longer it is."""
        self._skip_unless_claimed(Claim.BOUNDED_MEMORY)
        check_memory(self._consume, measures.SSE_MEMORY)

    def _check_sameness(self, chunks: list[bytes]) -> None:
        whole, cut_up = self._attempt([b"".join(chunks)]), self._attempt(chunks)
        if whole != cut_up and not (isinstance(whole, Raised) and isinstance(cut_up, Raised)):
            raise ContractBroken("the same bytes", Clause.CHUNKS, chunks, whole, cut_up, self._check_sameness)

    def _check_promptness(self, stream: SSEStream) -> None:
        due = _completing_bytes(stream)
        came: list[int] = []
        taken = 0
        consumer, arrival = threading.get_ident(), threading.Condition()

        def has_all_due() -> bool:
            return len(came) >= sum(end <= taken for end in due)

        def bytewise() -> Iterator[bytes]:
            nonlocal taken
            for byte in every(stream.data, 1):
                # A reader may read ahead in its own task or thread; on a network it would have to wait there.
                if threading.get_ident() != consumer:
                    with arrival:
                        arrival.wait_for(has_all_due, timeout=_HANDOVER_SECONDS)
                taken += 1
                yield byte

        def note(seen: Any) -> None:
            with arrival:
                came.append(taken)
                arrival.notify()

        if not self._for_each(bytewise(), note, turns=8):
            raise unittest.SkipTest("parse() returns a list, so that promptness cannot be tested")
        if came != due:
            chunks = every(stream.data, 1)
            raise ContractBroken(PROMPT.name, PROMPT.clause, chunks, f"at bytes {due}", f"at bytes {came}")

    def _attempt(self, chunks: Iterable[bytes]) -> list[Seen] | Raised:
        try:
            return [_event(seen) for seen in self._read(chunks)]
        except (unittest.SkipTest, WrongContract):
            raise
        except Exception as error:
            return Raised(error)

    def _check(self, name: str, clause: Clause, stream: SSEStream, chunks: list[bytes]) -> None:
        expected = list(stream.events)
        seen = self._attempt(chunks)
        if seen == expected:
            return
        if len(chunks) > 1 and self._attempt([stream.data]) == expected:
            clause = Clause.CHUNKS
        raise ContractBroken(
            name, clause, chunks, expected, seen, lambda chunks: self._check(name, clause, stream, chunks)
        ) from getattr(seen, "error", None)

    def _claimed(self, streams: SearchStrategy[SSEStream]) -> SearchStrategy[SSEStream]:
        unclaimed = self.does_not_claim
        return streams.map(lambda stream: SSEStream.of(reduced(stream.data, unclaimed))) if unclaimed else streams


def _event(seen: Any) -> Seen:
    if not isinstance(seen, (tuple, list)) or len(seen) != 3:
        raise WrongContract(f"an item of parse(chunks) must be a tuple (event, data, id), and not {described(seen)}")
    event, data, id = seen
    return event, data, id


def _raise_smallest(broken: ContractBroken, check: Callable[[bytes], None]) -> NoReturn:
    """Raise the failure with the fewest bytes with which `check` still raises one."""
    smallest = with_fewest_bytes(broken, check)
    raise smallest.with_traceback(None) from smallest.__cause__


def _cut_as_drawn_and_inside_line_ends(stream: SSEStream, chunks: list[bytes]) -> Iterator[list[bytes]]:
    """Yield the drawn cut, and one inside each CRLF: readers fail there most, and few draws cut there."""
    yield chunks
    yield from inside_line_ends(stream.data)


def _completing_bytes(stream: SSEStream) -> list[int]:
    """Return after how many bytes each event is complete: the shortest prefix of the stream that holds it."""
    due: list[int] = []
    for end in range(1, len(stream.data) + 1):
        due += [end] * (len(SSEStream.of(stream.data[:end]).events) - len(due))
    return due


def _case_test(case: SSECase) -> Test:
    def test(self: ParserContract) -> None:
        for claim in self.does_not_claim:
            if claim.removed_from(case.data) != case.data:
                raise unittest.SkipTest(f"does not claim {claim.name}")
        stream = SSEStream(case.data, case.events, case.last_event_id, case.retry)
        for chunks in cuttings(case.data):
            self._check(case.name, case.clause, stream, chunks)

    return test


def _property_test(property: Property) -> Test:
    def test(self: ParserContract) -> None:
        def check(drawn: tuple[SSEStream, list[bytes]]) -> None:
            for chunks in _cut_as_drawn_and_inside_line_ends(*drawn):
                self._check(property.name, property.clause, drawn[0], chunks)

        def check_anew(data: bytes) -> None:
            if property.admits(data) and reduced(data, self.does_not_claim) == data:
                for chunks in cuttings(data):
                    self._check(property.name, property.clause, SSEStream.of(data), chunks)

        try:
            run_property(cut_streams(self._claimed(property.streams)), self, property.slug, check, times=property.times)
        except ContractBroken as broken:
            _raise_smallest(broken, check_anew)

    return test


for _case in SSE_CASES:
    ParserContract._add(f"case_{_case.slug}", f"{_case.name}: {_case.clause.value}", _case_test(_case))
for _property in SSE_PROPERTIES:
    ParserContract._add(_property.slug, _property.clause.value, _property_test(_property))
for _shape in measures.SSE_SHAPES:
    ParserContract._add(
        f"linear_time_for_{_shape.slug}", "Four times the bytes, four times the time.", time_test(_shape)
    )


class AsyncParserContract(AsyncReader, ParserContract):
    """The same tests for a reader of async iterables: define `aparse`.

    `aparse(chunks)` is an async generator of (event, data, id), or a coroutine that returns a list of them.
    """

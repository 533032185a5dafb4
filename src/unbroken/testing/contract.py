"""The parser contract: subclass it in a pytest file, and the standard asks its questions of your reader.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

The tests are made from data: one for each case, one for each property, one for each shape that must take linear time.
None needs a fixture, so that the classes work under pytest and unittest alike.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import unittest
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from . import measures
from .cases import NDJSON_CASES, SSE_CASES, Clause, NDJSONCase, SSECase
from .claims import Claim, reduced
from .cuts import cuttings, describe_cut, every
from .drawing import HealthCheck, Phase, SearchStrategy, given, settings, st
from .properties import CHARSET, PROMPT, RETRY, SSE_PROPERTIES, Property
from .standard import Seen
from .strategies import cut_streams, hostile_bytes, ndjson_streams, sse_streams
from .streams import NDJSONStream, SSEStream

_T = TypeVar("_T")
_Test = Callable[[Any], None]
_TURN = 0.25  # seconds that a reader's own thread is given to hand over an event before the next byte is there


class ContractBroken(AssertionError):
    """A reader did not see what the standard says; the message shows the bytes, the cut and the clause."""

    def __init__(
        self,
        name: str,
        clause: Clause,
        chunks: Sequence[bytes],
        expected: object,
        seen: object,
        again: Callable[[list[bytes]], None] | None = None,
    ) -> None:
        self.name, self.clause, self.chunks = name, clause, list(chunks)
        self.expected, self.seen, self.again = expected, seen, again
        super().__init__(name, clause, chunks, expected, seen)

    @property
    def data(self) -> bytes:
        """The whole stream."""
        return b"".join(self.chunks)

    def __str__(self) -> str:
        return (
            f"{self.name}\n"
            f"  stream    {self.data!r}\n"
            f"  cut       {describe_cut(self.chunks)}\n"
            f"  expected  {self.expected!r}\n"
            f"  seen      {self.seen!r}\n"
            f"  clause    {self.clause.value}"
        )


class _Raised:
    """What a reader has "seen" when it raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"raised {type(self.error).__name__}: {self.error}"


# --- Readers ------------------------------------------------------------------------------------------------------


class _Reader:
    """What both contracts share: how a user's `parse` is called, once for a list and once item by item."""

    def parse(self, chunks: Iterable[bytes]) -> Iterable[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define parse(chunks)")

    def _each(self, chunks: Iterable[bytes], take: Callable[[Any], object], turns: int = 0) -> bool:
        """Read all chunks and hand each item to `take`; tell whether items came while reading (not in a list).

        Behind each chunk the event loop, if there is one, gets so many turns before the next chunk is there.
        """
        items = self.parse(chunks)
        for item in items:
            take(item)
        return not isinstance(items, Sequence)

    def _read(self, chunks: Iterable[bytes]) -> list[Any]:
        seen: list[Any] = []
        self._each(chunks, seen.append)
        return seen

    def _consume(self, chunks: Iterable[bytes]) -> None:
        self._each(chunks, lambda item: None)


class _AsyncReader(_Reader):
    """The same for `aparse`, which is given an async iterable; each reading runs in an event loop of its own."""

    def aparse(self, chunks: AsyncIterable[bytes]) -> AsyncIterable[Any] | Awaitable[Iterable[Any]]:
        raise NotImplementedError(f"{type(self).__name__} must define aparse(chunks)")

    def _each(self, chunks: Iterable[bytes], take: Callable[[Any], object], turns: int = 0) -> bool:
        return asyncio.run(self._aeach(chunks, take, turns))

    async def _aeach(self, chunks: Iterable[bytes], take: Callable[[Any], object], turns: int) -> bool:
        items = self.aparse(_asynchronously(chunks, turns))
        if isinstance(items, AsyncIterable):
            async for item in items:
                take(item)
            return True
        whole = await items
        for item in whole:
            take(item)
        return False


async def _asynchronously(chunks: Iterable[bytes], turns: int) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        for _ in range(turns):
            await asyncio.sleep(0)


class _Tests:
    """Tests made from data become methods here, so that each has a name of its own."""

    @classmethod
    def _add(cls, slug: str, doc: str, test: _Test) -> None:
        name = f"test_{slug}"
        test.__name__ = name
        test.__qualname__ = f"{cls.__qualname__}.{name}"
        test.__doc__ = doc
        setattr(cls, name, test)


def _asked(strategy: SearchStrategy[_T], of: object, name: str, check: Callable[[_T], None]) -> None:
    """Run a property within the user's Hypothesis profile and report its smallest failure only."""

    def ask(drawn: _T) -> None:
        check(drawn)

    # Hypothesis keeps counterexamples by the name of the test: one parser's shall not be another's.
    ask.__name__ = f"{type(of).__qualname__}_{name}"
    quiet = settings(
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        # To explain which parts of an argument matter takes as long as to find it, and the smallest stream shows it.
        phases=[phase for phase in settings().phases if phase is not Phase.explain],
    )
    try:
        quiet(given(drawn=strategy)(ask))()
    except ContractBroken as broken:
        raise _with_fewest_cuts(broken) from broken.__cause__


def _with_fewest_cuts(broken: ContractBroken) -> ContractBroken:
    """Join chunks for as long as the reader still fails, so that what is left of the cut is what matters."""
    at = 1
    while broken.again and at < len(broken.chunks):
        chunks = broken.chunks
        joined = [*chunks[: at - 1], chunks[at - 1] + chunks[at], *chunks[at + 1 :]]
        try:
            broken.again(joined)
            at += 1
        except ContractBroken as smaller:
            broken = smaller
    return broken


# --- Server-sent events -------------------------------------------------------------------------------------------


class ParserContract(_Reader, _Tests):
    """The tests of a reader of event streams. Subclass it as `Test...` and define `parse`.

    `parse(chunks)` takes any iterable of bytes and gives the events as (event, data, id): as a list, or one by one,
    which lets the contract ask for promptness too. `does_not_claim` names what the reader does not even try.
    Override `last_retry(chunks)` and `parse_as(chunks, content_type)` to have these asked as well.
    """

    does_not_claim: ClassVar[Collection[Claim]] = ()

    def parse(self, chunks: Iterable[bytes]) -> Iterable[Seen]:
        """Read these chunks and give each event as (event, data, id)."""
        raise NotImplementedError(f"{type(self).__name__} must define parse(chunks)")

    def last_retry(self, chunks: Iterable[bytes]) -> int | None:
        """Read these chunks and give the last reconnection time in milliseconds, None if none was set."""
        raise unittest.SkipTest("does not define last_retry(chunks)")

    def parse_as(self, chunks: Iterable[bytes], content_type: str) -> Iterable[Seen]:
        """Read these chunks as the body of a response with this content type."""
        raise unittest.SkipTest("does not define parse_as(chunks, content_type)")

    def test_the_same_bytes_are_the_same_events_at_any_cut(self) -> None:
        """Chunking never shows, whatever the reader makes of the bytes."""

        streams = self._claimed(st.one_of(sse_streams(), hostile_bytes().map(SSEStream.of)))
        _asked(cut_streams(streams), self, "same_bytes", lambda drawn: self._check_sameness(drawn[1]))

    def test_an_event_leaves_with_the_byte_that_completes_it(self) -> None:
        """Neither the next event nor the end of the stream is waited for."""
        self._skip_unless_claimed(Claim.PROMPT)
        _asked(self._claimed(PROMPT.streams), self, PROMPT.slug, self._check_promptness)

    def test_a_chunk_may_be_empty(self) -> None:
        """An empty chunk is no end of input."""
        stream = SSEStream.of(b"data: a\n\ndata: b\n\n")
        for at in range(len(stream.data) + 1):
            self._check("an empty chunk", Clause.CHUNKS, stream, [stream.data[:at], b"", stream.data[at:]])

    def test_retry_takes_ascii_digits_only(self) -> None:
        """`int()` is too generous: it takes `1_000`, `-5` and other alphabets."""
        self._skip_unless_claimed(Claim.RETRY)

        def check(drawn: tuple[SSEStream, list[bytes]]) -> None:
            stream, chunks = drawn
            retry = self.last_retry(chunks)
            if retry != stream.retry:
                raise ContractBroken(
                    RETRY.name, RETRY.clause, chunks, stream.retry, retry, lambda chunks: check((stream, chunks))
                )

        _asked(RETRY.cut_streams, self, RETRY.slug, check)

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

        _asked(st.tuples(CHARSET.cut_streams, st.sampled_from(types)), self, CHARSET.slug, check)

    def test_memory_is_bounded(self) -> None:
        """A stream that holds nothing to remember costs no more memory the longer it is."""
        self._skip_unless_claimed(Claim.BOUNDED_MEMORY)
        _check_memory(self._consume, measures.SSE_MEMORY)

    def _check_sameness(self, chunks: list[bytes]) -> None:
        whole, cut_up = self._attempt([b"".join(chunks)]), self._attempt(chunks)
        if whole != cut_up and not (isinstance(whole, _Raised) and isinstance(cut_up, _Raised)):
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
                # A reader may read ahead, in a task or a thread of its own; on a network it would have to wait.
                if threading.get_ident() != consumer:
                    with arrival:
                        arrival.wait_for(has_all_due, timeout=_TURN)
                taken += 1
                yield byte

        def note(seen: Any) -> None:
            with arrival:
                came.append(taken)
                arrival.notify()

        if not self._each(bytewise(), note, turns=8):
            raise unittest.SkipTest("parse() gives a list, so that nothing can be said of promptness")
        if came != due:
            chunks = every(stream.data, 1)
            raise ContractBroken(PROMPT.name, PROMPT.clause, chunks, f"at bytes {due}", f"at bytes {came}")

    def _attempt(self, chunks: Iterable[bytes]) -> list[Seen] | _Raised:
        try:
            return [tuple(seen) for seen in self._read(chunks)]
        except unittest.SkipTest:
            raise
        except Exception as error:
            return _Raised(error)

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

    def _skip_unless_claimed(self, claim: Claim) -> None:
        if claim in self.does_not_claim:
            raise unittest.SkipTest(f"does not claim {claim.name}")


def _completing_bytes(stream: SSEStream) -> list[int]:
    """Find after which byte each event is whole: the shortest beginnings of the stream that hold one event more."""
    due: list[int] = []
    for end in range(1, len(stream.data) + 1):
        due += [end] * (len(SSEStream.of(stream.data[:end]).events) - len(due))
    return due


def _case_test(case: SSECase) -> _Test:
    def test(self: ParserContract) -> None:
        for claim in self.does_not_claim:
            if claim.removed_from(case.data) != case.data:
                raise unittest.SkipTest(f"does not claim {claim.name}")
        stream = SSEStream(case.data, case.events, case.last_event_id, case.retry)
        for chunks in cuttings(case.data):
            self._check(case.name, case.clause, stream, chunks)

    return test


def _property_test(property: Property) -> _Test:
    def test(self: ParserContract) -> None:
        def check(drawn: tuple[SSEStream, list[bytes]]) -> None:
            self._check(property.name, property.clause, *drawn)

        def check_anew(data: bytes) -> None:
            if property.admits(data) and reduced(data, self.does_not_claim) == data:
                for chunks in cuttings(data):
                    check((SSEStream.of(data), chunks))

        try:
            _asked(cut_streams(self._claimed(property.streams)), self, property.slug, check)
        except ContractBroken as broken:
            smallest = _with_fewest_bytes(broken, check_anew)
            raise smallest from smallest.__cause__

    return test


def _with_fewest_bytes(broken: ContractBroken, check: Callable[[bytes], None]) -> ContractBroken:
    """Leave bytes out for as long as the reader still fails: Hypothesis leaves out what was drawn, and no less."""
    size = 16
    while size:
        at = 0
        while at < len(broken.data):
            try:
                check(broken.data[:at] + broken.data[at + size :])
                at += size
            except ContractBroken as smaller:
                broken = _with_fewest_cuts(smaller)
        size //= 2
    return broken


def _time_test(shape: measures.Shape) -> _Test:
    def test(self: Any) -> None:
        self._skip_unless_claimed(Claim.LINEAR_TIME)
        ratio, size = measures.growth_of_time(self._consume, shape)
        assert ratio < measures.MOST_GROWTH, (
            f"time is not linear on {shape.name}: {size} bytes take {ratio:.1f} times as long as {size // 4}\n"
            f"  stream    {shape.head!r} + n * {shape.piece!r} + {shape.tail!r}"
        )

    return test


def _check_memory(consume: measures.Consume, shape: measures.Shape) -> None:
    small, large = measures.growth_of_memory(consume, shape)
    assert measures.is_bounded(small, large), (
        f"memory grows with the stream: {small} bytes at the peak of one length, {large} at four times that length\n"
        f"  stream    n * {shape.piece!r}"
    )


for _case in SSE_CASES:
    ParserContract._add(f"case_{_case.slug}", f"{_case.name}: {_case.clause.value}", _case_test(_case))
for _property in SSE_PROPERTIES:
    ParserContract._add(_property.slug, _property.clause.value, _property_test(_property))
for _shape in measures.SSE_SHAPES:
    ParserContract._add(
        f"linear_time_for_{_shape.slug}", "Four times the bytes, four times the time.", _time_test(_shape)
    )


class AsyncParserContract(_AsyncReader, ParserContract):
    """The same tests for a reader of async iterables: define `aparse`.

    `aparse(chunks)` is an async generator of (event, data, id), or a coroutine that gives a list of them.
    """


# --- NDJSON -------------------------------------------------------------------------------------------------------


class _Invalid:
    """Stands in a reader's output for a line that is no JSON."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID = _Invalid()
"""What `NDJSONContract.parse` may give for a line that is no JSON; giving nothing there is as good."""


class NDJSONContract(_Reader, _Tests):
    """The tests of a reader of NDJSON. Subclass it as `Test...` and define `parse`.

    `parse(chunks)` gives the values, and for a line that is no JSON either nothing or `INVALID`.
    """

    does_not_claim: ClassVar[Collection[Claim]] = ()
    claims_invalid_lines: ClassVar[bool] = True
    """False for a reader that raises at the first line that is no JSON, and says so."""

    def test_any_stream_of_lines(self) -> None:
        """Any values, blank lines, line ends, byte order mark and invalid lines, at any cut."""

        def check(drawn: tuple[NDJSONStream, list[bytes]]) -> None:
            self._check("any stream of lines", Clause.NDJSON_LINES, *drawn)

        streams = ndjson_streams(invalid=self.claims_invalid_lines)
        _asked(cut_streams(streams), self, "any_stream", check)

    def test_canonical_streams(self) -> None:
        """One text per line, LF behind each, at any cut."""

        def check(drawn: tuple[NDJSONStream, list[bytes]]) -> None:
            self._check("canonical streams", Clause.NDJSON_LINES, *drawn)

        _asked(cut_streams(ndjson_streams(canonical=True)), self, "canonical", check)

    def test_memory_is_bounded(self) -> None:
        """Lines of nothing but blanks cost no memory."""
        self._skip_unless_claimed(Claim.BOUNDED_MEMORY)
        _check_memory(self._consume, measures.NDJSON_MEMORY)

    def _check(self, name: str, clause: Clause, stream: NDJSONStream, chunks: list[bytes]) -> None:
        seen = self._attempt(chunks)
        if _agree(seen, stream):
            return
        if len(chunks) > 1 and _agree(self._attempt([stream.data]), stream):
            clause = Clause.CHUNKS
        raise ContractBroken(
            name, clause, chunks, list(stream.values), seen, lambda chunks: self._check(name, clause, stream, chunks)
        ) from getattr(seen, "error", None)

    def _attempt(self, chunks: Iterable[bytes]) -> list[Any] | _Raised:
        try:
            return self._read(chunks)
        except Exception as error:
            return _Raised(error)

    def _skip_unless_claimed(self, claim: Claim) -> None:
        if claim in self.does_not_claim:
            raise unittest.SkipTest(f"does not claim {claim.name}")


def _agree(seen: list[Any] | _Raised, stream: NDJSONStream) -> bool:
    if isinstance(seen, _Raised):
        return False
    values = [value for value in seen if value is not INVALID]
    invalid = len(seen) - len(values)
    return values == list(stream.values) and invalid in (0, stream.invalid)


def _ndjson_case_test(case: NDJSONCase) -> _Test:
    def test(self: NDJSONContract) -> None:
        if case.invalid and not self.claims_invalid_lines:
            raise unittest.SkipTest("does not claim to go on behind an invalid line")
        stream = NDJSONStream(case.data, case.texts, case.invalid)
        for chunks in cuttings(case.data):
            self._check(case.name, case.clause, stream, chunks)

    return test


for _ndjson_case in NDJSON_CASES:
    NDJSONContract._add(
        f"case_{_ndjson_case.slug}",
        f"{_ndjson_case.name}: {_ndjson_case.clause.value}",
        _ndjson_case_test(_ndjson_case),
    )
for _shape in measures.NDJSON_SHAPES:
    NDJSONContract._add(
        f"linear_time_for_{_shape.slug}", "Four times the bytes, four times the time.", _time_test(_shape)
    )


class AsyncNDJSONContract(_AsyncReader, NDJSONContract):
    """The same tests for a reader of async iterables: define `aparse`, an async generator of values or a coroutine."""


# --- Without a test runner ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What one test of a contract found: `failure` is None where it passed, `skipped` tells why it was not asked."""

    test: str
    doc: str
    failure: str | None = None
    skipped: str | None = None
    broken: ContractBroken | None = None


def examine(contract: object, only: Callable[[str], bool] = lambda name: True) -> list[Finding]:
    """Run the tests of a contract without a test runner, in the order of their names' making."""
    tests = {name: test for name, test in inspect.getmembers(contract, inspect.ismethod) if name.startswith("test_")}
    return [_find(name, test) for name, test in tests.items() if only(name)]


def _find(name: str, test: Callable[[], None]) -> Finding:
    doc = inspect.getdoc(test) or ""
    try:
        test()
    except unittest.SkipTest as skip:
        return Finding(name, doc, skipped=str(skip))
    except ContractBroken as broken:
        return Finding(name, doc, failure=str(broken), broken=broken)
    except Exception as error:
        return Finding(name, doc, failure=f"{type(error).__name__}: {error}")
    return Finding(name, doc)

"""The repairer under test: what a subclass defines, and what each definition switches on."""

from __future__ import annotations

import unittest
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

from ...attributes import Attribute, a, claims, each, is_named, rows
from ...claims import Claim
from ...mistakes import WrongContract, hides
from ...require_hypothesis import HypothesisException, SearchStrategy, st
from ...standard import Seen
from ..counterexample import ContractBroken, Raised
from ..generated import GeneratedTests, run_property
from . import returned
from .law import Law

__tracebackhide__ = hides
Options: TypeAlias = dict[str, Any]
"""Options of the repairer, by name."""
Facts: TypeAlias = Mapping[str, Any]
Told: TypeAlias = tuple[str, Any]
"""What an observer is told: the name of the hook, and its value."""
Variant: TypeAlias = Callable[[Sequence[bytes], Options], Iterable[bytes]]
_T = TypeVar("_T")
_TIMES = 2
"""How many times the examples of the profile are drawn: one takes a millisecond, and options seldom meet."""
Again = Callable[[list[bytes]], None]


CLOCKED = ("resume", "pause", "feed", "close", "fail", "next_deadline", "on_deadline")
"""The methods of `Clocked`, by name."""


class Clocked(Protocol):
    """A repairer that is driven by its clocks, as `StreamRepairer` is. `now` is in seconds and never goes back."""

    def resume(self, now: float) -> None:
        """Let the clocks run: the consumer waits. The first call starts the stream."""

    def pause(self, now: float) -> None:
        """Let the timeouts stand still: the consumer is busy."""

    def feed(self, chunk: bytes, now: float) -> Iterable[bytes]:
        """Return what is written because of this chunk."""

    def close(self, now: float) -> Iterable[bytes]:
        """Return what is written at the clean end of input."""

    def fail(self, error: Exception, now: float) -> Iterable[bytes]:
        """Return what is written because upstream raised."""

    def next_deadline(self) -> float | None:
        """Return when `on_deadline` must be called, None for never."""

    def on_deadline(self, now: float) -> Iterable[bytes]:
        """Return what is written because of the time: a heartbeat, or the end by a timeout."""


class ChunkReader(Protocol):
    """A reader that takes chunks, as `EventReader` does."""

    def feed(self, chunk: bytes | bytearray | memoryview) -> Sequence[Any]:
        """Return what this chunk completes."""

    def close(self) -> Sequence[Any]:
        """Return what the clean end of input completes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a repairer made of a stream: the bytes written and, where it has a report, what that says."""

    wire: bytes
    facts: Facts | None = None

    def __repr__(self) -> str:
        return repr(self.wire) if self.facts is None else f"{self.wire!r}, {dict(self.facts)!r}"


def _is_framings(value: object) -> bool:
    return each(("sse", "ndjson"))(value) and bool(value)


class RepairerUnderTest(GeneratedTests):
    """What a subclass of `RepairContract` defines. All but `repair` is optional, and switches further tests on."""

    _attributes: ClassVar[tuple[Attribute, ...]] = (
        claims((Claim.LINEAR_TIME, Claim.BOUNDED_MEMORY, Claim.RETRY)),
        Attribute("options", "a Hypothesis strategy that draws dicts", a(SearchStrategy)),
        Attribute("conversions", "a list or tuple of dicts of options", rows(is_named)),
        Attribute("framings", "a tuple of 'sse', 'ndjson' or both", _is_framings),
        Attribute("rewrites", "a list, tuple or set of kinds of repairs, which are strings", each(a(str))),
        Attribute("longest_retry", "a number of milliseconds, or None", a(int, type(None))),
    )

    options: ClassVar[SearchStrategy[Options]] = st.just({})
    """Draws the options of each test. The contract knows the names of `unbroken.repair`, and hands on all others."""

    conversions: ClassVar[Sequence[Options]] = ()
    """Options under which the output is another framing or dialect than the input."""

    framings: ClassVar[Collection[str]] = ("sse", "ndjson")
    """The framings of the healthy streams that must read the same in the output."""

    rewrites: ClassVar[Collection[str]] = ()
    """Kinds of repairs that keep the content of what they cover; all other kinds may drop it."""

    longest_retry: ClassVar[int | None] = None
    """The milliseconds that a longer `retry:` is clamped to; None if there is no bound."""

    def repair(self, chunks: Iterable[bytes], options: Options) -> Iterable[bytes]:
        """Return, or yield, what the repairer writes for these chunks, read to their clean end."""
        raise WrongContract(f"{type(self).__name__} must define repair(chunks, options)")

    def facts(self, chunks: Iterable[bytes], options: Options) -> tuple[bytes, Facts]:
        """Return all bytes written, and what the report says of the stream, as far as it depends on the bytes alone.

        These names switch further tests on: `repairs`, a list of (kind, offset, length) in bytes of the input, where
        the kinds `invalid-utf8` and `http-head` are known; `format`, one of "sse", "ndjson" and "json-array", or None;
        `bytes_in`; `chunks_in`, which alone hangs on the cuts; `retry` in milliseconds or None; `error`, None for a
        stream that did not fail; `respellings`, counts by name, where `comment` counts comments that were written as a
        blank line. These together: `dialect`, one of `unbroken.testing.DIALECTS` or None, `verdict`, such as
        "complete", `text`, `reasoning` and `tool_calls`, dicts with `name`, `arguments` and `kind`; beside them
        `finish_reason`, and `account_cut`, whether they are cut.
        """
        raise unittest.SkipTest("does not define facts(chunks, options)")

    def events(self, chunks: Iterable[bytes], options: Options) -> Iterable[Seen]:
        """Return the events, as (event, data, id), that a reader of the same library gives for these chunks."""
        raise unittest.SkipTest("does not define events(chunks, options)")

    def variants(self) -> Mapping[str, Variant]:
        """Return other ways to run the same repairer, by name; each takes what `repair` takes."""
        raise unittest.SkipTest("does not define variants()")

    def clocked(self, options: Options, **seconds: float) -> Clocked:
        """Return a repairer on a clock of the caller's: `heartbeat`, and the timeouts `silence` and `total`."""
        raise unittest.SkipTest("does not define clocked(options, **seconds)")

    def watched(
        self, options: Options, tell: Callable[[str, Any], None], hooks: Collection[str], **seconds: float
    ) -> Clocked:
        """Return a repairer as `clocked` does, whose observer tells what is told to it in the hooks of these names.

        `tell("started", None)`, `tell("received", (chunk, seconds since the start))`, `tell("content", seconds since
        the content before it, or the start)`, `tell("repaired", (kind, offset, length))`, `tell("ended", verdict)`.
        Content is an event with text, reasoning or a piece of a tool call. The observer has no other hooks.
        """
        raise unittest.SkipTest("does not define watched(options, tell, hooks, **seconds)")

    def reading(self, options: Options) -> ChunkReader:
        """Return a reader that takes chunks, and gives in `feed` and `close` what it read of them."""
        raise unittest.SkipTest("does not define reading(options)")

    def facts_of(self, ran: Any) -> Facts:
        """Return what the report says of what `clocked` or `reading` returned; nothing by default."""
        return {}

    def reconnecting(self, connect: Callable[[str], Iterator[bytes]], options: Options) -> Iterable[bytes]:
        """Return what is written for a source that is opened by `connect`, and again each time that it raises.

        `connect(last_event_id)` yields the chunks of one connection, and raises `ConnectionResetError` where it breaks.
        """
        raise unittest.SkipTest("does not define reconnecting(connect, options)")

    def declared(self, content_type: str) -> Options:
        """Return the options for the body of a response with this content type."""
        raise unittest.SkipTest("does not define declared(content_type)")

    def bounded(self, limit: int) -> Sequence[tuple[Options, int]]:
        """Return options under which no event of more than `limit` bytes is kept, each with the bytes kept besides."""
        raise unittest.SkipTest("does not define bounded(limit)")

    def ends_at_sentinel(self, options: Options) -> bool:
        """Return whether `[DONE]` ends a stream of OpenAI's chat or completions dialect under these options."""
        raise unittest.SkipTest("does not define ends_at_sentinel(options)")

    # What the tests ask.

    def _converted(self) -> SearchStrategy[Options]:
        """Draw options for an output that is another framing or dialect than the input. Skips where there is none."""
        if not self.conversions:
            raise unittest.SkipTest("does not define conversions")
        return st.builds(lambda options, more: {**options, **more}, self.options, st.sampled_from(self.conversions))

    def _declared_as_json(self) -> SearchStrategy[Options]:
        """Draw the options for a body that is declared to be one JSON document, which a few lines may contradict."""
        declared = returned.named("declared(content_type)", "options", self.declared("application/json"))
        return self.options.map(lambda options: {**options, **declared})

    def _defines(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(RepairerUnderTest, name)

    def _needs(self, name: str, arguments: str = "chunks, options") -> None:
        """Skip the test unless a subclass defines this method."""
        if not self._defines(name):
            raise unittest.SkipTest(f"does not define {name}({arguments})")

    def _outcome(self, chunks: Sequence[bytes], options: Options) -> Outcome:
        if self._defines("facts"):
            wire, facts = returned.bytes_and_facts(self.facts(chunks, dict(options)))
            return Outcome(wire, {name: value for name, value in facts.items() if name != "chunks_in"})
        return Outcome(self._written(chunks, options))

    def _written(self, chunks: Iterable[bytes], options: Options) -> bytes:
        return returned.joined("repair(chunks, options)", self.repair(chunks, dict(options)))

    def _on_a_clock(self, options: Options, **seconds: float) -> Clocked:
        """Return what `clocked` does. Raises `TypeError` for an object that is not `Clocked`."""
        return returned.with_methods("clocked(options, **seconds)", self.clocked(dict(options), **seconds), CLOCKED)

    def _facts_of(self, ran: object) -> Facts:
        return returned.named("facts_of(ran)", "facts", self.facts_of(ran))

    def _run(self, strategy: SearchStrategy[_T], name: str, check: Callable[[_T], None], times: int = _TIMES) -> None:
        """Run a property. What a method of the subclass raises is told with the stream and the options."""

        def ask(drawn: _T) -> None:
            try:
                check(drawn)
            except (ContractBroken, unittest.SkipTest, WrongContract, HypothesisException):
                raise
            except Exception as error:
                chunks, options = _parts_of(drawn)
                raise broken(Law.NOTHING_IS_RAISED, chunks, "no exception", Raised(error), options) from error

        run_property(strategy, self, name, ask, times)

    def _attempt(self, chunks: Sequence[bytes], options: Options) -> Outcome:
        """Return the outcome. Raises `ContractBroken` where the repairer raises."""
        try:
            return self._outcome(chunks, options)
        except (unittest.SkipTest, WrongContract):
            raise
        except Exception as error:
            raise broken(
                Law.ANY_BYTES_ARE_TAKEN,
                chunks,
                "no exception",
                Raised(error),
                options,
                lambda again: void(self._attempt(again, options)),
            ) from error

    def _reported(self, chunks: Sequence[bytes], options: Options, *names: str) -> tuple[bytes, Facts]:
        """Return bytes and facts. Raises `SkipTest` unless the report has facts of these names."""
        outcome = self._attempt(chunks, options)
        if outcome.facts is None:
            raise unittest.SkipTest("does not define facts(chunks, options)")
        for name in names:
            if name not in outcome.facts:
                raise unittest.SkipTest(f"does not define the fact {name!r}")
        return outcome.wire, outcome.facts

    def _consume(self, chunks: Iterable[bytes]) -> None:
        for _ in returned.pieces("repair(chunks, options)", self.repair(chunks, {})):
            pass


def broken(
    law: Law,
    chunks: Sequence[bytes],
    expected: object,
    seen: object,
    options: Options,
    again: Again | None = None,
    where: str = "",
) -> ContractBroken:
    """Return the failure of a repairer; `where` says more of it, such as the name of a case."""
    name = law.name.lower().replace("_", " ") + (where and f": {where}")
    return ContractBroken(name, law, chunks, expected, seen, again, options)


def _parts_of(drawn: object) -> tuple[list[bytes], Options]:
    """Return the chunks and the options among what was drawn, in whichever order it stands."""
    chunks: list[bytes] | None = None
    options: Options = {}
    rest = [drawn]
    while rest:
        one = rest.pop(0)
        if isinstance(one, dict):
            options |= one
        elif isinstance(one, list) and all(isinstance(chunk, bytes) for chunk in one):
            chunks = one if one or chunks is None else chunks
        elif isinstance(one, bytes) and chunks is None:
            chunks = [one]
        elif isinstance(one, tuple):
            rest += one
    return chunks or [], options


def void(result: object) -> None:
    """Return nothing."""

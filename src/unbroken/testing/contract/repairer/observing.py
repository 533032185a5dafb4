"""Tests of what those are told that watch a stream, and in which order, on a fake clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ...mistakes import hides
from ...repair_cases.case import said
from ...require_hypothesis import SearchStrategy, st
from ...strategies import cut_streams
from . import returned
from .cases import FRAME, CaseTests, naming, needed_by
from .law import Law
from .sameness import all_streams
from .under_test import CLOCKED, Clocked, Options, Told, broken

__tracebackhide__ = hides

HOOKS: Final = ("started", "received", "content", "repaired", "ended")
"""All that an observer may be told, by name."""
_START: Final = 8.0
_SILENCE: Final = 64.0
_LONGEST: Final = 4096
"""Bytes of the longest case that is watched."""
_ENDS: Final = ("close", "fail", "on_deadline")
_STARTS: Final = frozenset(("resume", "feed", "close", "fail", "cancel"))
"""Calls of which the first starts a stream."""

# Multiples of a power of two, so that differences of times are exact.
_pauses: SearchStrategy[list[float]] = st.lists(st.sampled_from([0.0, 0.0, 0.25, 1.5, 8.0]), min_size=1, max_size=5)
_texts: SearchStrategy[list[str]] = st.lists(st.sampled_from(["a", "b", "", "cd", "é"]), max_size=20)


def _by_frames(texts: list[str], sizes: list[int]) -> tuple[bytes, list[bytes]]:
    """Return an answer, in chunks of so many events."""
    chunks: list[bytes] = []
    rest = texts
    while rest:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(said(*rest[:size]))
        rest = rest[size:]
    return b"".join(chunks), chunks


_said = st.one_of(
    cut_streams(_texts.map(lambda texts: said(*texts))),
    st.builds(_by_frames, _texts, st.lists(st.integers(1, 4), min_size=1, max_size=5)),
)
_Timed = tuple[tuple[bytes, list[bytes]], list[float], str]


@dataclass
class Call:
    """One call, when it was made, and what an observer was told in it."""

    name: str
    given: tuple[Any, ...]
    now: float
    told: list[Told] = field(default_factory=list)


def rightly(calls: Sequence[Call]) -> list[list[Told]]:
    """Return what an observer should have been told in each of these calls, given how much content and which repairs.

    `started` first and once; each chunk before what comes of it, until the end; with each event of content the seconds
    since the one before it, or since the start; the end last, and nothing after it.
    """
    begin = before = None
    over = False
    right = []
    for call in calls:
        expected: list[Told] = []
        if not over:
            if begin is None and call.name in _STARTS:
                begin = before = call.now
                expected.append(("started", None))
            if call.name == "feed":
                expected.append(("received", (call.given[0], call.now - (begin or 0.0))))
            for hook, value in call.told:
                if hook == "content":
                    expected.append((hook, call.now - (before or 0.0)))
                    before = call.now
                elif hook == "repaired":
                    expected.append((hook, value))
            ends = [told for told in call.told if told[0] == "ended"]
            expected += ends[:1]
            over = bool(ends)
        right.append(expected)
    return right


class ObserverTests(CaseTests):
    """An observer is told of the start, of each chunk, of what comes of it, and of the end, each in its place."""

    def test_an_observer_is_told_in_order(self) -> None:
        """Of drawn streams in drawn chunks, to a clean end, a failure or a timeout."""
        self._needs("watched", "options, tell, hooks, **seconds")
        drawn = st.tuples(st.tuples(cut_streams(all_streams), _pauses, st.sampled_from(_ENDS)), self.options)
        self._run(drawn, "watched", lambda drawn: self._check_watched(*drawn))

    def test_an_observer_is_told_of_each_text_with_its_gap(self) -> None:
        """Of an answer in OpenAI's chat dialect: `content` in the call that brings the end of the event, once each."""
        self._needs("watched", "options, tell, hooks, **seconds")
        drawn = st.tuples(_said, _pauses, st.sampled_from(_ENDS))
        self._run(drawn, "watched_content", self._check_texts, times=1)

    def test_an_observer_that_asks_for_less_is_told_the_same(self) -> None:
        """Each hook alone tells what it tells among all; and what is written does not hang on it."""
        self._needs("watched", "options, tell, hooks, **seconds")

        def check(timed: _Timed, options: Options) -> None:
            every_hook, expected = self._watch(timed, options, HOOKS)
            for hook in HOOKS:
                calls, wire = self._watch(timed, options, (hook,))
                wanted = [[told for told in call.told if told[0] == hook] for call in every_hook]
                seen = [call.told for call in calls]
                if (seen, wire) != (wanted, expected):
                    raise broken(Law.AN_OBSERVER_IS_TOLD, timed[0][1], (wanted, expected), (hook, seen, wire), options)

        timed = st.tuples(cut_streams(all_streams), _pauses, st.sampled_from(_ENDS))
        self._run(st.tuples(timed, self.options), "watched_alone", lambda drawn: check(*drawn), times=1)

    def test_an_observer_is_told_the_repairs_of_the_cases(self) -> None:
        """Each case of known output, frame by frame: its repairs, in their order, and no other."""
        self._needs("watched", "options, tell, hooks, **seconds")
        for case in self._known("cases"):
            if len(case.data) > _LONGEST:
                continue
            chunks = FRAME.findall(case.data)
            with naming(case, chunks):
                calls, _ = self._watch(((case.data, chunks), [0.25], "close"), dict(case.options), HOOKS)
            repairs = [value for call in calls for hook, value in call.told if hook == "repaired"]
            seen = tuple(f"{kind}@{offset}+{length}" for kind, offset, length in repairs)
            self._check_calls(calls, chunks, case.options, case.name)
            if seen != case.repairs:
                named = f"case {case.name!r}"
                raise broken(Law.AN_OBSERVER_IS_TOLD, chunks, case.repairs, seen, dict(case.options), where=named)

    def test_an_observer_is_told_of_the_cases_on_a_clock(self) -> None:
        """Each case of a clock: connections that go on, consumers that leave, timeouts."""
        self._needs("watched", "options, tell, hooks, **seconds")
        for case in self._known("timed_cases"):
            if "observers" in case.options:
                continue  # it has one of its own
            calls: list[Call] = []
            names, why = needed_by(case)
            repairer = self._told(case.options, _noting(calls), HOOKS, names, why, case.seconds)
            with naming(case, case.chunks):
                case.played(repairer, lambda name, given, calls=calls: calls.append(Call(name, given, _time_of(given))))
            self._check_calls(calls, case.chunks, case.options, case.name)
            ends = [value for call in calls for hook, value in call.told if hook == "ended"]
            expected = case.facts.get("verdict")
            if expected is not None and ends not in ([expected], [] if expected == "open" else [expected]):
                named = f"case {case.name!r}"
                raise broken(Law.AN_OBSERVER_IS_TOLD, case.chunks, [expected], ends, dict(case.options), where=named)

    def _check_watched(self, timed: _Timed, options: Options) -> None:
        calls, _ = self._watch(timed, options, HOOKS)
        self._check_calls(calls, timed[0][1], options)
        ends = sum(hook == "ended" for call in calls for hook, _ in call.told)
        if ends != 1:
            raise broken(Law.AN_OBSERVER_IS_TOLD, timed[0][1], "one end", f"{ends} ends", options)

    def _check_texts(self, timed: _Timed) -> None:
        (data, chunks), _, _ = timed
        calls, _ = self._watch(timed, {}, HOOKS)
        self._check_calls(calls, chunks, {})
        # Where the events end that say something.
        ends, at = [], 0
        for frame in FRAME.findall(data):
            at += len(frame)
            ends += [] if b'"content":""' in frame else [at]
        expected, begin = [], 0
        for chunk in chunks:
            expected.append(sum(begin < end <= begin + len(chunk) for end in ends))
            begin += len(chunk)
        feeds = [call for call in calls if call.name == "feed"][: len(chunks)]
        seen = [sum(hook == "content" for hook, _ in call.told) for call in feeds]
        if seen != expected:
            raise broken(Law.AN_OBSERVER_IS_TOLD, chunks, expected, seen, {})

    def _check_calls(self, calls: Sequence[Call], chunks: Sequence[bytes], options: Any, case: str = "") -> None:
        named = f"case {case!r}, " if case else ""
        for number, (call, expected) in enumerate(zip(calls, rightly(calls), strict=True), start=1):
            if call.told != expected:
                where = f"{named}call {number}: {call.name}"
                raise broken(Law.AN_OBSERVER_IS_TOLD, chunks, expected, call.told, dict(options), where=where)

    def _told(
        self,
        options: Any,
        tell: Callable[[str, Any], None],
        hooks: Sequence[str],
        names: Collection[str],
        why: str,
        seconds: Mapping[str, float],
    ) -> Clocked:
        """Return what `watched` does. Raises `TypeError` for an object that has not these methods."""
        watched = self.watched(dict(options), tell, hooks, **seconds)
        return returned.with_methods("watched(options, tell, hooks, **seconds)", watched, names, why)

    def _watch(self, timed: _Timed, options: Options, hooks: Sequence[str]) -> tuple[list[Call], bytes]:
        """Play a stream, then all that could come behind its end. Return the calls, and what was written."""
        (_, chunks), pauses, end = timed
        calls: list[Call] = []
        seconds = {"silence": _SILENCE} if end == "on_deadline" else {}
        repairer = self._told(options, _noting(calls), hooks, CLOCKED, "", seconds)
        wire, now = bytearray(), _START

        def make(name: str, *given: Any) -> None:
            calls.append(Call(name, given, now))
            wire.extend(b"".join(_written(repairer, name, given)))

        for number, chunk in enumerate(chunks):
            make("feed", chunk, now)
            now += pauses[number % len(pauses)]
        now += _SILENCE
        make("resume", now)
        for name in dict.fromkeys((end, "close", *_ENDS)):
            make(name, *((OSError("s3cr3t"),) if name == "fail" else ()), now)
        make("feed", b"data: late\n\n", now)
        return calls, bytes(wire)


def _noting(calls: list[Call]) -> Any:
    def tell(hook: str, value: Any) -> None:
        calls[-1].told.append((hook, value))

    return tell


def _time_of(given: tuple[Any, ...]) -> float:
    """Return the time of a call: its last argument, where that is one."""
    return given[-1] if given and isinstance(given[-1], float) else 0.0


def _written(repairer: Clocked, name: str, given: tuple[Any, ...]) -> Iterable[bytes]:
    return getattr(repairer, name)(*given) or ()

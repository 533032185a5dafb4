"""Tests of a pace: text that is held and joined, on a fake clock."""

from __future__ import annotations

import unittest
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from ...attributes import Attribute, a, is_named, row, rows
from ...mistakes import hides
from ...require_hypothesis import SearchStrategy, st
from .clocks import Player, Timed, in_pieces
from .law import Law
from .reading import framing_of
from .telling import answer_in, answers_of_any_dialect, events_of, spelt
from .under_test import Facts, Options, RepairerUnderTest, broken

__tracebackhide__ = hides

_OF_FRAMES: Final = ("bytes_out", "heartbeats")
"""Facts of what is written, which a pace writes in other frames."""
_HEARTBEAT: Final = 0.5
_ROUNDING: Final = 1e-6
_NAMES: Final = ("dialect", "format")
_pauses = st.lists(st.sampled_from([0.0, 0.0, 0.004, 0.03, 0.2, 2.0]), min_size=1, max_size=5)


def _timed_answers() -> SearchStrategy[tuple[Timed, Options]]:
    def timed(answer: tuple[bytes, Options], size: int, pauses: list[float]) -> tuple[Timed, Options]:
        return in_pieces(answer[0], size, pauses), answer[1]

    return st.builds(timed, answers_of_any_dialect, st.integers(20, 400), _pauses)


class PacingTests(RepairerUnderTest):
    """A pace changes how text is cut, and when it leaves; nothing else."""

    paces: ClassVar[Sequence[tuple[Options, float]]] = ()
    """Options under which text is held and joined, each with the seconds that none is held longer than.

    They need `clocked` and `facts_of`, with the facts `dialect` and `format`.
    """

    _attributes: ClassVar[tuple[Attribute, ...]] = (
        Attribute("paces", "pairs (options, seconds that text is held at most)", rows(row(is_named, a(int, float)))),
    )

    def test_a_pace_changes_nothing_but_how_text_is_cut(self) -> None:
        """With a pace the report says the same, and a plain reader of the output reads the same, however it ends."""
        drawn = st.tuples(_timed_answers(), self.options, self._paces(), st.booleans())
        self._run(drawn, "paced", lambda drawn: self._check_paced(*drawn))

    def _check_paced(
        self, timed: tuple[Timed, Options], options: Options, pace: tuple[Options, float], fails: bool
    ) -> None:
        (chunks, pauses), named = timed
        options = {**options, **named}
        plain = self._play(chunks, pauses, options, fails)
        paced = self._play(chunks, pauses, {**options, **pace[0]}, fails)
        expected = _but_frames(self._facts_of(plain.repairer)), self._read_plainly(plain, options)
        seen = _but_frames(self._facts_of(paced.repairer)), self._read_plainly(paced, options)
        if seen != expected or paced.repairer.next_deadline() is not None:
            raise broken(Law.A_PACE_ONLY_CUTS_TEXT, chunks, (expected, plain.wire), (seen, paced.wire), options)

    def test_text_is_held_no_longer_than_the_pace_says(self) -> None:
        """What has come is written when its time is over, and no gap is longer than a heartbeat."""
        drawn = st.tuples(_timed_answers(), self._paces())
        self._run(drawn, "held", lambda drawn: self._check_held(*drawn))

    def _check_held(self, timed: tuple[Timed, Options], pace: tuple[Options, float]) -> None:
        (chunks, pauses), options = timed
        plain = self._play(chunks, pauses, options, fails=False)
        paced = self._play(chunks, pauses, {**options, **pace[0]}, fails=False, heartbeat=_HEARTBEAT)
        if paced.longest_gap() > _HEARTBEAT + _ROUNDING:
            expected = f"gaps of {_HEARTBEAT} s at most"
            raise broken(Law.HEARTBEATS_COME_IN_TIME, chunks, expected, paced.writes, {**options, **pace[0]})
        came, left = self._lengths(plain), self._lengths(paced)
        for at, length in came:
            written = max((size for when, size in left if when <= at + pace[1] + _ROUNDING), default=0)
            if written < length:
                held = f"{length} characters of text by {at + pace[1]} s"
                raise broken(Law.A_PACE_HOLDS_NOTHING_FOR_LONG, chunks, held, (written, paced.writes), options)

    def _paces(self) -> SearchStrategy[tuple[Options, float]]:
        self._needs("clocked", "options, **seconds")
        if not self.paces:
            raise unittest.SkipTest("does not define paces")
        return st.sampled_from(range(len(self.paces))).map(self.paces.__getitem__)

    def _play(
        self, chunks: Sequence[bytes], pauses: Sequence[float], options: Options, fails: bool, **seconds: float
    ) -> Player:
        player = Player(self._on_a_clock(options, **seconds))
        player.repairer.resume(0.0)
        for chunk, pause in zip(chunks, pauses, strict=True):
            player.wait(player.now + pause)
            player.feed(chunk)
        if fails:
            player.write(player.repairer.fail(ConnectionResetError(), player.now))
        player.close()
        return player

    def _facts(self, player: Player) -> Facts:
        facts = self._facts_of(player.repairer)
        for name in _NAMES:
            if name not in facts:
                raise unittest.SkipTest(f"does not define the fact {name!r}")
        return facts

    def _read_plainly(self, player: Player, options: Options) -> tuple[Any, ...]:
        """Return what a plain reader of the dialect reads: the answer, its end, and the last id."""
        facts = self._facts(player)
        dialect = options.get("convert") or facts["dialect"]
        format = options.get("to") or ("sse" if "convert" in options else facts["format"])
        answer = answer_in(player.wire, dialect, format)
        events = events_of(player.wire, format)
        return spelt(answer), answer.finish, answer.error, answer.ended, [id for _, _, id in events[-1:]]

    def _lengths(self, player: Player) -> list[tuple[float, int]]:
        """Return how many characters of text and reasoning a reader has, and since when."""
        facts, wire, lengths = self._facts(player), b"", []
        # A heartbeat that comes first decides the framing, other than that of lines with codes.
        framing = facts["format"] if facts["format"] == "coded-lines" else framing_of(player.wire)
        for at, data in player.writes:
            wire += data
            answer = answer_in(wire, facts["dialect"], framing)
            lengths.append((at, len(answer.text) + len(answer.reasoning)))
        return lengths


def _but_frames(facts: Facts) -> Facts:
    return {name: value for name, value in facts.items() if name not in _OF_FRAMES}

"""Tests of heartbeats and timeouts, on a fake clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ...conversations import DIALECTS, Conversation
from ...cuts import every
from ...mistakes import hides
from ...require_hypothesis import SearchStrategy, st
from ...strategies import dialect_streams, framed_streams
from ...strategies.framed import conversation_of
from .law import Law
from .reading import by_value, events_in, framing_of
from .under_test import Clocked, Options, RepairerUnderTest, broken

__tracebackhide__ = hides

HEARTBEAT = 5.0
SILENCE = 60.0
_ASKED = {"heartbeat": HEARTBEAT, "silence": SILENCE, "total": SILENCE}
_ROUNDING = 1e-6
_EARLIEST = 0.25
"""Seconds by which a timeout may come before its time."""
_SECRET = "s3cr3t-0f-upstream"


@dataclass
class Player:
    """A repairer on a fake clock, and what it wrote, when."""

    repairer: Clocked
    now: float = 0.0
    woken: float = 0.0
    """When `on_deadline` was called last."""
    writes: list[tuple[float, bytes]] = field(default_factory=list)

    def write(self, frames: Iterable[bytes]) -> None:
        """Note what was written now."""
        self.writes += [(self.now, frame) for frame in frames]

    def wait(self, until: float) -> None:
        """Let time pass, and call `on_deadline` when it is due."""
        calls = 0
        while (due := self.repairer.next_deadline()) is not None and due <= until:
            calls += 1
            assert calls < 100_000, f"next_deadline() stays at {due} at {self.now}"
            self.now = self.woken = max(self.now, due)
            self.write(self.repairer.on_deadline(self.now))
        self.now = max(self.now, until)

    def feed(self, chunk: bytes) -> None:
        """Let a chunk arrive."""
        self.write(self.repairer.feed(chunk, self.now))

    def close(self) -> bytes:
        """Let the input end, and return all that was written."""
        self.write(self.repairer.close(self.now))
        return self.wire

    @property
    def wire(self) -> bytes:
        """All that was written."""
        return b"".join(data for _, data in self.writes)

    def longest_gap(self, *, until: float | None = None) -> float:
        """Return the longest time between two writes, from the start on, to the last write or `until`, in seconds."""
        times = [0.0, *(at for at, data in self.writes if data), *([] if until is None else [until])]
        return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


Timed = tuple[list[bytes], list[float]]
"""Chunks, and the seconds before each of them."""


def _as_lines(conversation: Conversation) -> bytes:
    payloads = [frame.rpartition(b"data: ")[2].strip() for frame in conversation.frames if b"[DONE]" not in frame]
    return b"".join(payload + b"\n" for payload in payloads)


def _as_array(conversation: Conversation) -> bytes:
    return b"[" + _as_lines(conversation).strip().replace(b"\n", b",\n") + b"]"


_spellings = st.sampled_from([lambda answer: answer.data, _as_lines, _as_array])
_answers: SearchStrategy[Any] = st.one_of(
    st.sampled_from(DIALECTS).map(conversation_of), st.sampled_from(DIALECTS).flatmap(dialect_streams)
)
_streams: SearchStrategy[bytes] = st.one_of(
    st.builds(lambda answer, spell: spell(answer), _answers, _spellings), framed_streams()
)
_pauses = st.lists(st.sampled_from([0.0, 0.0, 0.001, 0.5, 4.9, 5.0, 14.0]), min_size=1, max_size=5)


def in_pieces(data: bytes, size: int, pauses: list[float]) -> Timed:
    """Return the bytes in chunks of one size, with these pauses before them, again and again."""
    return _with_pauses(every(data, size), pauses)


def _cut(data: bytes, frame_wise: bool, pauses: list[float]) -> Timed:
    if frame_wise:
        return _with_pauses([line + b"\n" for line in data.split(b"\n")], pauses)
    return in_pieces(data, max(1, len(data) // 7), pauses)


def _with_pauses(chunks: list[bytes], pauses: list[float]) -> Timed:
    return chunks, [pauses[number % len(pauses)] for number in range(len(chunks))]


_timed = st.builds(_cut, _streams, st.booleans(), _pauses)


class ClockTests(RepairerUnderTest):
    """Heartbeats are written in time, between frames; timeouts end a stream once."""

    def test_no_gap_is_longer_than_the_heartbeat(self) -> None:
        """From the start to the end no gap between two writes is longer, also before the first byte."""
        self._needs("clocked", "options, **seconds")

        def check(timed: Timed, options: Options) -> None:
            chunks, pauses = timed
            player = Player(self._on_a_clock(options, heartbeat=HEARTBEAT))
            player.repairer.resume(0.0)
            for number in range(len(chunks) + 1):
                player.wait(player.now + (pauses[number] if number < len(pauses) else 0.0))
                if player.repairer.next_deadline() is None:
                    self._check_ended(Law.HEARTBEATS_COME_IN_TIME, player, chunks[:number], options, "heartbeat")
                    return
                if number < len(chunks):
                    player.feed(chunks[number])
            longest = player.longest_gap(until=player.now)
            if longest > HEARTBEAT + _ROUNDING:
                raise broken(
                    Law.HEARTBEATS_COME_IN_TIME,
                    chunks,
                    f"gaps of {HEARTBEAT} s at most",
                    (longest, player.writes),
                    options,
                )

        self._run(st.tuples(_timed, self.options), "alive", lambda drawn: check(*drawn))

    def test_heartbeats_stand_between_frames_and_change_nothing(self) -> None:
        """With heartbeats a reader sees the same events, with the names that the output has without them."""
        self._needs("clocked", "options, **seconds")
        drawn = st.tuples(_timed, st.integers(0, 3), self.options)
        self._run(drawn, "between", lambda drawn: self._check_between(*drawn))

    def test_heartbeats_before_the_first_byte_change_nothing(self) -> None:
        """The same where upstream is silent first, so that a heartbeat decides the framing: SSE, NDJSON or an array."""
        self._needs("clocked", "options, **seconds")
        streams = st.builds(
            lambda answer, spell: spell(answer), st.sampled_from(DIALECTS).map(conversation_of), _spellings
        )
        drawn = st.tuples(st.builds(_cut, streams, st.booleans(), st.just([0.0])), st.integers(1, 3), self.options)
        self._run(drawn, "before", lambda drawn: self._check_between(*drawn))

    def _check_between(self, timed: Timed, before: int, options: Options) -> None:
        chunks, pauses = timed
        if options.get("format") not in (None, framing_of(b"".join(chunks))):
            return  # a heartbeat is right for the framing that the caller named, and not for another one
        player = Player(self._on_a_clock(options, heartbeat=HEARTBEAT))
        player.repairer.resume(0.0)
        player.wait(before * HEARTBEAT)
        for chunk, pause in zip(chunks, pauses, strict=True):
            player.wait(player.now + pause)
            player.feed(chunk)
        wire = player.close()
        expected, seen = self._with_and_without(chunks, wire, options)
        if seen != expected:
            raise broken(Law.HEARTBEATS_CHANGE_NOTHING, chunks, expected, (seen, player.writes), options)

    def _with_and_without(self, chunks: Sequence[bytes], wire: bytes, options: Options) -> tuple[Any, Any]:
        """Return the events of the output without heartbeats, in the framing of that with them, and the events of that.

        A heartbeat before the first byte decides the framing.
        """
        outcome = self._attempt(chunks, options)
        without = outcome.wire
        framing = framing_of(wire) if wire.strip() else "ndjson"
        # A line that was kept may look like a field: where the report says the framing, it is not guessed.
        told = None if {"to", "convert"} & {*options} else (outcome.facts or {}).get("format")
        if (told or framing_of(without)) != framing:
            without = self._attempt(chunks, {**options, "to": framing}).wire
        expected, seen = by_value(events_in(without, framing)), by_value(events_in(wire, framing))
        return [event for event in expected if not _is_ping(event)], [event for event in seen if not _is_ping(event)]

    def test_a_timeout_ends_the_stream_once(self) -> None:
        """A silent upstream ends the stream within its time, with one last frame; nothing is written after it."""
        self._needs("clocked", "options, **seconds")

        def check(timed: Timed, clock: str, options: Options) -> None:
            chunks, pauses = timed
            player = Player(self._on_a_clock(options, **{clock: SILENCE}))
            player.repairer.resume(0.0)
            for number in range(len(chunks) + 1):
                player.wait(player.now + (pauses[number] if number < len(pauses) else 0.0))
                if player.repairer.next_deadline() is None:
                    law, is_over = Law.A_TIMEOUT_ENDS_IT_ONCE, player.now >= SILENCE - 2 * _EARLIEST
                    if not (clock == "total" and is_over):
                        self._check_ended(law, player, chunks[:number], options, clock)
                    return
                if number < len(chunks):
                    player.feed(chunks[number])
            before, since = len(player.writes), 0.0 if clock == "total" else player.now
            due = since + SILENCE
            player.wait(due)
            told = [data for _, data in player.writes[before:]]
            is_held = b"".join(told[:-1]) in self._held(chunks, options)
            late = [*player.repairer.on_deadline(1e6), *player.repairer.feed(b"data: late\n\n", 1e6)]
            late += [*player.repairer.close(1e6), *player.repairer.fail(OSError("late"), 1e6)]
            if late or not is_held or not due - 2 * _EARLIEST <= player.woken <= due:
                seen = {"last call of on_deadline": player.woken, "written": told, "written later": late}
                expected = f"an end by `{clock}` of one frame at {due} s, nothing later"
                raise broken(Law.A_TIMEOUT_ENDS_IT_ONCE, chunks, expected, seen, options)

        drawn = st.tuples(_timed, st.sampled_from(["silence", "total"]), self.options)
        self._run(drawn, "timeout", lambda drawn: check(*drawn))

    def _check_ended(self, law: Law, player: Player, chunks: Sequence[bytes], options: Options, clock: str) -> None:
        """Raise `ContractBroken` where no call is due although the stream goes on, and this clock was asked for."""
        if not {"heartbeat", "timeouts"} & {*options} and (written := self._goes_on(player, chunks, options)):
            seen = f"next_deadline() is None at {player.now} s, and {written[:80]!r} is written later"
            expected = f"a deadline until the stream has ended, for {clock}={_ASKED[clock]}"
            raise broken(law, chunks, expected, seen, options)

    def _goes_on(self, player: Player, chunks: Sequence[bytes], options: Options) -> bytes:
        """Return what is written behind these chunks: nothing if the stream has ended.

        Of a stream that goes on a failure of upstream is told, or at least an event is passed on. Where lines are
        written only the failure counts: a blank line behind the last one means something to some readers, so that
        no heartbeat need be due before the next line.
        """
        if told := b"".join(self._having_read(chunks, options).fail(ConnectionResetError(), 0.0)):
            return told
        if chunks and not (player.wire.strip() and framing_of(player.wire) == "sse"):
            return b""
        return b"".join(self._having_read(chunks, options).feed(b'\n\ndata: {"a":1}\n\n', 0.0))

    def _having_read(self, chunks: Sequence[bytes], options: Options) -> Clocked:
        repairer = self._on_a_clock(options)
        repairer.resume(0.0)
        for chunk in chunks:
            repairer.feed(chunk, 0.0)
        return repairer

    def _held(self, chunks: Sequence[bytes], options: Options) -> bytes:
        """Return what leaves of these chunks when upstream fails behind them, its last frame included."""
        return b"".join(self._having_read(chunks, options).fail(ConnectionResetError(), 0.0))

    def test_a_slow_consumer_ends_no_stream(self) -> None:
        """While the consumer is busy no timeout comes nearer, however long that takes."""
        self._needs("clocked", "options, **seconds")

        def check(timed: Timed, busy: list[float], options: Options) -> None:
            chunks, pauses = timed
            player = Player(self._on_a_clock(options, silence=SILENCE, total=SILENCE * 100))
            player.repairer.resume(0.0)
            for number, (chunk, pause) in enumerate(zip(chunks, pauses, strict=True)):
                player.wait(player.now + pause)
                player.feed(chunk)
                player.repairer.pause(player.now)
                player.now += busy[number % len(busy)]
                player.repairer.resume(player.now)
            wire, expected = player.close(), self._attempt(chunks, options).wire
            if wire != expected:
                raise broken(Law.A_SLOW_CONSUMER_IS_WAITED_FOR, chunks, expected, wire, options)

        busy = st.lists(st.sampled_from([0.0, 1.0, SILENCE - 1, SILENCE + 1, SILENCE * 9]), min_size=1, max_size=4)
        self._run(st.tuples(_timed, busy, self.options), "consumer", lambda drawn: check(*drawn))

    def test_a_failure_is_one_last_frame(self) -> None:
        """What upstream raises becomes one frame at most, without the words of the exception."""
        self._needs("clocked", "options, **seconds")

        def check(timed: Timed, at: int, options: Options) -> None:
            chunks = timed[0][: at % (len(timed[0]) + 1)]
            player = Player(self._on_a_clock(options))
            player.repairer.resume(0.0)
            for chunk in chunks:
                player.feed(chunk)
            told = list(player.repairer.fail(ConnectionResetError(_SECRET), 0.0))
            late = [*player.repairer.feed(b"data: late\n\n", 0.0), *player.repairer.close(0.0)]
            late += player.repairer.fail(OSError("late"), 0.0)
            if late or _SECRET.encode() in b"".join(told):
                raise broken(Law.A_FAILURE_IS_ONE_FRAME, chunks, "one last frame", (told, late), options)

        drawn = st.tuples(_timed, st.integers(0, 99), self.options)
        self._run(drawn, "failure", lambda drawn: check(*drawn))


def _is_ping(event: tuple[str, Any, str]) -> bool:
    return event[0] == "ping" and event[1] == {"type": "ping"}

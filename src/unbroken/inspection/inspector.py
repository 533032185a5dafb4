"""The inspector of one stream: bytes and times in, a row per event or repair out, and the facts for a diagnosis.

It reads as `repair` does and changes nothing. A response head before the body (`curl -i`) is read too. What it keeps
is bounded, however long the stream is.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

from ..core.dialect import EventClass, Reading
from ..core.events import Event
from ..core.failure import MAX_DETAIL, SENTENCES, tells_error
from ..core.frames import Frame, Item
from ..core.options import check_options
from ..core.pipeline import Pipeline
from ..core.registry import dialect_names
from ..core.repairs import Repair
from ..core.report import StreamReport, Verdict
from .facts import Facts, Head, Row, Silence, parse_head, printable
from .progress import MARKS, LastEvent

MAX_HEAD: Final = 64 * 1024
MAX_KEPT: Final = 64
"""The most silences, and the most gaps in numbering, that are kept."""
STALL: Final = 10.0
"""Seconds without a byte from which a silence is marked; common idle limits begin at 30 s."""
MAX_TEXT: Final = 72
"""The most characters of a name, and of what a flight record kept of a chunk."""

_MARKS: Final = ('"sequence_number"', '"created', '"error"', *MARKS)
"""Texts without which a payload shows nothing beside the answer."""
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")


class Inspector:
    """Reads one stream. `timed=False` for bytes from a file.

    `options` are those of `repair` that concern reading; `content_type` overrides that of a response head.
    """

    def __init__(self, *, timed: bool = True, **options: Any) -> None:
        self._options = options
        self.report = StreamReport()
        self.facts = Facts(timed, self.report)
        self._pipeline: Pipeline | None = None
        self._head = b""
        self._started: float | None = None
        self._last_row: float | None = None
        self._last_event: float | None = None
        self._number: int | None = None
        # The first payload that is an error by itself: without a dialect, the end decides whether it is one.
        self._maybe_error: tuple[int | None, str] = (None, "")

    def start(self, now: float, wall_clock: float | None = None) -> None:
        """Start the clock. The time of day, `wall_clock`, distinguishes a live stream from a saved one."""
        self._started = now
        self.facts.wall_clock = wall_clock

    def feed(self, chunk: bytes, now: float) -> list[Row]:
        """Read the next bytes, and return a row for each thing that they complete."""
        at = self._at(now)
        if not chunk:
            return []
        self._note_arrival(at)
        rows, body = self._read_head(chunk, at)
        return rows + self._read_body(body, at) if body else rows

    def close(self, now: float, *, stopped: bool = False) -> list[Row]:
        """End the stream, and return the last rows. `stopped` if the user interrupted it and the stream may go on."""
        at = self._at(now)
        rows = self._stop() if stopped else self._end(at)
        self.facts.failure = self._pipeline.gate.state.failure if self._pipeline else None
        if self.facts.failing_event is None:
            self.facts.failing_event, self.facts.failing_text = self._maybe_error
        self.facts.stopped = stopped
        self.facts.ended = at
        self._note_silence(self.facts.last_byte or 0.0, at)
        self.report.duration = at
        return [*rows, self._row("end", at, name=self.report.verdict.value)]

    def _end(self, at: float) -> list[Row]:
        rows = self._end_head(at)
        items, self.report.verdict = (self._pipeline or self._begin(None)).close(clean=True)
        return rows + self._rows(items, at)

    def _stop(self) -> list[Row]:
        """Set the verdict without reading the incomplete rest: more of it may have been coming."""
        gate = self._pipeline.gate if self._pipeline else None
        is_final = gate is not None and gate.state.ended
        self.report.verdict = gate.verdict(clean=True, cut=False) if gate and is_final else Verdict.CANCELLED
        return []

    def feed_record(self, chunks: list[dict[str, Any]], end: float, *, whole: bool) -> list[Row]:
        """Read chunks of a flight record, whose content was not kept, and the end; return their rows.

        `whole` if the first chunk of the stream is among them.
        """
        facts, rows = self.facts, []
        facts.recorded = True
        for chunk in chunks:
            at, kind = chunk["at"], chunk["class"]
            if not whole and facts.last_byte is None:
                facts.last_byte = self._last_row = self._last_event = at
            self._note_arrival(at)
            if kind in ("content", "event"):
                self.report.events += 1
                self._note_progress(at, LastEvent(self.report.events, kind, at, False))
            elif kind == "comment":
                facts.progress.heartbeats += 1
                self.report.comments += 1
            facts.last_kind = "event" if kind in ("content", "event") else kind
            kept = (chunk["data"] or chunk.get("tail", b"")).decode("utf-8", "replace")
            text = ("mended here  " if chunk["repairs"] else "") + shorten(kept[-MAX_TEXT:])
            rows.append(self._row(kind, at, size=chunk["length"], text=text.rstrip(), data=kept or None))
        self._note_silence(facts.last_byte or 0.0, end)
        facts.ended = end
        return [*rows, self._row("end", end, name=self.report.verdict.value)]

    def _at(self, now: float) -> float:
        if self._started is None:
            self._started = now
        return now - self._started

    # What arrives

    def _note_arrival(self, at: float) -> None:
        facts = self.facts
        self._note_silence(facts.last_byte or 0.0, at)
        facts.reads += 1
        facts.last_byte = at
        if facts.began is None:
            facts.began = at

    def _note_silence(self, began: float, at: float) -> None:
        facts = self.facts
        if facts.timed and at - began >= STALL:
            silence = Silence(began, at - began, facts.last_kind, self.report.events)
            facts.silences.append(silence)
            if len(facts.silences) > MAX_KEPT:
                facts.silences.remove(min(facts.silences, key=lambda it: it.seconds))

    def _read_head(self, chunk: bytes, at: float) -> tuple[list[Row], bytes]:
        """Split response heads off the body: there are several after 100, 103 or 3xx, as `curl -iL` writes them."""
        if self._pipeline is not None:
            return [], chunk
        rows: list[Row] = []
        self._head += chunk
        while b"HTTP/".startswith(self._head[:5]) and self._head:
            end = _HEAD_END.search(self._head)
            if end is None and len(self._head) < MAX_HEAD:
                return rows, b""
            head = parse_head(self._head[: end.start()]) if end else None
            if end is None or head is None:
                break
            size, self._head = end.end(), self._head[end.end() :]
            rows.append(self._note_head(head, size, at))
        if not self._head:
            return rows, b""
        body, self._head = self._head, b""
        return rows, body

    def _end_head(self, at: float) -> list[Row]:
        """Read the rest of the input where a head was expected: a truncated head, or a body that looked like one."""
        left, self._head = self._head, b""
        head = parse_head(left)
        if head is None:
            return self._read_body(left, at) if left else []
        self.facts.head_cut = True
        return [self._note_head(head, len(left), at)]

    def _note_head(self, head: Head, size: int, at: float) -> Row:
        self.facts.head = head
        summary = f"{head.status} {head.get('content-type') or ''}".strip()
        return self._row("head", at, size=size, text=shorten(summary))

    def _begin(self, content_type: str | None) -> Pipeline:
        given = {"content_type": content_type} | self._options
        self._pipeline = Pipeline(check_options(**given), self.report)
        return self._pipeline

    def _read_body(self, body: bytes, at: float) -> list[Row]:
        facts = self.facts
        pipeline = self._pipeline or self._begin(facts.head.get("content-type") if facts.head else None)
        facts.first_bytes = (facts.first_bytes + body[:8])[:8]
        facts.non_ascii = facts.non_ascii or not body.isascii()
        facts.spelling.feed(body)
        return self._rows(pipeline.feed(body), at)

    # Rows

    def _row(self, kind: str, at: float, **what: Any) -> Row:
        gap = at - (self._last_row or 0.0)
        self._last_row = at
        if not self.facts.timed:
            return Row(kind, **what)
        return Row(kind, at, gap, stall=gap >= STALL, **what)

    def _rows(self, items: list[Item], at: float) -> list[Row]:
        rows: list[Row] = []
        first = self.report.events - sum(item.count for item in items if not isinstance(item, Repair))
        for item in items:
            if isinstance(item, Repair):
                rows.append(self._row("repair", at, name=item.kind.value, size=item.length, text=f"byte {item.offset}"))
            elif isinstance(item, Frame) and item.comment is not None:
                self.facts.progress.heartbeats += 1
                self.facts.last_kind = "comment"
                text = item.comment.text
                rows.append(self._row("comment", at, text=printable(text), data=text))
            else:
                for event, reading in zip_longest(item.events(), item.readings()):
                    first += 1
                    rows.append(self._event(event, item.kind or EventClass.STRUCTURAL, reading, first, at))
        return rows

    def _event(self, event: Event, kind: EventClass, reading: Reading | None, number: int, at: float) -> Row:
        facts = self.facts
        # Anthropic's ping can arrive before the dialect is recognised.
        is_ping = kind is EventClass.LIVENESS or event.event == "ping"
        is_tool = reading is not None and any(delta.tools for delta in reading.deltas)
        name = "" if event.event == "message" else shorten(event.event)
        if is_ping:
            facts.progress.heartbeats += 1
            facts.pings += 1
        else:
            self._note_progress(at, LastEvent(number, name or kind.value, at, is_tool))
        if facts.failing_event is None and (kind is EventClass.ERROR or (reading is not None and reading.failure)):
            facts.failing_event, facts.failing_text = number, event.data[:MAX_DETAIL]
        facts.last_kind = "tool-call" if is_tool else "ping" if is_ping else "event"
        if kind is EventClass.CONTENT:
            facts.content += 1
            facts.content_span = (facts.content_span[0] if facts.content_span else at, at)
        facts.error_names += event.event == "error"
        self._note_payload(event.data, number)
        size = len(event.data.encode("utf-8", "surrogatepass"))
        text = printable(_preview(event, reading))
        return self._row(kind.value, at, number=number, name=name, size=size, text=text, data=event.data)

    def _note_progress(self, at: float, event: LastEvent) -> None:
        facts = self.facts
        last = self._last_event if self._last_event is not None else 0.0
        facts.longest_wait = max(facts.longest_wait, at - last)
        if facts.progress.heartbeats:
            facts.longest_wait_with_heartbeats = max(facts.longest_wait_with_heartbeats, at - last)
        facts.progress.note_event(event)
        self._last_event = at
        facts.event_span = (facts.event_span[0] if facts.event_span else at, at)

    def _note_payload(self, data: str, number: int) -> None:
        """Note what a payload shows beside the answer: its sequence number, time, empty choices, parts, an error."""
        facts = self.facts
        facts.empty_choices += '"choices":[]' in data or '"choices": []' in data
        if not any(mark in data for mark in _MARKS):
            return
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return
        if not isinstance(value, dict):
            return
        facts.progress.note_payload(value)
        if self._maybe_error[0] is None and tells_error(value):
            self._maybe_error = (number, data[:MAX_DETAIL])
        sequence = value.get("sequence_number")
        if type(sequence) is int and 0 <= sequence < 10**12:
            if self._number is not None and sequence != self._number + 1 and len(facts.number_gaps) < MAX_KEPT:
                facts.number_gaps.append((self._number, sequence))
            self._number = sequence
        stamp = _stamp(value.get("created_at"), value.get("created"))
        if stamp is not None:
            facts.stamps = (facts.stamps[0] if facts.stamps else stamp, stamp)


def _stamp(text: Any, number: Any) -> float | None:
    if isinstance(text, str) and len(text) < 40:
        try:
            return datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    given = text if isinstance(text, (int, float)) else number
    return float(given) if isinstance(given, (int, float)) and 0 < given < 1e12 else None


def _preview(event: Event, reading: Reading | None) -> str:
    """Return what an event says of an error, or adds to the answer; else its data."""
    if reading is not None and reading.failure is not None:
        return reading.failure.detail or event.data
    if reading is not None and reading.deltas:
        pieces = [delta.text or delta.reasoning or delta.refusal for delta in reading.deltas]
        pieces += [f"{tool.name or ''}({tool.arguments})" for delta in reading.deltas for tool in delta.tools]
        pieces += [f"[{delta.finish_reason}]" for delta in reading.deltas if delta.finish_reason]
        if text := "".join(pieces):
            return text
    return event.data


def shorten(text: str, most: int = MAX_TEXT) -> str:
    """Return at most that many characters of a text, unprintable ones as escapes, so that it is one safe line."""
    shown = printable(text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def inspect_record(head: dict[str, Any], chunks: list[dict[str, Any]]) -> tuple[Facts, list[Row]]:
    """Return the facts and rows of a flight record, as `recorder.read_flight` returns it.

    If its bytes were kept they are read, else its times and lengths only.
    """
    verdict = next((verdict for verdict in Verdict if verdict.value == head.get("verdict")), Verdict.ENDED)
    if chunks and head.get("chunks") == len(chunks) and all(len(chunk["data"]) == chunk["length"] for chunk in chunks):
        inspector = Inspector()
        inspector.start(0.0)
        rows = [row for chunk in chunks for row in inspector.feed(chunk["data"], chunk["at"])]
        rows += inspector.close(_duration(head, chunks))
    else:
        inspector = Inspector()
        inspector.start(0.0)
        inspector.report.verdict = verdict
        inspector.report.dialect = head["dialect"] if head.get("dialect") in dialect_names() else None
        inspector.report.bytes_in = sum(chunk["length"] for chunk in chunks)
        rows = inspector.feed_record(chunks, _duration(head, chunks), whole=head.get("chunks") == len(chunks))
    facts = inspector.facts
    facts.report.verdict = verdict
    facts.report.timeout = head["timeout"] if head.get("timeout") in ("first", "idle", "silence", "total") else None
    facts.connection_failed = head.get("error") == "upstream-failed"
    facts.recorded_error = next((code for code in SENTENCES if code == head.get("error")), None)
    facts.recorded_failed = verdict is Verdict.FAILED
    return facts, rows


def _duration(head: dict[str, Any], chunks: list[dict[str, Any]]) -> float:
    last: float = chunks[-1]["at"] if chunks else 0.0
    given = head.get("duration")
    return max(last, float(given)) if isinstance(given, (int, float)) and 0 <= given < 1e9 else last

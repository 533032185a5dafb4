"""The faults of the field, each by name: how it is planted in a healthy stream, and what is right to make of it.

One for each row of `docs/repairs.md`, with the name of its `RepairKind`, and one for each way in which a transport
fails. `fault.examples` needs no Hypothesis; `unbroken.testing.strategies.broken` plants them anywhere.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.repairs import DEFAULT_REPAIRS, RepairKind
from ..core.report import Verdict
from .conversations import Answer, Conversation, spell
from .failures import client_failures
from .server import Hold, Reset, WireStep, chunked, close_delimited, with_length
from .sources import Block, Step
from .standard import Seen, is_json, read_ndjson, read_sse
from .streams import NDJSONStream, SSEStream


@dataclass(frozen=True, slots=True)
class Healthy:
    """A canonical stream as its whole frames (events, or lines), and its dialect if it speaks one."""

    frames: tuple[bytes, ...]
    dialect: str | None = None
    is_sse: bool = True

    @classmethod
    def of(cls, stream: Healthy | Conversation | SSEStream | NDJSONStream) -> Healthy:
        """Cut a canonical stream into its frames."""
        if isinstance(stream, Healthy):
            return stream
        if isinstance(stream, Conversation):
            return cls(stream.frames, stream.dialect, stream.is_sse)
        end = b"\n\n" if isinstance(stream, SSEStream) else b"\n"
        frames = tuple(frame + end for frame in stream.data.split(end)[:-1])
        return cls(frames, is_sse=isinstance(stream, SSEStream))


@dataclass(frozen=True, slots=True)
class BrokenStream:
    """A stream with faults in it, and what is right to make of it.

    `mended` is the stream as it should have been (JSON payloads count by their value), without the one error frame
    that ends it if `error` names its code. `repairs` counts by kind how much there is to mend, at least; it lies within
    `places`, each the start and the end of a stretch of `data`, and all else is healthy. `options` are those of
    `unbroken.repair` under which this holds. Where upstream is opened twice, `connections` holds both bodies.
    """

    data: bytes
    mended: bytes
    faults: tuple[str, ...]
    repairs: Mapping[RepairKind, int]
    places: tuple[tuple[int, int], ...]
    options: Mapping[str, Any]
    error: str | None = None
    is_sse: bool = True
    connections: tuple[bytes, ...] = ()

    @property
    def expected(self) -> list[Any]:
        """What a reader must see in the end; see `seen_in`."""
        return self.seen_in(self.mended)

    def seen_in(self, wire: bytes) -> list[Any]:
        """Read canonical output: events as (event, payload, id) or lines, JSON payloads by their value."""
        if not self.is_sse:
            return [json.loads(text) for text in read_ndjson(wire).texts]
        return [_by_value(seen) for seen in read_sse(wire).events]


def _by_value(seen: Seen) -> tuple[str, Any, str]:
    event, payload, id = seen
    return event, json.loads(payload) if is_json(payload) else payload, id


class Ground:
    """A healthy stream while faults are being planted in it: for each frame what is sent, and what should be."""

    def __init__(self, healthy: Healthy) -> None:
        self.healthy = healthy
        self.sent = list(healthy.frames)
        self.right = list(healthy.frames)
        self.taken: set[int] = set()
        """Frames that carry a fault already; nothing else may be planted there."""
        self.faults: list[str] = []
        self.repairs: Counter[RepairKind] = Counter()
        self.options: dict[str, Any] = {}
        self.error: str | None = None
        self.connections: tuple[bytes, ...] = ()
        self.is_over = False
        """Whether a fault has decided the end."""

    def payload(self, at: int) -> bytes | None:
        """Give the JSON object that this frame carries on one line, if it is free and carries nothing else."""
        found = _ONE_OBJECT.fullmatch(self.healthy.frames[at])
        return found[2] if found and at not in self.taken and is_json(found[2]) else None

    def spell(self, payload: bytes, at: int) -> bytes:
        """Spell a payload as the frame at this place is spelt."""
        found = _ONE_OBJECT.fullmatch(self.healthy.frames[at])
        return found[1] + payload + found[3] if found else payload

    def put(self, at: int, sent: bytes, right: bytes) -> bool:
        """Let a frame be sent this way, and expect that."""
        self.sent[at], self.right[at] = sent, right
        self.taken.add(at)
        return True

    def places(self) -> Iterator[tuple[int, int]]:
        """Give the start and the end of each frame that carries a fault, in the bytes that are sent."""
        start = 0
        for number, frame in enumerate(self.sent):
            if number in self.taken:
                yield start, start + len(frame)
            start += len(frame)

    def stream(self) -> BrokenStream:
        """Give the stream with all that was planted."""
        return BrokenStream(
            data=b"".join(self.sent),
            mended=b"".join(self.right),
            faults=tuple(self.faults),
            repairs=dict(self.repairs),
            places=tuple(self.places()),
            options={**self.options, **({"dialect": self.healthy.dialect} if self.healthy.dialect else {})},
            error=self.error,
            is_sse=self.healthy.is_sse,
            connections=self.connections,
        )


_ONE_OBJECT = re.compile(rb"((?:event: [^\n]*\n)?(?:id: [^\n]*\n)?data: |)(\{[^\n]*\})(\n\n?)")
Plant = Callable[[Ground, int], bool]
"""Plant a fault at or before this frame; False where it does not fit."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is planted in the bytes. `kind` is the repair that mends it."""

    name: str
    does: str
    kind: RepairKind
    plant: Plant = field(repr=False)
    speaks: str | None = None
    """The dialect without which it is no fault, or cannot be mended."""

    def plant_in(self, ground: Ground, at: int) -> bool:
        """Plant it at this frame, or the next one at which it fits. False if it fits nowhere."""
        if self.speaks not in (None, ground.healthy.dialect) or ground.is_over:
            return False
        places = range(len(ground.sent))
        for place in [*places[at:], *places[:at]]:
            if self.plant(ground, place):
                ground.faults.append(self.name)
                ground.repairs[self.kind] += 1
                return True
        return False

    @property
    def examples(self) -> tuple[BrokenStream, ...]:
        """The fault in each of a few plain streams in which it fits, at each place at which it fits."""
        found: dict[bytes, BrokenStream] = {}
        for healthy in _PLAIN_STREAMS:
            for at in range(len(healthy.frames)):
                ground = Ground(healthy)
                if self.plant_in(ground, at):
                    found.setdefault(ground.stream().data, ground.stream())
        return tuple(found.values())


# --- How each is planted ------------------------------------------------------------------------------------------


def _with_member(payload: bytes, member: bytes) -> bytes:
    """Put one member more in front of an object's."""
    return b"{" + member + (b"" if payload[1:].lstrip().startswith(b"}") else b",") + payload[1:]


def _member(sent: bytes, right: bytes) -> Plant:
    """Plant a member that is wrong, and one that is right."""

    def plant(ground: Ground, at: int) -> bool:
        payload = ground.payload(at)
        if payload is None:
            return False
        spelt = [ground.spell(_with_member(payload, member), at) for member in (sent, right)]
        return ground.put(at, *spelt)

    return plant


def _spelling(pattern: bytes) -> Plant:
    """Send an event in another spelling, in which `@` stands for its payload."""

    def plant(ground: Ground, at: int) -> bool:
        payload = ground.payload(at)
        frame = ground.healthy.frames[at]
        if payload is None or not frame.startswith(b"data: "):
            return False
        return ground.put(at, pattern.replace(b"@", payload), frame)

    return plant


def _before(sent: bytes, right: bytes = b"") -> Plant:
    """Plant something in front of a frame, but never in front of the first one, where it would decide the format."""

    def plant(ground: Ground, at: int) -> bool:
        if at == 0 or at in ground.taken:
            return False
        frame = ground.healthy.frames[at]
        return ground.put(at, sent + frame, right + frame)

    return plant


def _in_sse(plant: Plant) -> Plant:
    return lambda ground, at: ground.healthy.is_sse and plant(ground, at)


def _in_ndjson(plant: Plant) -> Plant:
    return lambda ground, at: not ground.healthy.is_sse and plant(ground, at)


def _in_no_dialect(plant: Plant) -> Plant:
    return lambda ground, at: ground.healthy.dialect is None and plant(ground, at)


def _at_end(plant: Plant) -> Plant:
    """Plant something that decides the end, behind or in the last frame."""

    def plant_last(ground: Ground, at: int) -> bool:
        last = len(ground.sent) - 1
        if ground.is_over or last in ground.taken or not plant(ground, last):
            return False
        ground.is_over = True
        ground.taken.add(last)
        return True

    return plant_last


def _raw_json(ground: Ground, at: int) -> bool:
    payload = ground.payload(at)
    if payload is None or at == 0 or not ground.healthy.frames[at].startswith(b"data: "):
        return False
    pretty = json.dumps(json.loads(payload), indent=2).encode()
    return ground.put(at, pretty + b"\n\n", ground.healthy.frames[at])


def _missing_blank_line(ground: Ground, at: int) -> bool:
    if at + 1 >= len(ground.sent) or ground.payload(at) is None or ground.payload(at + 1) is None:
        return False
    frames = ground.healthy.frames
    ground.put(at + 1, frames[at + 1], frames[at + 1])
    return ground.put(at, frames[at][:-1], frames[at])


def _glued(ground: Ground, at: int) -> bool:
    payload = ground.payload(at)
    if payload is None:
        return False
    further = ground.spell(b'{"b":2}', at)
    if b"id: " in further:
        further = re.sub(rb"id: [^\n]*\n", b"", further)  # the id stays without being repeated
    return ground.put(at, ground.spell(payload + b'{"b":2}', at), ground.healthy.frames[at] + further)


def _spliced(ground: Ground, at: int) -> bool:
    payload = ground.payload(at)
    if payload is None:
        return False
    whole = _with_member(payload, b'"k":1')
    return ground.put(at, ground.spell(b'{"k":"x","obdata: ' + whole, at), ground.spell(whole, at))


def _python_repr(ground: Ground, at: int) -> bool:
    if ground.payload(at) is None:
        return False
    value = {"t": "it's", "done": False, "next": None, "n": [1, 2.5]}
    frame = ground.healthy.frames[at]
    spelt = [_plain_frame(ground, text.encode()) for text in (repr(value), json.dumps(value))]
    return ground.put(at, spelt[0] + frame, spelt[1] + frame)


def _plain_frame(ground: Ground, payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n" if ground.healthy.is_sse else payload + b"\n"


def _oversized(ground: Ground, at: int) -> bool:
    if ground.payload(at) is None or max(map(len, ground.sent)) > 3000:
        return False
    ground.options["max_event_bytes"] = 4096
    huge = _plain_frame(ground, b'{"t":"' + b"x" * 5000 + b'"}')
    return ground.put(at, huge + ground.healthy.frames[at], ground.healthy.frames[at])


def _http_head(ground: Ground, at: int) -> bool:
    if 0 in ground.taken or at > 0:
        return False
    frame = ground.healthy.frames[0]
    return ground.put(0, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + frame, frame)


def _cut_at(ground: Ground, at: int, sent: bytes, right: bytes = b"") -> bool:
    """End the stream in front of this frame, with other bytes in the place of all the rest."""
    if ground.is_over or any(place >= at for place in ground.taken):
        return False
    for place in range(at, len(ground.sent)):
        ground.put(place, b"", b"")
    ground.put(at, sent, right)
    ground.is_over = True
    return True


def _foreign_body(ground: Ground, at: int) -> bool:
    rest = b"".join(ground.sent[at:])
    if at == 0 or not ground.healthy.is_sse or not _cut_at(ground, at, b"<html><body>502</body></html>\n" + rest):
        return False
    ground.error = "upstream-failed"
    return True


def _not_a_stream(ground: Ground, at: int) -> bool:
    if at > 0 or not _cut_at(ground, 0, b"<!DOCTYPE html><title>504 Gateway Time-out</title>"):
        return False
    ground.error = "not-a-stream"
    return True


def _done_after_error(ground: Ground, at: int) -> bool:
    error = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
    return at > 0 and _cut_at(ground, at, error + b"data: [DONE]\n\n", error)


def _unterminated(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    if ground.payload(last) is None or not ground.healthy.is_sse:
        return False
    return ground.put(last, frame.rstrip(b"\n"), frame)


def _unfinished(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    return ground.put(last, frame + b'data: {"a":', frame)


def _done_spelling(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    return frame == b"data: [DONE]\n\n" and ground.put(last, b"data: [done] \n\n", frame)


def _after_done(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    return frame == b"data: [DONE]\n\n" and ground.put(last, frame + b'data: {"late":1}\n\n', frame)


def _missing_done(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    ground.options["repairs"] = DEFAULT_REPAIRS | {RepairKind.MISSING_DONE}
    return frame == b"data: [DONE]\n\n" and ground.put(last, b"", frame)


def _no_event_name(ground: Ground, at: int) -> bool:
    frame = ground.healthy.frames[at]
    if at in ground.taken or not frame.startswith(b"event: "):
        return False
    return ground.put(at, frame.partition(b"\n")[2], frame)


def _repeated(ground: Ground, at: int) -> bool:
    """Cut the first connection behind frame `at`; the second one begins again from the first event."""
    if ground.taken or not ground.healthy.is_sse or ground.healthy.dialect or at + 1 >= len(ground.sent):
        return False
    frames = [b"id: %d\n" % number + frame for number, frame in enumerate(ground.healthy.frames, start=1)]
    ground.connections = (b"".join(frames[: at + 1]), b"".join(frames))
    ground.sent = [*frames[: at + 1], *frames]
    ground.right = frames
    ground.repairs[RepairKind.REPEATED_EVENT] += at
    ground.is_over = True
    return True


def _faults(*rows: tuple[RepairKind, str, Plant] | tuple[RepairKind, str, Plant, str]) -> dict[str, Fault]:
    return {
        row[0].value: Fault(row[0].value, row[1], row[0], row[2], row[3] if len(row) == 4 else None) for row in rows
    }


FAULTS: Mapping[str, Fault] = _faults(
    (RepairKind.INVALID_UTF8, "a byte that is no UTF-8", _member(b'"t":"\xff"', '"t":"\ufffd"'.encode())),
    (RepairKind.STRAY_LINE, "a line of a proxy's log", _in_sse(_before(b"--- proxy log ---\n\n"))),
    (RepairKind.FIELD_NAME, "`data` indented and in the wrong case", _in_sse(_spelling(b"  Data: @\n\n"))),
    (RepairKind.HTTP_HEAD, "an HTTP head left in front of the body", _http_head),
    (RepairKind.FOREIGN_BODY, "an HTML page in the middle of the stream", _foreign_body),
    (RepairKind.NOT_A_STREAM, "an HTML page in the place of a stream", _in_sse(_not_a_stream)),
    (RepairKind.MISSING_BLANK_LINE, "two events without a blank line between them", _in_sse(_missing_blank_line)),
    (RepairKind.RAW_JSON, "pretty-printed JSON without `data:`", _in_sse(_raw_json)),
    (
        RepairKind.ERROR_LINE,
        "a bare `error:` line",
        _in_sse(_in_no_dialect(_before(b'error: {"code":500}\n\n', b'data: {"error": {"code":500}}\n\n'))),
    ),
    (RepairKind.RAW_NEWLINE, "a raw line end inside a JSON string", _in_sse(_member(b'"t":"a\nb"', b'"t":"a\\nb"'))),
    (RepairKind.NON_FINITE, "`NaN` and `-Infinity`", _member(b'"t":NaN,"u":-Infinity', b'"t":null,"u":null')),
    (RepairKind.GLUED_JSON, "two JSON documents on one line", _glued),
    (RepairKind.DOUBLE_PREFIX, "an event that was framed twice", _in_sse(_spelling(b"data: data: @\n\n"))),
    (RepairKind.SPLICED_EVENT, "an event overwritten by another one", _in_sse(_spliced)),
    (RepairKind.PYTHON_REPR, "the repr of a Python dict", _python_repr),
    (RepairKind.STRAY_FRAMING, "an SSE line in NDJSON", _in_ndjson(_before(b'data: {"b":2}\n', b'{"b":2}\n'))),
    (RepairKind.WRAPPED_COMMENT, "a comment wrapped as a payload", _before(b"data: : keepalive\n\n"), "openai-chat"),
    (RepairKind.DONE_SPELLING, "`[DONE]` in the wrong case", _at_end(_done_spelling), "openai-chat"),
    (RepairKind.EMPTY_DATA, "an event with empty data", _before(b"data: \n\n"), "openai-chat"),
    (RepairKind.INVALID_JSON, "a line that is no JSON", _in_ndjson(_before(b"not json\n"))),
    (RepairKind.UNTERMINATED_EVENT, "a last event without its blank line", _at_end(_unterminated)),
    (
        RepairKind.UNFINISHED_TAIL,
        "a last event that was cut",
        _in_sse(_in_no_dialect(_at_end(_unfinished))),
    ),
    (RepairKind.OVERSIZED_EVENT, "an event beyond the limit", _oversized),
    (RepairKind.AFTER_DONE, "data behind `[DONE]`", _at_end(_after_done), "openai-chat"),
    (RepairKind.DONE_AFTER_ERROR, "`[DONE]` behind an error", _done_after_error, "openai-chat"),
    (RepairKind.MISSING_DONE, "no `[DONE]`", _at_end(_missing_done), "openai-chat"),
    (RepairKind.EVENT_NAME_RESTORED, "an event without its name", _no_event_name, "anthropic"),
    (RepairKind.REPEATED_EVENT, "events sent again after a reconnection", _repeated),
)
"""The faults that repairs mend, by the slug of the repair."""


# --- Transport ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is right to make of a stream whose transport failed: what arrives, how it ended, the error's code."""

    delivered: bytes
    verdict: Verdict
    error: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class TransportFault:
    """A fault of the transport: `steps` plays it in a scripted source, `wire` on a socket, `outcome` is what follows.

    Each takes the frames of a healthy stream. `wire` is None for what a server cannot do, such as a client's timeout.
    """

    name: str
    does: str
    steps: Callable[[Sequence[bytes]], list[Step]] = field(repr=False)
    wire: Callable[[Sequence[bytes]], list[WireStep]] | None = field(repr=False)
    outcome: Callable[[Healthy], Outcome] = field(repr=False)

    @property
    def examples(self) -> tuple[tuple[Healthy, Outcome], ...]:
        """The outcome for a plain stream of no dialect and for one whose end is known."""
        return tuple((healthy, self.outcome(healthy)) for healthy in (_PLAIN, _CHAT))


def _half(frames: Sequence[bytes]) -> list[bytes]:
    """All frames but the last one, and half of that one."""
    last = frames[-1]
    return [*frames[:-1], last[: len(last) // 2]]


def _whole(healthy: Healthy, content_type: str | None = None) -> Outcome:
    ended = Verdict.COMPLETE if healthy.dialect else Verdict.ENDED
    return Outcome(b"".join(healthy.frames), ended, content_type=content_type)


def _failed(healthy: Healthy) -> Outcome:
    return Outcome(b"".join(healthy.frames[:-1]), Verdict.FAILED, "upstream-failed")


def _cut_in_silence(healthy: Healthy) -> Outcome:
    """A clean end inside an event; only where a dialect is known is the reader told of it."""
    if healthy.dialect:
        return Outcome(b"".join(healthy.frames[:-1]), Verdict.TRUNCATED, "truncated")
    return Outcome(b"".join(healthy.frames[:-1]), Verdict.TRUNCATED)


def _raising(name: str) -> Callable[[Sequence[bytes]], list[Step]]:
    def steps(frames: Sequence[bytes]) -> list[Step]:
        failures = client_failures()
        return [*_half(frames), failures.get(name, failures["ConnectionResetError"])()]

    return steps


TRANSPORT_FAULTS: Mapping[str, TransportFault] = {
    fault.name: fault
    for fault in (
        TransportFault(
            "cut-chunked",
            "a chunked body without its last chunk",
            _raising("httpx.RemoteProtocolError"),
            lambda frames: chunked(_half(frames), end=False),
            _failed,
        ),
        TransportFault(
            "cut-length",
            "a body shorter than its Content-Length",
            _raising("http.client.IncompleteRead"),
            lambda frames: with_length(_half(frames), length=10**6),
            _failed,
        ),
        TransportFault(
            "reset",
            "a connection that is reset",
            _raising("ConnectionResetError"),
            lambda frames: [*chunked(_half(frames), end=False), Reset()],
            _failed,
        ),
        TransportFault("read-timeout", "a client's own timeout", _raising("httpx.ReadTimeout"), None, _failed),
        TransportFault(
            "cut-in-silence",
            "a body that ends with its connection, too early: no client can tell",
            lambda frames: list(_half(frames)),
            lambda frames: close_delimited(_half(frames)),
            _cut_in_silence,
        ),
        TransportFault(
            "stall",
            "a connection that stays open and says nothing more",
            lambda frames: [*_half(frames), Block()],
            lambda frames: [*chunked(_half(frames), end=False), Hold()],
            lambda healthy: Outcome(b"".join(healthy.frames[:-1]), Verdict.FAILED, "silence-timeout"),
        ),
        TransportFault(
            "lump",
            "a proxy that buffers all of it",
            lambda frames: [b"".join(frames)],
            lambda frames: chunked([b"".join(frames)]),
            _whole,
        ),
        TransportFault(
            "drip",
            "a byte at a time",
            lambda frames: [bytes([byte]) for byte in b"".join(frames)],
            lambda frames: chunked([bytes([byte]) for byte in b"".join(frames)]),
            _whole,
        ),
        TransportFault(
            "wrong-content-type",
            "a stream that calls itself JSON",
            lambda frames: list(frames),
            lambda frames: chunked(frames, content_type="application/json"),
            lambda healthy: _whole(healthy, "application/json"),
        ),
    )
}
"""The faults of the transport, by name."""


# --- Streams to break ---------------------------------------------------------------------------------------------


_PLAIN = Healthy((b'data: {"a":1}\n\n', b'data: {"b":"\xc3\xa9"}\n\n', b'data: {"c":[true,null]}\n\n'))
_LINES = Healthy((b'{"a":1}\n', b'{"b":"\xc3\xa9"}\n', b'{"c":[true,null]}\n'), is_sse=False)
_CHAT = Healthy.of(spell("openai-chat", Answer(("Hel", "lo"), input_tokens=3, output_tokens=2)))
_PLAIN_STREAMS = (
    _PLAIN,
    _LINES,
    _CHAT,
    Healthy.of(spell("anthropic", Answer(("Hel", "lo"), input_tokens=3, output_tokens=2))),
)


def plant(healthy: Healthy, faults: Iterable[tuple[str, int]]) -> BrokenStream:
    """Plant faults by name, each at the frame of this number or the next that fits; what fits nowhere is left out."""
    ground = Ground(healthy)
    for name, number in faults:
        if healthy.frames:
            FAULTS[name].plant_in(ground, number % len(healthy.frames))
    return ground.stream()

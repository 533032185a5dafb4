"""How each fault is planted: functions that change one frame of a stream, or say that they do not fit there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ...core.repairs import DEFAULT_REPAIRS, RepairKind
from .draft import Ground

Plant = Callable[[Ground, int], bool]
"""Plant a fault at or before this frame; False where it does not fit."""


def _with_member(payload: bytes, member: bytes) -> bytes:
    """Put one member more in front of an object's."""
    return b"{" + member + (b"" if payload[1:].lstrip().startswith(b"}") else b",") + payload[1:]


def member(sent: bytes, right: bytes) -> Plant:
    """Plant a member that is wrong, and one that is right."""

    def plant(ground: Ground, at: int) -> bool:
        payload = ground.payload(at)
        if payload is None:
            return False
        spelt = [ground.spell(_with_member(payload, member), at) for member in (sent, right)]
        return ground.put(at, *spelt)

    return plant


def spelling(pattern: bytes) -> Plant:
    """Send an event in another spelling, in which `@` stands for its payload."""

    def plant(ground: Ground, at: int) -> bool:
        payload = ground.payload(at)
        frame = ground.healthy.frames[at]
        if payload is None or not frame.startswith(b"data: "):
            return False
        return ground.put(at, pattern.replace(b"@", payload), frame)

    return plant


def before(sent: bytes, right: bytes = b"") -> Plant:
    """Plant something in front of a frame, but never in front of the first one, where it would decide the format."""

    def plant(ground: Ground, at: int) -> bool:
        if at == 0 or at in ground.taken:
            return False
        frame = ground.healthy.frames[at]
        return ground.put(at, sent + frame, right + frame)

    return plant


def in_sse(plant: Plant) -> Plant:
    return lambda ground, at: ground.healthy.is_sse and plant(ground, at)


def in_ndjson(plant: Plant) -> Plant:
    return lambda ground, at: not ground.healthy.is_sse and plant(ground, at)


def in_no_dialect(plant: Plant) -> Plant:
    return lambda ground, at: ground.healthy.dialect is None and plant(ground, at)


def at_end(plant: Plant) -> Plant:
    """Plant something that decides the end, behind or in the last frame."""

    def plant_last(ground: Ground, at: int) -> bool:
        last = len(ground.sent) - 1
        if ground.is_over or last in ground.taken or not plant(ground, last):
            return False
        ground.is_over = True
        ground.taken.add(last)
        return True

    return plant_last


def raw_json(ground: Ground, at: int) -> bool:
    payload = ground.payload(at)
    if payload is None or at == 0 or not ground.healthy.frames[at].startswith(b"data: "):
        return False
    pretty = json.dumps(json.loads(payload), indent=2).encode()
    return ground.put(at, pretty + b"\n\n", ground.healthy.frames[at])


def missing_blank_line(ground: Ground, at: int) -> bool:
    if at + 1 >= len(ground.sent) or ground.payload(at) is None or ground.payload(at + 1) is None:
        return False
    frames = ground.healthy.frames
    ground.put(at + 1, frames[at + 1], frames[at + 1])
    return ground.put(at, frames[at][:-1], frames[at])


def glued(ground: Ground, at: int) -> bool:
    payload = ground.payload(at)
    if payload is None:
        return False
    further = ground.spell(b'{"b":2}', at)
    if b"id: " in further:
        further = re.sub(rb"id: [^\n]*\n", b"", further)  # the id stays without being repeated
    return ground.put(at, ground.spell(payload + b'{"b":2}', at), ground.healthy.frames[at] + further)


def spliced(ground: Ground, at: int) -> bool:
    payload = ground.payload(at)
    if payload is None:
        return False
    whole = _with_member(payload, b'"k":1')
    return ground.put(at, ground.spell(b'{"k":"x","obdata: ' + whole, at), ground.spell(whole, at))


def python_repr(ground: Ground, at: int) -> bool:
    if ground.payload(at) is None:
        return False
    value = {"t": "it's", "done": False, "next": None, "n": [1, 2.5]}
    frame = ground.healthy.frames[at]
    spelt = [_plain_frame(ground, text.encode()) for text in (repr(value), json.dumps(value))]
    return ground.put(at, spelt[0] + frame, spelt[1] + frame)


def _plain_frame(ground: Ground, payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n" if ground.healthy.is_sse else payload + b"\n"


def oversized(ground: Ground, at: int) -> bool:
    if ground.payload(at) is None or max(map(len, ground.sent)) > 3000:
        return False
    ground.options["max_event_bytes"] = 4096
    huge = _plain_frame(ground, b'{"t":"' + b"x" * 5000 + b'"}')
    return ground.put(at, huge + ground.healthy.frames[at], ground.healthy.frames[at])


def http_head(ground: Ground, at: int) -> bool:
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


def foreign_body(ground: Ground, at: int) -> bool:
    rest = b"".join(ground.sent[at:])
    if at == 0 or not ground.healthy.is_sse or not _cut_at(ground, at, b"<html><body>502</body></html>\n" + rest):
        return False
    ground.error = "upstream-failed"
    return True


def not_a_stream(ground: Ground, at: int) -> bool:
    if at > 0 or not _cut_at(ground, 0, b"<!DOCTYPE html><title>504 Gateway Time-out</title>"):
        return False
    ground.error = "not-a-stream"
    return True


def done_after_error(ground: Ground, at: int) -> bool:
    error = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
    return at > 0 and _cut_at(ground, at, error + b"data: [DONE]\n\n", error)


def unterminated(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    if ground.payload(last) is None or not ground.healthy.is_sse:
        return False
    return ground.put(last, frame.rstrip(b"\n"), frame)


def unfinished(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    return ground.put(last, frame + b'data: {"a":', frame)


def done_spelling(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    return frame == b"data: [DONE]\n\n" and ground.put(last, b"data: [done] \n\n", frame)


def after_done(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    return frame == b"data: [DONE]\n\n" and ground.put(last, frame + b'data: {"late":1}\n\n', frame)


def missing_done(ground: Ground, last: int) -> bool:
    frame = ground.healthy.frames[last]
    ground.options["repairs"] = DEFAULT_REPAIRS | {RepairKind.MISSING_DONE}
    return frame == b"data: [DONE]\n\n" and ground.put(last, b"", frame)


def no_event_name(ground: Ground, at: int) -> bool:
    frame = ground.healthy.frames[at]
    if at in ground.taken or not frame.startswith(b"event: "):
        return False
    return ground.put(at, frame.partition(b"\n")[2], frame)


def repeated(ground: Ground, at: int) -> bool:
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

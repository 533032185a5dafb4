"""How each fault is planted: functions that change a frame of a draft and return True, or False if it does not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ...core.repairs import DEFAULT_REPAIRS, RepairKind
from .draft import StreamDraft

Plant = Callable[[StreamDraft, int], bool]
"""A function that plants a fault at this frame and returns True, or returns False if the fault does not fit there."""


def _with_member(payload: bytes, member: bytes) -> bytes:
    """Return an object's text with one more member before its own."""
    return b"{" + member + (b"" if payload[1:].lstrip().startswith(b"}") else b",") + payload[1:]


def member(sent: bytes, expected: bytes) -> Plant:
    """Return a plant that sends `sent` as an additional member, and expects `expected`."""

    def plant(draft: StreamDraft, at: int) -> bool:
        payload = draft.payload(at)
        if payload is None:
            return False
        frames = [draft.spell(_with_member(payload, member), at) for member in (sent, expected)]
        return draft.put(at, *frames)

    return plant


def spelling(pattern: bytes) -> Plant:
    """Return a plant that sends an event in another form, where `@` stands for its payload."""

    def plant(draft: StreamDraft, at: int) -> bool:
        payload = draft.payload(at)
        frame = draft.healthy.frames[at]
        if payload is None or not frame.startswith(b"data: "):
            return False
        return draft.put(at, pattern.replace(b"@", payload), frame)

    return plant


def before(sent: bytes, expected: bytes = b"") -> Plant:
    """Return a plant that sends `sent` before a frame; never before the first, where it would decide the format."""

    def plant(draft: StreamDraft, at: int) -> bool:
        if at == 0 or at in draft.faulty:
            return False
        frame = draft.healthy.frames[at]
        return draft.put(at, sent + frame, expected + frame)

    return plant


def in_sse(plant: Plant) -> Plant:
    return lambda draft, at: draft.healthy.is_sse and plant(draft, at)


def in_ndjson(plant: Plant) -> Plant:
    return lambda draft, at: not draft.healthy.is_sse and plant(draft, at)


def in_no_dialect(plant: Plant) -> Plant:
    return lambda draft, at: draft.healthy.dialect is None and plant(draft, at)


def at_end(plant: Plant) -> Plant:
    """Return a plant that only applies to the last frame, and determines how the stream ends."""

    def plant_last(draft: StreamDraft, at: int) -> bool:
        last = len(draft.sent) - 1
        if draft.end_decided or last in draft.faulty or not plant(draft, last):
            return False
        draft.end_decided = True
        draft.faulty.add(last)
        return True

    return plant_last


def raw_json(draft: StreamDraft, at: int) -> bool:
    payload = draft.payload(at)
    if payload is None or at == 0 or not draft.healthy.frames[at].startswith(b"data: "):
        return False
    pretty = json.dumps(json.loads(payload), indent=2).encode()
    return draft.put(at, pretty + b"\n\n", draft.healthy.frames[at])


def missing_blank_line(draft: StreamDraft, at: int) -> bool:
    if at + 1 >= len(draft.sent) or draft.payload(at) is None or draft.payload(at + 1) is None:
        return False
    frames = draft.healthy.frames
    draft.put(at + 1, frames[at + 1], frames[at + 1])
    return draft.put(at, frames[at][:-1], frames[at])


def glued(draft: StreamDraft, at: int) -> bool:
    payload = draft.payload(at)
    if payload is None:
        return False
    further = draft.spell(b'{"b":2}', at)
    if b"id: " in further:
        further = re.sub(rb"id: [^\n]*\n", b"", further)  # the id stays without being repeated
    return draft.put(at, draft.spell(payload + b'{"b":2}', at), draft.healthy.frames[at] + further)


def spliced(draft: StreamDraft, at: int) -> bool:
    payload = draft.payload(at)
    if payload is None:
        return False
    whole = _with_member(payload, b'"k":1')
    return draft.put(at, draft.spell(b'{"k":"x","obdata: ' + whole, at), draft.spell(whole, at))


def split(draft: StreamDraft, at: int) -> bool:
    payload, frame = draft.payload(at), draft.healthy.frames[at]
    if payload is None or at == 0 or not payload.isascii() or not frame.startswith(b"data: "):
        return False
    middle = len(payload) // 2
    return draft.put(at, b"data: %b\n\ndata: %b\n\n" % (payload[:middle], payload[middle:]), frame)


def python_repr(draft: StreamDraft, at: int) -> bool:
    if draft.payload(at) is None:
        return False
    value = {"t": "it's", "done": False, "next": None, "n": [1, 2.5]}
    frame = draft.healthy.frames[at]
    frames = [_plain_frame(draft, text.encode()) for text in (repr(value), json.dumps(value))]
    return draft.put(at, frames[0] + frame, frames[1] + frame)


def _plain_frame(draft: StreamDraft, payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n" if draft.healthy.is_sse else payload + b"\n"


def oversized(draft: StreamDraft, at: int) -> bool:
    if draft.payload(at) is None or max(map(len, draft.sent)) > 3000:
        return False
    draft.options["max_event_bytes"] = 4096
    huge = _plain_frame(draft, b'{"t":"' + b"x" * 5000 + b'"}')
    return draft.put(at, huge + draft.healthy.frames[at], draft.healthy.frames[at])


def http_head(draft: StreamDraft, at: int) -> bool:
    if 0 in draft.faulty or at > 0:
        return False
    frame = draft.healthy.frames[0]
    return draft.put(0, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + frame, frame)


def _cut_at(draft: StreamDraft, at: int, sent: bytes, expected: bytes = b"") -> bool:
    """End the stream before this frame, with other bytes in place of the rest."""
    if draft.end_decided or any(place >= at for place in draft.faulty):
        return False
    for place in range(at, len(draft.sent)):
        draft.put(place, b"", b"")
    draft.put(at, sent, expected)
    draft.end_decided = True
    return True


def foreign_body(draft: StreamDraft, at: int) -> bool:
    rest = b"".join(draft.sent[at:])
    if at == 0 or not draft.healthy.is_sse or not _cut_at(draft, at, b"<html><body>502</body></html>\n" + rest):
        return False
    draft.error = "upstream-failed"
    return True


def not_a_stream(draft: StreamDraft, at: int) -> bool:
    if at > 0 or not _cut_at(draft, 0, b"<!DOCTYPE html><title>504 Gateway Time-out</title>"):
        return False
    draft.error = "not-a-stream"
    return True


def done_after_error(draft: StreamDraft, at: int) -> bool:
    error = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
    return at > 0 and _cut_at(draft, at, error + b"data: [DONE]\n\n", error)


def flat_error(draft: StreamDraft, at: int) -> bool:
    head = b'event: error\ndata: {"type":"error","code":"c","message":"m"'
    error = b', "error": {"type": "c", "code": "c", "message": "m", "param": null}'
    return at > 0 and _cut_at(draft, at, head + b"}\n\n", head + error + b"}\n\n")


def tool_index(draft: StreamDraft, at: int) -> bool:
    """Plant a choice of its own that calls two tools at one index."""
    choice = b'{"index":%d,"finish_reason":"tool_calls","delta":{"tool_calls":[%%b]}}' % (900 + at)
    calls = (
        b'{"index":0,"id":"t1","function":{"name":"f","arguments":"{}"}},{"index":%d,"id":"t2","function":{"name":"f"}}'
    )
    frames = [b'data: {"choices":[%b]}\n\n' % (choice % (calls % second)) for second in (0, 1)]
    return draft.healthy.is_sse and before(*frames)(draft, at)


def unterminated(draft: StreamDraft, last: int) -> bool:
    frame = draft.healthy.frames[last]
    if draft.payload(last) is None or not draft.healthy.is_sse:
        return False
    return draft.put(last, frame.rstrip(b"\n"), frame)


def unfinished(draft: StreamDraft, last: int) -> bool:
    frame = draft.healthy.frames[last]
    return draft.put(last, frame + b'data: {"a":', frame)


def done_spelling(draft: StreamDraft, last: int) -> bool:
    frame = draft.healthy.frames[last]
    return frame == b"data: [DONE]\n\n" and draft.put(last, b"data: [done] \n\n", frame)


def after_done(draft: StreamDraft, last: int) -> bool:
    frame = draft.healthy.frames[last]
    return frame == b"data: [DONE]\n\n" and draft.put(last, frame + b'data: {"late":1}\n\n', frame)


def missing_done(draft: StreamDraft, last: int) -> bool:
    frame = draft.healthy.frames[last]
    draft.options["repairs"] = DEFAULT_REPAIRS | {RepairKind.MISSING_DONE}
    return frame == b"data: [DONE]\n\n" and draft.put(last, b"", frame)


def no_event_name(draft: StreamDraft, at: int) -> bool:
    frame = draft.healthy.frames[at]
    if at in draft.faulty or not frame.startswith(b"event: "):
        return False
    return draft.put(at, frame.partition(b"\n")[2], frame)


def repeated(draft: StreamDraft, at: int) -> bool:
    """Cut the first connection after frame `at`; the second one starts again from the first event."""
    if draft.faulty or not draft.healthy.is_sse or draft.healthy.dialect or at + 1 >= len(draft.sent):
        return False
    frames = [b"id: %d\n" % number + frame for number, frame in enumerate(draft.healthy.frames, start=1)]
    draft.connections = (b"".join(frames[: at + 1]), b"".join(frames))
    draft.sent = [*frames[: at + 1], *frames]
    draft.expected = frames
    draft.repairs[RepairKind.REPEATED_EVENT] += at
    draft.end_decided = True
    return True

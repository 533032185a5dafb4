"""What a stream's facts say in plain words.

Each rule looks at the facts and at nothing else, and says on what evidence it speaks. What healthy streams do is at
most a note. The limits are the defaults in the field, each from its maker's own documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..core.events import Format
from ..core.failure import SENTENCES
from ..core.repairs import RepairKind
from ..core.report import Verdict
from ..core.sniffer import media_type
from .facts import Facts
from .inspector import STALL

IDLE_LIMITS: Final = (
    (30.0, "CloudFront, and Heroku until the first byte"),
    (55.0, "Heroku's router"),
    (60.0, "nginx proxy_read_timeout, AWS ALB, Fly.io"),
    (100.0, "Cloudflare, as older accounts have it"),
    (120.0, "Cloudflare, client-side proxies such as Clash"),
    (230.0, "Azure App Service"),
    (240.0, "Azure Load Balancer and Container Apps"),
    (300.0, "Envoy stream_idle_timeout, Codex CLI"),
)
"""Seconds of silence after which these cut a connection, as they come."""
TOTAL_LIMITS: Final = (
    (15.0, "Envoy's route timeout"),
    (30.0, "gunicorn's sync worker, Google Cloud's load balancers"),
    (300.0, "Cloud Run"),
    (900.0, "Railway"),
)
"""Seconds after which these end a response however lively it is. No heartbeat helps."""
_SKEW: Final = 60.0  # seconds that two clocks may differ
_EARLY, _LATE = 0.5, 2.0  # how far from a limit a cut may be: a worker that is timed out at 3 s was cut at 3.7


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a stream's facts say. `level` is "problem" or "note"."""

    slug: str
    level: str
    says: str
    evidence: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        return {"slug": self.slug, "level": self.level, "says": self.says, "evidence": self.evidence}


def diagnose(facts: Facts) -> list[Finding]:
    """Say what the facts of a stream that has ended mean: problems first, in the order of their weight."""
    found = [finding for rule in _RULES for finding in rule(facts)]
    return sorted(found, key=lambda finding: finding.level != "problem")


def summary(facts: Facts) -> str:
    """Say in one line what came and how it ended."""
    report = facts.report
    what = report.dialect or (report.format.value if report.format else "unknown format")
    took = f", {facts.ended:.1f} s" if facts.timed and facts.ended is not None else ""
    verdict = "stopped watching" if facts.stopped else report.verdict.value
    came = f"{_times(report.events, 'event')}, {_times(report.comments, 'comment')}, {report.bytes_in:,} bytes{took}"
    return f"{what}: {came}; {verdict}"


def _problem(slug: str, says: str, evidence: str = "") -> Iterator[Finding]:
    yield Finding(slug, "problem", says, evidence)


def _note(slug: str, says: str, evidence: str = "") -> Iterator[Finding]:
    yield Finding(slug, "note", says, evidence)


# The end


def _failed(facts: Facts) -> Iterator[Finding]:
    failure = facts.failure
    if failure is None or _is_compressed(facts):
        return
    status = f", as a status {failure.status_hint} would" if failure.status_hint else ""
    if failure.code == "not-a-stream":
        was = {
            "markup": "an HTML page",
            "json-error": "a JSON error",
            "json": "one JSON document",
            "http-head": "a response head that tells of no success",
            "binary": "binary data",
        }.get(failure.error_type or "", "something unknown")
        yield from _problem(
            "not-a-stream", f"The body is no stream but {was}.", f"recognised by its first bytes{status}"
        )
    elif not facts.refused:
        yield from _problem(
            "error-inside",
            "An error came inside a response whose status told success: a client that looks at the status misses it.",
            f"{failure.code}{status}, after {_events(facts.report.events)}",
        )


def _broke(facts: Facts) -> Iterator[Finding]:
    """What a record tells, and a pipe does not."""
    if facts.report.timeout is not None:
        yield from _problem("timeout", f"The {facts.report.timeout} clock ran out and ended it.", "the flight record")
    elif facts.connection_failed:
        yield from _problem("connection-failed", "The connection to the upstream broke.", "the flight record")
    elif facts.told_failed and facts.failure is None:
        code = facts.told_error
        says = SENTENCES[code] if code else "The stream failed, and its record does not say of what."
        yield from _problem(code or "failed", says, "the flight record")


def _status(facts: Facts) -> Iterator[Finding]:
    if facts.refused and facts.head:
        yield from _problem("status", f"The server refused with status {facts.head.status}.", "the response head")


def _cut(facts: Facts) -> Iterator[Finding]:
    report = facts.report
    if report.verdict is not Verdict.TRUNCATED:
        return
    if facts.recorded:
        yield from _problem("missing-terminator", "The stream was cut before its end.", "the flight record")
        return
    says = "The stream was cut: the end that its dialect asks for never came."
    known = f"{report.dialect} streams end with one" if report.dialect else "the last piece is not whole"
    yield from _problem("missing-terminator", says, known)
    calls = [call for call in report.tool_calls if not call["arguments_complete"]]
    if calls:
        yield from _tool_cut(len(calls))


def _tool_cut(count: int) -> Iterator[Finding]:
    yield from _problem(
        "tool-call-cut",
        "The arguments of a tool call are no whole JSON: a client that runs it runs half of it.",
        f"{_times(count, 'call')}",
    )


def _tools_of_a_whole_answer(facts: Facts) -> Iterator[Finding]:
    report = facts.report
    # Some servers send `null` for a call without arguments.
    calls = [
        call for call in report.tool_calls if not call["arguments_complete"] and call["arguments"] not in ("", "null")
    ]
    if report.verdict is Verdict.COMPLETE and calls:
        yield from _tool_cut(len(calls))


def _no_finish(facts: Facts) -> Iterator[Finding]:
    report = facts.report
    if (
        report.verdict is Verdict.COMPLETE
        and report.dialect == "openai-chat"
        and facts.content
        and not report.finish_reason
    ):
        yield from _problem(
            "missing-finish-reason", "`[DONE]` came, but no finish_reason: the answer may not be whole.", "choice 0"
        )


def _cut_short(facts: Facts) -> bool:
    """Tell whether the stream ended before its time, by itself."""
    return not facts.stopped and facts.report.verdict in (Verdict.TRUNCATED, Verdict.FAILED)


def _may_be_cut(facts: Facts) -> bool:
    """The same, and also where no dialect tells what is whole."""
    return _cut_short(facts) or (not facts.stopped and facts.report.verdict is Verdict.ENDED)


def _at_a_limit(facts: Facts) -> Iterator[Finding]:
    """A stream that ended, unfinished, as long after its last byte (or its start) as a well-known limit allows."""
    if not facts.timed or not _may_be_cut(facts) or facts.ended is None or facts.report.timeout:
        return
    silent = facts.ended - (facts.last_byte or 0.0)
    near = _nearest(silent, IDLE_LIMITS)
    if near is not None:
        limit, whose = near
        yield from _problem(
            "cut-at-idle-limit",
            f"It was cut after {limit:g} s of silence, the idle limit of {whose}. "
            "Write a heartbeat, or raise that limit.",
            f"the last byte came {silent:.1f} s before the end",
        )
        return
    near = _nearest(facts.ended, TOTAL_LIMITS)
    if near is not None and _cut_short(facts) and silent < STALL:
        limit, whose = near
        yield from _problem(
            "cut-at-total-limit",
            f"It was cut {limit:g} s after its start while bytes were flowing, the total limit of {whose}. "
            "No heartbeat helps: raise the limit, or use another worker class.",
            f"it ended after {facts.ended:.1f} s",
        )


def _nearest(seconds: float, limits: tuple[tuple[float, str], ...]) -> tuple[float, str] | None:
    return next((limit for limit in limits if limit[0] - _EARLY <= seconds <= limit[0] + _LATE), None)


# Silence


def _fell_silent(facts: Facts) -> bool:
    """Tell whether a silence lasted to the end."""
    if not facts.silences or facts.ended is None:
        return False
    return facts.silences[-1].began + facts.silences[-1].seconds >= facts.ended - 0.001


def _hang(facts: Facts) -> Iterator[Finding]:
    """Where the stream was silent for long at its end, say behind what."""
    if not _fell_silent(facts) or facts.report.verdict is Verdict.COMPLETE:
        return
    last = facts.silences[-1]
    evidence = f"{last.seconds:.1f} s without a byte, from {last.began:.1f} s to the end"
    if last.events == 0 and not facts.report.comments:
        yield from _problem("nothing-came", "Nothing came at all: the model or something before it is stuck.", evidence)
    elif last.behind == "tool-call":
        yield from _problem(
            "silence-after-tool-call",
            "It fell silent after a tool call: the tool, or whoever runs it, has not answered.",
            evidence,
        )
    elif last.events == 1:
        yield from _problem(
            "nothing-after-first-event",
            "Nothing came after the first event: the model was asked and is thinking, or is stuck.",
            evidence,
        )
    else:
        yield from _problem(
            "silence-at-the-end", "It fell silent in the middle of its answer and never went on.", evidence
        )


def _nothing(facts: Facts) -> Iterator[Finding]:
    """Where the stream ended by itself, before anybody wondered, and no event had come."""
    report = facts.report
    is_told = facts.failure is not None or facts.recorded or facts.stopped or _fell_silent(facts)
    is_bodiless = facts.refused or (facts.head is not None and facts.head.status == 204)
    is_whole = report.verdict is Verdict.COMPLETE or (
        report.format is Format.JSON_ARRAY and report.verdict is Verdict.ENDED
    )
    if is_told or is_bodiless or is_whole or facts.event_span is not None:
        return
    came = f"{_times(report.comments + facts.pings, 'heartbeat')}, {report.bytes_in:,} bytes"
    if facts.head_cut:
        yield from _problem("nothing-came", "The response was cut within its head.", "no blank line behind it")
    elif report.bytes_in == 0:
        yield from _problem("nothing-came", "Nothing came at all: the body is empty.", "0 bytes")
    elif report.comments + facts.pings:
        yield from _problem("nothing-came", "No event came, heartbeats only.", came)
    else:
        yield from _problem("nothing-came", "No event came.", came)


def _first_event_only(facts: Facts) -> Iterator[Finding]:
    if facts.timed or facts.report.events != 1 or facts.report.verdict is not Verdict.TRUNCATED:
        return
    yield from _problem("nothing-after-first-event", "Nothing came after the first event.", "one event in all")


def _unbroken_silences(facts: Facts) -> Iterator[Finding]:
    """Gaps without a heartbeat, long enough to be cut by somebody."""
    if not facts.silences:
        return
    longest = max(facts.silences, key=lambda silence: silence.seconds)
    cutters = [f"{whose} ({limit:g} s)" for limit, whose in IDLE_LIMITS if limit <= longest.seconds]
    count = _times(len(facts.silences), "silence")
    evidence = f"{longest.seconds:.1f} s without a byte, from {longest.began:.1f} s on; {count}"
    if cutters:
        says = "There was no heartbeat in a silence that these cut: " + "; ".join(cutters) + "."
        yield from _problem("no-heartbeat", says, evidence)
    else:
        yield from _note("no-heartbeat", f"There was no heartbeat in a silence of more than {STALL:g} s.", evidence)


def _alive_without_progress(facts: Facts) -> Iterator[Finding]:
    if not facts.timed or facts.ended is None:
        return
    waited = facts.waits_alive
    if facts.report.verdict is not Verdict.COMPLETE and facts.last_behind in ("comment", "ping"):
        waited = max(waited, facts.ended - (facts.event_span[1] if facts.event_span else 0.0))
    if waited >= 60.0:
        yield from _problem(
            "alive-without-progress",
            "Heartbeats came, but no event: whoever waits for bytes waits for ever; clients that count events give up.",
            f"{waited:.1f} s between events",
        )


def _died_of_a_heartbeat(facts: Facts) -> Iterator[Finding]:
    heartbeats = facts.report.comments + facts.pings
    if _cut_short(facts) and heartbeats == 1 and facts.last_behind in ("comment", "ping") and facts.report.events:
        yield from _problem(
            "ended-at-first-heartbeat",
            "It ended right behind its first heartbeat: a timer that cancels the read it waits for (wait_for around "
            "anext) does that.",
            f"after {_events(facts.report.events)} and one heartbeat",
        )


def _in_one_lump(facts: Facts) -> Iterator[Finding]:
    """Coalesced chunks are healthy; buffering is what the server's clock tells otherwise."""
    if not facts.timed or facts.event_span is None:
        return
    arrived = facts.event_span[1] - facts.event_span[0]
    if facts.stamps is not None and not _is_saved(facts, facts.stamps, facts.event_span[1]):
        written = facts.stamps[1] - facts.stamps[0]
        if written >= 1.0 and arrived < written / 4:
            yield from _buffered(
                f"the server wrote over {written:.1f} s by its own stamps, all arrived within {arrived:.1f} s"
            )
            return
    if facts.content >= 10 and facts.content_span is not None and facts.ended is not None:
        spread, waited = facts.content_span[1] - facts.content_span[0], facts.content_span[0]
        if waited >= 2.0 and spread < waited / 20:
            yield from _buffered(
                f"nothing for {waited:.1f} s, then {facts.content} pieces of content within {spread:.2f} s"
            )


def _is_saved(facts: Facts, stamps: tuple[float, float], last: float) -> bool:
    """Tell whether the body was written at another time: `cat` pipes it as if it were live.

    What a proxy holds back comes when the server is done: not before it can have written it, and soon behind that.
    """
    if last < (stamps[1] - stamps[0]) / 2:
        return True
    return facts.wall is not None and abs(facts.wall + last - stamps[1]) > _SKEW


def _buffered(evidence: str) -> Iterator[Finding]:
    yield from _problem(
        "buffered",
        "It was held back on its way and came in one lump: look for proxy_buffering, compression, or a synchronous "
        "iterator under ASGI. `X-Accel-Buffering: no` and `Cache-Control: no-transform` ask proxies not to.",
        evidence,
    )


# What is missing or too much


def _numbering(facts: Facts) -> Iterator[Finding]:
    forward = [(last, now) for last, now in facts.number_gaps if now > last + 1]
    back = [(last, now) for last, now in facts.number_gaps if now <= last]
    if forward:
        last, now = forward[0]
        lost = sum(now - last - 1 for last, now in forward)
        yield from _problem(
            "events-missing",
            "Events are missing: something between the server and here filtered them away.",
            f"sequence_number goes from {last} to {now}; {_events(lost)} in all",
        )
    if back:
        last, now = back[0]
        yield from _problem(
            "events-repeated", "Events came again, or out of order.", f"sequence_number {now} after {last}"
        )


def _likeness(facts: Facts) -> Iterator[Finding]:
    report = facts.report
    if report.second_beginnings:
        yield from _problem(
            "began-again",
            "The answer began again in the same stream: a retry that nobody announced.",
            f"{_times(report.second_beginnings, 'second beginning')}",
        )
    if report.cumulative_text:
        yield from _problem(
            "cumulative-text",
            "Each piece holds all of the text before it: a client that joins them repeats it.",
            "choice 0",
        )
    if report.repetitions >= 8:
        yield from _problem(
            "repetition", "The model repeats itself without end.", f"the last passage stands {report.repetitions} times"
        )


# The head


def _content_type(facts: Facts) -> Iterator[Finding]:
    if (
        facts.head is None
        or facts.report.format is None
        or (facts.report.verdict is Verdict.FAILED and not facts.report.events)
    ):
        return
    given = facts.head.get("content-type")
    kind = media_type(given)
    fits = {
        Format.SSE: kind == "text/event-stream",
        Format.NDJSON: kind.endswith(
            ("ndjson", "jsonl", "json-lines", "jsonlines", "stream+json", "json-seq", "/json")
        ),
        Format.JSON_ARRAY: kind.endswith("json"),
    }[facts.report.format]
    if not fits:
        says = f"The body is {_FRAMINGS[facts.report.format]}, but the content type "
        says += f"says '{kind[:60]}'." if kind else "is missing."
        yield from _problem("content-type", says, "the response head, and the first bytes of the body")


_FRAMINGS: Final = {Format.SSE: "an event stream", Format.NDJSON: "NDJSON", Format.JSON_ARRAY: "a JSON array"}


def _is_compressed(facts: Facts) -> bool:
    return facts.first_bytes.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")) or (
        facts.failure is not None and facts.failure.error_type == "binary" and bool(_coding(facts))
    )


def _coding(facts: Facts) -> str:
    coding = (facts.head.get("content-encoding") or "").strip().lower() if facts.head else ""
    return "" if coding == "identity" else coding[:30]


def _compression(facts: Facts) -> Iterator[Finding]:
    coding = _coding(facts)
    if _is_compressed(facts):
        yield from _problem(
            "compressed",
            "The bytes are compressed: ask for `Accept-Encoding: identity`, or decode them (`curl --compressed`). "
            "A compressor in front of a stream also holds events back.",
            f"Content-Encoding '{coding}'" if coding else "the first bytes",
        )
    elif coding and facts.report.events:
        yield from _note(
            "compressed",
            "The head speaks of compression and the bytes are plain: decoded by your client, or forwarded from "
            "another body. Compressors hold events back.",
            f"Content-Encoding '{coding}'",
        )


def _hop_by_hop(facts: Facts) -> Iterator[Finding]:
    if facts.head is None:
        return
    named = [name for name in ("connection", "keep-alive", "transfer-encoding") if facts.head.get(name) is not None]
    if facts.head.version.startswith(("2", "3")) and named:
        yield from _problem(
            "hop-by-hop",
            "A header is there that HTTP/2 forbids: browsers end such a stream with a protocol error.",
            ", ".join(named),
        )
    elif "connection" in named or "keep-alive" in named:
        yield from _note(
            "hop-by-hop",
            "If your application sets this header itself, take it out: WSGI servers refuse it, and HTTP/2 forbids it.",
            ", ".join(name for name in named if name != "transfer-encoding"),
        )


def _length(facts: Facts) -> Iterator[Finding]:
    length = facts.head.get("content-length") if facts.head else None
    if length is None or not length.isascii() or not length.isdigit() or len(length) > 15:
        return
    is_cut = _cut_short(facts) and facts.report.verdict is Verdict.TRUNCATED
    if is_cut and int(length) == facts.report.bytes_in:
        yield from _problem(
            "content-length",
            "It was cut where the Content-Length says: that header belongs to another body.",
            f"{length} bytes",
        )


# The bytes

_MENDED: Final[dict[RepairKind, str]] = {
    RepairKind.INVALID_UTF8: "Bytes that are no UTF-8: a character was cut in two, or the text has another encoding.",
    RepairKind.STRAY_LINE: "Lines that belong to no event stream.",
    RepairKind.FIELD_NAME: "Field names that are indented or in the wrong case.",
    RepairKind.FOREIGN_BODY: "A page or an error response of another server in the middle of the stream.",
    RepairKind.MISSING_BLANK_LINE: "The blank line between events is missing: standard parsers join them into one.",
    RepairKind.RAW_JSON: "JSON without `data:` in front: standard parsers skip it.",
    RepairKind.ERROR_LINE: "A bare `error:` line: standard parsers skip it.",
    RepairKind.RAW_NEWLINE: "Raw line ends inside of JSON.",
    RepairKind.NON_FINITE: "NaN or Infinity, which are no JSON: browsers refuse them, Python does not.",
    RepairKind.GLUED_JSON: "JSON documents glued on one line.",
    RepairKind.DOUBLE_PREFIX: "Events framed twice (`data: data:`): something wrapped what was framed already.",
    RepairKind.SPLICED_EVENT: "Events spliced into each other: two writers share one connection.",
    RepairKind.PYTHON_REPR: "The repr of a Python object on the wire, in place of JSON.",
    RepairKind.STRAY_FRAMING: "SSE and NDJSON mixed in one body.",
    RepairKind.WRAPPED_COMMENT: "A heartbeat wrapped as data: clients try to parse it.",
    RepairKind.DONE_SPELLING: "A misspelt `[DONE]`.",
    RepairKind.EMPTY_DATA: "Events with empty data or null, which clients try to parse.",
    RepairKind.INVALID_JSON: "Payloads that are no JSON.",
    RepairKind.UNTERMINATED_EVENT: "The last event lacks its blank line: standard parsers drop it.",
    RepairKind.UNFINISHED_TAIL: "The last piece is not whole.",
    RepairKind.OVERSIZED_EVENT: "Events beyond the limit of what is read at once.",
    RepairKind.AFTER_DONE: "Data behind `[DONE]`, where clients no longer read.",
    RepairKind.DONE_AFTER_ERROR: "A `[DONE]` behind an error: clients take it for success.",
    RepairKind.EVENT_NAME_RESTORED: "The `event:` lines of this dialect are missing.",
}


def _mended(facts: Facts) -> Iterator[Finding]:
    report = facts.report
    for kind, count in report.repairs.items():
        if kind in _MENDED:
            first = next((repair.offset for repair in report.first_repairs if repair.kind is kind), None)
            where = "" if first is None else f", first at byte {first}"
            yield from _problem(kind.value, _MENDED[kind], f"{_times(count, 'time')}{where}")


def _spelling(facts: Facts) -> Iterator[Finding]:
    spelling, report = facts.spelling, facts.report
    if spelling.chunk_sizes >= 1 and report.repairs[RepairKind.STRAY_LINE] and report.format is Format.SSE:
        yield from _problem(
            "chunk-sizes",
            "Lengths of HTTP's chunked coding stand in the body: it was coded twice, or read from a raw socket.",
            f"{_times(spelling.chunk_sizes, 'line')} of hexadecimal digits",
        )
    if spelling.literal_newlines and (report.verdict is not Verdict.COMPLETE or report.repairs):
        yield from _problem(
            "literal-newlines",
            r"Line ends are written as the two characters \n: something escaped them.",
            f"{_times(spelling.literal_newlines, 'frame border')}",
        )


def _events(count: int) -> str:
    return f"{count} event" if count == 1 else f"{count} events"


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


_RULES: Final[tuple[Callable[[Facts], Iterator[Finding]], ...]] = (
    *(
        _status,
        _failed,
        _broke,
        _compression,
        _at_a_limit,
        _hang,
        _nothing,
        _first_event_only,
        _died_of_a_heartbeat,
        _cut,
        _length,
    ),
    *(_in_one_lump, _alive_without_progress, _unbroken_silences, _numbering, _content_type, _hop_by_hop),
    *(_no_finish, _tools_of_a_whole_answer, _likeness, _spelling, _mended),
)

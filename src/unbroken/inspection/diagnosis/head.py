"""Rules on the response head, where it does not fit the body or HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...core.events import Format
from ...core.report import Verdict
from ...core.sniffer import media_type
from ..facts import Facts
from .finding import Finding, note, problem

_FRAMINGS: Final = {
    Format.SSE: "an event stream",
    Format.NDJSON: "NDJSON",
    Format.JSON_ARRAY: "a JSON array",
    Format.CODED_LINES: "a stream of AI SDK 4",
}


def content_type(facts: Facts) -> Iterator[Finding]:
    """The content type does not fit the format of the body."""
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
        Format.CODED_LINES: kind == "text/plain",
    }[facts.report.format]
    if not fits:
        says = f"The body is {_FRAMINGS[facts.report.format]}, but the content type "
        says += f"says '{kind[:60]}'." if kind else "is missing."
        yield from problem("content-type", says, "the response head, and the first bytes of the body")


def compression(facts: Facts) -> Iterator[Finding]:
    """The bytes are compressed, or the head says so."""
    coding = _content_coding(facts)
    if is_compressed(facts):
        yield from problem(
            "compressed",
            "The bytes are compressed: ask for `Accept-Encoding: identity`, or decode them (`curl --compressed`). "
            "Compression also delays the events of a stream.",
            f"Content-Encoding '{coding}'" if coding else "the first bytes",
        )
    elif coding and facts.report.events:
        yield from note(
            "compressed",
            "The head says that the body is compressed, but it is not: your client decoded it, or the header was "
            "forwarded from another body. Compression delays events.",
            f"Content-Encoding '{coding}'",
        )


def is_compressed(facts: Facts) -> bool:
    """Whether the bytes are compressed: they begin as gzip or zstd, or are binary and the head names a coding."""
    return facts.first_bytes.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")) or (
        facts.failure is not None and facts.failure.error_type == "binary" and bool(_content_coding(facts))
    )


def _content_coding(facts: Facts) -> str:
    coding = (facts.head.get("content-encoding") or "").strip().lower() if facts.head else ""
    return "" if coding == "identity" else coding[:30]


def hop_by_hop(facts: Facts) -> Iterator[Finding]:
    """Connection headers are there, which HTTP/2 forbids (RFC 9113, 8.2.2). In HTTP/1.1 servers send them."""
    if facts.head is None or not facts.head.version.startswith(("2", "3")):
        return
    named = [name for name in ("connection", "keep-alive", "transfer-encoding") if facts.head.get(name) is not None]
    if named:
        yield from problem(
            "hop-by-hop",
            "There is a header that HTTP/2 forbids: browsers end such a stream with a protocol error.",
            ", ".join(named),
        )


def content_length(facts: Facts) -> Iterator[Finding]:
    """The stream was cut exactly at its Content-Length."""
    length = facts.head.get("content-length") if facts.head else None
    if length is None or not length.isascii() or not length.isdigit() or len(length) > 15:
        return
    is_cut = facts.cut_short and facts.report.verdict is Verdict.TRUNCATED
    if is_cut and int(length) == facts.report.bytes_in:
        yield from problem(
            "content-length",
            "It was cut at its Content-Length: that header belongs to another body.",
            f"{length} bytes",
        )

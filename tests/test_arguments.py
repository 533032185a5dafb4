"""What the four functions make of their arguments: the hint of a source, and a content type of the caller's over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import unbroken
from unbroken import Format, Source, StreamError, StreamReport, Verdict

BODY = b'{"a": 1}\n'
"""One line of NDJSON, or a JSON answer that is not a stream: only a content type says which."""


def drained(stream: Any) -> StreamReport:
    try:
        for _ in stream:
            pass
    except StreamError:
        pass
    return stream.report  # type: ignore[no-any-return]


def drained_async(function: Callable[..., Any]) -> Callable[..., StreamReport]:
    async def main(chunks: Any, **options: Any) -> StreamReport:
        stream = function(chunks, **options)
        try:
            async for _ in stream:
                pass
        except StreamError:
            pass
        return stream.report  # type: ignore[no-any-return]

    return lambda chunks, **options: asyncio.run(main(chunks, **options))


FUNCTIONS: dict[str, Callable[..., StreamReport]] = {
    "repair": lambda chunks, **options: drained(unbroken.repair(chunks, timeouts=None, heartbeat=None, **options)),
    "iter_events": lambda chunks, **options: drained(unbroken.iter_events(chunks, timeouts=None, **options)),
    "arepair": drained_async(unbroken.arepair),
    "aiter_events": drained_async(unbroken.aiter_events),
}
every_function = pytest.mark.parametrize("read", FUNCTIONS.values(), ids=FUNCTIONS)


@every_function
@pytest.mark.parametrize(
    ("of_source", "of_caller", "format"),
    [
        (None, None, Format.NDJSON),
        ("application/json", None, None),
        (None, "application/json", None),
        ("application/json", "application/x-ndjson", Format.NDJSON),
        ("application/x-ndjson", "application/json", None),
        ("application/json", "", None),
    ],
)
def test_the_content_type_is_the_callers_or_else_the_sources(
    read: Callable[..., StreamReport], of_source: str | None, of_caller: str | None, format: Format | None
) -> None:
    report = read(Source([BODY], content_type=of_source), content_type=of_caller)
    assert report.format is format
    assert report.verdict is (Verdict.FAILED if format is None else Verdict.ENDED)


@every_function
def test_every_function_logs_the_end_of_its_stream(
    read: Callable[..., StreamReport], caplog: pytest.LogCaptureFixture
) -> None:
    read([b"data: {\n\n"], dialect="openai-chat", request_id="7")
    assert [record.stream_request_id for record in caplog.records if hasattr(record, "stream_request_id")] == ["7"]


def test_an_asynchronous_source_brings_its_content_type_too() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield BODY

    assert FUNCTIONS["arepair"](Source(chunks(), content_type="application/json")).verdict is Verdict.FAILED

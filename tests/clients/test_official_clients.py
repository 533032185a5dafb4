"""Official clients as judges: what they read from a repaired stream is what the report says, on every capture.

Real clients at their current version; only the transport is local.
"""

import json
import random
import re
from typing import Any

import anthropic
import ollama
import openai
import pytest

from tests.captures import body, chosen, manifest, needs_captures
from tests.clients.judges import JUDGES, openai_chat
from tests.clients.odd_streams import BEGIN, END, PAGE, Odd, before_and_after, odd_streams, table
from unbroken import StreamReport, Verdict, repair
from unbroken.testing.cuts import cut

# The bodies on which the client itself errs: what it reads, or raises, is its own doing.
CLIENT_ERRS = {
    "hf-tgi/api-inference-hf-models-mistralai-mistral-7b-instruct-v0-2-stream-73a3db16.bin": (
        "the server numbers its tokens where the choice is numbered, and the client reads choice 0, which has none"
    ),
    "mistral/mistral-reasoning-d6e3de8d.bin": "content is a list of parts, which the client hands on where text is due",
    "mistral/mistral-v1-chat-completions-post-ccfa08da-d8102bea.bin": (
        "content is a list of parts, which the client hands on where text is due"
    ),
    "synthetic/openai/chatcompletionkeepalive-4a00aec2.bin": (
        'a `{"type": "keepalive"}` becomes a chunk whose choices are None; `comments="drop"` takes it away'
    ),
    "synthetic/openai/chatcompletionping-e6333fab.bin": (
        'a `{"type": "ping"}` becomes a chunk whose choices are None; `comments="drop"` takes it away'
    ),
    "synthetic/openai/wrong-response-formatar-f82497dc.bin": (
        "a block of an event name and fields of unknown names is legal and empty; the client parses its absent data"
    ),
}

PINGS = ("synthetic/openai/chatcompletionkeepalive-4a00aec2.bin", "synthetic/openai/chatcompletionping-e6333fab.bin")
VERSION_1 = "cohere/test-cohere-provider-4e58c6b4.bin"  # which the official client does not speak any more
FAILURES = (Verdict.FAILED, Verdict.TRUNCATED)


def entry_of(file: str) -> dict[str, Any]:
    return next(entry for entry in manifest() if entry["file"] == file)


def judge_of(entry: dict[str, Any]) -> str | None:
    """Name the client that speaks a body's dialect; bodies that are errors alone are read as chat streams."""
    if entry["file"] == VERSION_1 or entry["format"] == "json":
        return None
    if entry["api"] != "other":
        return entry["api"] if entry["api"] in JUDGES else None
    if entry.get("sub_api") in ("err", "text") and "gemini" not in entry["file"]:
        return "openai-chat"
    return entry["sub_api"] if entry.get("sub_api") in JUDGES else None


def repaired(file: str, **options: Any) -> tuple[bytes, StreamReport]:
    data = body(file)
    chunks = cut(data, sorted(random.Random(file).choices(range(len(data) + 1), k=8)))
    stream = repair(chunks, heartbeat=None, timeouts=None, content_type=entry_of(file).get("content_type"), **options)
    return b"".join(stream), stream.report


def errs(file: str, **options: Any) -> list[str]:
    """Say in what the client that reads the repaired bytes differs from the report."""
    judge = judge_of(entry_of(file))
    assert judge is not None
    output, report = repaired(file, **options)
    judgement = JUDGES[judge](output)
    found = []
    if judgement.text != report.text:
        found.append(f"text: {judgement.text[:60]!r}, not {report.text[:60]!r}")
    if (judgement.error is not None) != (report.verdict in FAILURES):
        found.append(f"{report.verdict.value}, and the client raised {judgement.error!r}")
    return found


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: judge_of(entry) is not None))
def test_the_client_reads_what_we_read_and_raises_exactly_where_a_stream_failed(file: str) -> None:
    assert bool(errs(file)) == (file in CLIENT_ERRS), errs(file)


@needs_captures
@pytest.mark.parametrize("file", PINGS)
def test_without_pings_the_client_reads_what_it_failed_on(file: str) -> None:
    assert errs(file, comments="drop") == []


def test_the_list_of_bodies_on_which_clients_err_is_short() -> None:
    assert len(CLIENT_ERRS) <= 20


@needs_captures
def test_the_clients_judge_every_capture_of_their_dialects() -> None:
    judged = [judge_of(entry) for entry in manifest()]
    assert {name: judged.count(name) for name in JUDGES} == {
        "openai-chat": 198,
        "openai-completions": 3,
        "openai-responses": 63,
        "anthropic": 48,
        "ollama-chat": 13,
        "ollama-generate": 3,
        "cohere": 5,
    }


# Converted

SOURCES = ("anthropic", "openai-responses", "gemini-sse", "gemini-array", "ollama-chat", "ollama-generate", "cohere")


@needs_captures
@pytest.mark.parametrize("file", chosen(lambda entry: entry["api"] in SOURCES))
def test_a_converted_stream_gives_the_openai_client_the_same_text_calls_and_usage(file: str) -> None:
    output, report = repaired(file, convert="openai-chat")
    judgement = openai_chat(output)
    assert (judgement.error is not None) == (report.verdict in FAILURES), judgement.error
    assert (judgement.text, judgement.reasoning) == (report.text, report.reasoning)
    theirs = [(call["name"] or "", call["arguments"]) for call in report.tool_calls if call["kind"] != "hosted"]
    assert judgement.tools == theirs
    if report.verdict is Verdict.COMPLETE and report.usage:
        usage = report.usage
        apart = sum(usage.get(name, 0) for name in ("cache_read_tokens", "cache_write_tokens"))
        assert judgement.usage["prompt_tokens"] == usage.get("input_tokens", 0) + apart
        assert judgement.usage["completion_tokens"] == usage.get("output_tokens", 0) + usage.get("thought_tokens", 0)


VOCABULARY = (
    b'event: start\ndata: {"id": 7}\n\nevent: delta\ndata: {"text": "Hel"}\n\nevent: delta\ndata: {"text": "lo"}\n\n'
    b"event: done\ndata: {}\n\n"
)


def test_a_plain_vocabulary_gives_the_openai_client_its_text() -> None:
    output = b"".join(repair([VOCABULARY], dialect="vocabulary", convert="openai-chat", heartbeat=None))
    judgement = openai_chat(output)
    assert (judgement.text, judgement.finish, judgement.error) == ("Hello", "stop", None)


# Our error frames, as the clients that they are written for take them

CUT = {
    "openai-chat": b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n',
    "openai-completions": b'data: {"object":"text_completion","choices":[{"index":0,"text":"Hel"}]}\n\n',
    "openai-responses": (
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"i","output_index":0,'
        b'"content_index":0,"delta":"Hel","sequence_number":4,"logprobs":[]}\n\n'
    ),
    "anthropic": (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
        b'"delta":{"type":"text_delta","text":"Hel"}}\n\n'
    ),
    "ollama-chat": b'{"model":"m","message":{"role":"assistant","content":"Hel"},"done":false}\n',
    "ollama-generate": b'{"model":"m","response":"Hel","done":false}\n',
    "cohere": (
        b'event: content-delta\ndata: {"type":"content-delta","index":0,'
        b'"delta":{"message":{"content":{"text":"Hel"}}}}\n\n'
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_the_client_raises_our_sentence_after_the_text_that_came(name: str) -> None:
    judgement = JUDGES[name](b"".join(repair([CUT[name]], heartbeat=None)))
    assert judgement.text == "Hel"
    assert "The stream ended before it was complete." in str(judgement.error)


@pytest.mark.parametrize("name", CUT)
def test_heartbeats_between_events_change_nothing_for_the_client(name: str) -> None:
    from unbroken import StreamRepairer

    repairer = StreamRepairer(heartbeat=1.0, timeouts=None)
    output = repairer.feed(CUT[name], 0.0) + repairer.on_deadline(1.5) + repairer.feed(CUT[name], 2.0)
    output += repairer.on_deadline(3.5)
    assert repairer.report.heartbeats == 2
    assert JUDGES[name](b"".join(output + repairer.close(4.0))).text == "HelHel"


def test_every_judge_is_put_before_an_error_frame() -> None:
    assert CUT.keys() == JUDGES.keys()
    assert all(
        json.loads(data.splitlines()[-1 if data.startswith(b"{") else -2].removeprefix(b"data: "))
        for data in CUT.values()
    )


# Odd streams

SEEN_BY_NO_CLIENT = {"event:error mid-stream"}  # an error event whose payload has no `error`: told in the report alone


@pytest.mark.parametrize("odd", odd_streams(), ids=lambda odd: f"{odd.client}: {odd.name}")
def test_an_odd_stream_gives_its_text_and_a_typed_error_or_none(odd: Odd) -> None:
    before, after, report = before_and_after(odd)
    assert after.error is None or isinstance(after.error, (openai.APIError, anthropic.APIError, ollama.ResponseError))
    assert "".join(after.texts) == report.text
    assert "".join(after.texts).startswith("".join(before.texts)) or b"\xef\xbb\xbf" in odd.chunks[0]
    fails = report.verdict in FAILURES
    assert (after.error is not None) == (fails and odd.name not in SEEN_BY_NO_CLIENT)


def rows(text: str) -> list[list[str]]:
    """Give the rows of a table, less what a client of another version may make of a stream as it comes."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    return [row[:2] + row[3:] for row in cells]


def test_the_page_of_odd_streams_is_what_its_program_writes() -> None:
    written = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert rows(written) == rows(table()), "write it anew: python -m tests.clients.odd_streams"

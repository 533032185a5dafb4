"""Conversations contain what their fields say, to readers that share no code with the one that makes them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.drawn import by_dialect
from unbroken import StreamRepairer, Verdict
from unbroken.testing.conversations import DIALECTS, Answer, Conversation, ToolCall, spell
from unbroken.testing.standard import is_json, read_ndjson, read_sse
from unbroken.testing.strategies import chunkings, dialect_streams

ANSWER = Answer(("Hel", "lo"), ("hm",), (ToolCall("call_1", "f", '{"a": "b"}'),), 3, 5)


@by_dialect
@given(data=st.data())
def test_a_repairer_passes_them_whole_and_reads_what_they_say(dialects: tuple[str, ...], data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from(dialects))
    conversation = data.draw(dialect_streams(dialect))
    named = {"dialect": dialect} if dialect == "vocabulary" or data.draw(st.booleans()) else {}
    repairer = StreamRepairer(**named)
    out = [frame for chunk in data.draw(chunkings(conversation.data)) for frame in repairer.feed(chunk, 0.0)]
    out += repairer.close(0.0)
    report = repairer.report
    assert b"".join(out) == conversation.data
    assert not report.repairs
    assert not report.respellings
    if conversation.text == conversation.reasoning == "" and not conversation.tools:
        return
    assert (report.dialect, report.verdict) == (dialect, Verdict.COMPLETE)
    assert (report.text, report.reasoning) == (conversation.text, conversation.reasoning)
    assert report.finish_reason == conversation.finish_reason
    assert report.usage.get("input_tokens") == conversation.input_tokens
    assert report.usage.get("output_tokens") == conversation.output_tokens
    assert [(tool["name"], json.loads(tool["arguments"])) for tool in report.tool_calls] == [
        (tool.name, json.loads(tool.arguments)) for tool in conversation.tools
    ]


def test_the_frames_are_whole_and_their_payloads_json() -> None:
    for dialect in DIALECTS:
        conversation = spell(dialect, ANSWER)
        for frame in conversation.frames:
            if conversation.is_sse:
                ((_, payload, _),) = read_sse(frame).events
                assert is_json(payload) or payload == "[DONE]" or conversation.is_prose, (dialect, frame)
            else:
                assert len(read_ndjson(frame).texts) == 1, (dialect, frame)
        assert conversation.text == "Hello"


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(ValueError, match="dialect must be one of openai-chat, "):
        spell("klingon", ANSWER)
    with pytest.raises(ValueError, match="dialect must be one of"):
        dialect_streams("klingon")


def openai_text(conversation: Conversation) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for _, payload, _ in read_sse(conversation.data).events
        if payload != "[DONE]"
        for choice in json.loads(payload)["choices"]
    )


@settings(max_examples=50, deadline=None)
@given(dialect_streams("openai-chat"))
def test_a_plain_loop_reads_the_same_text(conversation: Conversation) -> None:
    assert openai_text(conversation) == conversation.text

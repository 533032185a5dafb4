"""Cut at every byte: never complete before the terminator is there, nothing invented, nothing lost."""

import pytest

from tests.captures import body, needs_captures
from unbroken import Event, EventReader, StreamRepairer, StreamReport, Verdict
from unbroken.core.failure import ERROR_TYPE

# What stands in the payload that ends the answer, if the end is clean: the last finish of a chat stream, Anthropic's
# stop reason once each block has stopped, the last item of a Responses stream once each is done.
TERMINATORS = {
    "cohere/api-cohere-com-compatibility-stream-fb5ec6a2.bin": b'"finish_reason":"stop"',
    "cerebras/qwen-3-coder-480b-object-streaming-70c08ac5.bin": b'"finish_reason":"tool_calls"',
    "openrouter/test-tools-streaming-variant-b-72d88d01.bin": b"[DONE]",
    "github-copilot/getinlinecompletions-reply-6eba6a36.bin": b'"finish_reason":"stop"',
    "anthropic/anthropic-stream-tool-a2dab9c7.bin": b'"stop_reason":',
    "openai/openai-custom-tool-1-57c08889.bin": b'"type":"response.output_item.done"',
    "google-gemini/gemini-pro-latest-streaming-652cc1bf.bin": b'"finishReason": "MAX_TOKENS"',
    "google-vertex/gemini-2-5-flash-lite-reasoning-streaming-8bb2514d.bin": b'"finishReason": "STOP"',
    "ollama/stream-with-thinking-1-2fe0e723.bin": b'"done":true',
    "cohere/api-cohere-com-v2-chat-stream-502f7814.bin": b'"type":"message-end"',
}


def cut_at(data: bytes) -> tuple[list[Event], StreamReport]:
    reader = EventReader()
    items = [*reader.feed(data), *reader.close()]
    return [item for item in items if isinstance(item, Event)], reader.report


def terminator_end(data: bytes, marker: bytes) -> int:
    """Return where the line ends that holds the last marker; an array is whole with its bracket only."""
    at = data.rindex(b"]" if data.startswith(b"[") else marker)
    return data.find(b"\n", at) if b"\n" in data[at:] else len(data)


@needs_captures
@pytest.mark.parametrize("file", TERMINATORS)
def test_a_stream_cut_at_any_byte_is_never_complete_too_early_and_holds_nothing_new(file: str) -> None:
    data = body(file)
    end = terminator_end(data, TERMINATORS[file])
    whole, report = cut_at(data)
    assert report.verdict is Verdict.COMPLETE
    assert cut_at(data[:end])[1].verdict is Verdict.COMPLETE, "nothing after the terminator is waited for"
    lengths = [0]
    for size in range(len(data)):
        events, cut = cut_at(data[:size])
        assert cut.verdict is not Verdict.COMPLETE or size >= end - 1, "a CR may stand before the line end"
        assert events == whole[: len(events)]
        assert len(events) >= lengths[-1], "a longer piece gave fewer events"
        assert report.text.startswith(cut.text)
        assert report.reasoning.startswith(cut.reasoning)
        assert cut.finish_reason in (None, report.finish_reason)
        assert all(any(call["id"] == known["id"] for known in report.tool_calls) for call in cut.tool_calls)
        lengths.append(len(events))


@needs_captures
@pytest.mark.parametrize("file", TERMINATORS)
def test_a_cut_stream_gets_one_error_frame_and_no_word_of_success(file: str) -> None:
    data = body(file)
    end = terminator_end(data, TERMINATORS[file])
    for size in range(1, end, 7):
        repairer = StreamRepairer(heartbeat=None)
        output = b"".join([*repairer.feed(data[:size], 0.0), *repairer.close(0.0)])
        if repairer.report.dialect is not None:
            assert repairer.report.verdict is Verdict.TRUNCATED
            assert output.count(ERROR_TYPE.encode()) == 1
            assert ERROR_TYPE in output.decode().rstrip().splitlines()[-1]
        assert b"[DONE]" not in output or b"[DONE]" in data[:size]

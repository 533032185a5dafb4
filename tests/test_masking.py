"""Upstream's errors in our words: `errors="mask"`."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.laws import check_idempotent
from tests.tables import SAME, Case, check_case, each, error, first_error
from unbroken import StreamError, StreamRepairer, Verdict, iter_events, repair
from unbroken.core.failure import SENTENCES
from unbroken.testing import DIALECTS, Answer
from unbroken.testing.conversations import spell

WORDS = b"Provider disconnected at 10.0.0.7"
TEXT = b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
MASK: dict[str, Any] = {"errors": "mask"}
OURS = b"data: " + error("upstream-error") + b"\n\n"
LINE = b'{"model":"m","created_at":"t","response":"x","done":false}\n'
OF_OLLAMA = (
    b'{"error": "%s", "type": "unbroken_error", "code": "upstream-error"}\n' % SENTENCES["upstream-error"].encode()
)
NAMED = b"event: error\n" + OURS
FIRST = first_error("upstream-error", 500)

CASES: list[Case] = [
    ("an error behind content", TEXT + b'data: {"error":{"message":"%s"}}\n\n' % WORDS, MASK, TEXT + OURS, ""),
    ("what follows it is not read", TEXT + b'data: {"error":"%s"}\n\n: %s\n\n' % (WORDS, WORDS), MASK, TEXT + OURS, ""),
    ("an error alone", b'data: {"error":{"message":"%s"}}\n\n' % WORDS, MASK, FIRST, ""),
    ("a name alone", b"event: error\ndata: %s\n\n" % WORDS, MASK, FIRST, ""),
    ("a name, and an object", b'event: error\ndata: {"code":5,"details":"%s"}\n\n' % WORDS, MASK, FIRST, ""),
    ("a name behind content", TEXT + b"event: error\ndata: %s\n\n" % WORDS, MASK, TEXT + OURS, "invalid-json@99+52"),
    ("an error of a proxy", b'data: {"statusCode":500,"message":"%s"}\n\n' % WORDS, MASK, NAMED, ""),
    (
        "an error in our name",
        b'data: {"error":{"type":"unbroken_error","message":"%s","code":"truncated"}}\n\n' % WORDS,
        MASK,
        first_error("truncated", 500),
        "",
    ),
    ("ours", TEXT + OURS, MASK, SAME, ""),
    ("an error in NDJSON", LINE + b'{"error":"%s"}\n' % WORDS, MASK, LINE + OF_OLLAMA, ""),
    ("words, nothing repaired", b"event: error\ndata: %s\n\n" % WORDS, MASK | {"repairs": ()}, FIRST, ""),
    (
        "words of a known dialect, nothing repaired",
        TEXT + b"data: error: %s\n\n" % WORDS,
        MASK | {"repairs": ()},
        TEXT + OURS,
        "",
    ),
    ("no error", TEXT + b"data: [DONE]\n\n", MASK, SAME, ""),
    ("an answer about errors", b"data: error: that is what it said\n\n", MASK | {"dialect": "text"}, SAME, ""),
    ("kept", TEXT + b'data: {"error":{"message":"%s"}}\n\n' % WORDS, {}, SAME, ""),
]


@each(CASES)
def test_an_error_leaves_in_our_words(case: Case) -> None:
    check_case(case)
    _, data, options, *_ = case
    check_idempotent(data, **options)


@pytest.mark.parametrize("options", [{}, {"convert": "openai-chat"}, {"to": "ndjson"}, {"repairs": ()}], ids=str)
def test_no_dialect_lets_the_words_of_an_error_through(options: dict[str, Any]) -> None:
    told = b'{"type":"error","error":{"type":"overloaded_error","message":"%s"}}' % WORDS
    for dialect in DIALECTS:
        conversation = spell(dialect, Answer("a text"))
        begin = b"".join(conversation.frames[:2])
        frame = b"event: error\ndata: " + told + b"\n\n" if conversation.is_sse else told + b"\n"
        stream = repair([begin + frame], errors="mask", **options)
        wire = b"".join(stream)
        assert WORDS not in wire, dialect
        assert stream.report.verdict is Verdict.FAILED, dialect
        assert stream.report.error is not None
        assert stream.report.error.code == "overloaded", dialect
        assert stream.report.masked_errors == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_second_proxy_masks_no_error_of_ours(dialect: str) -> None:
    answer = spell(dialect, Answer(text=("a", "b"), reasoning=(), tools=(), input_tokens=1, output_tokens=1)).data
    for data in (b"", answer[: len(answer) // 2]):
        first = StreamRepairer(dialect=dialect, empty="error")
        wire = b"".join([*first.feed(data, 0.0), *first.fail(ConnectionResetError(), 0.0)])
        second = StreamRepairer(dialect=dialect, errors="mask")
        assert b"".join([*second.feed(wire, 0.0), *second.close(0.0)]) == wire
        assert second.report.masked_errors == 0


@pytest.mark.parametrize("opens", ['{"a":', "["])
def test_what_is_nested_deep_is_not_ours(opens: str) -> None:
    ours = '{"error":{"type":"unbroken_error","message":"a secret"},"x":%s}'
    for depth in (5, 300, 950):
        nested = opens * depth + "1" + ("}" if opens != "[" else "]") * depth
        data = f"data: {ours % nested}\n\n".encode()
        second = StreamRepairer(dialect="openai-chat", errors="mask")
        assert b"secret" not in b"".join([*second.feed(data, 0.0), *second.close(0.0)])


def test_the_words_go_to_the_log_escaped(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "unbroken"):
        list(repair([TEXT + b'data: {"error":{"message":"at 10.0.0.7\\n\\u001b[2J"}}\n\n'], errors="mask"))
    (message,) = caplog.messages
    assert message.endswith(r"; upstream said 'at 10.0.0.7\n\x1b[2J'")


def test_events_are_read_with_their_errors() -> None:
    with pytest.raises(TypeError, match="takes no argument 'errors'"):
        iter_events([], errors="mask")  # type: ignore[call-arg]
    with pytest.raises(StreamError):
        list(iter_events([TEXT + b'data: {"error":{"message":"x"}}\n\n']))

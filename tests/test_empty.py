"""A body without an event, where an answer was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tables import SAME, Case, check_case, check_second_pass, each, error, first_error, first_line
from unbroken import Retry, StreamError, Timeouts, Verdict, iter_events, repair, retrying, worth_retrying
from unbroken.testing import DIALECTS

ASKED: dict[str, Any] = {"empty": "error"}
CHAT: dict[str, Any] = {"dialect": "openai-chat"}
NAMED = first_error("empty", 502)
FRAME = b"data: " + error("empty") + b"\n\n"
COMMENT = b": OPENROUTER PROCESSING\n\n"

CASES: list[Case] = [
    ("nothing", b"", ASKED, NAMED, ""),
    ("nothing, in a dialect", b"", CHAT, FRAME, ""),
    ("blank lines", b"\n\n", ASKED, NAMED, ""),
    ("a comment", COMMENT, ASKED, COMMENT + NAMED, ""),
    ("a comment, in a dialect", COMMENT, CHAT, COMMENT + FRAME, ""),
    ("an id", b"id: 4\n\n", CHAT, b"id: 4\n" + FRAME, ""),
    ("an empty array", b"[]", CHAT | {"format": "json-array"}, SAME, ""),
    ("a piece of one event, of no known dialect", b'data: {"a', ASKED, NAMED, "unfinished-tail@0+9"),
    ("lines", b"", ASKED | {"format": "ndjson"}, first_line("empty"), ""),
    ("a feed of one's own", COMMENT, {}, SAME, ""),
    ("an end that is asked for", COMMENT, CHAT | {"empty": "end"}, SAME, ""),
    ("prose", COMMENT, {"dialect": "text"}, SAME, ""),
    ("nothing more, after an id", COMMENT, ASKED | {"last_event_id": "3"}, SAME, ""),
    ("an event", b"data: 1\n\n", ASKED, SAME, ""),
    ("nothing, and nothing repaired", b"", CHAT | {"repairs": ()}, SAME, ""),
    ("nothing, nothing repaired, but asked for", b"", ASKED | {"repairs": ()}, NAMED, ""),
]


@each(CASES)
def test_an_empty_body_is_a_failure_where_an_answer_was_asked_for(case: Case) -> None:
    check_case(case)
    check_second_pass(case)


def test_every_dialect_that_is_named_asks_for_an_answer() -> None:
    for dialect in DIALECTS:
        stream = repair([], dialect=dialect)
        list(stream)
        assert stream.report.verdict is Verdict.FAILED, dialect
        assert stream.report.error is not None
        assert (stream.report.error.code, stream.report.error.status_hint) == ("empty", 502)
        with pytest.raises(StreamError, match="empty: "):
            list(iter_events([], dialect=dialect))


def test_a_silent_feed_ends_as_before() -> None:
    stream = repair([COMMENT])
    list(stream)
    assert stream.report.verdict is Verdict.ENDED
    stream = repair([], dialect="openai-chat", empty="end")
    list(stream)
    assert stream.report.verdict is Verdict.ENDED


def test_an_empty_answer_is_asked_for_again() -> None:
    answers = [[], [COMMENT], [b"data: 1\n\n"]]
    source = retrying(lambda attempt: answers.pop(0), retry=Retry(base=0.0))
    assert [event.data for event in iter_events(source, empty="error", timeouts=Timeouts())] == ["1"]
    with pytest.raises(StreamError) as raised:
        list(iter_events([], empty="error"))
    assert worth_retrying(raised.value.status_hint, raised.value)
    assert raised.value.safe_to_retry

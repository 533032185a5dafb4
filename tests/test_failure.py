"""An error says enough for a log line, nothing that upstream chose reaches a client, and it survives pickling."""

from __future__ import annotations

import json
import pickle
from copy import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import StreamError, StreamReport
from unbroken.core.failure import ERROR_TYPE, SENTENCES, Failure, failure_of_ours, is_ours
from unbroken.core.registry import dialect_named, dialect_names

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "type", "code", "reason", "message"]), inner, max_size=4)
    ),
    max_leaves=8,
)


class Mine(StreamError):
    pass


def test_the_string_has_the_code_the_sentence_and_what_is_known() -> None:
    bare = StreamError(Failure("idle-timeout"))
    assert str(bare) == "idle-timeout: The upstream service paused for too long."
    full = StreamError(
        Failure("overloaded", 529, 7.5, "overloaded_error", "secret"),
        provider="anthropic",
        request_id="req_1",
        retry_count=2,
        tokens_received=40,
    )
    assert str(full) == (
        "overloaded: The upstream service is overloaded. (provider='anthropic' request_id='req_1' "
        "error_type='overloaded_error' status=529 retries=2 tokens=40)"
    )


@given(st.text(), st.text(), st.text())
def test_the_string_is_one_line_whatever_the_labels_hold(provider: str, request_id: str, error_type: str) -> None:
    error = StreamError(Failure("truncated", error_type=error_type), provider=provider, request_id=request_id)
    assert str(error).isprintable()


@pytest.mark.parametrize("label", ["a\nERROR root: all is well", "\x1b[2J", "\r", "\u2028", "\u202e", "\x9b31m"])
def test_line_ends_and_terminal_escapes_in_labels_are_escaped(label: str) -> None:
    error = StreamError(Failure("truncated", error_type=label), provider=label, request_id=label)
    assert not set(label) & set("\n\r\x1b\u2028\u202e\x9b") & set(str(error))


def test_the_words_of_upstream_stay_out_of_the_string_and_of_the_message() -> None:
    error = StreamError(Failure("upstream-error", detail="<script>secret</script>"))
    assert "secret" not in str(error) + error.public_message + json.dumps(error.failure.as_error())


def test_a_code_that_is_not_known_has_a_safe_sentence_too() -> None:
    assert Failure("<b>").public_message == SENTENCES["upstream-error"]


def test_the_properties_are_those_of_the_failure() -> None:
    error = StreamError(Failure("rate-limited", 429, 3.0, "rate_limit"))
    assert (error.code, error.status_hint, error.retry_after) == ("rate-limited", 429, 3.0)
    assert (error.error_type, error.public_message) == ("rate_limit", SENTENCES["rate-limited"])


@pytest.mark.parametrize("kind", [StreamError, Mine])
@pytest.mark.parametrize("again", [copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_survives_pickling_without_its_report(kind: type[StreamError], again: Any) -> None:
    error = kind(
        Failure("overloaded", 529, 7.5, "overloaded_error", "why"),
        provider="p",
        request_id="r",
        retry_count=2,
        tokens_received=40,
        safe_to_retry=True,
        report=StreamReport(),
    )
    twin = again(error)
    assert type(twin) is kind
    assert str(twin) == str(error)
    assert {**vars(twin), "report": None} == {**vars(error), "report": None}
    assert twin.report is None


@pytest.mark.parametrize("code", SENTENCES)
def test_an_error_of_ours_is_known_and_read_back(code: str) -> None:
    value = Failure(code, 500, 1.0, "theirs", "words").as_error()
    assert value == {"error": {"message": SENTENCES[code], "type": ERROR_TYPE, "code": code}}
    assert is_ours(value)
    assert failure_of_ours(value) == Failure(code)


@pytest.mark.parametrize(
    "name", [name for name in dialect_names() if name != "ai-sdk-data-v4"]
)  # its payload is the sentence
@pytest.mark.parametrize("code", SENTENCES)
def test_an_error_of_ours_is_known_in_the_form_of_every_dialect(name: str, code: str) -> None:
    _, value = dialect_named(name)().error_frame(Failure(code, detail="secret"))
    assert is_ours(value)
    assert failure_of_ours(value).code == code
    assert "secret" not in json.dumps(value)


@pytest.mark.parametrize(
    "value",
    [None, [], "unbroken_error", {}, {"error": None}, {"error": "unbroken_error"}, {"error": {"type": "server_error"}},
     {"type": "error"}, {"type": "error", "errorText": ["no"]}, {"type": "RUN_ERROR", "rawEvent": {"type": "x"}},
     {"errorText": SENTENCES["empty"]}, {"type": ["unbroken_error"]}, [{"type": ERROR_TYPE}]],
)  # fmt: skip
def test_what_others_wrote_is_not_taken_for_ours(value: Any) -> None:
    assert not is_ours(value)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"type": ERROR_TYPE, "code": "truncated"}, "truncated"),
        ({"error": {"type": ERROR_TYPE, "code": 500, "reason": "overloaded"}}, "overloaded"),
        ({"error": {"type": ERROR_TYPE, "code": 500}}, "upstream-error"),
        ({"error": {"type": ERROR_TYPE, "code": "<b>"}}, "upstream-error"),
        ({"error": {"type": ERROR_TYPE, "code": ["truncated"]}}, "upstream-error"),
        ({"error": {"type": ERROR_TYPE}}, "upstream-error"),
        ({"error": "x", "type": ERROR_TYPE, "code": "truncated"}, "truncated"),
    ],
)
def test_an_error_under_our_name_gives_a_code_of_ours_and_nothing_else(value: Any, code: str) -> None:
    assert failure_of_ours(value) == Failure(code)


@given(JSON)
def test_reading_errors_back_is_total(value: Any) -> None:
    if is_ours(value):
        assert failure_of_ours(value).code in SENTENCES

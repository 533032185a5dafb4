"""Events are values, and no value of theirs can begin a line of its own on the wire."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import Comment, Event, EventReader
from unbroken.testing.standard import read_sse

ANY_TEXT = st.text(st.characters(codec=None), max_size=60) | st.text(
    "\r\n\0: dataeventidretry\ufeff\u2028é", max_size=60
)


@pytest.mark.parametrize(
    ("event", "wire"),
    [
        (Event("x"), b"data: x\n\n"),
        (Event(""), b"data: \n\n"),
        (Event(" x"), b"data:  x\n\n"),
        (Event("x", "message"), b"data: x\n\n"),
        (Event("x", ""), b"data: x\n\n"),
        (Event("x", "ping"), b"event: ping\ndata: x\n\n"),
        (Event("x", "ping", "7", 250), b"event: ping\nid: 7\nretry: 250\ndata: x\n\n"),
        (Event("x", retry=0), b"retry: 0\ndata: x\n\n"),
        (Event("a\nb"), b"data: a\ndata: b\n\n"),
        (Event("a\r\nb\rc"), b"data: a\ndata: b\ndata: c\n\n"),
        (Event("a\n"), b"data: a\ndata: \n\n"),
        (Event("a\n\nevent: b"), b"data: a\ndata: \ndata: event: b\n\n"),
        (Event("a\u2028b\x85c\x0bd"), "data: a\u2028b\x85c\x0bd\n\n".encode()),
        (Event("\0"), b"data: \0\n\n"),
        (Event("\ud800"), "data: \ufffd\ufffd\ufffd\n\n".encode()),
        (Event("\ud83d\ude00"), "data: \ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\n\n".encode()),
    ],
)
def test_an_event_is_spelt_as_one_canonical_frame(event: Event, wire: bytes) -> None:
    assert event.encode() == wire


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_name_or_an_id_that_would_begin_a_line_is_refused(end: str) -> None:
    with pytest.raises(ValueError, match=r"Event\.event"):
        Event("x", f"a{end}data: y").encode()
    with pytest.raises(ValueError, match=r"Event\.id"):
        Event("x", id=f"a{end}data: y").encode()


def test_an_id_with_nul_is_refused_since_a_reader_would_ignore_it() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Event("x", id="a\0").encode()


@pytest.mark.parametrize("retry", ["5\ndata: evil", -5, 1.5, True])
def test_a_retry_that_is_not_a_time_is_refused(retry: Any) -> None:
    with pytest.raises(ValueError, match=r"Event\.retry"):
        Event("x", retry=retry).encode()


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, st.none() | st.integers(0, 10**9))
def test_no_value_can_inject_a_field_a_line_or_an_event(data: str, name: str, id: str, retry: int | None) -> None:
    try:
        wire = Event(data, name, id, retry).encode()
    except ValueError:
        assert set(name + id) & set("\r\n\0")
        return
    (read,) = read_sse(wire).events
    valid = [text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for text in (name, data, id)]
    assert read == (valid[0] or "message", valid[1].replace("\r\n", "\n").replace("\r", "\n"), valid[2])
    assert read_sse(wire).retry == retry


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1))
def test_what_is_encoded_is_read_back(data: str) -> None:
    event = Event(data, "note", "7", 3)
    assert EventReader(format="sse", dialect="text").feed(event.encode()) == [event]


def test_json_parses_the_data_with_the_parser_that_is_given() -> None:
    assert Event('{"a": 1.5}').json() == {"a": 1.5}
    assert Event("1.5").json(lambda text: json.loads(text, parse_float=Decimal)) == Decimal("1.5")
    with pytest.raises(ValueError):
        Event("[DONE]").json()


def test_events_are_equal_by_value_and_hashable() -> None:
    assert Event("x", "a", "1", 2) == Event("x", "a", "1", 2)
    assert len({Event("x"), Event("x", "message", "", None), Event("y")}) == 2
    assert Event("x") != Event("x", id="1")
    assert Event("x") != ("x", "message", "", None)
    assert Comment("x") == Comment("x")
    assert Comment("x") != Event("x")


def test_values_take_no_further_attributes() -> None:
    for value in (Event("x"), Comment("x")):
        with pytest.raises((AttributeError, TypeError)):
            value.colour = "red"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event({"a": 1}), r"^Event\.data must be text, not a dict; write data=json\.dumps\(\.\.\.\)"),
        (Event(b"a"), r"^Event\.data must be text, not b'a'; write"),
        (Event("a", event=None), r"^Event\.event must be text, not None$"),
        (Event("a", id=7), r"^Event\.id must be text, not 7$"),
    ],
)
def test_what_is_no_text_cannot_be_spelt(event, message):
    with pytest.raises(TypeError, match=message):
        event.encode()

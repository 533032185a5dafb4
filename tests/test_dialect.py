"""What a dialect of one's own must say, and what it may leave to the defaults."""

from collections.abc import Iterator
from typing import Any

import pytest

from unbroken import (
    Delta,
    Dialect,
    EventClass,
    Failure,
    Reading,
    StreamError,
    StreamRepairer,
    Verdict,
    iter_events,
    register,
    repair,
)
from unbroken.core.dialect import CONVERTERS, NOTHING, REGISTRY


class Stories(Dialect):
    name = "stories"

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        return event == "story"

    def read(self, event: str, payload: Any) -> Reading:
        if event == "sorry":
            return Reading(EventClass.ERROR, failure=Failure("overloaded", status_hint=503))
        if event == "the-end":
            return Reading(EventClass.TERMINAL)
        return Reading(EventClass.CONTENT, (Delta(text=payload["line"]),))


@pytest.fixture
def registered() -> Iterator[type[Dialect]]:
    yield register(Stories)
    del REGISTRY[Stories.name]


STORY = b'event: story\ndata: {"line": "Once"}\n\n'
END = b"event: the-end\ndata: {}\n\n"


def test_a_dialect_that_is_passed_is_used_without_being_registered() -> None:
    stream = iter_events([STORY + END], dialect=Stories())
    list(stream)
    assert (stream.report.text, stream.report.verdict) == ("Once", Verdict.COMPLETE)
    assert Stories.name not in REGISTRY


def test_a_registered_dialect_is_recognised(registered: type[Dialect]) -> None:
    stream = iter_events([STORY + END])
    list(stream)
    assert (stream.report.dialect, stream.report.text) == ("stories", "Once")


def test_a_registered_dialect_can_be_named(registered: type[Dialect]) -> None:
    stream = iter_events([STORY + END], dialect="stories")
    list(stream)
    assert stream.report.verdict is Verdict.COMPLETE


def test_the_terminator_of_one_s_own_dialect_is_missed() -> None:
    with pytest.raises(StreamError, match="truncated"):
        list(iter_events([STORY], dialect=Stories()))


def test_an_error_of_one_s_own_dialect_is_raised_after_its_event() -> None:
    stream = iter_events([STORY, b"event: sorry\ndata: {}\n\n"], dialect=Stories())
    assert [next(stream).event, next(stream).event] == ["story", "sorry"]
    with pytest.raises(StreamError, match="overloaded"):
        next(stream)


def test_by_default_an_error_frame_is_an_error_event() -> None:
    output = b"".join(repair([STORY], dialect=Stories(), heartbeat=None))
    assert b"event: error\ndata: {" in output
    assert output.index(b"Once") < output.index(b"event: error")


def test_by_default_nothing_is_recognised_whole_named_or_alive() -> None:
    plain = Dialect()
    assert not Dialect.recognises("message", {"anything": 1})
    assert plain.read("message", {"anything": 1}) is NOTHING
    assert not plain.is_complete()
    assert plain.event_name({"type": "x"}) is None
    assert plain.heartbeat() is None


def test_a_dialect_whose_clients_fail_at_comments_has_blank_lines_in_their_place() -> None:
    class Touchy(Stories):
        takes_comments = False

    repairer = StreamRepairer(dialect=Touchy(), heartbeat=5.0)
    repairer.resume(0.0)
    story = b'event: story\ndata: {"line": "Once"}\n\n'
    assert repairer.on_deadline(5.0) == [b"\n"]
    assert repairer.feed(story + b": hi\n", 6.0) == [story, b"\n"]


def test_the_dialects_of_this_library_are_asked_in_a_fixed_order() -> None:
    assert list(REGISTRY) == [
        *("openai-chat", "openai-completions", "openai-responses", "anthropic", "gemini", "ollama", "cohere", "tgi"),
        *("vocabulary", "text"),
    ]


def test_every_conversion_leads_to_a_dialect_that_is_known() -> None:
    assert CONVERTERS.keys() <= REGISTRY.keys()


def test_a_dialect_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="openai-chat"):
        iter_events([], dialect="klingon")


def test_a_class_instead_of_an_instance_is_refused_with_the_fix() -> None:
    with pytest.raises(TypeError, match=r"Stories\(\)"):
        iter_events([], dialect=Stories)  # type: ignore[arg-type]

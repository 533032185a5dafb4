"""What a dialect of one's own must say, and what it may leave to the defaults."""

import threading
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
    repair,
)
from unbroken.core.dialect import NOTHING, is_judged
from unbroken.core.registry import REGISTRY


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


STORY = b'event: story\ndata: {"line": "Once"}\n\n'
END = b"event: the-end\ndata: {}\n\n"


def test_a_dialect_that_is_passed_is_used_without_being_registered() -> None:
    stream = iter_events([STORY + END], dialect=Stories())
    list(stream)
    assert (stream.report.text, stream.report.verdict) == ("Once", Verdict.COMPLETE)
    assert Stories.name not in REGISTRY


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


def test_a_class_instead_of_an_instance_is_refused_with_the_fix() -> None:
    with pytest.raises(TypeError, match=r"Stories\(\)"):
        iter_events([], dialect=Stories)  # type: ignore[arg-type]


class Locked(Stories):
    """A dialect that cannot be copied."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


@pytest.mark.parametrize("dialect", [Stories, Locked])
def test_a_first_line_of_a_json_body_is_read_once_where_the_second_ends_the_stream(dialect: type[Dialect]) -> None:
    repairer = StreamRepairer(dialect=dialect(), content_type="application/json", invalid_json="error")
    assert b"".join(repairer.feed(b'{"line": "Once"}\nx\n', 0.0)).startswith(b'{"line": "Once"}\n{"error"')
    assert repairer.report.text == "Once"


def test_only_a_dialect_that_says_what_is_whole_judges_an_end() -> None:
    class Prose(Stories):
        json_payloads = False

    class Ending(Prose):
        tells_end = True

    assert [is_judged(dialect) for dialect in (None, Stories(), Prose(), Ending())] == [False, True, False, True]

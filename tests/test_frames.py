"""What leaves says how many events it is, and what they mean."""

from __future__ import annotations

from unbroken import Comment, Event
from unbroken.core.dialect import Delta, EventClass, Reading
from unbroken.core.frames import Frame


def test_a_frame_is_an_event_a_comment_or_bare_framing() -> None:
    reading = Reading(EventClass.CONTENT, (Delta(text="a"),))
    event = Frame(b"data: {}\n\n", Event("{}"), kind=EventClass.CONTENT, reading=reading)
    assert (event.count, list(event.events()), list(event.readings())) == (1, [Event("{}")], [reading])
    for other in (Frame(b": hi\n", comment=Comment("hi"), kind=EventClass.LIVENESS), Frame(b"\n")):
        assert (other.count, list(other.events()), list(other.readings())) == (0, [], [])
    assert list(Frame(b"data: x\n\n", Event("x")).readings()) == []

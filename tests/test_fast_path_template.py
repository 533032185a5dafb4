"""What the frames of one template mean: the events, readings and texts that their values stand for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from unbroken import Event
from unbroken.core.account import Account
from unbroken.core.dialect import Delta, EventClass, Reading, ToolFragment
from unbroken.core.fast_path.run import Run
from unbroken.core.fast_path.slots import BLANKS, NUMBER, STRING, TEXT
from unbroken.core.fast_path.template import Template, said

READING = Reading(EventClass.CONTENT, (Delta(text="a"),), model="m")
THINKING = Reading(EventClass.CONTENT, (Delta(1, reasoning="a"),))
ARGUING = Reading(EventClass.CONTENT, (Delta(tools=(ToolFragment(0, "call", "f", "a"),)),))

PLAIN = Template('{"t":"\0"}', "message", READING)
NAMED = Template('{"t":"\0"}', "e", READING, head="event: e\n")
PADDED = Template('{"n%":\0,"t":"\0","p":"\0"}', "message", READING, slots=(NUMBER, TEXT, STRING), text_at=1)
BLANKED = Template('{"t":"\0"\0}', "message", READING, slots=(TEXT, BLANKS))
ID_BEFORE = Template('{"t":"\0"}', "e", READING, head="id: \0\nevent: e\n")
ID_AFTER = Template('{"t":"\0"}', "e", READING, head="event: e\n", tail="id: \0\n\n")
LINE = Template('{"t":"\0"}', "message", READING, tail="", lead="")


@pytest.mark.parametrize(
    ("template", "frames", "texts", "events"),
    [
        (PLAIN, 'data: {"t":"a"}\n\ndata: {"t":"b"}\n\n', ["a", "b"], [Event('{"t":"a"}'), Event('{"t":"b"}')]),
        (PLAIN, 'data: {"t":"é\\n"}\n\n', ["é\n"], [Event('{"t":"é\\n"}')]),
        (NAMED, 'event: e\ndata: {"t":"a"}\n\n', ["a"], [Event('{"t":"a"}', "e")]),
        (
            PADDED,
            'data: {"n%":1,"t":"a","p":"x"}\n\ndata: {"n%":2,"t":"\\u00e9","p":"yy"}\n\n',
            ["a", "é"],
            [Event('{"n%":1,"t":"a","p":"x"}'), Event('{"n%":2,"t":"\\u00e9","p":"yy"}')],
        ),
        (
            BLANKED,
            'data: {"t":"a"}\n\ndata: {"t":"b"   }\n\n',
            ["a", "b"],
            [Event('{"t":"a"}'), Event('{"t":"b"   }')],
        ),
        (LINE, '{"t":"a"}\n{"t":"b"}\n', ["a", "b"], [Event('{"t":"a"}'), Event('{"t":"b"}')]),
    ],
)
def test_what_frames_of_a_template_say(template: Template, frames: str, texts: list[str], events: list[Event]) -> None:
    for line_end in ("\n", "\r\n"):
        wire = frames.replace("\n", line_end).encode()
        spelling = template.spelt(line_end.encode())
        values = spelling.match_all(wire)
        assert values is not None
        assert spelling.write(values) == wire
        assert len(values) == len(events) * template.width
        assert template.texts(values) == texts
        assert template.events(values, "7") == [replace(event, id="7") for event in events]
        run = Run(template, "d", "7", values, wire)
        assert (run.count, run.events(), run.kind) == (len(events), template.events(values, "7"), EventClass.CONTENT)
        assert run.readings() == [replace(READING, deltas=(Delta(text=text),)) for text in texts]


@pytest.mark.parametrize(
    ("template", "spelt"),
    [
        (ID_BEFORE, 'id: {id}\nevent: e\ndata: {{"t":"{text}"}}\n\n'),
        (ID_AFTER, 'event: e\ndata: {{"t":"{text}"}}\nid: {id}\n\n'),
    ],
)
def test_an_id_may_differ_before_the_data_and_after_it(template: Template, spelt: str) -> None:
    frames = "".join(spelt.format(id=id, text=text) for id, text in [("1", "a"), ("é 2", "b")]).encode()
    values = template.spelling.match_all(frames)
    assert values is not None
    assert template.has_id
    assert values[template.id_at :: template.width] == ["1", "é 2"]
    assert template.texts(values) == ["a", "b"]
    assert template.events(values, "0") == [Event('{"t":"a"}', "e", "1"), Event('{"t":"b"}', "e", "é 2")]


def test_the_lines_of_a_frame_are_counted_with_its_blank_line() -> None:
    assert [template.line_count for template in (PLAIN, NAMED, ID_AFTER, LINE)] == [2, 3, 4, 1]


def test_the_spelling_with_another_line_end_is_made_once() -> None:
    assert PLAIN.spelt(b"\n") is PLAIN.spelling
    assert PLAIN.spelt(b"\r\n") is PLAIN.spelt(b"\r\n")


@pytest.mark.parametrize(
    ("reading", "field", "changed"),
    [
        (READING, "text", replace(READING, deltas=(Delta(text="b"),))),
        (THINKING, "reasoning", replace(THINKING, deltas=(Delta(1, reasoning="b"),))),
        (ARGUING, "tools", replace(ARGUING, deltas=(Delta(tools=(ToolFragment(0, "call", "f", "b"),)),))),
    ],
)
def test_a_template_is_of_text_of_reasoning_or_of_arguments(reading: Reading, field: str, changed: Reading) -> None:
    template = Template('{"t":"\0"}', "message", reading)
    assert template.field == field
    assert template.with_text("b") == changed
    assert template.readings(["b", "b"]) == [changed, changed]
    assert said(reading.deltas[0]) == "a"
    one, other = Account(), Account()
    for account in (one, other):
        account.absorb(reading)
    template.absorb(one, ["b", "\\n"])
    for text in ("b", "\n"):
        other.absorb(template.with_text(text))
    assert facts(one) == facts(other)


def facts(account: Account) -> list[Any]:
    return [account.text, account.reasoning, account.tool_calls, account.content_events, account.cumulative]


def test_a_delta_that_says_nothing_has_no_text() -> None:
    assert said(Delta()) == ""

"""Where a template is found: two frames that differ in their slots alone, and mean the same but for the text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from unbroken import Dialect, Event
from unbroken.core.dialect import Delta, EventClass, Reading, ToolFragment
from unbroken.core.failure import Failure
from unbroken.core.fast_path.finder import (
    MAX_SEARCHES,
    SLOT_RULES,
    TemplateFinder,
    meaning,
    padding,
    twins,
    varying_keys,
)
from unbroken.core.fast_path.slots import BLANKS, NUMBER, STRING, TEXT, TWIN, Slot
from unbroken.core.fast_path.template import MAX_LENGTH, Template

Said = tuple[Event, Reading]


class Steady(Dialect):
    name = "steady"
    steady = True

    def read(self, event: str, payload: Any) -> Reading:
        return content(payload["text"])


class Unsteady(Steady):
    steady = False


class Exact(Steady):
    exact_marks = ('"k"',)


class Counting(Steady):
    """Promises to be steady and is not."""

    def read(self, event: str, payload: Any) -> Reading:
        return replace(super().read(event, payload), usage={"n": len(payload["text"])})


class Varying(Steady):
    varying = ("pad", "at", "text")


def content(text: str) -> Reading:
    return Reading(EventClass.CONTENT, (Delta(text=text),))


def said(text: str, **more: Any) -> Said:
    return Event(json.dumps({"k": 1, "text": text, **more})), content(text)


def look_with(finder: TemplateFinder, dialect: Dialect, one: Said) -> Template | None:
    event, reading = one
    return finder.find(dialect, event, event.encode(), reading)


def look(dialect: Dialect, *all_said: Said) -> list[bool]:
    """Return for which of these events, one after the other, a template is there."""
    finder = TemplateFinder()
    return [look_with(finder, dialect, one) is not None for one in all_said]


def test_two_payloads_that_differ_in_their_text_alone_have_a_template() -> None:
    assert look(Steady(), said("a"), said("b"), said("c")) == [False, True, True]


def test_a_template_outlives_something_else_between() -> None:
    other = Event('{"text": 1}'), Reading(EventClass.STRUCTURAL)
    assert look(Steady(), said("a"), said("b"), other, said("c")) == [False, True, False, True]


def test_a_payload_that_means_something_else_now_has_none() -> None:
    event, reading = said("c")
    changed = event, replace(reading, deltas=(replace(reading.deltas[0], choice=2),))
    assert look(Steady(), said("a"), said("b"), changed) == [False, True, False]


def test_another_shape_needs_a_template_of_its_own() -> None:
    assert look(Steady(), said("a"), said("b"), said("c", x=1), said("d", x=1)) == [False, True, False, True]


def test_shapes_that_take_turns_keep_their_templates() -> None:
    finder = TemplateFinder()
    shapes: list[dict[str, Any]] = [{}, {"x": 1}, {"y": 1}, {"z": 1}]
    first = [look_with(finder, Steady(), said(text, **shape)) for shape in shapes for text in "ab"]
    again = [look_with(finder, Steady(), said("c", **shape)) for shape in shapes]
    assert again == first[1::2]
    assert None not in again


@pytest.mark.parametrize("dialect", [Unsteady(), Exact(), Counting()])
def test_a_dialect_that_reads_more_than_the_text_has_no_templates(dialect: Dialect) -> None:
    assert not any(look(dialect, said("a"), said("b"), said("c")))


def test_a_frame_too_long_has_no_template() -> None:
    assert not any(look(Steady(), said("a", x="y" * MAX_LENGTH), said("b", x="y" * MAX_LENGTH)))


def test_what_the_reading_says_must_stand_in_the_payload_as_it_is() -> None:
    event, reading = said("a")
    assert look(Steady(), (event, content("other")), (said("b")[0], content("other"))) == [False, False]
    nul = [(Event('{"k": "\0", "text": "a"}'), reading)] * 2
    assert look(Steady(), *nul) == [False, False]


@pytest.mark.parametrize(
    ("lines", "has"),
    [
        ("id: {n}\ndata: {data}\n\n", True),
        ("data: {data}\nid: {n}\n\n", True),
        ("event: e\ndata: {data}\nid: {n}\n\n", True),
        ("id: {n}\nevent: e\ndata: {data}\n\n", True),
        ("data: {data}\nevent: e\n\n", True),
        ("id: {n}\ndata: {data}\nid: {n}\n\n", False),
        (": c\ndata: {data}\n\n", False),
        ("retry: 1\ndata: {data}\n\n", False),
        ("data: {data}\nfoo: 1\n\n", False),
        ("event: \0\ndata: {data}\n\n", False),
        ("event: data: {data}\n\n", False),
        ("event: id: 1\nid: {n}\ndata: {data}\n\n", True),
        ("{data}\n", True),
        ("{data}", False),
    ],
)
def test_a_template_is_of_frames_with_name_id_and_data_only(lines: str, has: bool) -> None:
    finder, found = TemplateFinder(), None
    for n, text in enumerate("ab"):
        event, reading = said(text)
        wire = lines.format(n=n, data=event.data).encode()
        found = finder.find(Steady(), Event(event.data, "e"), wire, reading)
    assert (found is not None) is has
    assert found is None or found.has_id is ("id: " in lines)


# What a reading must be


TEXT_READING = content("b")
FRAGMENT = ToolFragment(0, "call", "f", "b")


@pytest.mark.parametrize(
    ("delta", "other"),
    [
        (Delta(text="b"), Delta(text="c")),
        (Delta(reasoning="b"), Delta(reasoning="c")),
        (Delta(2, "assistant", "b"), Delta(2, "assistant", "c")),
        (Delta(tools=(FRAGMENT,)), Delta(tools=(replace(FRAGMENT, arguments="c"),))),
    ],
)
def test_readings_that_differ_in_their_text_alone_mean_the_same(delta: Delta, other: Delta) -> None:
    means = meaning(replace(TEXT_READING, deltas=(delta,)))
    assert means is not None
    assert meaning(replace(TEXT_READING, deltas=(other,))) == means


def test_whatever_else_a_reading_says_is_a_part_of_its_meaning() -> None:
    fragments = [
        FRAGMENT,
        replace(FRAGMENT, key=1),
        replace(FRAGMENT, id="other"),
        replace(FRAGMENT, name="g"),
        replace(FRAGMENT, kind="custom"),
    ]
    deltas = [Delta(text="b"), Delta(1, text="b"), Delta(role="assistant", text="b"), Delta(reasoning="b")]
    deltas += [Delta(tools=(fragment,)) for fragment in fragments]
    readings = [replace(TEXT_READING, deltas=(delta,)) for delta in deltas]
    readings += [
        replace(TEXT_READING, **{name: value}) for name, value in (("id", "c"), ("model", "m"), ("created", 1))
    ]
    meanings = {meaning(reading) for reading in readings}
    assert None not in meanings
    assert len(meanings) == len(readings)


@pytest.mark.parametrize(
    "reading",
    [
        Reading(EventClass.STRUCTURAL, (Delta(text="b"),)),
        Reading(EventClass.CONTENT, ()),
        Reading(EventClass.CONTENT, (Delta(text="b"), Delta(1, text="b"))),
        Reading(EventClass.CONTENT, (Delta(text="b"),), begins=True),
        Reading(EventClass.CONTENT, (Delta(text="b"),), usage={}),
        Reading(EventClass.CONTENT, (Delta(text="b"),), failure=Failure("truncated")),
        Reading(EventClass.CONTENT, (Delta(text="b", reasoning="c"),)),
        Reading(EventClass.CONTENT, (Delta(text="b", finish_reason="stop"),)),
        Reading(EventClass.CONTENT, (Delta(text="b", refusal="c"),)),
        Reading(EventClass.CONTENT, (Delta(text="b", tools=(FRAGMENT,)),)),
        Reading(EventClass.CONTENT, (Delta(tools=(FRAGMENT, FRAGMENT)),)),
        Reading(EventClass.CONTENT, (Delta(tools=(replace(FRAGMENT, whole=True),)),)),
        Reading(EventClass.CONTENT, (Delta(tools=(replace(FRAGMENT, arguments=""),)),)),
    ],
)
def test_what_says_more_than_one_text_of_one_choice_has_no_template(reading: Reading) -> None:
    assert meaning(reading) is None
    assert not any(look(Steady(), said("a"), (said("b")[0], reading)))


def test_arguments_of_one_tool_call_have_a_template() -> None:
    class Arguing(Steady):
        def read(self, event: str, payload: Any) -> Reading:
            return arguing(payload["text"], payload["k"])

    def arguing(text: str, key: int = 1) -> Reading:
        return Reading(EventClass.CONTENT, (Delta(tools=(ToolFragment(float(key), arguments=text),)),))

    def call(text: str, key: int = 1) -> Said:
        return Event(json.dumps({"k": key, "text": text})), arguing(text, key)

    assert look(Arguing(), call('{"a'), call('": 1'), call("}"), call("{", 2), call("}", 2)) == [
        False, True, True, False, True,
    ]  # fmt: skip


# What may differ besides the text


def spans(rule: Any, data: str, previous: str, text: str, *keys: str) -> list[tuple[str, Slot]]:
    """Return what a rule cuts out of a payload, and the slots for it."""
    found = rule(data, f"data: {previous}\n\n", json.dumps(text), keys)
    return [(data[start:end], slot) for start, end, slot in found]


@pytest.mark.parametrize(
    ("data", "previous", "cut"),
    [
        ('{"at":2,"t":"b"}', '{"at":1,"t":"a"}', [("2", NUMBER)]),
        ('{"at": 22,"t":"b"}', '{"at": 1,"t":"a"}', [("22", NUMBER)]),
        ('{"pad":"yy","at":2}', '{"pad":"x","at":1}', [("yy", STRING), ("2", NUMBER)]),
        ('{"pad":""}', '{"pad":"x"}', [("", STRING)]),
        ('{"at":1,"t":"b"}', '{"at":1,"t":"a"}', []),
        ('{"other":2}', '{"other":1}', []),
        ('{"format":2}', '{"format":1}', []),
        ('{"at":1.5}', '{"at":1}', []),
        ('{"at":2e5}', '{"at":1}', []),
        ('{"at":-2}', '{"at":-1}', []),
        ('{"at":' + 16 * "2" + "}", '{"at":1}', []),
        ('{"pad":"a\\n"}', '{"pad":"x"}', []),
        ('{"at":null}', '{"at":1}', []),
    ],
)
def test_keys_that_a_dialect_names_may_vary(data: str, previous: str, cut: list[tuple[str, Slot]]) -> None:
    assert spans(varying_keys, data, previous, "b", "pad", "at") == cut
    assert spans(varying_keys, data, previous, "b") == []


@pytest.mark.parametrize(
    ("data", "previous", "cut"),
    [
        ('{"t":"b","u":"b"}', '{"t":"a","u":"a"}', [("b", TWIN)]),
        ('{"t":"b","u":"b","v":["b"],"w":"b"}', '{"t":"a","u":"a","v":["b"],"w":"a"}', [("b", TWIN)] * 2),
        ('{"t":"b","u":"b"}', '{"t":"a","u":"b"}', []),  # it stood there before
        ('{"t":"b","u":"c"}', '{"t":"a","u":"a"}', []),
        ('{"t":"b"}', '{"t":"a"}', []),
    ],
)
def test_the_text_may_stand_there_twice(data: str, previous: str, cut: list[tuple[str, Slot]]) -> None:
    assert spans(twins, data, previous, "b") == cut


@pytest.mark.parametrize(
    ("data", "previous", "cut"),
    [
        ('{"t":"b"  }', '{"t":"a"}', [("  ", BLANKS)]),
        ('{"t":"b"}', '{"t":"a" }', [("", BLANKS)]),
        ('{"t":"b"  }', '{"t":"a"  }', []),
        ('{"t":"b"}', '{"t":"a"}', []),
        ('["b" ]', '["a"]', []),
        ('{"t":"b"\t}', '{"t":"a"}', []),
    ],
)
def test_blanks_before_the_last_brace_may_vary(data: str, previous: str, cut: list[tuple[str, Slot]]) -> None:
    assert spans(padding, data, previous, "b") == cut


def test_the_tables_of_this_page_hold_every_rule_for_slots() -> None:
    assert set(SLOT_RULES) == {varying_keys, twins, padding}


def test_a_key_that_varies_with_a_number_or_a_string_is_a_slot() -> None:
    assert look(Varying(), said("a", pad="x"), said("b", pad="yy"), said("c", pad="z")) == [False, True, True]
    assert look(Varying(), said("a", at=1), said("b", at=22), said("c", at=0)) == [False, True, True]
    assert look(Varying(), said("a", at=1), said("b", at="1"), said("c", at=1.5), said("d", at=-2.5)) == [False] * 4
    assert look(Steady(), said("a", pad="x"), said("b", pad="yy"), said("c", pad="z")) == [False] * 3


def test_the_slots_of_a_template_stand_in_the_order_of_the_payload() -> None:
    finder = TemplateFinder()
    payloads = ['{"at":1,"text":"a","again":"a","pad":"x"}', '{"at":2,"text":"b","again":"b","pad":"yy" }']
    found = [
        look_with(finder, Varying(), (Event(text), content(word))) for text, word in zip(payloads, "ab", strict=True)
    ]
    template = found[1]
    assert template is not None
    assert template.slots == (NUMBER, TEXT, TWIN, STRING, BLANKS)
    assert template.spelling.match(b'data: {"at":3,"text":"c","again":"c","pad":""}\n\n') == ["3", "c", "c", "", ""]
    assert template.spelling.match(b'data: {"at":3,"text":"c","again":"d","pad":""}\n\n') is None


def test_slots_with_nothing_between_them_make_no_template() -> None:
    payloads = ['{"text":"a","at":1}', '{"text":"b","at":2 }', '{"text":"c","at":3 }', '{"text":"d","at":4}']
    events = [(Event(payload), content(text)) for payload, text in zip(payloads, "abcd", strict=True)]
    assert look(Varying(), *events) == [False, False, True, False]


def test_a_key_that_may_vary_and_holds_the_text_is_the_text() -> None:
    finder = TemplateFinder()
    found = [look_with(finder, Varying(), said(text)) for text in "ab"]
    assert found[1] is not None
    assert found[1].slots == (TEXT,)


# How often it is tried


def test_a_template_is_searched_only_so_often() -> None:
    finder = TemplateFinder()
    tried: list[int] = []

    class Tried(Counting):
        def read(self, event: str, payload: Any) -> Reading:
            tried.append(number)
            return super().read(event, payload)

    for number in range(40 * MAX_SEARCHES):
        assert look_with(finder, Tried(), said("ab"[number % 2])) is None
    assert len(tried) == MAX_SEARCHES
    assert tried[7] - tried[0] == 7  # one after the other, then ever more rarely
    assert tried[-1] - tried[-2] > 8


def test_a_template_that_is_found_ends_the_waiting() -> None:
    finder = TemplateFinder()
    for number in range(60):
        look_with(finder, Counting(), said("ab"[number % 2]))
    found = [look_with(finder, Steady(), said("ab"[number % 2])) for number in range(40)]
    at = next(number for number, template in enumerate(found) if template is not None)
    assert 0 < at <= 16
    assert None not in found[at:]
    assert [look_with(finder, Steady(), said(text, x=1)) is not None for text in "ab"] == [False, True]


def test_a_stream_that_changes_its_shape_all_the_time_has_no_templates_in_the_end() -> None:
    finder = TemplateFinder()
    found = [look_with(finder, Steady(), said("ab"[n % 2], x="x" * (n // 2))) for n in range(2 * MAX_SEARCHES + 8)]
    assert [template is not None for template in found] == [False, True] * MAX_SEARCHES + [False] * 8
    last = said("c", x="x" * (MAX_SEARCHES - 1))
    assert look_with(finder, Steady(), last) is found[2 * MAX_SEARCHES - 1]

"""A wrong option is refused at the call, by its name and with the fix; a right one comes out normalised."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import unbroken
from unbroken import DEFAULT_REPAIRS, Dialect, Format, Observer, RepairKind, Timeouts
from unbroken.core.options import MIN_MAX_EVENT_BYTES, Options, ReadOptions, RepairOptions, check_options
from unbroken.core.registry import CONVERTERS, REGISTRY


class Prose(Dialect):
    name = "prose"


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("format", 1, "one of 'sse', 'ndjson', 'json-array'"),
        ("format", b"sse", "not bytes"),
        ("to", 1, "one of 'sse', 'ndjson', not int"),
        ("convert", 1, "'openai-chat'"),
        ("dialect", 1, "'openai-chat'"),
        ("dialect", Prose, "dialect=Prose()"),
        ("dialect", str, "'openai-chat'"),
        ("repairs", RepairKind.GLUED_JSON, "repairs={...}"),
        ("repairs", "glued-json", "repairs={...}"),
        ("repairs", ["glued-json"], "a collection of RepairKind, not 'glued-json'; write RepairKind(\"glued-json\")"),
        ("repairs", {"glued_json"}, 'write RepairKind("glued-json")'),
        ("repairs", ("zzz",), "not 'zzz'; no repair has this name"),
        ("repairs", [5], "a collection of RepairKind, not int"),
        ("repairs", None, "() for none"),
        ("repairs", 5, "() for none"),
        ("invalid_json", None, "one of 'drop', 'keep', 'error'"),
        ("comments", False, "one of 'keep', 'drop'"),
        ("account", "no", "True or False"),
        ("account", None, "True or False"),
        ("heartbeat", "5", "seconds as a number"),
        ("heartbeat", True, "seconds as a number"),
        ("heartbeat_bytes", ":\n\n", "bytes or None, or one of 'comment', 'comment-line'"),
        ("timeouts", 30.0, "unbroken.Timeouts(...) or None"),
        ("max_event_bytes", 2048.0, "a whole number of bytes"),
        ("max_event_bytes", True, "a whole number of bytes"),
        ("max_event_bytes", None, "a whole number of bytes"),
        ("last_event_id", None, '""'),
        ("last_event_id", 7, "a string"),
        ("content_type", b"text/event-stream", "a string or None"),
        ("provider", 1, "a string or None"),
        ("request_id", 1, "a string or None"),
        ("count_tokens", 4, "callable or None"),
        ("on_repair", "print", "callable or None"),
        ("observers", Observer(), "observers=[observer]"),
        ("observers", [print], "a collection of Observer"),
        ("observers", None, "() for none"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_fix(name: str, value: Any, fix: str) -> None:
    with pytest.raises(TypeError) as raised:
        check_options(**{name: value})
    assert re.match(rf"{name}\b", str(raised.value))
    assert fix in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("format", "json", "'json-array'"),
        ("format", "SSE", "'sse'"),
        ("to", "xml", "'ndjson'"),
        ("to", "array", "'ndjson'"),
        ("to", "json-array", '"ndjson"'),
        ("to", Format.JSON_ARRAY, '"ndjson"'),
        ("convert", "anthropic", "'openai-chat'"),
        ("dialect", "openai", "'openai-chat'"),
        ("invalid_json", "raise", "'error'"),
        ("comments", "remove", "'drop'"),
        ("heartbeat", 0, "None is off"),
        ("heartbeat", -1.0, "None is off"),
        ("heartbeat", float("inf"), "None is off"),
        ("heartbeat", float("nan"), "None is off"),
        ("heartbeat_bytes", b"", "heartbeat=None"),
        ("heartbeat_bytes", b": ping", "line end"),
        ("max_event_bytes", MIN_MAX_EVENT_BYTES - 1, "at least 1024"),
        ("max_event_bytes", -1, "at least 1024"),
        ("last_event_id", "a\nb", "must not hold CR, LF or NUL"),
        ("last_event_id", "a\r", "must not hold CR, LF or NUL"),
        ("last_event_id", "\0", "must not hold CR, LF or NUL"),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_fix(name: str, value: Any, fix: str) -> None:
    with pytest.raises(ValueError) as raised:
        check_options(**{name: value})
    assert re.match(rf"{name}\b", str(raised.value))
    assert fix in str(raised.value)


WRITES: dict[str, Callable[..., object]] = {
    "repair": unbroken.repair,
    "arepair": unbroken.arepair,
    "StreamRepairer": unbroken.StreamRepairer,
}
READS: dict[str, Callable[..., object]] = {
    "iter_events": unbroken.iter_events,
    "aiter_events": unbroken.aiter_events,
    "EventReader": unbroken.EventReader,
}


def call(name: str, **options: Any) -> object:
    function = {**WRITES, **READS}[name]
    return function(**options) if isinstance(function, type) else function([], **options)


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_an_option_that_does_not_exist_is_refused_with_those_that_do(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}\(\) takes no argument 'zzz'; it takes .*\baccount, comments,"):
        call(name, provider="example", zzz=5.0)


@pytest.mark.parametrize("name", [*WRITES, *READS])
@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("timeout", r"timeouts=unbroken\.Timeouts\(\.\.\.\)"),
        ("Observer", "observers"),
        ("send_timeout", r"unbroken\.middleware\.ASGIMiddleware\(app, send_timeout=\.\.\.\)"),
        ("max_event_byte", "max_event_bytes"),
    ],
)
def test_an_option_that_is_misspelt_is_refused_with_the_near_one(name: str, wrong: str, near: str) -> None:
    with pytest.raises(
        TypeError, match=rf"^{name}\(\) takes no argument '{wrong}' \(did you mean {near}\?\); it takes"
    ):
        call(name, **{wrong: 3})


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("option", ["to", "convert", "heartbeat", "heartbeat_bytes"])
def test_who_reads_takes_no_option_of_writing(name: str, option: str) -> None:
    with pytest.raises(
        TypeError, match=rf"^{name}\(\) takes no argument '{option}', which is for .*; it takes (?!.*\bheartbeat)"
    ):
        call(name, **{option: None})


@pytest.mark.parametrize(("name", "writer"), list(zip(READS, WRITES, strict=True)))
def test_an_option_of_writing_is_refused_with_the_function_that_takes_it(name: str, writer: str) -> None:
    with pytest.raises(TypeError, match=rf"which is for {writer}\(\).*`\*\*profile\.reading`"):
        call(name, heartbeat=5)


@pytest.mark.parametrize("name", ["repair", "arepair", "iter_events", "aiter_events"])
def test_the_options_named_in_the_refusal_are_those_of_the_signature(name: str) -> None:
    with pytest.raises(TypeError) as raised:
        call(name, zzz=5.0)
    listed = str(raised.value).rpartition("it takes ")[2].split(", ")
    assert {"chunks", *listed} == set(inspect.signature({**WRITES, **READS}[name]).parameters)


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_a_wrong_value_is_refused_at_the_call(name: str) -> None:
    with pytest.raises(TypeError, match=r"^observers must be a collection of Observer, \(\) for none, not NoneType"):
        call(name, observers=None)


def test_callers_and_checks_know_the_same_options() -> None:
    types = ReadOptions.__annotations__ | RepairOptions.__annotations__
    assert set(types) == set(Options.__annotations__)


def test_the_signature_shows_the_types_for_callers() -> None:
    shown = inspect.signature(unbroken.repair).parameters
    assert shown["format"].annotation == "Format | str | None"
    assert shown["heartbeat"].annotation == "float | None"
    assert shown["abort"].default is None


def test_positional_arguments_are_refused_as_for_any_function() -> None:
    with pytest.raises(TypeError, match="1 positional argument"):
        unbroken.repair([], "sse")  # type: ignore[misc]


def test_keywords_of_the_caller_are_left_as_they_are() -> None:
    options: dict[str, Any] = {"provider": "example"}
    unbroken.repair([], **options)
    assert options == {"provider": "example"}


@pytest.mark.parametrize(
    ("name", "value", "checked"),
    [
        ("format", "json-array", Format.JSON_ARRAY),
        ("format", Format.SSE, Format.SSE),
        ("to", "ndjson", Format.NDJSON),
        ("to", None, None),
        ("convert", "openai-chat", "openai-chat"),
        ("repairs", [RepairKind.GLUED_JSON], frozenset({RepairKind.GLUED_JSON})),
        ("repairs", (), frozenset()),
        ("invalid_json", "error", "error"),
        ("comments", "drop", "drop"),
        ("account", 0, False),
        ("heartbeat", None, None),
        ("heartbeat", 5, 5),
        ("heartbeat_bytes", b" ", b" "),
        ("heartbeat_bytes", None, None),
        ("heartbeat_bytes", "comment", b":\n\n"),
        ("heartbeat_bytes", "comment-line", b":\n"),
        ("heartbeat_bytes", "blank-line", b"\n"),
        ("timeouts", Timeouts(total=9.0), Timeouts(total=9.0)),
        ("max_event_bytes", MIN_MAX_EVENT_BYTES, MIN_MAX_EVENT_BYTES),
        ("last_event_id", "é x", "é x"),
        ("content_type", "text/event-stream", "text/event-stream"),
        ("on_repair", print, print),
        ("count_tokens", len, len),
        ("observers", [], ()),
    ],
)
def test_a_right_value_comes_out_normalised(name: str, value: Any, checked: Any) -> None:
    assert getattr(check_options(**{name: value}), name) == checked


@pytest.mark.parametrize("name", REGISTRY)
def test_every_registered_dialect_can_be_named(name: str) -> None:
    named = check_options(dialect=name).dialect
    assert type(named) is REGISTRY[name]
    assert check_options(dialect=name).dialect is not named


@pytest.mark.parametrize("name", CONVERTERS)
def test_every_converter_can_be_named(name: str) -> None:
    assert check_options(convert=name).convert == name


def test_a_dialect_object_is_taken_as_it_is() -> None:
    prose = Prose()
    assert check_options(dialect=prose).dialect is prose


def test_observers_are_taken_from_any_iterable_once() -> None:
    observers = [Observer(), Observer()]
    assert check_options(observers=iter(observers)).observers == tuple(observers)


@pytest.mark.parametrize("name", Options.__annotations__)
def test_what_is_not_given_is_the_default(name: str) -> None:
    defaults = check_options()
    given: Any = {name: getattr(defaults, name)}
    assert getattr(check_options(**given), name) == getattr(defaults, name)
    assert getattr(check_options(request_id="1", last_event_id="1"), name) in (getattr(defaults, name), "1")


def test_only_an_empty_set_of_repairs_is_the_standards_reading() -> None:
    assert check_options(repairs=()).standard_only
    assert not check_options(repairs={RepairKind.STRAY_LINE}).standard_only
    assert check_options().repairs == DEFAULT_REPAIRS

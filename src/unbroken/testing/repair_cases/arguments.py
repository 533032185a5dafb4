"""Arguments of the classes that options and events are made of: those that are refused, and those at their bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Refused = tuple[str, Mapping[str, Any], type[Exception], str]
"""The class by name, its arguments, what it raises, and a word that the message holds."""
_NO_NUMBERS: Final = (True, "5", b"5", [5])
_NO_SECONDS: Final = (0, 0.0, 0.000999, -1.0, float("inf"), float("-inf"), float("nan"), 10**400)
_CLOCKS: Final = ("first", "idle", "silence", "total")

REFUSED_ARGUMENTS: Final[tuple[Refused, ...]] = (
    ("Conversion", {"to": "anthropic"}, ValueError, "to"),
    ("Conversion", {"to": 7}, ValueError, "to"),
    ("Conversion", {"to": None}, ValueError, "to"),
    ("Conversion", {"errors": "ours"}, ValueError, "errors"),
    ("Conversion", {"errors": None}, ValueError, "errors"),
    *(
        ("Conversion", {name: value}, error, name)
        for name in ("id", "model")
        for value, error in (("", ValueError), ("x" * 1025, ValueError), (7, TypeError), (b"x", TypeError))
    ),
    *(("Timeouts", {name: value}, TypeError, name) for name in _CLOCKS for value in _NO_NUMBERS),
    *(("Timeouts", {name: value}, ValueError, name) for name in _CLOCKS for value in _NO_SECONDS),
    ("Timeouts", {"idel": 5.0}, TypeError, "idle"),
    ("Timeouts", {"connect": 5.0}, TypeError, "connect"),
    ("Pace", {"by": "word"}, ValueError, "words"),
    ("Pace", {"by": ""}, ValueError, "words"),
    ("Pace", {"by": str}, TypeError, "str"),
    ("Pace", {"by": 7}, TypeError, "pace"),
    ("Pace", {"by": None}, TypeError, "pace"),
    *(("Pace", {"max_delay": value}, TypeError, "max_delay") for value in (*_NO_NUMBERS, None)),
    *(("Pace", {"max_delay": value}, ValueError, "max_delay") for value in _NO_SECONDS),
    *(("Pace", {"rate": value}, TypeError, "rate") for value in _NO_NUMBERS),
    *(("Pace", {"rate": value}, ValueError, "rate") for value in (0, 0.009, 1000.1, 1001, -1.0, float("nan"), 10**400)),
    *(("Event", {"data": "a", "event": value}, ValueError, "event") for value in ("b\nc", "b\rc", "\n")),
    *(("Event", {"data": "a", "id": value}, ValueError, "id") for value in ("b\nc", "b\rc", "b\0c")),
    *(("Event", {"data": "a", "retry": value}, ValueError, "retry") for value in (-1, True, 1.5, "5")),
    ("Event", {"data": b"a"}, TypeError, "data"),
    ("Event", {"data": {"a": 1}}, TypeError, "json"),
    ("Event", {"data": "a", "event": None}, TypeError, "event"),
    ("Event", {"data": "a", "id": 7}, TypeError, "id"),
)

TAKEN_ARGUMENTS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("Conversion", {}),
    ("Conversion", {"to": "openai-chat", "id": None, "model": None, "errors": "unbroken"}),
    ("Conversion", {"errors": "openai"}),
    *(("Conversion", {name: "x" * length}) for name in ("id", "model") for length in (1, 2, 1024)),
    *(("Timeouts", {name: value}) for name in _CLOCKS for value in (None, 0.001, 1, 1.7e308, 10**300)),
    *(("Pace", {"by": value}) for value in ("words", "lines", "sentences", len)),
    *(("Pace", {"max_delay": value}) for value in (0.001, 1, 1.7e308)),
    *(("Pace", {"rate": value}) for value in (None, 0.01, 1, 1000, 1000.0)),
    ("Event", {"data": ""}),
    ("Event", {"data": "a\nb\rc", "event": "message\u2028", "id": "\x85", "retry": 0}),
    ("Event", {"data": "\ud800", "event": "", "id": "", "retry": 10**400}),
)

"""Arguments of the classes that options and events are made of: those that are refused, and those at their bounds."""

from __future__ import annotations

import sys
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
    ("Conversion", {"errors": "ours"}, ValueError, "errors"),
    ("Conversion", {"errors": None}, ValueError, "errors"),
    *(
        ("Conversion", {name: value}, error, name)
        for name in ("id", "model")
        for value, error in (("", ValueError), ("x" * 1025, ValueError), (7, TypeError), (b"x", TypeError))
    ),
    *(("Timeouts", {name: value}, TypeError, name) for name in _CLOCKS for value in _NO_NUMBERS),
    *(("Timeouts", {name: value}, ValueError, name) for name in _CLOCKS for value in _NO_SECONDS),
    ("Timeouts", {"idel": 5.0}, TypeError, "'idel' (did you mean 'idle'?): write Timeouts(first=..., idle=..."),
    ("Timeouts", {"connect": 5.0}, TypeError, "'connect': write Timeouts(first=..."),
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
    *(
        ("EventReader", {name: value}, TypeError, name)
        for name, value in (("to", None), ("convert", None), ("errors", "keep"), ("pace", None), ("heartbeat", None))
    ),
    ("EventReader", {"heartbeat": 5.0}, TypeError, "profile.reading"),
    ("EventReader", {"heartbeat_as": "comment"}, TypeError, "heartbeat_as"),
    ("EventReader", {"heartbeat_bytes": None}, TypeError, "heartbeat_bytes"),
    ("EventReader", {"dialct": "text"}, TypeError, "'dialct' (did you mean dialect?); it takes"),
    ("EventReader", {"qq": "text"}, TypeError, "'qq'; it takes"),
    ("EventReader", {"retry": 3}, TypeError, "retry"),
    ("EventReader", {"max_event_bytes": 1023}, ValueError, "at least 1024"),
    ("EventReader", {"max_event_bytes": sys.maxsize + 1}, ValueError, "at most"),
    ("EventReader", {"max_event_bytes": True}, TypeError, "not True"),
    # What was given, in the message: a number or a text of forty characters, and what is longer in short.
    ("Conversion", {"to": None}, ValueError, "not None"),
    ("Conversion", {"to": "x" * 41}, ValueError, "not '" + "x" * 40 + "'..."),
    ("Conversion", {"to": ["x"]}, ValueError, "not a list"),
    ("Pace", {"rate": 5000}, ValueError, "not 5000"),
    ("Pace", {"rate": 10**40 - 1}, ValueError, "9" * 40),
    ("Pace", {"rate": 10**40}, ValueError, "an integer of 133 bits"),
    ("Pace", {"rate": 1 - 10**40}, ValueError, "9" * 40),
    ("Pace", {"rate": -(10**40)}, ValueError, "an integer of 133 bits"),
    ("Timeouts", {"first": True}, TypeError, "None is off"),
    ("Timeouts", {"first": 0}, ValueError, "0.001"),
    ("Event", {"data": {"a": 1}}, TypeError, "json"),
    ("Event", {"data": "a", "event": None}, TypeError, "event"),
    ("Event", {"data": "a", "id": 7}, TypeError, "id"),
    ("Dialect", {"name": "openai-chat"}, ValueError, "another name"),
    ("Dialect", {"name": "replicate"}, ValueError, "another name"),
    *(("Dialect", {"name": value}, TypeError, "name") for value in ("", None, 7)),
)

TAKEN_ARGUMENTS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("EventReader", {"max_event_bytes": 1024}),
    ("EventReader", {"max_event_bytes": sys.maxsize}),
    ("EventReader", {"format": "sse", "dialect": "text", "timeouts": None, "account": False, "comments": "drop"}),
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

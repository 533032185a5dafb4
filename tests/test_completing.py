"""What the clients of a dialect need of a frame, and a server left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unbroken import StreamRepairer, Verdict

from .laws import check_idempotent
from .tables import SAME, Case, but, check_case, each

FLAT = b'data: {"type":"error","code":"server_error","message":"boom","param":null,"sequence_number":4}\n\n'
ADDED = b', "error": {"type": "server_error", "code": "server_error", "message": "boom", "param": null}'
WHOLE = FLAT[:-3] + ADDED + FLAT[-3:]
BEGIN = b'event: response.created\ndata: {"type":"response.created","response":{"id":"r","model":"m"}}\n\n'
NAME = b"event: error\n"

CASES: list[Case] = [
    ("a flat error", BEGIN + NAME + FLAT, {}, BEGIN + NAME + WHOLE, "flat-error@93+107"),
    ("with an id", BEGIN + b"id: 1\n" + NAME + FLAT, {}, BEGIN + b"id: 1\n" + NAME + WHOLE, "flat-error@93+113"),
    ("without its name", BEGIN + FLAT, {}, BEGIN + NAME + WHOLE, "flat-error@93+94 event-name-restored@93+94"),
    ("whole already", BEGIN + NAME + WHOLE, {}, SAME, ""),
    ("an object that is null", BEGIN + NAME + FLAT.replace(b'"code"', b'"error":null,"code"'), {}, SAME, ""),
    ("without a message", BEGIN + NAME + FLAT.replace(b"message", b"massage"), {}, SAME, ""),
    ("kept by the caller", BEGIN + NAME + FLAT, but("flat-error"), SAME, ""),
    ("by the standard", BEGIN + NAME + FLAT, {"repairs": ()}, SAME, ""),
    ("of no dialect", b'event: error\ndata: {"type":"error","message":"m"}\n\n', {}, SAME, ""),
    ("of Anthropic", NAME + FLAT.replace(b',"sequence_number":4', b""), {"dialect": "anthropic"}, SAME, ""),
    ("prose", FLAT, {"dialect": "text"}, SAME, ""),
]


@each(CASES)
def test_an_error_has_the_object_at_which_clients_raise(case: Case) -> None:
    check_case(case)
    check_idempotent(case[1], **case[2])


def test_an_error_that_would_grow_over_the_limit_stays_as_it_is() -> None:
    frame = NAME + FLAT.replace(b"boom", b"b" * 900)
    assert 1024 - len(ADDED) < len(frame) < 1024
    repairer = StreamRepairer(dialect="openai-responses", max_event_bytes=1024)
    assert b"".join(repairer.feed(frame, 0.0) + repairer.close(0.0)) == frame


@pytest.mark.parametrize("options", [{}, {"to": "ndjson"}, {"convert": "openai-chat"}, {"errors": "mask"}], ids=str)
def test_in_whatever_form_it_leaves_it_is_one_error(options: dict[str, Any]) -> None:
    repairer = StreamRepairer(**options)
    wire = b"".join(repairer.feed(BEGIN + NAME + FLAT, 0.0) + repairer.close(0.0))
    told = json.loads(wire.strip().splitlines()[-1].removeprefix(b"data: "))
    assert isinstance(told["error"], dict)
    assert wire.count(b'"error": {') == 1
    assert repairer.report.verdict is Verdict.FAILED

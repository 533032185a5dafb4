"""Names and error objects that a server left out, and that clients need."""

from __future__ import annotations

from typing import Final

from .case import SAME, RepairCase, but, failure
from .paced import ANTHROPIC_END, ANTHROPIC_START

CASES: Final[tuple[RepairCase, ...]] = (
    RepairCase(
        "a flat error of Responses'",
        (
            b'data: {"type":"response.created","response":{"id":"r","object":"response",'
            b'"status":"in_progress"}}\n\nevent: error\n'
            b'data: {"type":"error","code":"x","message":"m","sequence_number":4} \n\n'
        ),
        (
            b"event: response.created\n"
            b'data: {"type":"response.created","response":{"id":"r","object":"response",'
            b'"status":"in_progress"}}\n\nevent: error\n'
            b'data: {"type":"error","code":"x","message":"m","sequence_number":4, '
            b'"error": {"type": "x", "code": "x", "message": "m", "param": null}} \n\n'
        ),
        (
            "event-name-restored@0+98",
            "flat-error@100+81",
        ),
        facts={
            "detail": "m",
            **failure("upstream-error", "x", safe_to_retry=True),
            "dialect": "openai-responses",
            "events": 2,
        },
        leaves=(100, 183),
    ),
    RepairCase(
        "a flat error with a line end behind its brace",
        b'event: error\ndata: {"type":"error","code":"x","message":"m"\ndata: }\n\n',
        (
            b'event: error\ndata: {"type":"error","code":"x","message":"m"\n'
            b'data: , "error": {"type": "x", "code": "x", "message": "m", "param": null}}\n\n'
        ),
        ("flat-error@0+67",),
        options={"dialect": "openai-responses"},
        facts={"detail": "m", **failure("upstream-error", "x", safe_to_retry=True), "dialect": "openai-responses"},
        leaves=(69,),
    ),
    RepairCase(
        "a flat error that is as long as may be",
        b'event: error\ndata: {"type":"error","code":"x","message":"' + b"m" * 448 + b'"}\n\n',
        b'event: error\ndata: {"type":"error","code":"x","message":"'
        + b"m" * 448
        + b'", "error": {"type": "x", "code": "x", "message": "'
        + b"m" * 448
        + b'", "param": null}}\n\n',
        ("flat-error@0+507",),
        options={"dialect": "openai-responses", "max_event_bytes": 1024},
        facts={
            "detail": "m" * 448,
            **failure("upstream-error", "x", safe_to_retry=True),
            "dialect": "openai-responses",
        },
    ),
    RepairCase(
        "a flat error that becomes too long",
        b'event: error\ndata: {"type":"error","code":"x","message":"' + b"m" * 449 + b'"}\n\n',
        SAME,
        options={"dialect": "openai-responses", "max_event_bytes": 1024},
        facts={
            "detail": "m" * 449,
            **failure("upstream-error", "x", safe_to_retry=True),
            "dialect": "openai-responses",
        },
    ),
    RepairCase(
        "a flat error that may not be completed",
        b'event: error\ndata: {"type":"error","code":"x","message":"m"}\n\n',
        SAME,
        options={"dialect": "openai-responses", "repairs": but("flat-error")},
        facts={"detail": "m", **failure("upstream-error", "x", safe_to_retry=True), "dialect": "openai-responses"},
        leaves=(62,),
    ),
    RepairCase(
        "a flat error without its name",
        b'data: {"type":"error","code":"x","message":"m"}\n\n',
        (
            b"event: error\n"
            b'data: {"type":"error","code":"x","message":"m", "error": {"type": "x", "code": "x", '
            b'"message": "m", "param": null}}\n\n'
        ),
        (
            "flat-error@0+47",
            "event-name-restored@0+47",
        ),
        options={"dialect": "openai-responses"},
        facts={"detail": "m", **failure("upstream-error", "x", safe_to_retry=True), "dialect": "openai-responses"},
        leaves=(49,),
    ),
    RepairCase(
        "lines of Anthropic's that become events",
        b'{"type":"message_start","message":{"role":"assistant"}}\n{"type":"message_stop"}\n',
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        options={"to": "sse"},
        facts={"format": "ndjson", "dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(56, 80),
    ),
    RepairCase(
        "an array of Anthropic's that becomes events",
        b'[{"type":"message_start","message":{"role":"assistant"}},{"type":"message_stop"}]',
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        options={"to": "sse"},
        facts={"format": "json-array", "dialect": "anthropic", "verdict": "complete", "events": 2},
        leaves=(56, 80),
    ),
    RepairCase(
        "a type of Anthropic's with a line end",
        (
            b'data: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b'data: {"type":"ping\\nx"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        (
            b'event: message_start\ndata: {"type":"message_start","message":{"role":"assistant"}}\n\n'
            b'data: {"type":"ping\\nx"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
        ("event-name-restored@0+61",),
        facts={"dialect": "anthropic", "verdict": "complete", "events": 3},
        leaves=(63, 89, 140),
    ),
    RepairCase(
        "a name that makes an event too long",
        b'data: {"type":"message_stop","x":"' + b"y" * 967 + b'"}\n\n',
        SAME,
        options={"dialect": "anthropic", "max_event_bytes": 1024},
        facts={"dialect": "anthropic", "verdict": "complete"},
    ),
    RepairCase(
        "a name that makes an event as long as may be",
        b'data: {"type":"message_stop","x":"' + b"y" * 966 + b'"}\n\n',
        b'event: message_stop\ndata: {"type":"message_stop","x":"' + b"y" * 966 + b'"}\n\n',
        ("event-name-restored@0+1002",),
        options={"dialect": "anthropic", "max_event_bytes": 1024},
        facts={"dialect": "anthropic", "verdict": "complete"},
    ),
    RepairCase(
        "a ping without its name",
        ANTHROPIC_START + b'data: {"type":"ping"}\n\n' + ANTHROPIC_END,
        ANTHROPIC_START + b'event: ping\ndata: {"type":"ping"}\n\n' + ANTHROPIC_END,
        ("event-name-restored@223+21",),
        facts={"dialect": "anthropic", "verdict": "complete", "events": 4},
    ),
    RepairCase(
        "a ping without its name that nobody wants",
        ANTHROPIC_START + b'data: {"type":"ping"}\n\n' + ANTHROPIC_END,
        ANTHROPIC_START + ANTHROPIC_END,
        options={"comments": "drop"},
        facts={"dialect": "anthropic", "verdict": "complete", "events": 3},
    ),
)

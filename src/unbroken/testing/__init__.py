"""Test tools: run any SSE or NDJSON reader, or a streaming route, against what the standards say.

Extra `unbroken[testing]`. Every name is loaded at its first use, so that scripted sources, the fake clock, the cases
and the faults work without Hypothesis; only strategies and parser contracts need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cases import NDJSON_CASES, SSE_CASES, STANDARD_EXAMPLES, Clause, NDJSONCase, SSECase
    from .claims import Claim
    from .clock import FakeClock
    from .contract import (
        INVALID,
        AsyncNDJSONContract,
        AsyncParserContract,
        ChunkReader,
        Clocked,
        ContractBroken,
        Finding,
        Law,
        NDJSONContract,
        ParserContract,
        RepairContract,
        StoreContract,
        examine,
    )
    from .conversations import DIALECTS, Answer, Conversation, ToolCall
    from .cuts import cut, cuttings, nasty_cuts
    from .failures import client_failures
    from .faults import FAULTS, TRANSPORT_FAULTS, BrokenStream, Fault, Healthy, Outcome, TransportFault
    from .repair_cases import (
        REFUSED_ARGUMENTS,
        REFUSED_OPTIONS,
        REPAIR_CASES,
        TAKEN_ARGUMENTS,
        TAKEN_OPTIONS,
        TIMED_CASES,
        RepairCase,
        TimedCase,
    )
    from .routes import RouteContract
    from .server import HEAD_FAULTS, Hold, Reset, ScriptedServer, chunked, close_delimited, with_length
    from .sources import (
        AsyncScriptedSource,
        Block,
        Interrupted,
        Pause,
        Repeat,
        Schedule,
        ScriptedSource,
        Upstream,
    )
    from .standard import NDJSONReading, SSEReading, read_json_array, read_ndjson, read_sse
    from .strategies import (
        any_streams,
        broken,
        chunkings,
        cut_streams,
        dialect_streams,
        events,
        framed_streams,
        frames_behind,
        frames_in_front,
        hostile_bytes,
        hostile_sse_streams,
        json_array_streams,
        json_objects,
        json_texts,
        json_values,
        legal_streams,
        ndjson_streams,
        orders_of_frames,
        payloads,
        repair_options,
        schedules,
        sentinel_streams,
        spoiled_answers,
        spoiled_lines,
        sse_streams,
        troubled_streams,
    )
    from .streams import JSONArrayStream, NDJSONStream, SSEStream

_HOMES = {
    "cases": ("NDJSON_CASES", "SSE_CASES", "STANDARD_EXAMPLES", "Clause", "NDJSONCase", "SSECase"),
    "claims": ("Claim",),
    "clock": ("FakeClock",),
    "contract": (
        *(
            "INVALID",
            "AsyncNDJSONContract",
            "AsyncParserContract",
            "ChunkReader",
            "Clocked",
            "ContractBroken",
            "Finding",
            "Law",
        ),
        *("NDJSONContract", "ParserContract", "RepairContract", "StoreContract", "examine"),
    ),
    "conversations": ("DIALECTS", "Answer", "Conversation", "ToolCall"),
    "cuts": ("cut", "cuttings", "nasty_cuts"),
    "failures": ("client_failures",),
    "faults": ("FAULTS", "TRANSPORT_FAULTS", "BrokenStream", "Fault", "Healthy", "Outcome", "TransportFault"),
    "repair_cases": (
        *("REFUSED_ARGUMENTS", "REFUSED_OPTIONS", "REPAIR_CASES", "TAKEN_ARGUMENTS", "TAKEN_OPTIONS", "TIMED_CASES"),
        *("RepairCase", "TimedCase"),
    ),
    "routes": ("RouteContract",),
    "server": ("HEAD_FAULTS", "Hold", "Reset", "ScriptedServer", "chunked", "close_delimited", "with_length"),
    "sources": (
        *("AsyncScriptedSource", "Block", "Interrupted", "Pause", "Repeat", "Schedule", "ScriptedSource", "Upstream"),
    ),
    "standard": ("NDJSONReading", "SSEReading", "read_json_array", "read_ndjson", "read_sse"),
    "strategies": (
        *("any_streams", "broken", "chunkings", "cut_streams", "dialect_streams", "events", "framed_streams"),
        *("frames_behind", "frames_in_front", "hostile_bytes", "hostile_sse_streams", "json_array_streams"),
        *(
            "json_objects",
            "json_texts",
            "json_values",
            "legal_streams",
            "ndjson_streams",
            "orders_of_frames",
            "payloads",
        ),
        *(
            "repair_options",
            "schedules",
            "sentinel_streams",
            "spoiled_answers",
            "spoiled_lines",
            "sse_streams",
            "troubled_streams",
        ),
    ),
    "streams": ("JSONArrayStream", "NDJSONStream", "SSEStream"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DIALECTS",
    "FAULTS",
    "HEAD_FAULTS",
    "INVALID",
    "NDJSON_CASES",
    "REFUSED_OPTIONS",
    "REFUSED_ARGUMENTS",
    "REPAIR_CASES",
    "SSE_CASES",
    "STANDARD_EXAMPLES",
    "TAKEN_ARGUMENTS",
    "TAKEN_OPTIONS",
    "TIMED_CASES",
    "TRANSPORT_FAULTS",
    "Answer",
    "AsyncNDJSONContract",
    "AsyncParserContract",
    "AsyncScriptedSource",
    "Block",
    "BrokenStream",
    "Claim",
    "Clause",
    "ChunkReader",
    "Clocked",
    "ContractBroken",
    "Conversation",
    "FakeClock",
    "Fault",
    "Finding",
    "Healthy",
    "Hold",
    "Interrupted",
    "JSONArrayStream",
    "Law",
    "NDJSONCase",
    "NDJSONContract",
    "NDJSONReading",
    "NDJSONStream",
    "Outcome",
    "ParserContract",
    "Pause",
    "RepairCase",
    "RepairContract",
    "Repeat",
    "Reset",
    "RouteContract",
    "SSECase",
    "SSEReading",
    "SSEStream",
    "Schedule",
    "ScriptedServer",
    "ScriptedSource",
    "StoreContract",
    "TimedCase",
    "ToolCall",
    "TransportFault",
    "Upstream",
    "any_streams",
    "broken",
    "chunked",
    "chunkings",
    "client_failures",
    "close_delimited",
    "cut",
    "cut_streams",
    "cuttings",
    "dialect_streams",
    "events",
    "examine",
    "framed_streams",
    "frames_behind",
    "frames_in_front",
    "hostile_bytes",
    "hostile_sse_streams",
    "json_array_streams",
    "json_objects",
    "json_texts",
    "json_values",
    "legal_streams",
    "nasty_cuts",
    "ndjson_streams",
    "orders_of_frames",
    "payloads",
    "read_json_array",
    "read_ndjson",
    "read_sse",
    "repair_options",
    "schedules",
    "sentinel_streams",
    "spoiled_answers",
    "spoiled_lines",
    "sse_streams",
    "troubled_streams",
    "with_length",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""The contracts: subclass one in a pytest file to test your reader against the standard, or your repairer by the laws.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

The tests are made from data: one for each case, one for each property, one for each shape that must take linear time.
None needs a fixture, so that the classes work under pytest and unittest alike.
"""

from __future__ import annotations

from .counterexample import ContractBroken
from .examining import Finding, examine
from .ndjson import INVALID, AsyncNDJSONContract, NDJSONContract
from .repairer import ChunkReader, Clocked, Law, RepairContract
from .sse import AsyncParserContract, ParserContract
from .store import StoreContract

__all__ = [
    "INVALID",
    "AsyncNDJSONContract",
    "AsyncParserContract",
    "ChunkReader",
    "Clocked",
    "ContractBroken",
    "Finding",
    "Law",
    "NDJSONContract",
    "ParserContract",
    "RepairContract",
    "StoreContract",
    "examine",
]

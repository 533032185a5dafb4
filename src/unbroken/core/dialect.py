"""The interface of a dialect: what payloads mean, for a core that knows only framing.

A dialect object lives as long as one stream and is shown only payloads that are forwarded, in order.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from .failure import Failure

if TYPE_CHECKING:
    from .events import Format


class EventClass(Enum):
    """What an event is for; the clocks and the verdict look at nothing else."""

    LIVENESS = "liveness"  # pings: prove a live connection, no progress
    STRUCTURAL = "structural"  # beginnings, roles, metadata
    CONTENT = "content"  # text, reasoning, tool arguments
    USAGE = "usage"  # token figures and nothing else
    ERROR = "error"  # the provider says that it failed
    TERMINAL = "terminal"  # the provider says that it is done


@dataclass(slots=True)
class ToolFragment:
    """A piece of one tool call; `key` tells the calls of one choice apart."""

    key: Hashable
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    whole: bool = False  # `arguments` is all of them: it replaces what came before instead of extending it
    kind: str = "function"  # "custom": arguments are free text; "hosted": the provider runs it, a client must not


class Part(NamedTuple):
    """Where a part of what a choice says begins, or all of that part, where a provider repeats it at its end.

    With `whole` nothing is said twice: what the pieces since the beginning of the part left out is added. If they
    contradict it, they stand, since they were delivered. `fresh`: no piece of this part is known, so that a whole that
    does not continue what was said since the last beginning is a part of its own.
    """

    field: str  # "text", "reasoning" or "refusal"
    whole: str | None = None  # None: the part begins, and its pieces follow
    fresh: bool = False


class CallPiece:
    """A piece of a tool call whose place in the answer an index tells: where it stands, and what it says.

    `path`: the keys that lead to its object, which holds the `index`, if there is one. `spelling`: how it is told, as a
    number, as the digits of a number within a text, or as something that is no index, which is then None.
    """

    __slots__ = ("choice", "fragment", "index", "path", "spelling")

    def __init__(
        self,
        choice: int,
        path: tuple[str | int, ...],
        index: int | None,
        fragment: ToolFragment,
        spelling: Literal["number", "text", "other"] = "number",
    ) -> None:
        self.choice = choice
        self.path = path
        self.index = index
        self.fragment = fragment
        self.spelling = spelling


@dataclass(slots=True)
class Delta:
    """What one payload adds to one choice; `parts` come before the pieces."""

    choice: int = 0
    role: str | None = None
    text: str = ""
    reasoning: str = ""
    tools: tuple[ToolFragment, ...] = ()
    finish_reason: str | None = None
    refusal: str = ""  # the model's words for declining, where the provider keeps them apart from the text
    parts: tuple[Part, ...] = ()


@dataclass(slots=True)
class Reading:
    """What one payload says.

    `usage` holds whole numbers of tokens under these names, those that the provider sent and no others:
    `input_tokens`, `output_tokens`, `total_tokens`; `cached_tokens` and `reasoning_tokens`, which are contained in
    them; `cache_read_tokens`, `cache_write_tokens` and `thought_tokens`, which are counted apart from them. Figures of
    one stream are merged by maximum, never summed.
    """

    kind: EventClass
    deltas: tuple[Delta, ...] = ()
    usage: Mapping[str, int] | None = None
    failure: Failure | None = None
    id: str | None = None
    model: str | None = None
    created: int | None = None
    begins: bool = False  # a beginning of a message: a second one in a stream is reported


NOTHING = Reading(EventClass.STRUCTURAL)


class Dialect:
    """What payloads mean in one provider's stream. Subclass it, and pass an instance or register the class.

    Every method is total: whatever JSON value arrives, none may raise.
    """

    name: ClassVar[str]
    sentinel: ClassVar[str | None] = None
    """The payload that is not JSON and ends the stream, such as `[DONE]`."""
    sentinel_completes: ClassVar[bool] = True
    """False: gateways add the sentinel, and it says nothing of the answer, which ends with a payload of its own."""
    json_payloads: ClassVar[bool] = True
    """False: payloads are prose, no JSON heuristic touches them, and `read` is given the text itself."""
    tells_end: ClassVar[bool] = False
    """True, in a dialect of prose: it says what ends an answer, and a clean end without that is a cut. With JSON
    payloads every dialect says so."""
    steady: ClassVar[bool] = False
    """True promises that reading a payload which differs from the last one in its text alone changes no state, and
    that the reading differs in that text alone; such payloads are then not read one by one."""
    cumulative: ClassVar[bool] = False
    """True: a text may be all that was said so far; such payloads are neither joined nor cut for a pace."""
    varying: ClassVar[tuple[str, ...]] = ()
    """Keys with a string or number that differs from payload to payload, and that say nothing of its meaning. In a run
    of such payloads `read` is called for the last one only, so that what the dialect counts is right again after it."""
    lines: ClassVar[bool] = False
    """True: its clients read NDJSON, whatever upstream answers with; a failure before the first byte is then a line."""
    framing: ClassVar[Format | None] = None
    """The framing in which alone it comes, where that is neither SSE nor NDJSON nor an array."""
    endpoints: ClassVar[tuple[str, ...]] = ()
    """Ends of the paths of its API. Until a payload shows the dialect, the URL that was asked for tells how a failure
    is reported, and which heartbeats are written; nothing is recognised or repaired by it."""
    takes_comments: ClassVar[bool] = True
    """False: clients of this dialect fail at an SSE comment. Heartbeats are then bare line ends, and a comment of
    upstream's leaves as one, once the dialect is known. The standard (WHATWG 9.2.6) ignores both."""
    keys: ClassVar[frozenset[str]] = frozenset()
    """Keys of this dialect's payloads. Where a raw line end parts one of them, the payload was wrapped, and is put
    together again; a key that is not here is not put together."""
    bare_names: ClassVar[frozenset[str]] = frozenset()
    """Names of events that need no `data:` line either: `read` is given an empty text. The standard (WHATWG 9.2.6)
    dispatches no such event, but some servers write pings, and ends, in this way."""
    exact_marks: ClassVar[tuple[str, ...]] = ()
    """Payloads that hold one of these texts are read with exact integers: their numbers are a tool's arguments."""

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Return whether this payload can only be of this dialect. Be narrow: a false yes changes what is repaired."""
        return False

    @classmethod
    def recognises_prose(cls, event: str, text: str, id: str) -> bool:
        """Return whether an event of this name, text and last event id can only be of this dialect, one of prose."""
        return False

    def read(self, event: str, payload: Any) -> Reading:
        """Return what a payload means. Called once for each forwarded payload, in order; all numbers may be floats."""
        return NOTHING

    def says_by_name(self, event: str) -> bool:
        """Return whether an event of this name needs no JSON payload: any is valid, and `read` is given it as text."""
        return False

    def is_complete(self) -> bool:
        """Return whether what was read is a whole answer. Asked at a clean end without terminator."""
        return False

    def event_name(self, payload: Any) -> str | None:
        """Return the name of the `event:` line that clients of this dialect need, or None."""
        return None

    def missing_error(self, payload: Any) -> Any | None:
        """Return the `error` that the payload of an error needs for clients to raise at it, or None: it has what it
        needs."""
        return None

    def call_pieces(self, payload: Any) -> list[CallPiece]:
        """Return the pieces of tool calls, in order, which clients put together by an `index` that each has.

        What `read` says of them has keys that begin with that index, where there is one.
        """
        return []

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return the event name (or None) and the JSON value by which a failure of ours is reported to clients."""
        return "error", failure.as_error()

    def heartbeat(self) -> bytes | None:
        """Return the bytes that this dialect's clients want as a heartbeat just now, or None for a comment."""
        return None if self.takes_comments else b"\n"

    def heartbeat_event(self, payload: Any) -> tuple[str | None, Any] | None:
        """Return name (or None) and JSON value of an event that says nothing, for `heartbeat_as="event"`; or None.

        `payload` is an earlier one of this stream, and what is made of it must be accepted between any two others, at
        the time of the call: no text, no beginning, no progress.
        """
        return None


def is_judged(dialect: Dialect | None) -> bool:
    """Return whether a dialect is known that says what a whole answer is, so that anything else is a cut."""
    return dialect is not None and (dialect.json_payloads or dialect.tells_end)

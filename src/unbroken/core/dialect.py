"""The interface of a dialect: what payloads mean, for a core that knows only framing.

A dialect object lives as long as one stream and is shown only payloads that are forwarded, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Protocol

from .failure import Failure


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


@dataclass(slots=True)
class Part:
    """Where a part of what a choice says begins, or all of that part, where a provider repeats it at its end.

    With `whole` nothing is said twice: what the pieces since the beginning of the part left out is added. If they
    contradict it, they stand, since they were delivered. `fresh`: no piece of this part is known, so that a whole that
    does not continue what was said since the last beginning is a part of its own.
    """

    field: str  # "text", "reasoning" or "refusal"
    whole: str | None = None  # None: the part begins, and its pieces follow
    fresh: bool = False


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
    steady: ClassVar[bool] = False
    """True promises that reading a payload which differs from the last one in its text alone changes no state, and
    that the reading differs in that text alone; such payloads are then not read one by one."""
    varying: ClassVar[tuple[str, ...]] = ()
    """Keys with a string or number that differs from payload to payload, and that say nothing of its meaning. In a run
    of such payloads `read` is called for the last one only, so that what the dialect counts is right again after it."""
    takes_comments: ClassVar[bool] = True
    """False: clients of this dialect fail at an SSE comment. Heartbeats are then bare line ends, and a comment of
    upstream's leaves as one, once the dialect is known. The standard (WHATWG 9.2.6) ignores both."""
    exact_marks: ClassVar[tuple[str, ...]] = ()
    """Payloads that hold one of these texts are read with exact integers: their numbers are a tool's arguments."""

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        """Return whether this payload can only be of this dialect. Be narrow: a false yes changes what is repaired."""
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

    def error_frame(self, failure: Failure) -> tuple[str | None, Any]:
        """Return the event name (or None) and the JSON value by which a failure of ours is reported to clients."""
        return "error", failure.as_error()

    def heartbeat(self) -> bytes | None:
        """Return the bytes that this dialect's clients want as a heartbeat just now, or None for a comment."""
        return None if self.takes_comments else b"\n"


REGISTRY: dict[str, type[Dialect]] = {}
"""Dialects by name, in the order in which they are asked to recognise a payload."""


def register(dialect: type[Dialect]) -> type[Dialect]:
    """Add a dialect to those that are recognised and can be named; a class decorator."""
    REGISTRY[dialect.name] = dialect
    return dialect


class Converter(Protocol):
    """Turns readings into the payloads of another dialect, live. Pure: what upstream did not say is not invented."""

    def encode(self, reading: Reading) -> list[Any]:
        """Return the payloads that this reading becomes: JSON values, or a sentinel string."""

    def end(self) -> list[Any]:
        """Return the payloads that follow at the end of a complete stream, the sentinel included."""

    def is_complete(self) -> bool:
        """Return whether the payloads before the sentinel say that the answer is whole; asked after `end`."""


CONVERTERS: dict[str, Callable[[], Converter]] = {}
"""What `convert=` can name."""

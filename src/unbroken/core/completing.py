"""What the clients of a dialect cannot do without, and a server left out: an event's name, an error's object."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .dialect import Dialect
from .events import Event, Format
from .repairs import RepairKind

if TYPE_CHECKING:
    from typing import Protocol

    from .options import Options
    from .report import StreamReport

    class Gate(Protocol):
        """What is asked, and told, of the state of the stream."""

        options: Options
        report: StreamReport
        dialect: Dialect | None
        target: Format | None

        def allows(self, kind: RepairKind) -> bool:
            """Return whether this kind of repair may be tried now."""

        def repair(self, kind: RepairKind, start: int, end: int) -> None:
            """Record one repair of the input."""


Completion = Callable[..., tuple[Event, bytes]]


def with_error(
    dialect: Dialect, event: Event, wire: bytes, value: Any, *, named: bool, becomes_sse: bool
) -> tuple[Event, bytes]:
    """Return an error, and its frame, with the object at which clients raise behind all that the payload holds."""
    missing = dialect.missing_error(value)
    if missing is None:
        return event, wire
    data, at = event.data.rstrip(), wire.rfind(b"}")
    if not data.endswith("}") or at < 0:
        return event, wire
    added = f', "error": {json.dumps(missing)}}}'
    longer = data[:-1] + added + event.data[len(data) :]
    return replace(event, data=longer), wire[:at] + added.encode() + wire[at + 1 :]


def with_name(
    dialect: Dialect, event: Event, wire: bytes, value: Any, *, named: bool, becomes_sse: bool
) -> tuple[Event, bytes]:
    """Return an event, and its frame, with the name by which clients know it.

    `named`: the frame has an `event:` line of its own, or cannot have one; then it is named if it `becomes_sse`.
    """
    name = dialect.event_name(value)
    if name is None or name == event.event or set(name) & set("\r\n\0"):
        return event, wire
    if named:
        return (replace(event, event=name) if becomes_sse else event), wire
    return replace(event, event=name), b"event: " + name.encode() + b"\n" + wire


_COMPLETIONS: Final = (
    ("missing_error", RepairKind.FLAT_ERROR, with_error),
    ("event_name", RepairKind.EVENT_NAME_RESTORED, with_name),
)
"""In this order: the method of a dialect that knows what is missing, and the repair that a longer frame is."""


def completer_of(dialect: type[Dialect]) -> Completion | None:
    """Return `complete` for what may have to be completed in frames of this dialect, None where nothing has to be."""
    completions = tuple(
        (kind, add) for method, kind, add in _COMPLETIONS if getattr(dialect, method) is not getattr(Dialect, method)
    )
    return partial(complete, completions=completions) if completions else None


def complete(
    gate: Gate,
    event: Event,
    wire: bytes,
    value: Any,
    start: int,
    end: int,
    *,
    named: bool,
    completions: Sequence[tuple[RepairKind, Completion]],
) -> tuple[Event, bytes]:
    """Return event and frame with what clients of the known dialect need, where it is missing and fits; record it."""
    assert gate.dialect is not None
    # Lines and elements have no place for a name: one is added where SSE is written.
    becomes_sse = gate.target is Format.SSE and gate.report.format is not Format.SSE
    named = named or gate.target not in (None, Format.SSE)
    for kind, add in completions:
        told, longer = add(gate.dialect, event, wire, value, named=named, becomes_sse=becomes_sse)
        if longer is not wire and (len(longer) > gate.options.max_event_bytes or not gate.allows(kind)):
            continue
        if longer is not wire:
            gate.repair(kind, start, end)
        event, wire = told, longer
    return event, wire

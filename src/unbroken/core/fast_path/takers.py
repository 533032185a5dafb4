"""Takers: each takes one chunk that is one frame of its template, in one step.

They are written out: with a call for each of matching, counting, noting and making, measured, a frame takes half as
much again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..account import Account
from ..events import Event
from ..frames import Delivery
from ..mending import has_separators
from ..report import StreamReport
from .spelling import Values
from .template import Template, new_event

Taker = Callable[[bytes], list[Any] | None]
"""Takes a chunk and returns what leaves of it; None: it did not take it, or anything of it."""
_SHORT: Final = 2048
"""Bytes up to which a chunk is more likely one frame than several."""


def taker_of_one(
    template: Template, report: StreamReport, account: Account | None, limit: int, otherwise: Taker, delivery: Delivery
) -> Taker:
    """Return the taker for frames that differ in one text and nothing else."""
    begin, end = template.spelling.begin, template.spelling.end
    before, after = template.payload_pieces
    cut, accepts, name, id = (
        slice(len(begin), -len(end)),
        template.slots[0].accepts,
        template.name,
        report.last_event_id,
    )
    add = None if account is None else account.adder(template.delta.choice, template.field)
    longest, writes = min(limit, _SHORT), delivery is Delivery.WIRE

    def take(chunk: bytes) -> list[Any] | None:
        size = len(chunk)
        if size > longest:
            return otherwise(chunk)
        inner = chunk[cut]
        if begin + inner + end != chunk:
            return otherwise(chunk)
        try:
            text = inner.decode()
        except UnicodeDecodeError:
            return None
        is_plain = text.isprintable() and '"' not in text and "\\" not in text and text
        if not is_plain and (not accepts(text) or has_separators(text)):
            return otherwise(chunk)
        report.bytes_in += size
        report.events += 1
        if add is not None:
            add(text if is_plain or "\\" not in text else template.texts([text])[0])
        if writes:
            report.bytes_out += size
            return [chunk]
        event = new_event(Event)
        event.data = f"{before}{text}{after}"
        event.event = name
        event.id = id
        event.retry = None
        return [event]

    return take


def taker_of_several(
    template: Template,
    report: StreamReport,
    absorb: Callable[[Values], None],
    limit: int,
    otherwise: Taker,
    delivery: Delivery,
) -> Taker:
    """Return the taker for frames that differ in more than their text."""
    match, data_format, name, has_id = template.spelling.match, template.data_format, template.name, template.has_id
    longest, id, writes = min(limit, _SHORT), report.last_event_id, delivery is Delivery.WIRE

    def take(chunk: bytes) -> list[Any] | None:
        values = match(chunk) if len(chunk) <= longest else None
        if values is None:
            return otherwise(chunk)
        report.bytes_in += len(chunk)
        absorb(values)
        if writes:
            report.bytes_out += len(chunk)
            return [chunk]
        if has_id:
            return template.events(values, id)
        event = new_event(Event)
        event.data = data_format % tuple(values)
        event.event = name
        event.id = id
        event.retry = None
        return [event]

    return take

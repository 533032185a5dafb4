"""Events of SSE by the standard, as (name, data, id) with the id of the event's own block."""

from __future__ import annotations


def blocks_of(wire: bytes) -> list[tuple[str, str, str | None]]:
    """Return the events; a block without data is none."""
    events = []
    for block in wire.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        name, data, id = "message", [], None
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value or "message"
            elif field == "data":
                data.append(value)
            elif field == "id":
                id = value
        if data:
            events.append((name, "\n".join(data), id))
    return events

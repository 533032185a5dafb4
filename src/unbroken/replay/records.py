"""Frames to records: one event each, with an `id:` of ours in place of upstream's.

A block without data makes some clients dispatch an empty event, once an id was seen, and so does the blank line after a
comment. So comments and `retry:` wait for the next event and stand in front of it; what else a block without data holds
means nothing without that block, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .ids import Id

MAX_LEAD: Final = 2**16
"""Bytes that wait for the next event; what is more is left out."""


class Recorder:
    """Makes records of the frames of one producer, and gives them their ids. `last` is the id of the newest."""

    __slots__ = ("_lead", "_prefix", "last")

    def __init__(self, last: Id) -> None:
        self.last = last
        self._prefix = f"id: {last.epoch}-".encode()
        self._lead = bytearray()

    def add(self, frames: Iterable[bytes]) -> list[bytes]:
        """Return the records of whole frames, in the canonical spelling; several may stand in one piece."""
        records: list[bytes] = []
        seq = self.last.seq
        for frame in frames:
            if not self._lead and frame.startswith(b"data: ") and frame.find(b"\n") == len(frame) - 2:  # nearly always
                seq += 1
                records.append(b"%b%d\n%b" % (self._prefix, seq, frame))
                continue
            blocks = frame.split(b"\n\n")
            last = blocks.pop()
            if not (last or self._lead) and _are_plain(frame, blocks):  # or several at once
                prefix = self._prefix
                records += [b"%b%d\n%b\n\n" % (prefix, number, block) for number, block in enumerate(blocks, seq + 1)]
                seq += len(blocks)
                continue
            for block in (*blocks, last):
                if record := self._read(block, seq + 1):
                    seq += 1
                    records.append(record)
        self.last = Id(self.last.epoch, seq)
        return records

    def _read(self, block: bytes, seq: int) -> bytes | None:
        """Return the record of a block that is an event; keep of any other what may stand in front of the next."""
        lines = [line for line in block.split(b"\n") if line and line.partition(b":")[0] != b"id"]
        if any(line.partition(b":")[0] == b"data" for line in lines):
            lead, self._lead = bytes(self._lead), bytearray()
            return b"".join((lead, self._prefix, b"%d\n" % seq, b"\n".join(lines), b"\n\n"))
        for line in lines:
            if line.startswith((b":", b"retry:")) and len(self._lead) + len(line) < MAX_LEAD:
                self._lead += line + b"\n"
        return None


def _are_plain(frame: bytes, blocks: list[bytes]) -> bool:
    """Whether the blocks of a piece are events, each of which begins with its data or its name, and none has an id.

    A line end stands in no line, so that what is looked for begins one.
    """
    if not blocks or b"\nid" in frame:
        return False
    if len(blocks) == 1 and frame.startswith(b"data: "):
        return True
    named = frame.count(b"\n\nevent: ") + frame.startswith(b"event: ")
    data = frame.count(b"\n\ndata: ") + frame.startswith(b"data: ")
    return named + data == len(blocks) and (not named or all(b"\ndata: " in b"\n" + block for block in blocks))


def with_id(frame: bytes, id: Id) -> bytes:
    """Return the record of one frame that is written from outside."""
    return f"id: {id}\n".encode() + frame

"""A small repairer of event streams for the tests of its contract, and the flaws that it can be given.

It forwards blocks in the canonical spelling, makes events of JSON documents without `data:`, drops lines that are no
fields and what is larger than its limit, ends at `[DONE]`, and names all that it drops.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator

from unbroken.testing.standard import is_json

FIELD = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*(?=:|$)")
LONGEST_RETRY = 999_999_999_999_999
Repair = tuple[str, int, int]


class Toy:
    """Bytes in, frames out. `flaws` are the faults that it is to have."""

    def __init__(self, flaws: Collection[str] = (), limit: int = 2**20, declared: bool = False) -> None:
        self.flaws, self.limit, self.declared = flaws, limit, declared
        self.repairs: list[Repair] | None = None
        self.read = 0
        self.line = bytearray()
        self.line_at = 0
        self.block = bytearray()
        self.block_at = 0
        self.after_cr = self.oversized = self.ended = self.bare = False
        self.retry: int | None = None
        self.late: list[bytes] = []
        self.names: list[bytes] = []
        self.held: bytes | None = None
        self.kept: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the frames that a chunk completes."""
        if "a chunk late" in self.flaws:
            kept, self.kept = self.kept, list(self.frames_of(chunk))
            yield from kept
        else:
            yield from self.frames_of(chunk)

    def frames_of(self, chunk: bytes) -> Iterator[bytes]:
        asks_late = "asks after the chunk" in self.flaws and b"data" in chunk
        for number, byte in enumerate(chunk):
            if self.ended:
                if "forwards the rest" in self.flaws:
                    yield chunk[number:]
                return
            for frame in self.take(byte):
                if not (asks_late and frame.startswith(b":")):
                    yield frame
        if "decodes chunks" in self.flaws:
            self.line[:] = self.line.decode("utf-8", "replace").encode()

    def take(self, byte: int) -> Iterator[bytes]:
        """Read one byte."""
        self.read += 1
        if byte == 10 and self.after_cr:
            self.after_cr = False
            self.line_at = self.read
            return
        self.after_cr = byte == 13
        if byte not in b"\r\n" or (byte == 13 and "knows no CR" in self.flaws):
            if len(self.line) <= self.limit:
                self.line.append(byte)
            if "quadratic" in self.flaws:
                sum(self.line)
            return
        line, at = bytes(self.line), self.line_at
        self.line.clear()
        self.line_at = self.read
        if at == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        yield from self.take_line(line.decode("utf-8", "replace").encode(), at, self.read - at)

    def take_line(self, line: bytes, at: int, length: int) -> Iterator[bytes]:
        if line == b"":
            yield from self.end_block()
        elif self.oversized or len(self.block) + len(line) > self.limit:
            self.oversized = True
            self.block.clear()
            self.note("oversized", at, length)
        elif line.startswith(b":"):
            self.add(line, at)
        elif FIELD.match(line):
            self.take_field(line, at)
        elif line[:1] in b"{[" and is_json(line):
            yield from self.rescue(line, at, length)
        elif "silent" not in self.flaws:
            self.note("stray-line", at, length)

    def take_field(self, line: bytes, at: int) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if "strips" in self.flaws:
            value = value.rstrip(b"}")
        if name == b"retry" and value.isdigit() and not (len(value) > 15 and "short retries" in self.flaws):
            self.retry = min(int(value), LONGEST_RETRY)
        if "remembers names" in self.flaws:
            self.names.append(line)
        self.add(name + b": " + value, at)

    def rescue(self, line: bytes, at: int, length: int) -> Iterator[bytes]:
        """Make an event of a document without `data:`, behind what stood in front of it."""
        self.note("raw-json", at, length)
        if self.declared and "holds the first" in self.flaws and self.held is None:
            self.held = line
            return
        if "rescues late" in self.flaws:
            self.late.append(line)
            return
        yield from self.end_block()
        yield b"data: " + line + b"\n\n"

    def add(self, line: bytes, at: int) -> None:
        if not self.block:
            self.block_at = at
        self.block += line + b"\n"

    def end_block(self) -> Iterator[bytes]:
        """Yield the open block, if there is one."""
        frame, self.oversized = bytes(self.block), False
        self.block.clear()
        swallows = "swallows names" in self.flaws and re.fullmatch(rb"event: [^\n]*\n", frame)
        if frame and not swallows:
            self.bare = b"data:" not in frame
            if re.search(rb"(?m)^data: \[DONE\]$", frame):
                self.ended = True
            if "signs frames" in self.flaws:
                frame = b": toy\n" + frame
            yield frame + b"\n"
        for line in self.late:
            yield b"data: " + line + b"\n\n"
        self.late.clear()

    def note(self, kind: str, at: int, length: int) -> None:
        if self.repairs is not None or "remembers repairs" in self.flaws:
            self.repairs = self.repairs or []
            self.repairs.append((kind, at, length))

    def close(self) -> Iterator[bytes]:
        """Yield what is left at the end: nothing, since what is not ended is dropped by name."""
        yield from self.kept
        cut = bool(self.block or self.line)
        if not self.ended and self.read > (at := self.block_at if self.block else self.line_at):
            self.note("unfinished-tail", at, self.read - at)
        for line in self.late:
            yield b"data: " + line + b"\n\n"
        if "tells an empty answer" in self.flaws and self.bare and not cut:
            yield b"event: error\ndata: nothing came\n\n"
        if "marks what is declared" in self.flaws and self.declared:
            yield b": declared\n\n"
        self.ended = True

    def forget(self) -> None:
        """Go on with another connection: what is open is dropped."""
        if "keeps halves" not in self.flaws:
            self.line.clear()
            self.block.clear()
        self.line_at = self.read = 0
        self.after_cr = self.oversized = False


class ClockedToy:
    """The same with heartbeats and timeouts."""

    def __init__(self, toy: Toy, **seconds: float) -> None:
        self.toy, self.flaws = toy, toy.flaws
        self.heartbeat, self.silence, self.total = (
            math.inf if f"knows no {name}" in self.flaws else seconds.get(name, math.inf)
            for name in ("heartbeat", "silence", "total")
        )
        if "beats unasked" in self.flaws:
            self.heartbeat = min(self.heartbeat, 1.0)
        self.written = self.arrived = self.started = 0.0
        self.paused_at: float | None = None
        self.over = self.asked = False

    def resume(self, now: float) -> None:
        if self.paused_at is not None and "counts the consumer" not in self.flaws:
            self.arrived += now - self.paused_at
            self.started += now - self.paused_at
        self.paused_at = None

    def pause(self, now: float) -> None:
        self.paused_at = now

    def feed(self, chunk: bytes, now: float) -> list[bytes]:
        if self.over:
            return []
        self.arrived = now
        frames = list(self.toy.feed(chunk))
        self.over = self.toy.ended
        return self.write(frames, now)

    def write(self, frames: Iterable[bytes], now: float) -> list[bytes]:
        written = list(frames)
        if "beats inside" in self.flaws:
            written = [piece for frame in written for piece in (frame[:-1], frame[-1:])][: 2 * len(written) - 1]
        if written:
            self.written = now
        return written

    def close(self, now: float) -> list[bytes]:
        return [] if self.over else self.end(self.toy.close())

    def end(self, frames: Iterable[bytes]) -> list[bytes]:
        self.over = True
        return list(frames)

    def fail(self, error: Exception, now: float) -> list[bytes]:
        if "fails in silence" in self.flaws:
            return self.end(())
        said = str(error) if "tells secrets" in self.flaws else "upstream failed"
        return [] if self.over else self.end([f"event: error\ndata: {said}\n\n".encode()])

    def next_deadline(self) -> float | None:
        self.asked = True
        if self.over or "is never due" in self.flaws or ("beats once" in self.flaws and self.written):
            return None
        late = 1.0 if "beats late" in self.flaws else 0.0
        nearest = min(self.written + self.heartbeat + late, self.arrived + self.silence, self.started + self.total)
        return None if nearest == math.inf else nearest

    def on_deadline(self, now: float) -> list[bytes]:
        if self.over or ("beats when asked" in self.flaws and not self.asked):
            return [b":\n\n"] if "beats on" in self.flaws else []
        if now >= min(self.arrived + self.silence, self.started + self.total):
            frame = b"event: error\ndata: timeout\n\n"
            return self.end([frame, frame] if "tells twice" in self.flaws else [frame])
        self.written = now
        return [b"data: beat\n\n" if "beats are events" in self.flaws else b":\n\n"]


def reconnected(toy: Toy, frames: Iterable[bytes], delivered: list[str]) -> Iterator[bytes]:
    """Yield the frames whose id was not delivered before, and note the ids of the others."""
    for frame in frames:
        found = re.search(rb"(?m)^id: (.*)$", frame)
        id = found[1].decode() if found else ""
        if id and id in delivered and "repeats" not in toy.flaws:
            continue
        if id:
            delivered.append(id)
        yield frame

"""What the fuzzer feeds and asks: a stream, its cuts and its options as bytes, the laws, the seeds, the smallest input.

The first `HEADER` bytes of an input choose the options and the cuts, the rest is the stream; all zeros are no options
and no cuts. No input is invalid.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests import captures, laws
from unbroken import DEFAULT_REPAIRS, RepairKind
from unbroken.core import fast_path
from unbroken.core.options import MIN_MAX_EVENT_BYTES
from unbroken.core.registry import CONVERTERS, REGISTRY
from unbroken.testing.cases import NDJSON_CASES, SSE_CASES
from unbroken.testing.conversations import DIALECTS, Answer, ToolCall, spell
from unbroken.testing.cuts import cut, every
from unbroken.testing.faults import FAULTS
from unbroken.testing.strategies import pieces
from unbroken.testing.strategies.troubled import numbered

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

# --- bytes to a case --------------------------------------------------------------------------------------------------

CHOICES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("format", (None, "sse", "ndjson", "json-array")),
    ("dialect", (None, *REGISTRY)),
    ("to", (None, "sse", "ndjson")),
    ("convert", (None, *CONVERTERS)),
    ("content_type", (None, "text/event-stream", "application/json", "application/x-ndjson", "text/html")),
    ("invalid_json", (None, "keep", "error")),
    ("comments", (None, "drop")),
    ("max_event_bytes", (None, MIN_MAX_EVENT_BYTES)),
    ("last_event_id", (None, "7", "é")),
    ("account", (None, False)),
)
"""One byte each; None leaves the option out."""

KINDS = tuple(RepairKind)
REPAIRS_AT = len(CHOICES)
CUTS_AT = REPAIRS_AT + 2 + 4  # how repairs are chosen, a kind, a mask of kinds
HEADER = CUTS_AT + 2 + 4  # how it is cut, a size, four places


@dataclass(frozen=True)
class Case:
    """One stream as chunks, and the options to read it with."""

    chunks: tuple[bytes, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return b"".join(self.chunks)


def decode(given: bytes) -> Case:
    """Return the case that these bytes stand for."""
    head, data = given[:HEADER].ljust(HEADER, b"\0"), given[HEADER:]
    chosen = ((name, values[byte % len(values)]) for (name, values), byte in zip(CHOICES, head, strict=False))
    options = {name: value for name, value in chosen if value is not None}
    repairs = _repairs(*head[REPAIRS_AT : REPAIRS_AT + 2], int.from_bytes(head[REPAIRS_AT + 2 : CUTS_AT], "big"))
    if repairs != DEFAULT_REPAIRS:
        options["repairs"] = repairs
    return Case(tuple(_chunks(data, *head[CUTS_AT : CUTS_AT + 2], head[CUTS_AT + 2 :])), options)


def _repairs(how: int, number: int, mask: int) -> frozenset[RepairKind]:
    kind = KINDS[number % len(KINDS)]
    match how % 6:
        case 1:
            return DEFAULT_REPAIRS - {kind}
        case 2:
            return frozenset({kind})
        case 3:
            return frozenset(kind for place, kind in enumerate(KINDS) if mask >> place & 1)
        case 4:
            return frozenset()
        case 5:
            return DEFAULT_REPAIRS | {RepairKind.MISSING_DONE}
        case _:
            return DEFAULT_REPAIRS


def _chunks(data: bytes, how: int, size: int, places: bytes) -> list[bytes]:
    match how % 4:
        case 1:  # byte by byte for a while
            begin = len(data) * size // 256
            return [chunk for chunk in cut(data, range(begin, min(begin + 64, len(data)))) if chunk]
        case 2:
            return every(data, 1 + max(size, len(data) // 64))
        case 3:
            return [chunk for chunk in cut(data, {len(data) * place // 256 for place in places}) if chunk]
        case _:
            return [data] if data else []


# --- the laws ---------------------------------------------------------------------------------------------------------


def check_bounded(data: bytes, **options: Any) -> None:
    """Law 5: the output is no longer than the longest spelling of its events (`1` in an array becomes an SSE frame)."""
    result = laws.repaired([data], **options)
    longest = 16 * len(data) + 4096
    if "convert" in options:  # each payload repeats the answer's id and model
        longest *= result.report.events + 4
    assert len(result.wire) <= longest


def _keeps_framing(options: dict[str, Any]) -> bool:
    return not options.keys() & {"to", "convert"}


def _loses_nothing(options: dict[str, Any]) -> bool:
    repairs = options.get("repairs", DEFAULT_REPAIRS)
    return _keeps_framing(options) and repairs >= DEFAULT_REPAIRS and "comments" not in options


def _reads_as_the_standard(options: dict[str, Any]) -> bool:
    """Whether `check_reading` may be asked: its standard parser knows no id but those of the stream."""
    strict = options.get("repairs") == frozenset() and options.keys() <= {"repairs", "format", "max_event_bytes"}
    return (_loses_nothing(options) or (strict and options.get("format") == "sse")) and "last_event_id" not in options


@dataclass(frozen=True)
class Law:
    """A check that raises where the law is broken, and the options under which it is promised."""

    name: str
    check: Callable[..., None]
    cut: bool = False
    asked: Callable[[dict[str, Any]], bool] = lambda options: True

    def broken_by(self, case: Case) -> Exception | None:
        """Return what the check raises."""
        if not self.asked(case.options):
            return None
        try:
            self.check(list(case.chunks) if self.cut else case.data, **case.options)
        except Exception as error:  # whatever it is: nothing may raise
            return error
        return None


LAWS = (
    Law("law 1", laws.check_chunking, cut=True),
    Law("law 1, fast path", laws.check_fast_path, cut=True),
    Law("law 3", laws.check_reading, asked=_reads_as_the_standard),
    Law("law 4", laws.check_idempotent, asked=_keeps_framing),
    Law("law 5", check_bounded),
    Law("law 6", laws.check_accounted, asked=_loses_nothing),
    Law("law 6, words", laws.check_marks, asked=_loses_nothing),
    Law("law 7", laws.check_no_invention, asked=_keeps_framing),
    Law("law 7, ends", laws.check_no_false_end, asked=lambda options: "convert" not in options),
    Law("law 9", laws.check_one_end, cut=True),
)
LAW_OF = {law.name: law for law in LAWS}


def read_once() -> Callable[[], None]:
    """Make the laws share what they read alike, as most of them begin so; return what forgets it."""
    kept: dict[Any, Any] = {}

    def share(read: Callable[..., Any]) -> Callable[..., Any]:
        def shared(chunks: Iterable[bytes], **options: Any) -> Any:
            key = (read, fast_path.enabled, *chunks, *sorted(options.items()))
            if key not in kept:
                kept[key] = read(list(chunks), **options)
            return kept[key]

        return shared

    laws.repaired, laws.read = share(laws.repaired), share(laws.read)
    return kept.clear


# --- seeds and tokens -------------------------------------------------------------------------------------------------

LONGEST = 1280
"""Bytes of a seed's stream, and of what the fuzzer makes of it: enough for an event beyond the least limit."""

PIECES = (*pieces.FRAMING, *pieces.JSON, *pieces.EVENTS, *pieces.DEPARTURES)
ANSWER = Answer(("Hel", "lo w1x 你"), ("hm",), (ToolCall("t1", "f", '{"a":1}'),), 3, 2)


def streams() -> Iterator[bytes]:
    """Yield streams to begin with: examples of the docs, the tables of the kit, recorded streams if there are any."""
    yield from (path.read_bytes() for path in sorted(EXAMPLES.glob("*.sse")))
    yield from (case.data for case in (*SSE_CASES, *NDJSON_CASES))
    yield from (spell(dialect, ANSWER).data for dialect in DIALECTS)
    yield from (example.data for fault in FAULTS.values() for example in fault.examples[::4])
    for piece in (*PIECES, *pieces.ANSWERS):
        yield numbered(piece.encode())
    for entry in captures.manifest():
        body = captures.body(entry["file"])
        yield body[:LONGEST]
        if len(body) > LONGEST:
            yield body[-LONGEST // 2 :]


def seeds(number: int) -> Iterator[bytes]:
    """Yield each stream, cut somehow, every second one with options; the number draws both."""
    choose = random.Random(number)
    for at, stream in enumerate(dict.fromkeys(data[:LONGEST] for data in streams())):
        odds = [at % 2 * 0.2] * CUTS_AT + [1.0] * (HEADER - CUTS_AT)
        yield bytes(choose.randrange(256) if choose.random() < odd else 0 for odd in odds) + stream


def tokens() -> Iterator[bytes]:
    """Yield what streams are made of, for the fuzzer to put in: all short pieces, and the keys of the dialects."""
    yield from (numbered(piece.encode()) for piece in PIECES)
    yield from (piece for piece in pieces.DAMAGE if len(piece) < 8)
    yield from ("\u2028".encode(), "\u0085".encode(), b"\\ud83d", b'\\"', b"[DONE]", b'"unbroken_error"')
    payloads = b"".join(spell(dialect, ANSWER).data for dialect in DIALECTS) + "".join(pieces.ANSWERS).encode()
    yield from (b'"%s":' % key for key in payloads.split(b'"') if key.replace(b"_", b"").isalpha())
    yield from (b"event: %s\n" % name.split(b"\n")[0] for name in payloads.split(b"event: ")[1:])


# --- the smallest input -----------------------------------------------------------------------------------------------

PATIENCE = 5.0
"""Seconds in which one finding is made smaller."""


def smallest(law: Law, case: Case) -> Case:
    """Return a small case that breaks the same law with the same kind of exception."""
    kind = type(law.broken_by(case))
    until = time.monotonic() + PATIENCE

    def breaks(other: Case) -> bool:
        return time.monotonic() < until and type(law.broken_by(other)) is kind

    before = None
    while case != before:
        before = case
        case = _smaller_options(case, breaks)
        case = _smaller_stream(case, breaks)
    return _plainer_letters(case, breaks)


def _smaller_options(case: Case, breaks: Callable[[Case], bool]) -> Case:
    for name in [*case.options]:
        rest = {other: value for other, value in case.options.items() if other != name}
        if breaks(replace(case, options=rest)):
            case = replace(case, options=rest)
    for kind in sorted(case.options.get("repairs", DEFAULT_REPAIRS) ^ DEFAULT_REPAIRS, key=lambda kind: kind.value):
        options = {**case.options, "repairs": case.options["repairs"] ^ {kind}}
        if breaks(replace(case, options=options)):
            case = replace(case, options=options)
    return case


def _smaller_stream(case: Case, breaks: Callable[[Case], bool]) -> Case:
    def with_units(units: list[Any]) -> Case:
        return replace(case, chunks=tuple(_joined(units)))

    # A byte, and whether a chunk begins with it: what is struck out takes its cut along.
    units = [(byte, at == 0) for chunk in case.chunks for at, byte in enumerate(chunk)]
    for at, (byte, begins) in enumerate(units):
        if begins and breaks(with_units(fewer := [*units[:at], (byte, False), *units[at + 1 :]])):
            units = fewer
    size = len(units)
    while size:
        at = 0
        while at < len(units):
            fewer = units[:at] + units[at + size :]
            if breaks(with_units(fewer)):
                units = fewer
            else:
                at += size
        size //= 2
    return with_units(units)


def _joined(units: list[tuple[int, bool]]) -> Iterator[bytes]:
    chunk = bytearray()
    for byte, begins in units:
        if begins and chunk:
            yield bytes(chunk)
            chunk.clear()
        chunk.append(byte)
    if chunk:
        yield bytes(chunk)


def _plainer_letters(case: Case, breaks: Callable[[Case], bool]) -> Case:
    """Write `a`, or else a byte that is not UTF-8, for each byte that could be any: alike findings then look alike."""
    for number, chunk in enumerate(case.chunks):
        for at, byte in enumerate(chunk):
            for plain in (b"a", b"\xff") if byte >= 0x80 else (b"a",):
                current = case.chunks[number]
                other = current[:at] + plain + current[at + 1 :]
                plainer = replace(case, chunks=(*case.chunks[:number], other, *case.chunks[number + 1 :]))
                if byte not in b'\n"a' and breaks(plainer):
                    case = plainer
                    break
    return case


def program(law: Law, case: Case) -> str:
    """Return a line of Python that breaks the law so."""
    stream = repr(list(case.chunks) if law.cut else case.data)
    options = "".join(f", {name}={_spelt(name, value)}" for name, value in case.options.items())
    package, _, module = law.check.__module__.rpartition(".")
    names = "from unbroken import DEFAULT_REPAIRS, RepairKind; " if "repairs" in case.options else ""
    return f"{names}from {package} import {module}; {module}.{law.check.__name__}({stream}{options})"


def _spelt(name: str, value: Any) -> str:
    if name != "repairs":
        return repr(value)
    gone, added = DEFAULT_REPAIRS - value, value - DEFAULT_REPAIRS
    if len(gone) > len(value):
        return _kinds(value) if value else "()"
    return "DEFAULT_REPAIRS" + (f" - {_kinds(gone)}" if gone else "") + (f" | {_kinds(added)}" if added else "")


def _kinds(kinds: Iterable[RepairKind]) -> str:
    return "{" + ", ".join(f"RepairKind.{name}" for name in sorted(kind.name for kind in kinds)) + "}"

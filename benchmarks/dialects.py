"""What an event of each dialect costs, in µs: `python -m benchmarks.dialects`.

`read` is the dialect alone, on values that are parsed already; `ordinary` the whole way from bytes to events without
the fast path, and `fast` with it. Streams are recorded where UNBROKEN_CAPTURES has some of the dialect, else an answer
of two thousand pieces. `--base COMMIT` measures that commit beside this tree, in turns; the figure is the least of all
turns, in processor time. `--write docs/speed.md` puts what is printed into that page.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

from unbroken import EventReader, Verdict
from unbroken.core import fast_path
from unbroken.core.dialect import Dialect
from unbroken.core.options import check_options

PIECES = 2_000
LEAST = 300
"""Events below which the recorded streams of a dialect are too few to measure."""
MOST = 4_000
PASSES = 5
CODED = "ai-sdk-data-v4"
WAYS = ("read", "ordinary", "fast")
Streams = dict[str, tuple[str, list[bytes]]]


def made(name: str) -> bytes | None:
    """Return a long answer in this dialect, or None where none can be spelt."""
    from unbroken.testing.conversations import DIALECTS, Answer, spell

    pieces = tuple(f"w{number} " for number in range(PIECES))
    if name == CODED:
        return "".join(['f:{"messageId":"m"}\n', *[f"0:{json.dumps(piece)}\n" for piece in pieces]]).encode()
    return spell(name, Answer(pieces)).data if name in DIALECTS else None


def read_whole(data: bytes, dialect: str | None = None) -> tuple[EventReader, list[Any]]:
    """Return a reader that read this stream, and its events."""
    reader = EventReader(dialect=dialect)
    events: list[Any] = [*reader.feed(data), *reader.close()]
    return reader, [event for event in events if hasattr(event, "data")]


def streams() -> Streams:
    """Return by dialect what is read, and where that is from: recorded streams if there are enough of them."""
    from unbroken.core.registry import dialect_names  # not in the process that measures: a base may be older

    found: dict[str, list[bytes]] = {}
    long: bytes | None
    counts: dict[str, int] = {}
    for data in recorded():
        reader, events = read_whole(data)
        name = reader.report.dialect
        if name is not None and reader.report.verdict is Verdict.COMPLETE and counts.get(name, 0) < MOST:
            found.setdefault(name, []).append(data)
            counts[name] = counts.get(name, 0) + len(events)
    told: Streams = {}
    for name in dialect_names():
        if counts.get(name, 0) >= LEAST:
            told[name] = f"{len(found[name])} recorded", found[name]
        elif (long := made(name)) is not None:
            told[name] = "made", [long]
    return told


def recorded() -> Iterator[bytes]:
    """Yield the recorded streams, if they are on this machine."""
    folder = Path(os.environ.get("UNBROKEN_CAPTURES", ""))
    manifest = folder / "manifest.jsonl"
    if "UNBROKEN_CAPTURES" in os.environ and manifest.exists():
        for line in manifest.read_text(encoding="utf-8").splitlines():
            yield (folder / json.loads(line)["file"]).read_bytes()


def measure(told: Streams) -> dict[str, dict[str, float]]:
    """Return the µs per event of each way, by dialect; a dialect that is not known here is left out."""
    known = [(name, kind, data) for name, (_, data) in told.items() if (kind := _kind(name)) is not None]
    return {name: dict(zip(WAYS, _measured(name, kind, data), strict=True)) for name, kind, data in known}


def _kind(name: str) -> type[Dialect] | None:
    try:
        return type(check_options(dialect=name).dialect)  # type: ignore[return-value]
    except ValueError:
        return None


def _measured(name: str, dialect: type[Dialect], data: list[bytes]) -> Iterator[float]:
    events = [read_whole(each, name)[1] for each in data]
    values = [[(event.event, _value(dialect, event.data)) for event in each] for each in events]
    values = [[(event, value) for event, value in each if value is not None] for each in values]

    def read() -> None:
        for each in values:
            reads = dialect().read
            for event, value in each:
                reads(event, value)

    def parse() -> None:
        for each in data:
            read_whole(each, name)

    yield _least(read, sum(map(len, values)))
    for enabled in (False, True):
        fast_path.enabled = enabled
        yield _least(parse, sum(map(len, events)))


def _value(dialect: Any, text: str) -> Any:
    if not dialect.json_payloads:
        return text
    try:
        return json.loads(text, parse_int=float)
    except ValueError:
        return None


def _least(work: Callable[[], None], events: int) -> float:
    """Return the µs per event of the fastest of some passes."""
    seconds = []
    for _ in range(PASSES):
        begin = process_time()
        work()
        seconds.append(process_time() - begin)
    return min(seconds) / events * 1e6


def table(told: Streams, ours: dict[str, dict[str, float]], base: dict[str, dict[str, float]] | None) -> str:
    """Return the figures as a table, those of the base behind ours."""
    heads = [f"{way}{side}" for way in WAYS for side in (["", ", base"] if base is not None else [""])]
    lines = [f"| µs per event | stream | {' | '.join(heads)} |", f"|---|---|{'--:|' * len(heads)}"]
    for name, (source, _) in told.items():
        sides = [ours] if base is None else [ours, base]
        cells = [f"{side[name][way]:.2f}" if name in side else "" for way in WAYS for side in sides]
        lines.append(f"| `{name}` | {source} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write it where `--write PAGE` says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dialects", description=__doc__)
    parser.add_argument("--base", metavar="COMMIT", help="a commit that is measured beside this tree")
    parser.add_argument("--turns", type=int, default=3, help="of each side (3)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put what is printed into this page")
    options = parser.parse_args()
    told = streams()
    output = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(output):
        sides = [Path(__file__).parents[1]]
        if options.base:
            packed = subprocess.run(
                ["git", "archive", options.base, "src"], cwd=sides[0], capture_output=True, check=True
            )
            subprocess.run(["tar", "x", "-C", folder], input=packed.stdout, check=True)
            sides.append(Path(folder))
        found: list[dict[str, dict[str, float]]] = [{} for _ in sides]
        for _ in range(options.turns):
            for side, figures in zip(sides, found, strict=True):
                _merge(figures, _measure_in(side, told))
        print(table(told, found[0], found[1] if options.base else None))
    print(output.getvalue(), end="")
    if options.write:
        from . import machine
        from .compare import write_between_markers

        given = f" --base {options.base}" if options.base else ""
        head = f"Output of `python -m benchmarks.dialects{given}` on {machine.today_and_description()}."
        write_between_markers(options.write, f"{head}\n\n{output.getvalue()}", "dialects")


def _measure_in(tree: Path, told: Streams) -> dict[str, dict[str, float]]:
    """Return what a process of its own measures, with the package of this tree."""
    streams = {
        name: [source, [base64.b64encode(one).decode() for one in data]] for name, (source, data) in told.items()
    }
    ran = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(streams),
        env={**os.environ, "PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, dict[str, float]] = json.loads(ran.stdout)
    return figures


def _merge(figures: dict[str, dict[str, float]], more: dict[str, dict[str, float]]) -> None:
    for name, ways in more.items():
        known = figures.setdefault(name, ways)
        figures[name] = {way: min(known[way], ways[way]) for way in WAYS}


if __name__ == "__main__" and __spec__ is None:  # the process of one side
    given = json.load(sys.stdin)
    print(json.dumps(measure({name: (it[0], [base64.b64decode(one) for one in it[1]]) for name, it in given.items()})))
elif __name__ == "__main__":
    main()

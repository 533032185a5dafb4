"""Us and the peers side by side in one run: `python -m benchmarks.compare`.

Prints Markdown; `--write docs/speed.md` puts it between the markers of that page.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .readers import LEAN_PROXY, OURS, PEERS, PROXY, READER, Reader
from .rounds import Pass, Timing, compare, reading, timed
from .v8 import NAME as V8_NAME
from .v8 import V8, NoV8Error
from .workloads import WORKLOADS, Workload, build

LOADS = "json.loads of each payload"

Results = dict[str, dict[str, Timing]]
"""Timings by workload and contender."""


@dataclass(frozen=True)
class Target:
    """What the project aims at: on `workload`, `over` takes `factor` times as long as `under`, or more."""

    text: str
    workload: str
    over: str
    under: str
    factor: float

    def measured(self, results: Results) -> float | None:
        timings = results.get(self.workload, {})
        if self.over not in timings or self.under not in timings:
            return None
        return timings[self.over].ratio(timings[self.under])


TARGETS = [
    *(
        Target(f"reader, × httpx-sse on ({name})", name, "httpx-sse", READER.name, factor)
        for name, factor in {"a": 3.0, "b": 2.7, "c": 2.0, "d": 2.5}.items()
    ),
    *(
        Target(f"reader, × eventsource-parser's speed on ({name})", name, V8_NAME, READER.name, factor)
        for name, factor in {"b": 0.5, "a": 0.3, "d": 0.4}.items()
    ),
    Target("proxy on (a): json.loads may take as long", "a", LOADS, PROXY.name, 1.0),
    Target("lean proxy on (a): json.loads takes 1/0.35 as long", "a", LOADS, LEAN_PROXY.name, 1 / 0.35),
]
LEAN_EVENTS_PER_SECOND = 1_500_000


def json_loads(workload: Workload) -> Callable[[], None]:
    """Return a function that parses every payload of the workload, already decoded, with `json.loads`."""
    payloads = []
    for chunks in workload.streams:
        payloads += [text for text in READER.payloads(chunks) if text != workload.terminator]
    payloads = [text for text in payloads if _is_json(text)]

    def work() -> None:
        for text in payloads:
            json.loads(text)

    return work


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def contenders(workload: Workload, v8: V8 | None, most: float) -> dict[str, Pass]:
    """Return a pass of everything that reads this workload's format and is installed."""
    readers = [r for r in [*OURS, *PEERS] if workload.format in r.formats and r.version() is not None]
    passes = {reader.name: reading(reader, workload.streams, most) for reader in readers}
    passes[LOADS] = timed(json_loads(workload))
    if v8 is not None and workload.format == "sse":
        passes[V8_NAME] = v8.reading(workload)
    return passes


def measure(names: list[str], v8: V8 | None, seconds: float, most: float) -> tuple[Results, dict[str, Workload]]:
    """Return the timings of every contender on the named workloads, and the workloads that are on this machine."""
    results: Results = {}
    workloads = {}
    for name in names:
        workload = build(name)
        if workload is None:
            print(f"({name}) left out: its captures are not on this machine", file=sys.stderr)
            continue
        results[name] = compare(contenders(workload, v8, most), seconds=seconds)
        workloads[name] = workload
        print_details(workload, results[name])
    return results, workloads


# --- printing -------------------------------------------------------------------------------------------------


def print_details(workload: Workload, timings: dict[str, Timing]) -> None:
    """Print one workload in full: minimum, median ratio to our reader, and its quartiles."""
    base = timings[READER.name]
    rounds = len(base.seconds)
    print(f"\n({workload.name}) {workload.title}: {workload.events} events, {workload.size} bytes, {rounds} rounds")
    for name, timing in sorted(timings.items(), key=lambda item: item[1].best):
        low, high = timing.spread(base)
        least = ">" if timing.unfinished else " "
        best = f"{least}{timing.best / workload.events * 1e6:10.3f} µs/event"
        print(f"  {name:44} {best}   ×{timing.ratio(base):8.2f}  [{low:.2f} .. {high:.2f}]", flush=True)


def cell(timing: Timing | None, base: Timing) -> str:
    if timing is None:
        return "–"
    ratio = timing.ratio(base)
    figure = f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}" if ratio >= 5 else f"{ratio:.2f}"
    return f"over {figure}" if timing.unfinished else figure


def table(rows: list[str], results: Results, base: str) -> list[str]:
    """Return one row per contender and one column per workload: how many times as long as `base` it takes."""
    lines = ["| | " + " | ".join(f"({name})" for name in results) + " |"]
    lines.append("|---|" + "--:|" * len(results))
    for row in rows:
        cells = [cell(timings.get(row), timings[base]) for timings in results.values()]
        if set(cells) != {"–"}:
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return lines


def unique(readers: list[Reader]) -> list[str]:
    return list(dict.fromkeys(reader.name for reader in readers))


def targets(results: Results, workloads: dict[str, Workload]) -> list[str]:
    """Return each target with what was measured."""
    lines = ["| target | at least | measured | |", "|---|--:|--:|---|"]
    for target in TARGETS:
        measured = target.measured(results)
        if measured is not None:
            met = "met" if measured >= target.factor else "**short**"
            lines.append(f"| {target.text} | {target.factor:.2f} | {measured:.2f} | {met} |")
    if "b" in results:
        rate = workloads["b"].events / results["b"][LEAN_PROXY.name].best
        met = "met" if rate >= LEAN_EVENTS_PER_SECOND else "**short**"
        wanted = LEAN_EVENTS_PER_SECOND / 1e6
        lines.append(f"| lean proxy on (b), million events a second | {wanted:.2f} | {rate / 1e6:.2f} | {met} |")
    return lines


def markdown(results: Results, workloads: dict[str, Workload], v8: V8 | None, command: str) -> str:
    """Return the page's tables."""
    versions = {reader.package: reader.version() for reader in PEERS if reader.package}
    installed = [f"{package} {version}" for package, version in versions.items() if version]
    if v8 is not None:
        installed.append(f"{V8_NAME} ({v8.version}, Node {v8.node})")
    lines = [
        f"Output of `{command}` on {machine.today_and_description()}.",
        "Peers: " + ", ".join(installed) + ".",
        "",
        *(f"- ({w.name}) {w.title}: {w.events:,} events, {w.size:,} bytes" for w in workloads.values()),
        "",
        f"How many times as long as `{READER.name}` each reader takes (median of interleaved rounds; "
        "below 1 is faster than we are):",
        "",
        *table([*unique(PEERS), V8_NAME, LOADS], results, READER.name),
        "",
        "What unbroken costs, in units of one `json.loads` per payload:",
        "",
        *table(unique(OURS), results, LOADS),
        "",
        *targets(results, workloads),
    ]
    return "\n".join(lines) + "\n"


def write_between_markers(page: Path, text: str, name: str) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->` in a page."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{page} has no {begin.strip()} ... {end} to write between")
    page.write_text(before + begin + text + end + after, encoding="utf-8")


def write_output(page: Path, output: str, name: str) -> None:
    """Write what a program printed between the markers of its name, under a line that names its command."""
    head = f"Output of `python -m benchmarks.{name}` on {machine.today_and_description()}."
    write_between_markers(page, f"{head}\n\n```text by=benchmarks/{name}.py\n{output.strip()}\n```\n", name)


def print_and_write(name: str, tables: Callable[[], object], description: str) -> None:
    """Print what `tables` prints, and write it where `--write PAGE` of this command says."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=description)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put what is printed into this page")
    print_and_write_to(parser.parse_args().write, name, tables)


def print_and_write_to(page: Path | None, name: str, tables: Callable[[], object]) -> None:
    """Print what `tables` prints, and write it into this page, if there is one."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        tables()
    print(output.getvalue(), end="")
    if page:
        write_output(page, output.getvalue(), name)


def open_v8(wanted: str) -> V8 | None:
    """Return a running Node, or None, as `--v8` says. Raises SystemExit where it is required and not installed."""
    if wanted == "never":
        return None
    try:
        return V8()
    except NoV8Error as error:
        if wanted == "require":
            raise SystemExit(f"--v8 require: {error}") from error
        print(f"without {V8_NAME}: {error}", file=sys.stderr)
        return None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; none: all")
    parser.add_argument("--seconds", type=float, default=15.0, help="to spend on each workload (15)")
    parser.add_argument("--most", type=float, default=20.0, help="seconds after which a slow reader is stopped (20)")
    parser.add_argument("--v8", choices=["auto", "require", "never"], default="auto", help="eventsource-parser on Node")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args()
    names = options.workloads or list(WORKLOADS)
    if unknown := set(names) - set(WORKLOADS):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}")
    for peer in PEERS:
        if peer.version() is None:
            print(f"not installed, left out: {peer.package}", file=sys.stderr)
    with contextlib.ExitStack() as stack:
        v8 = open_v8(options.v8)
        if v8 is not None:
            stack.enter_context(v8)
        results, workloads = measure(names, v8, options.seconds, options.most)
        text = markdown(results, workloads, v8, " ".join(["python -m benchmarks.compare", *options.workloads]))
    print("\n" + text)
    if options.write:
        write_between_markers(options.write, text, "compare")


if __name__ == "__main__":
    main()

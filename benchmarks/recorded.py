"""Recorded streams, one block a chunk, through the layer of an HTTP client: `python -m benchmarks.recorded`.

Three kinds of streams are read: `recorded` ones of real providers, from the folder that UNBROKEN_CAPTURES names (not
part of the project); `shaped` ones, invented after them, that run anywhere; and the `synthetic` workloads whose
events are all alike. Prints Markdown; `--write docs/speed.md` puts it between the markers of that page. Exits with 2
where the recordings are asked for and absent.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from . import machine
from .compare import write_between_markers
from .mixture import mixed_streams
from .over_http import (
    HAND_LOOP,
    HTTPX_SSE,
    LOADS,
    OPENAI,
    OUR_PROXY,
    OUR_READER,
    WITHOUT_CLIENT,
    drain,
    httpx_sse,
    readers,
)
from .payloads import blocks
from .picture import Bars, draw
from .readers import Chunks
from .rounds import Pass, Timing, frozen_heap, timed
from .workloads import build

COLUMNS = (HTTPX_SSE, HAND_LOOP, OUR_READER, OUR_PROXY, OPENAI, LOADS)
OF_ITS_OWN = 500
"""A provider with so many events has a row of its own."""
APIS = {
    "openai-chat": "Chat Completions",
    "openai-responses": "Responses",
    "anthropic": "Messages",
    "cohere": "Cohere",
    "gemini-sse": "Gemini",
    "other": "other APIs",
}
SYNTHETIC = {"a": "one event a chunk", "b": "64 KiB chunks", "d": "64 KiB chunks, CRLF"}


class NoRecordingsError(Exception):
    """The recorded streams are not on this machine."""


@dataclass
class Group:
    """Streams that share a row of the table, and the passes over them by reader; `without` names readers left out."""

    label: str
    api: str
    streams: list[Chunks] = field(repr=False)
    events: int = 0
    timings: dict[str, Timing] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    def passes(self) -> dict[str, Pass]:
        """Return a pass of each installed reader of this API and one of `json.loads`. Counts the events.

        Raises RuntimeError for a reader that gives nothing at all, since its cost would be that of its failure.
        """
        payloads = json_payloads(self.streams)
        found = [it for it in readers(self.api) if it.version() is not None and it.name not in self.without]
        items = {reader.name: drain(reader, self.streams) for reader in found}
        if silent := [name for name, count in items.items() if not count]:
            raise RuntimeError(f"{', '.join(silent)}: gave nothing of {self.label}")
        self.events = items[HTTPX_SSE]
        passes = {reader.name: timed(lambda reader=reader: drain(reader, self.streams)) for reader in found}  # type: ignore[misc]
        return {**passes, LOADS: timed(lambda: [json.loads(text) for text in payloads])}


def json_payloads(streams: Iterable[Chunks]) -> list[str]:
    """Return the payloads of all events that are JSON."""
    found = []
    for chunks in streams:
        for event in httpx_sse(chunks):
            try:
                json.loads(event.data)
            except ValueError:
                continue
            found.append(event.data)
    return found


# --- the streams ------------------------------------------------------------------------------------------------


def recorded_groups() -> list[Group]:
    """Return the real recordings of SSE by provider. Raises `NoRecordingsError`."""
    from tests.captures import FOLDER

    if not FOLDER.is_dir():
        raise NoRecordingsError(
            "the recorded streams are not on this machine: set UNBROKEN_CAPTURES to their folder, "
            "or name what to read instead: python -m benchmarks.recorded shaped synthetic"
        )
    by_provider: dict[tuple[str, str], list[Chunks]] = {}
    for line in (FOLDER / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["real"] and row["format"] == "sse" and (chunks := blocks((FOLDER / row["file"]).read_bytes())):
            by_provider.setdefault((row["api"], row["provider"]), []).append(chunks)
    return merged(by_provider)


def merged(by_provider: dict[tuple[str, str], list[Chunks]], of_its_own: int = OF_ITS_OWN) -> list[Group]:
    """Return the groups of each API: providers of many events alone, the largest first, and the others together."""
    groups = []
    for api in sorted({api for api, _ in by_provider}, key=list(APIS).index):
        sizes = {name: sum(map(len, streams)) for (of, name), streams in by_provider.items() if of == api}
        large = sorted((name for name, size in sizes.items() if size >= of_its_own), key=lambda name: -sizes[name])
        groups += [Group(f"{APIS[api]}, {plain(name)}", api, by_provider[api, name]) for name in large]
        small = [name for name in sizes if name not in large]
        if small:
            label = f"{APIS[api]}, {f'{len(small)} others' if large else 'all'}"
            groups.append(Group(label, api, [chunks for name in small for chunks in by_provider[api, name]]))
    return groups


def plain(name: str) -> str:
    """Return a name of the manifest without any character that Markdown or a terminal would read."""
    return re.sub(r"[^\w .-]", "?", name)


def shaped_groups(scale: float = 1.0) -> list[Group]:
    """Return the invented streams by API and kind. openai's client is left out: it would take most of the time."""
    groups: dict[str, Group] = {}
    for kind, chunks in mixed_streams(scale):
        label = f"{APIS[kind.api]}, {kind.name}"
        groups.setdefault(label, Group(label, kind.api, [], without=frozenset({OPENAI}))).streams.append(chunks)
    return list(groups.values())


def synthetic_groups(scale: float = 1.0) -> list[Group]:
    """Return the workloads (a), (b) and (d), in which all events are alike."""
    groups = []
    for name, label in SYNTHETIC.items():
        workload = build(name, scale)
        assert workload is not None
        groups.append(Group(f"({name}) {label}", "openai-chat", workload.streams))
    return groups


SECTIONS: dict[str, Callable[[float], list[Group]]] = {
    "recorded": lambda scale: recorded_groups(),
    "shaped": shaped_groups,
    "synthetic": synthetic_groups,
}
Results = dict[str, list[Group]]
"""The timed groups by section."""


# --- measuring --------------------------------------------------------------------------------------------------


def measure(results: Results, seconds: float, least: int = 3) -> int:
    """Return the number of rounds in which every reader read every group, until the time was up, at least 3.

    The readers of a group run one after the other, in a new order each round, so that what is compared was taken within
    the same second.
    """
    work = [(group, group.passes()) for groups in results.values() for group in groups]
    for group, passes in work:
        group.timings = {name: Timing() for name in passes}
    shuffle = random.Random(len(work))
    started = perf_counter()
    rounds = 0
    with frozen_heap():
        while rounds < least or perf_counter() - started < seconds:
            for group, passes in shuffle.sample(work, len(work)):
                for name in shuffle.sample(list(passes), len(passes)):
                    group.timings[name].seconds.append(passes[name]())
            rounds += 1
    return rounds


@dataclass(frozen=True)
class Cost:
    """What a reader takes on some groups: µs per event at best, and the median ratio to another reader."""

    microseconds: float
    ratio: float


def cost(groups: list[Group], reader: str, base: str = HTTPX_SSE) -> Cost | None:
    """Return a reader's cost on those of the groups that it reads, or None where it reads none of them."""
    groups = [group for group in groups if reader in group.timings]
    if not groups:
        return None
    mine, other = (summed([group.timings[name] for group in groups]) for name in (reader, base))
    return Cost(mine.best / sum(group.events for group in groups) * 1e6, mine.ratio(other))


def summed(timings: list[Timing]) -> Timing:
    """Return the time of all passes together, round by round."""
    return Timing([sum(seconds) for seconds in zip(*(timing.seconds for timing in timings), strict=True)])


# --- what was aimed at ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What the project aims at: a reader's cost in units of another's, at most; or its speed, at least."""

    text: str
    section: str
    reader: str
    limit: float
    base: str = HTTPX_SSE
    label: str = ""
    speed: bool = False

    def measured(self, results: Results, *, client: bool = True) -> float | None:
        """Return what was measured, or None where these streams or this reader did not take part.

        Without `client` it is ours that reads a list of chunks, and httpx-sse still a response.
        """
        groups = [group for group in results.get(self.section, []) if group.label.startswith(self.label)]
        found = cost(groups, self.reader if client else WITHOUT_CLIENT[self.reader], self.base)
        if found is None:
            return None
        return 1 / found.ratio if self.speed else found.ratio

    def met(self, measured: float) -> bool:
        """Whether the limit is kept."""
        return measured >= self.limit if self.speed else measured <= self.limit


TARGETS = [
    Target("recorded streams, reader, × httpx-sse's cost", "recorded", OUR_READER, 1.8),
    Target("recorded streams, proxy, × httpx-sse's cost", "recorded", OUR_PROXY, 2.1),
    Target("one event a chunk, reader, × httpx-sse's speed", "synthetic", OUR_READER, 2.2, label="(a)", speed=True),
    Target("64 KiB chunks, reader, × httpx-sse's speed", "synthetic", OUR_READER, 2.7, label="(b)", speed=True),
    Target("CRLF, reader, × httpx-sse's speed", "synthetic", OUR_READER, 3.0, label="(d)", speed=True),
    Target("one event a chunk, proxy, × json.loads' cost", "synthetic", OUR_PROXY, 0.45, base=LOADS, label="(a)"),
]


# --- printing ---------------------------------------------------------------------------------------------------

TITLES = {
    "recorded": "Recorded streams",
    "shaped": "Invented streams of the same shapes",
    "synthetic": "Streams whose events are all alike",
}


def table(section: str, groups: list[Group]) -> list[str]:
    """Return one row per group: µs per event, and in brackets how many times the cost of httpx-sse that is."""
    lines = [f"| {TITLES[section]} | streams | events | " + " | ".join(COLUMNS) + " |"]
    lines.append("|---|--:|--:|" + "--:|" * len(COLUMNS))
    rows = [(group.label, [group]) for group in groups]
    if section != "synthetic":
        rows.append(("**all**", groups))
    for label, members in rows:
        streams, events = sum(len(group.streams) for group in members), sum(group.events for group in members)
        cells = " | ".join(cell(cost(members, reader), reader) for reader in COLUMNS)
        lines.append(f"| {label} | {streams:,} | {events:,} | {cells} |")
    return lines


def cell(found: Cost | None, reader: str) -> str:
    """Return a cell: a dash where the reader reads none of the streams."""
    if found is None:
        return "–"
    return f"{found.microseconds:.2f}" if reader == HTTPX_SSE else f"{found.microseconds:.2f} ({found.ratio:.2f})"


def targets(results: Results) -> list[str]:
    """Return each target with what was measured; none where no target's streams took part."""
    lines = []
    for target in TARGETS:
        measured, alone = target.measured(results), target.measured(results, client=False)
        if measured is not None and alone is not None:
            bound = f"{'at least' if target.speed else 'at most'} {target.limit:.2f}"
            met = "met" if target.met(measured) else "**short**"
            lines.append(f"| {target.text} | {bound} | {measured:.2f} | {met} | {alone:.2f} |")
    if not lines:
        return []
    return ["| target | | measured | | ours without a client |", "|---|--:|--:|---|--:|", *lines, ""]


def resemblance(results: Results) -> list[str]:
    """Return how near the invented streams come to the recorded ones, where both were read."""
    if not {"recorded", "shaped"} <= set(results):
        return []
    parts = []
    for reader in (HAND_LOOP, OUR_READER, OUR_PROXY):
        shaped, recorded = (cost(results[section], reader) for section in ("shaped", "recorded"))
        assert shaped is not None
        assert recorded is not None
        parts.append(f"{reader} {shaped.ratio / recorded.ratio:.2f}")
    return [f"Ratio on the invented streams, divided by the ratio on the recorded ones: {'; '.join(parts)}.", ""]


def markdown(results: Results, command: str, rounds: int) -> str:
    """Return the page's tables."""
    packages = {reader.package: reader.version() for reader in readers("openai-chat") if reader.package != "unbroken"}
    installed = ", ".join(f"{package} {version}" for package, version in packages.items() if version)
    lines = [
        f"Output of `{command}` on {machine.today_and_description()}; {installed}; {rounds} interleaved rounds.",
        "",
        f"µs per event at best, and in brackets the median ratio to {HTTPX_SSE} in the same round:",
        "",
    ]
    for section, groups in results.items():
        lines += [*table(section, groups), ""]
    return "\n".join([*lines, *resemblance(results), *targets(results)]).rstrip() + "\n"


def as_json(results: Results, command: str, rounds: int) -> dict[str, Any]:
    """Return the figures of every group, for programs: µs per event at best, and the median ratio to httpx-sse."""

    def figures(groups: list[Group]) -> dict[str, dict[str, float]]:
        costs = {reader: cost(groups, reader) for reader in (*COLUMNS, *WITHOUT_CLIENT.values())}
        return {
            reader: {"us_per_event": round(found.microseconds, 4), "ratio": round(found.ratio, 4)}
            for reader, found in costs.items()
            if found is not None
        }

    sections = {
        section: {
            "groups": [
                {"label": g.label, "api": g.api, "streams": len(g.streams), "events": g.events, "readers": figures([g])}
                for g in groups
            ],
            "all": figures(groups),
        }
        for section, groups in results.items()
    }
    return {"command": command, "machine": machine.today_and_description(), "rounds": rounds, "sections": sections}


def picture(results: Results) -> str:
    """Return an SVG of the first section: a group of bars for each row of its table, and one for all."""
    section, groups = next(iter(results.items()))
    rows = [("all", groups), *((group.label, [group]) for group in groups)] if len(groups) > 1 else [("all", groups)]
    bars = [
        Bars(label, [(reader, found.microseconds) for reader in COLUMNS[:-1] if (found := cost(members, reader))])
        for label, members in rows
    ]
    events = sum(group.events for group in groups)
    return draw(
        f"{TITLES[section]}: µs per event", f"{events:,} events, one block a chunk; {machine.description()}", bars
    )


def report(results: Results, rounds: int, options: argparse.Namespace) -> None:
    """Print the tables, and write what was asked for."""
    scale = [] if options.scale == 1.0 else [f"--scale {options.scale:g}"]
    command = " ".join(["python -m benchmarks.recorded", *options.sections, *scale])
    text = markdown(results, command, rounds)
    print(text, end="")
    if options.json:
        options.json.write_text(json.dumps(as_json(results, command, rounds), indent=2) + "\n", encoding="utf-8")
    if options.svg:
        options.svg.write_text(picture(results), encoding="utf-8")
    if options.write:
        write_between_markers(options.write, text, "recorded")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recorded", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="STREAMS", help=f"of {', '.join(SECTIONS)}; none: all")
    parser.add_argument("--seconds", type=float, default=90.0, help="to spend (90); three rounds at least")
    parser.add_argument("--scale", type=float, default=1.0, help="of the invented streams (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the first kind of streams")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args(arguments)
    if unknown := set(options.sections) - set(SECTIONS):
        parser.error(f"no such streams: {', '.join(sorted(unknown))}")
    try:
        results = {name: SECTIONS[name](options.scale) for name in options.sections or SECTIONS}
    except NoRecordingsError as error:
        print(error, file=sys.stderr)
        return 2
    if readers("other")[0].version() is None:
        print("httpx-sse is not installed: pip install -e '.[bench]'", file=sys.stderr)
        return 2
    logging.getLogger("unbroken").setLevel(logging.CRITICAL + 1)  # some recordings end badly, which is logged
    report(results, measure(results, options.seconds), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The HTML page of one stream: a timeline, the diagnosis, and a table of what arrived.

It is one file without scripts or external resources; data of upstream is in it as escaped text only.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from operator import itemgetter
from typing import Final

from ..inspection.clients import Breakage
from ..inspection.diagnosis import Finding, headline, summary
from ..inspection.facts import Facts, Row
from ..inspection.inspector import shorten

WIDTH: Final = 1000
TOP: Final = 170  # the base line of the picture: events are drawn above it, heartbeats and repairs below
HEIGHT: Final = 210
MAX_TABLE: Final = 500
"""The most rows of the table at its beginning, and at its end."""
MAX_TEXT: Final = 300
"""The most characters of a row's content."""
MAX_DRAWN: Final = 4000
"""The most rows of each kind that are drawn in between: four times the columns of the picture."""

_LEGEND: Final = (
    ("content", "content", "#1a7f37"),
    ("event", "other events", "#0b5cad"),
    ("error", "errors", "#c62828"),
    ("comment", "heartbeats", "#5f6670"),
    ("repair", "repairs", "#9a5b00"),
    ("silence", "silence", "#f3d9ef"),
)
_COLORS: Final = {name: color for name, _, color in _LEGEND}
_DRAWN_AS: Final = {
    "liveness": "comment",
    "part": "comment",
    "structural": "event",
    "usage": "event",
    "terminal": "event",
}
_TITLE: Final = "<title>unbroken inspect</title>"
_STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 75rem; font: 1rem/1.5 system-ui, sans-serif; color: #1c2128;
  background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
figure { margin: 1rem 0; } svg { display: block; width: 100%; height: 13rem; background: #f6f8fa; }
.axis { display: flex; justify-content: space-between; font-size: .85rem; color: #424a53; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: .5rem 0; list-style: none;
  font-size: .9rem; }
.legend span { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; border: 1px solid #57606a; }
.finding { border-left: .3rem solid #9a5b00; background: #fff8ec; padding: .5rem .75rem; margin: .5rem 0; }
.finding.problem { border-color: #c62828; background: #fff1f0; }
.finding.fine { border-color: #1a7f37; background: #effaf2; }
.finding p { margin: 0; } .evidence { color: #424a53; font-size: .9rem; }
.scroll { overflow-x: auto; border: 1px solid #d0d7de; } .scroll:focus { outline: 3px solid #0b5cad; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { text-align: left; padding: .2rem .5rem; border-bottom: 1px solid #d8dee4; vertical-align: top;
  white-space: nowrap; }
td.text { white-space: normal; min-width: 12rem; font-family: ui-monospace, monospace; }
th.figure, td.figure { text-align: right; font-variant-numeric: tabular-nums; }
tr.repair { background: #fff8ec; } tr.error { background: #fff1f0; } tr.comment, tr.liveness { color: #57606a; }
tr.stall td { border-top: .25rem solid #c58abb; }
"""


class Rows:
    """The rows that a page shows, however long the stream: the first, the last, and some of each kind in between."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Row] = []
        self.last: deque[tuple[int, Row]] = deque(maxlen=MAX_TABLE)
        self._between: defaultdict[str, list[tuple[int, Row]]] = defaultdict(list)
        self._seen: Counter[str] = Counter()
        self._steps: defaultdict[str, int] = defaultdict(lambda: 1)

    def add(self, row: Row) -> None:
        """Add the next row, with the beginning of its text."""
        row = replace(row, text=shorten(row.text, MAX_TEXT), data=None)
        if len(self.first) < MAX_TABLE:
            self.first.append(row)
        else:
            if len(self.last) == MAX_TABLE:
                self._thin(*self.last[0])
            self.last.append((self.count, row))
        self.count += 1

    def _thin(self, index: int, row: Row) -> None:
        """Keep every n-th row of a kind, so that rare kinds are kept; n doubles when there are too many."""
        kept, step, seen = self._between[row.kind], self._steps[row.kind], self._seen[row.kind]
        self._seen[row.kind] += 1
        if seen % step == 0:
            kept.append((index, row))
            if len(kept) > MAX_DRAWN:
                del kept[1::2]
                self._steps[row.kind] = step * 2

    def drawn(self) -> Iterator[tuple[int, Row]]:
        """Yield the rows to draw, from the whole stream, each with its index."""
        yield from enumerate(self.first)
        yield from heapq.merge(*self._between.values(), key=itemgetter(0))
        yield from self.last


def page(rows: Rows, facts: Facts, findings: list[Finding], broken: list[Breakage]) -> str:
    """Return the whole page as HTML."""
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        # Data of upstream cannot run or load anything, even if an escape were missing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"{_TITLE}<style>{_STYLE}</style></head><body><main>",
        f"<h1>What came</h1><p>{escape(summary(facts))}</p>",
        *_picture(rows, facts),
        "<h2>Diagnosis</h2>",
        *_diagnosis(facts, findings),
        *_clients(broken),
        *_table(rows),
        "</main></body></html>\n",
    ]
    return "\n".join(parts)


def is_page(file: bytes) -> bool:
    """Whether a file with these first bytes is such a page, or empty."""
    return not file or _TITLE.encode() in file


# Timeline


def _picture(rows: Rows, facts: Facts) -> Iterator[str]:
    timed = facts.timed and bool(facts.ended)
    span = (facts.ended or 1.0) if timed else max(rows.count, 1)
    drawn = [((row.at or 0.0) if timed else index, row) for index, row in rows.drawn()]
    title = (
        f"{facts.report.events} events over {span:.1f} seconds" if timed else f"{facts.report.events} events in order"
    )
    yield "<figure>"
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"'
    yield f'<svg {box} role="img" aria-label="Timeline: {escape(title)}">'
    for silence in facts.silences:
        x, width = _x(silence.began, span), silence.seconds / span * WIDTH
        yield f'<rect x="{x:.1f}" y="0" width="{width:.1f}" height="{HEIGHT}" fill="{_COLORS["silence"]}"/>'
    yield f'<path d="M0 {TOP}H{WIDTH}" stroke="#57606a" vector-effect="non-scaling-stroke"/>'
    yield from _marks(drawn, span)
    yield "</svg>"
    labels = (
        [f"{span * part:.1f} s" for part in (0, 0.5, 1)] if timed else ["first", "no times: read from a file", "last"]
    )
    yield f'<div class="axis">{"".join(f"<span>{label}</span>" for label in labels)}</div>'
    swatches = (f'<li><span style="background:{color}"></span>{label}</li>' for _, label, color in _LEGEND)
    yield f'<ul class="legend">{"".join(swatches)}</ul>'
    yield '<figcaption class="evidence">Each bar is what came then; its height grows with the size.</figcaption>'
    yield "</figure>"


def _x(place: float, span: float) -> float:
    return min(place / span, 1.0) * (WIDTH - 4) + 2


def _marks(drawn: list[tuple[float, Row]], span: float) -> Iterator[str]:
    """Yield the tallest bar for each column and kind: a long stream has more events than the picture has columns."""
    bars: dict[tuple[str, int], float] = {}
    for place, row in drawn:
        kind = _DRAWN_AS.get(row.kind, row.kind)
        if kind in _COLORS:
            column = (kind, round(_x(place, span)))
            bars[column] = max(bars.get(column, 0.0), math.sqrt(row.size or 1))
    tallest = max(bars.values(), default=1.0)
    for (kind, x), size in bars.items():
        yield _mark(kind, x, size / tallest)


def _mark(kind: str, x: int, share: float) -> str:
    if kind == "repair":
        line = f"M{x} {HEIGHT - 4}V{TOP + 22}"
    elif kind == "comment":
        line = f"M{x} {TOP + 3}V{TOP + 16}"
    else:
        line = f"M{x} {TOP}V{TOP - 10 - share * (TOP - 20):.0f}"
    return f'<path d="{line}" stroke="{_COLORS[kind]}" stroke-width="2" vector-effect="non-scaling-stroke"/>'


# Diagnosis and table


def _diagnosis(facts: Facts, findings: list[Finding]) -> Iterator[str]:
    if says := headline(facts, findings):
        yield f'<div class="finding {"note" if facts.stopped else "fine"}"><p>{says}</p></div>'
    for finding in findings:
        level = finding.level
        yield f'<div class="finding {level}"><p><strong>{level.title()}.</strong> {escape(finding.says)}</p>'
        yield f'<p class="evidence">{escape(finding.slug)}: {escape(finding.evidence)}</p></div>'


def _clients(broken: list[Breakage]) -> Iterator[str]:
    if broken:
        yield "<h2>Clients that would break on these bytes</h2><ul>"
        for breakage in broken:
            yield f"<li><strong>{escape(breakage.clients)}</strong>: {escape(breakage.how)} "
            yield f'<span class="evidence">({escape(breakage.evidence)})</span></li>'
        yield "</ul>"


def _table(rows: Rows) -> Iterator[str]:
    left_out = rows.count - len(rows.first) - len(rows.last)
    yield '<h2 id="rows">Row by row</h2><div class="scroll" role="region" aria-labelledby="rows" tabindex="0"><table>'
    figures = ("number", "seconds", "gap", "bytes")
    heads = ("number", "seconds", "gap", "kind", "name", "bytes", "content")
    columns = "".join(f'<th scope="col"{" class=figure" * (head in figures)}>{head}</th>' for head in heads)
    yield f"<thead><tr>{columns}</tr></thead><tbody>"
    yield from map(_table_row, rows.first)
    if left_out:
        yield f'<tr><td colspan="7">{left_out:,} more</td></tr>'
    yield from (_table_row(row) for _, row in rows.last)
    yield "</tbody></table></div>"


def _table_row(row: Row) -> str:
    at, gap = ("" if seconds is None else f"{seconds:.3f}" for seconds in (row.at, row.gap))
    size = "" if row.size is None else f"{row.size:,}"
    figures = "".join(f'<td class="figure">{value}</td>' for value in (row.number or "", at, gap))
    names = f"<td>{escape(row.kind)}</td><td>{escape(row.name)}</td>"
    return (
        f'<tr class="{escape(row.kind)}{" stall" if row.stall else ""}">{figures}{names}'
        f'<td class="figure">{size}</td><td class="text">{escape(row.text)}</td></tr>'
    )

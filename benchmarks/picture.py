"""Groups of horizontal bars as an SVG, readable on a light page and on a dark one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT = 880, 250, 60
HEAD, BAR, SPACE = 92, 11, 12
LEGEND_STEP = 150

COLOURS = [
    ("#8a8f98", "#9aa0aa"),
    ("#c58a1b", "#d9a441"),
    ("#1f6feb", "#58a6ff"),
    ("#0a7d4f", "#3fb983"),
    ("#b3477d", "#d87aab"),
]
"""Of each reader, on a light ground and on a dark one."""

STYLE = """
text {{ font: 12px system-ui, sans-serif; fill: #24292f }}
.ground {{ fill: #ffffff }} .title {{ font-size: 16px; font-weight: 600 }} .small {{ font-size: 10px }}
.grid {{ stroke: #d0d7de; stroke-width: 1 }}
{light}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }} .ground {{ fill: #0d1117 }} .grid {{ stroke: #30363d }}
{dark}
}}
"""


@dataclass(frozen=True)
class Bars:
    """One group: its label, and a value for each reader that takes part."""

    label: str
    values: list[tuple[str, float]]


def draw(title: str, subtitle: str, groups: list[Bars]) -> str:
    """Return the picture of all groups, one under the other, on one linear scale that begins at 0.

    Texts are escaped. At most five readers have colours of their own, by their order of appearance. The scale ends at
    the largest value, unless one reader's values dwarf all others: its bars are cut and carry their figure.
    """
    if any(value > scale_end(groups) for group in groups for _, value in group.values):
        subtitle += "; a bar that ends in ▸ is cut"
    readers = list(dict.fromkeys(reader for group in groups for reader, _ in group.values))
    end = scale_end(groups)
    body, top = [], HEAD
    for group in groups:
        body += group_bars(group, readers, top, end)
        top += len(group.values) * BAR + SPACE
    height = top + 12
    light, dark = ("\n".join(f".r{i} {{ fill: {pair[at]} }}" for i, pair in enumerate(COLOURS)) for at in (0, 1))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label="{escape(title)}">',
            f"<style>{STYLE.format(light=light, dark=dark)}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
            f'<text class="title" x="16" y="26">{escape(title)}</text>',
            f'<text class="small" x="16" y="43">{escape(subtitle)}</text>',
            *legend(readers),
            *grid(end, height),
            *body,
            "</svg>",
            "",
        ]
    )


def scale_end(groups: list[Bars]) -> float:
    """Return the value at which the scale ends."""
    largest: dict[str, float] = {}
    for group in groups:
        for reader, value in group.values:
            largest[reader] = max(value, largest.get(reader, 0.0))
    *others, most = sorted(largest.values())
    return min(most, max(others) * 1.15) if others else most


def group_bars(group: Bars, readers: list[str], top: float, end: float) -> list[str]:
    """Return one group's label and bars, the first bar at `top`."""
    middle = top + len(group.values) * BAR / 2 + 4
    lines = [f'<text x="{LEFT - 8}" y="{middle:.1f}" text-anchor="end">{escape(group.label)}</text>']
    for number, (reader, value) in enumerate(group.values):
        y, length = top + number * BAR, min(value, end) / end * (WIDTH - LEFT - RIGHT)
        colour = readers.index(reader) % len(COLOURS)
        lines.append(
            f'<rect class="r{colour}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 1}">'
            f"<title>{escape(f'{group.label}, {reader}: {value:.2f}')}</title></rect>"
        )
        cut = "▸ " if value > end else ""
        lines.append(f'<text class="small" x="{LEFT + length + 4:.1f}" y="{y + BAR - 2}">{cut}{value:.1f}</text>')
    return lines


def legend(readers: list[str]) -> list[str]:
    """Return a row of colours and names."""
    lines = []
    for number, reader in enumerate(readers):
        x = 16 + number * LEGEND_STEP
        lines.append(f'<rect class="r{number % len(COLOURS)}" x="{x}" y="56" width="10" height="10"/>')
        lines.append(f'<text x="{x + 15}" y="65">{escape(reader)}</text>')
    return lines


def grid(end: float, height: int) -> list[str]:
    """Return vertical lines at round values, and their figures."""
    step = next(step for step in (0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 1e9) if end / step <= 8)
    lines = []
    for number in range(int(end / step) + 1):
        x = LEFT + number * step / end * (WIDTH - LEFT - RIGHT)
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 6}" y2="{height - 10}"/>')
        lines.append(f'<text class="small" x="{x:.1f}" y="{HEAD - 9}" text-anchor="middle">{number * step:g}</text>')
    return lines

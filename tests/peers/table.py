"""The table of parsers and properties in `docs/parsers.md`, written anew: `python -m tests.peers.table`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.fences import ROOT
from tests.peers.examining import Result, examined
from tests.peers.peers import NDJSON_PEERS, OUR_LINES, OURS, SSE_PEERS, Peer

PAGE = ROOT / "docs" / "parsers.md"
Results = Mapping[Peer, Mapping[str, Result]]

HEAD = """\
# Parsers compared

Each parser below was tested with the parser contract of [`unbroken.testing`](how-to/test-your-own-parser.md), a set of
tests that you can run on your own parser too. Each row is a property: a requirement of the standard, tested with 100
random streams (300 where they mix everything), each cut into chunks at random places and inside each CRLF. ✓ means that
the property held, ✗ that it failed (the smallest stream that shows it is further down), – that it was not tested, since
the parser does not offer what it is about. The last row counts the test cases of the standard that were read correctly,
as one chunk and at every difficult cut.

A parser may be meant for less than the whole standard; what a ✗ costs you depends on what your servers send. `unbroken`
is tested here with `repairs=()`, which reads by the standard and repairs nothing. `requests` does not parse events: its
column is `iter_lines` and a check for `data: ` at the beginning of each line, which many programs use in place of a
parser.

This page is written by `python -m tests.peers.table`; the tests run the same parsers and compare.
"""


def measured(peers: Iterable[Peer]) -> dict[Peer, dict[str, Result]]:
    """Examine peers, as many at a time as there are processors; what is measured there is processor time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = list(peers)
        return dict(zip(asked, pool.map(examined, asked), strict=True))


def properties(results: Results) -> list[str]:
    """Name the tests that are properties, in the order of the first peer's; the rest are cases."""
    first = next(iter(results.values()))
    return [test for test in first if not test.startswith("test_case_")]


def title(test: str) -> str:
    """Spell a test's name as a sentence."""
    return test.removeprefix("test_").replace("_", " ").replace("U FFFD", "U+FFFD")


def cases(results: Mapping[str, Result]) -> str:
    """Count the cases that were read right."""
    asked = [result for test, result in results.items() if test.startswith("test_case_")]
    return f"{sum(result.mark == 'yes' for result in asked)}/{len(asked)}"


MARKS = {"yes": "✓", "no": "✗", "-": "–"}


def table(results: Results) -> str:
    """Draw the table: a row for each property, a column for each peer."""
    rows = [["", *(peer.title for peer in results)], ["---", *(":-:" for _ in results)]]
    rows += [[title(test), *(MARKS[found[test].mark] for found in results.values())] for test in properties(results)]
    rows.append(["cases of the standard", *(cases(results[peer]) for peer in results)])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def counterexamples(results: Results) -> str:
    """List, for each property, the smallest streams that break it, each with the peers that they break."""
    parts = []
    for test in properties(results):
        found: dict[str, list[str]] = {}
        for peer, tests in results.items():
            if tests[test].failure:
                found.setdefault(smallest(tests[test]), []).append(peer.title)
        if found:
            lines = [f"- {text}: {', '.join(peers)}" for text, peers in found.items()]
            parts.append(f"**{title(test)[0].upper()}{title(test)[1:]}**\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def smallest(result: Result) -> str:
    """Tell in a line how a property broke."""
    if result.stream is None:
        assert result.failure
        return code(result.failure.splitlines()[0]) if "not linear" not in result.failure else "more than linear time"
    how = "" if result.cut == "whole" else f", cut {code(result.cut or '')}"
    return f"{code(result.stream)}{how} gives {code(result.seen or '')} and not {code(result.expected or '')}"


def code(text: str) -> str:
    """Set text as code. Long representations are cut: the ends of them repeat."""
    text = text.replace("`", "'").replace("|", "∣")
    return f"`{text[:160]}{'...' if len(text) > 160 else ''}`"


def page(sse: Results, ndjson: Results) -> str:
    """Write the whole page."""
    sections = [
        HEAD,
        "## Server-sent events\n\n" + table(sse),
        "## NDJSON\n\n" + table(ndjson),
        "## The smallest streams that break them\n\nAs Hypothesis shrank them, within its default budget.\n\n"
        + counterexamples(sse),
        "### NDJSON lines\n\n" + counterexamples(ndjson),
    ]
    return "\n".join(sections)


def main() -> None:
    """Examine all peers and write the page."""
    PAGE.write_text(page(measured([*SSE_PEERS, OURS]), measured([*NDJSON_PEERS, OUR_LINES])), encoding="utf-8")


if __name__ == "__main__":
    main()

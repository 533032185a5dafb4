"""The tables of docs/client-table.md, out of what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.clients.table.results import Results
from tests.clients.table.streams import FAULTS, RAISES, RIGHT, THEIRS, Fault

PAGE = Path(__file__).parents[3] / "docs" / "client-table.md"
HEARTBEATS = ("comment", "comment-line", "blank-line", "event")
_GOOD = {RAISES: "ours", THEIRS: "theirs", RIGHT: "right"}
Told = dict[str, Any]


def page(results: Results) -> str:
    """Return the page with its tables written anew."""
    text = PAGE.read_text(encoding="utf-8")
    for name, rows in (
        ("summary", summary(results)),
        ("early", early(results)),
        ("heartbeats", heartbeats(results)),
        ("exceptions", exceptions(results)),
        ("clients", by_client(results)),
    ):
        text = _put(text, name, "\n".join(rows))
    return text


def _put(text: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}: python -m tests.clients.table -->\n", f"<!-- end of {name} -->\n"
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n{table}\n\n{end}{rest.partition(end)[2]}"


def _packaged(results: Results) -> list[Told]:
    return [told for told in results.clients.values() if told["package"]]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield _row(*["---"] * len(cells))


def _words(told: Iterable[Told], mode: str, fault: str) -> list[str]:
    return [word for client in told if (word := client["words"].get(mode, {}).get(fault)) is not None]


def _count(words: list[str], good: str) -> str:
    """Say how many words are the good one, and what the others are."""
    plain = Counter(word.partition(" x")[0] for word in words)
    others = [f"{count} {word}" for word, count in sorted(plain.items()) if word != good]
    return ", ".join([*([f"{plain[good]} of {len(words)} {good}"] if plain[good] else ()), *others])


def _good(fault: Fault) -> str:
    return _GOOD.get(fault.due, "whole")


def summary(results: Results) -> Iterator[str]:
    """Give what all clients do, fault by fault."""
    told = _packaged(results)
    yield from _head("fault", "bare", "through `arepair`")
    for name, fault in FAULTS.items():
        bare, repaired = (_words(told, mode, name) for mode in ("bare", "repaired"))
        yield _row(fault.meaning, _count(bare, _good(fault)), f"**{_count(repaired, _good(fault))}**")


def early(results: Results) -> Iterator[str]:
    """Give what becomes of failures before the first payload, by what is known then."""
    told = _packaged(results)
    yield from _head("fault", "dialect named", "the URL tells it", "nothing is known")
    for name, fault in FAULTS.items():
        if fault.named and fault.code:
            words = (_words(told, mode, name) for mode in ("named", "repaired", "unknown"))
            yield _row(fault.meaning, *(_count(found, "ours") for found in words))


def heartbeats(results: Results) -> Iterator[str]:
    """Give the clients that mind some bytes in a silence."""
    yield from _head("client", "of dialect", "default", *(f"`{name}`" for name in HEARTBEATS))
    for told in results.clients.values():
        words = [told["words"].get(mode, {}).get("silence", "–") for mode in ("repaired", *HEARTBEATS)]
        if set(words) - {"whole", "–"}:
            yield _row(told["client"], told["dialect"], *words)


def exceptions(results: Results) -> Iterator[str]:
    """Give the exception by which each client tells of a cut and of an early failure."""
    yield from _head("client", "version", "after text", "before it")
    for told in _packaged(results):
        raised = told.get("raises", {}).get("repaired", {})
        cells = (f"`{raised[fault]}`" if fault in raised else "–" for fault in ("cut", "break-first"))
        yield _row(told["client"], f"{told['package']} {told['version']}", *cells)


def by_client(results: Results) -> Iterator[str]:
    """Give what each client does, bare and repaired, one table per dialect."""
    for dialect in dict.fromkeys(told["dialect"] for told in _packaged(results)):
        yield f"\n### `{dialect}`\n"
        yield from _head("client", *FAULTS)
        for told in _packaged(results):
            if told["dialect"] == dialect:
                yield _row(told["client"], *(_cell(told, fault) for fault in FAULTS))


def _cell(told: Told, fault: str) -> str:
    words = [told["words"].get(mode, {}).get(fault, "–") for mode in ("bare", "repaired")]
    return words[0] if words[0] == words[1] else " → ".join(words)

"""What clients do with a broken stream, bare and repaired: measures, and writes the tables of docs/client-table.md.

    python -m tests.clients.table

Runs the clients that are installed: for Python here, by one of the extras `client-table` and `client-table-openai-2`;
for Node.js in the folder that `NODE_CLIENTS` names, by `npm install` with package.json, or beside that. Those that are
not keep the figures that they have.
"""

from __future__ import annotations

import argparse
import json
import sys

from tests.clients.table.page import PAGE, page
from tests.clients.table.results import Results
from tests.clients.table.runs import Entry, Run, entries, run_all
from tests.clients.table.server import MODES
from tests.clients.table.streams import FAULTS, WITHOUT_IDS


def chosen(clients: str, modes: str, faults: str) -> list[Run]:
    """Return the runs that were asked for; "" is all."""
    known = {entry.name: entry for entry in entries()}
    wanted: list[Entry] = [known[name] for name in clients.split(",")] if clients else list(known.values())
    names = faults.split(",") if faults else list(FAULTS)
    return [
        Run(entry, mode, fault)
        for entry in wanted
        for mode in (modes.split(",") if modes else MODES)
        for fault in names
        if is_tried(entry, mode, fault)
    ]


def is_tried(entry: Entry, mode: str, fault: str) -> bool:
    """Return whether a fault is part of the table in this mode.

    What is known of the dialect matters before the first payload, and the bytes of a heartbeat in a silence. Loops
    that are written by hand, which no package holds, are there for the heartbeats.
    """
    if mode in ("comment", "comment-line", "blank-line", "event"):
        return fault == "silence" and entry.dialect != "ollama"
    if not entry.package:
        return fault in ("healthy", "silence")
    if mode == "named":
        return FAULTS[fault].named
    if mode == "unknown":
        return FAULTS[fault].named and bool(FAULTS[fault].code)
    return fault != "silence-ids" or entry.dialect not in WITHOUT_IDS


def main() -> None:
    """Measure, keep what was found, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.table", description=__doc__)
    parser.add_argument("--clients", default="", help="their names, with commas between; all that are installed")
    parser.add_argument("--modes", default="", help=f"of {', '.join(MODES)}")
    parser.add_argument("--faults", default="", help=f"of {', '.join(FAULTS)}")
    parser.add_argument("--check", action="store_true", help="compare with what was found before, and write nothing")
    parser.add_argument("--show", action="store_true", help="print what each client saw, and write nothing")
    arguments = parser.parse_args()
    results = Results.read()
    differs = False
    for run, word, seen in run_all(chosen(arguments.clients, arguments.modes, arguments.faults)):
        told = [run.entry.name, run.mode, run.fault, word]
        if arguments.check:
            before = results.clients.get(run.entry.name, {}).get("words", {}).get(run.mode, {}).get(run.fault)
            if before != word:
                differs = True
                print(*told, f"not {before}", json.dumps(vars(seen), ensure_ascii=False)[:600], sep="\t", flush=True)
        elif arguments.show:
            print(*told, json.dumps(vars(seen), ensure_ascii=False)[:600], sep="\t", flush=True)
        else:
            print(*told, file=sys.stderr, flush=True, sep="\t")
            results.note(run, word, seen)
    if arguments.check:
        sys.exit(int(differs))
    if not arguments.show:
        results.write()
        PAGE.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()

"""What was found, kept line by line in results.jsonl."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.clients.table.runs import Run
from tests.clients.table.seen import Seen

FILE = Path(__file__).parent / "results.jsonl"


@dataclass
class Results:
    """What each client did, by its name: its package, its version, and by mode and fault a word and an exception."""

    clients: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Results:
        """Return what was found before."""
        if not FILE.exists():
            return cls()
        told = map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
        return cls({line["client"]: line for line in told})

    def note(self, run: Run, word: str, seen: Seen) -> None:
        """Take what one run found."""
        entry = run.entry
        kept = self.clients.setdefault(entry.name, {"client": entry.name})
        kept |= {"package": entry.package, "dialect": entry.dialect, "version": entry.version, "node": entry.node}
        kept.setdefault("words", {}).setdefault(run.mode, {})[run.fault] = word
        raised = kept.setdefault("raises", {}).setdefault(run.mode, {})
        raised.pop(run.fault, None)
        if seen.errors:
            raised[run.fault] = seen.errors[0][0]

    def write(self) -> None:
        """Keep it, and write the page."""
        lines = [json.dumps(told, sort_keys=True) for _, told in sorted(self.clients.items())]
        FILE.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

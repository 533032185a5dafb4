"""The findings that rules yield."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One conclusion from the facts of a stream, with its evidence. `level` is "problem" or "note"."""

    slug: str
    level: str
    says: str
    evidence: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON."""
        return {"slug": self.slug, "level": self.level, "says": self.says, "evidence": self.evidence}


def problem(slug: str, says: str, evidence: str = "") -> Iterator[Finding]:
    """Yield one finding of level "problem"."""
    yield Finding(slug, "problem", says, evidence)


def note(slug: str, says: str, evidence: str = "") -> Iterator[Finding]:
    """Yield one finding of level "note"."""
    yield Finding(slug, "note", says, evidence)


def plural(count: int, what: str) -> str:
    """Return a count with its noun: "1 event", "2 events"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

"""What a rule says about a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a stream's facts say. `level` is "problem" or "note"."""

    slug: str
    level: str
    says: str
    evidence: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        return {"slug": self.slug, "level": self.level, "says": self.says, "evidence": self.evidence}


def problem(slug: str, says: str, evidence: str = "") -> Iterator[Finding]:
    yield Finding(slug, "problem", says, evidence)


def note(slug: str, says: str, evidence: str = "") -> Iterator[Finding]:
    yield Finding(slug, "note", says, evidence)


def plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

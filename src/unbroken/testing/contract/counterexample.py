"""The failure of a contract, and its reduction to the fewest cuts and bytes that still fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from ..cuts import describe_cut
from ..shown import shown


class ContractBroken(AssertionError):
    """A reader did not see what the standard says, or a repairer broke a law.

    The message shows the stream, how it was cut, the options of a repairer, and the clause or the law, which is a
    member of `Clause` or of `Law`. Of two mappings it shows what differs, and of long values the beginning and the end;
    `data`, `expected` and `seen` are all of it.
    """

    def __init__(
        self,
        name: str,
        clause: Enum,
        chunks: Sequence[bytes],
        expected: object,
        seen: object,
        again: Callable[[list[bytes]], None] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.name, self.clause, self.chunks = name, clause, list(chunks)
        self.expected, self.seen, self.again = expected, seen, again
        self.options = options
        super().__init__(name, clause, chunks, expected, seen)

    @property
    def data(self) -> bytes:
        """The whole stream."""
        return b"".join(self.chunks)

    def __str__(self) -> str:
        expected, seen = _differing(self.expected, self.seen)
        return (
            f"{self.name}\n"
            f"  stream    {shown(self.data)}\n"
            f"  cut       {describe_cut(self.chunks)}\n"
            f"{'' if self.options is None else f'  options   {dict(self.options)!r}{chr(10)}'}"
            f"  expected  {shown(expected)}\n"
            f"  seen      {shown(seen)}\n"
            f"  clause    {self.clause.value}"
        )


def _differing(expected: object, seen: object) -> tuple[object, object]:
    """Return two mappings without what is in both; anything else as it is."""
    if not isinstance(expected, Mapping) or not isinstance(seen, Mapping):
        return expected, seen
    same = {key for key, value in expected.items() if key in seen and seen[key] == value}
    if len(same) == len(expected) == len(seen):
        return expected, seen
    expected, seen = ({key: one[key] for key in one if key not in same} for one in (expected, seen))
    return expected, seen


class Raised:
    """Takes the place of the events seen by a reader that raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"raised {type(self.error).__name__}: {self.error}"


def with_fewest_cuts(broken: ContractBroken) -> ContractBroken:
    """Return the failure with as many chunks joined as possible, so that only the cuts that matter are left."""
    at = 1
    while broken.again and at < len(broken.chunks):
        chunks = broken.chunks
        joined = [*chunks[: at - 1], chunks[at - 1] + chunks[at], *chunks[at + 1 :]]
        try:
            broken.again(joined)
            at += 1
        except ContractBroken as smaller:
            broken = smaller
    return broken


def with_fewest_bytes(broken: ContractBroken, check: Callable[[bytes], None]) -> ContractBroken:
    """Return the failure with as many bytes left out as possible; Hypothesis only leaves out whole draws."""
    size = 16
    while size:
        at = 0
        while at < len(broken.data):
            try:
                check(broken.data[:at] + broken.data[at + size :])
                at += size
            except ContractBroken as smaller:
                broken = with_fewest_cuts(smaller)
        size //= 2
    return broken

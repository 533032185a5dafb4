"""What a case on a clock is: calls, what each of them writes, and when the next one is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cases import slug
from .case import SAME

Step = tuple[str, tuple[Any, ...], bytes, float | None]
"""A call by name, its arguments, what is written (or `SAME`: its chunk), and what `next_deadline` returns then.

`fail` is written without its exception, a `ConnectionResetError`.
"""


@dataclass(frozen=True, slots=True)
class TimedCase:
    """The calls of one stream, in order, in the times of a fake clock.

    Deadlines stand on a grid that all streams share: a power of two, at most a quarter of a second and at most a
    sixteenth of the shortest limit. A heartbeat aims half a step of it early. `seconds` are the heartbeat and the
    timeouts, by name; `facts` are some of what the report says in the end. `renews` are what
    `renew` returns, one failure after the other: the seconds until upstream is opened again; ids are remembered then,
    unless `remembers_ids` is false.
    """

    name: str
    steps: tuple[Step, ...]
    seconds: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    renews: tuple[float, ...] | None = None
    remembers_ids: bool = True

    @property
    def slug(self) -> str:
        """The name as a part of a test's name."""
        return slug(self.name)

    @property
    def chunks(self) -> list[bytes]:
        """What is read, in order."""
        return [step[1][0] for step in self.steps if step[0] == "feed"]

    @property
    def expected(self) -> tuple[Step, ...]:
        """The calls with what must come of each."""
        return tuple((name, given, given[0] if out is SAME else out, due) for name, given, out, due in self.steps)

    def played(
        self,
        repairer: Any,
        before: Callable[[str, tuple[Any, ...]], object] = lambda name, given: None,
        *,
        asks: bool = True,
    ) -> tuple[Step, ...]:
        """Make the calls; return them with what came of each. `before` is called before each, with its arguments.

        `asks`: whether `next_deadline` is called after each; else the deadlines are None.
        """
        if self.renews is not None:
            delays = list(self.renews)
            repairer.renew = lambda error: delays.pop(0) if delays else None
            if self.remembers_ids:
                repairer.remember_ids()
        seen: list[Step] = []
        for name, arguments, _, _ in self.steps:
            given = (ConnectionResetError(), *arguments) if name == "fail" else arguments
            before(name, given)
            written: Iterable[bytes] | None = getattr(repairer, name)(*given)
            seen.append((name, arguments, b"".join(written or ()), repairer.next_deadline() if asks else None))
        return tuple(seen)

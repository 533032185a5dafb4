"""How a stream goes on with another source where its own has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..adapters.source import Source
    from ..core.report import StreamReport
    from ..core.resume import DeliveredIds


class Succession:
    """Finds the source that takes a failed one's place: the engine asks for it, and the stream goes over to it.

    Neither may hold the other for this: a stream that is dropped must close at once, and not at a collection.
    `delivered` are the ids by which another source can go on, or None where it could only begin anew.
    """

    __slots__ = ("_delivered", "_report", "_source", "following")

    def __init__(self, source: Source, report: StreamReport, delivered: DeliveredIds | None) -> None:
        self._source = source
        self._report = report
        self._delivered = delivered
        self.following: Source | None = None

    def __call__(self, error: Exception) -> float | None:
        """Give the delay of the source that follows, or None if the failure stands."""
        if self._report.events and not (self._delivered and self._delivered.last):
            return None  # what was delivered would be delivered again
        following = self._source.renew(error, self._report) if self._source.renew else None
        if following is None:
            return None
        self._source = self.following = following
        return following.delay

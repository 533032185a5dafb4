"""How a stream goes on with the source of another attempt after its own has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..adapters.source import Source
    from ..core.report import StreamReport
    from ..core.resume import DeliveredIds
    from .continuing import Seam


class Succession:
    """The source that takes a failed one's place: the engine asks for one, and the stream goes over to `following`.

    It stands between engine and stream, so that neither refers to the other: a reference cycle would delay the closing
    of a stream that was dropped until a garbage collection. `delivered` are the ids after which another source can go
    on, None where it could only start again; `seam` says whether another answer can go on with the delivered one.
    """

    __slots__ = ("_delivered", "_report", "_seam", "_source", "following")

    def __init__(
        self, source: Source, report: StreamReport, delivered: DeliveredIds | None, seam: Seam | None = None
    ) -> None:
        self._source = source
        self._report = report
        self._delivered = delivered
        self._seam = seam
        self.following: Source | None = None

    def __call__(self, error: Exception) -> float | None:
        """Return how many seconds `following` waits before it opens upstream, or None if the failure is final."""
        goes_on = (self._delivered and self._delivered.last) or (self._seam and self._seam.may_follow(self._report))
        if self._report.events and not goes_on:
            return None  # what was delivered would be delivered again
        following = self._source.renew(error, self._report) if self._source.renew else None
        if following is None:
            return None
        self._source = self.following = following
        return following.delay

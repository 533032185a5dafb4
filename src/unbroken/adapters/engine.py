"""What an adapter asks of the core: bytes and `now` in, items out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from ..core.report import StreamError, StreamReport
    from ..core.resume import DeliveredIds

T = TypeVar("T")


class Engine(Protocol[T]):
    """One stream, sans I/O. Items are `bytes` (whole frames) or `Event`s. `now` is the adapter's monotonic clock.

    The first call of an adapter is `resume`; it starts the stream's time.
    """

    @property
    def report(self) -> StreamReport:
        """The live report."""

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be read: terminator, fatal error, timeout or end."""

    @property
    def error(self) -> StreamError | None:
        """Why the stream failed, or None. An event stream raises it after its last item; `repair` wrote its frame."""

    @property
    def early_error(self) -> StreamError | None:
        """The error that upstream told already, although the stream goes on; else the same as `error`."""

    renew: Callable[[Exception], float | None] | None
    """Asked before a failure is told: the seconds until another connection brings the bytes, or None."""

    def remember_ids(self) -> DeliveredIds:
        """Remember the ids of what is delivered, so that another connection can go on behind them; give them."""

    def feed(self, chunk: bytes, now: float) -> list[T]:
        """Take bytes and give what they complete."""

    def close(self, now: float) -> list[T]:
        """Take the clean end of the input."""

    def fail(self, error: Exception, now: float) -> list[T]:
        """Take the exception that upstream raised."""

    def next_deadline(self) -> float | None:
        """Give the time of the next heartbeat or timeout, or None."""

    def on_deadline(self, now: float) -> list[T]:
        """Give what is due: a heartbeat, a timeout's error frame, or nothing."""

    def resume(self, now: float) -> None:
        """The adapter begins to wait for upstream: the timeout clocks run."""

    def pause(self, now: float) -> None:
        """The wait is over: the timeout clocks stand still until the consumer asks again and must wait."""

    def hold(self, held: bool) -> None:
        """Owe no heartbeat while `held`: the answer has not begun, and a heartbeat would begin it."""

    def cancel(self, now: float) -> None:
        """The consumer left: the verdict is CANCELLED unless there is one."""

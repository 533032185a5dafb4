"""The interface between an adapter and the core: bytes and `now` in, items out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from ..core.failure import Failure
    from ..core.options import Options
    from ..core.report import StreamError, StreamReport
    from ..core.resume import DeliveredIds, Seam

T = TypeVar("T")


class Engine(Protocol[T]):
    """One stream, without I/O. Items are `bytes` (whole frames) or `Event`s; `now` is a monotonic time in seconds.

    An adapter calls `resume` first, which starts the stream's time.
    """

    @property
    def report(self) -> StreamReport:
        """The live report."""

    @property
    def options(self) -> Options:
        """The options that were checked."""

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be read: terminator, fatal error, timeout or end."""

    @property
    def error(self) -> StreamError | None:
        """Why the stream failed, or None. An event stream raises it after its last item; `repair` wrote its frame."""

    @property
    def early_error(self) -> StreamError | None:
        """The error that upstream has sent, even while the stream goes on; otherwise the same as `error`."""

    renew: Callable[[Exception], float | None] | None
    """Called with a failure before it is reported. Returns the seconds until another connection takes over, or None."""

    def remember_ids(self) -> DeliveredIds:
        """Start to record the ids of delivered events, from which another connection can resume, and return them."""

    def withhold(self, seam: Seam | None = None) -> None:
        """Hold back a beginning that says nothing until something is said, or no other connection takes over.

        `seam`: joins another answer, which `renew` may bring, to what was delivered.
        """

    def feed(self, chunk: bytes, now: float) -> list[T]:
        """Return the items that these bytes complete."""

    def close(self, now: float) -> list[T]:
        """Return the last items after a clean end of the input."""

    def fail(self, error: Exception, now: float) -> list[T]:
        """Return the last items after an exception of upstream."""

    def end(self, failure: Failure, now: float) -> list[T]:
        """Return the last items after a failure from outside, such as `stopped`: upstream is not opened again."""

    def next_deadline(self) -> float | None:
        """Return the time of the next heartbeat or timeout, or None."""

    def on_deadline(self, now: float) -> list[T]:
        """Return what is due: a heartbeat, a timeout's error frame, or nothing."""

    def resume(self, now: float) -> None:
        """Start or restart the timeout clocks: the adapter waits for upstream."""

    def pause(self, now: float) -> None:
        """Stop the timeout clocks until `resume`: the adapter no longer waits for upstream."""

    def hold(self, held: bool) -> None:
        """Send no heartbeat while `held`: it would start a response that has not started yet."""

    def cancel(self, now: float) -> None:
        """End the stream because its consumer left: the verdict is CANCELLED unless there is one already."""

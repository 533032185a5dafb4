"""The retry loop: which attempt follows a failed one.

Whether another attempt may follow depends on what was delivered, and only the stream knows that. So a source is one
attempt, and the stream, once it met the end of it, asks it to `renew`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..adapters.source import Source, met_by
from ..observe.log import warn
from .answers import retry_after_of, status_of
from .attempt import Attempt
from .connections import AsyncConnection, Connection
from .policy import Retry

if TYPE_CHECKING:
    from ..core.report import StreamReport


def course(
    function: str,
    connect: Callable[[Attempt], Any],
    retry: Retry | None,
    resume: bool,
    on_retry: Callable[[Attempt], object] | None,
) -> Source:
    """Give the source that makes the first attempt when it is read; `function` names who was called."""
    connection = Connection if function == "retrying" else AsyncConnection
    return _Course(function, connection, connect, retry, resume, on_retry).source(Attempt())


class _Course:
    """Decides which attempt follows."""

    def __init__(
        self,
        function: str,
        connection: type[Connection | AsyncConnection],
        connect: Callable[[Attempt], Any],
        retry: Retry | None,
        resume: bool,
        on_retry: Callable[[Attempt], object] | None,
    ) -> None:
        callbacks: dict[str, object] = {"connect": connect, "on_retry": on_retry or connect}
        for name, callback in callbacks.items():
            if not callable(callback):
                kind = type(callback).__name__
                raise TypeError(f"{function}({name}=...) takes a function of the attempt, not {kind}")
        if retry is not None and not isinstance(retry, Retry):
            raise TypeError(f"{function}(retry=...) takes unbroken.Retry(...) or None, not {type(retry).__name__}")
        self._connection = connection
        self._connect = connect
        self._retry = retry or Retry()
        self._resume = resume
        self._on_retry = on_retry

    def source(self, attempt: Attempt) -> Source:
        """Give the source that makes this attempt when it is read."""
        connection = self._connection(self._connect, attempt)
        renew = partial(self.renew, attempt)
        return Source(
            connection,
            abort=connection.abort,
            renew=renew,
            delay=attempt.delay,
            resumes=self._resume,
            begin=self.begin if attempt.number == 1 else None,
        )

    def begin(self, last_event_id: str) -> Source:
        """Give the source of a stream that starts behind this id."""
        return self.source(Attempt(last_event_id=last_event_id))

    def renew(self, attempt: Attempt, error: Exception, report: StreamReport) -> Source | None:
        """Give the source that follows on a failed attempt, or None where the failure stands."""
        met = met_by(error)
        if not self._is_worth(status_of(error), met):
            return None
        asked = retry_after_of(error, time.time())
        if asked is None and report.retry is not None:
            asked = report.retry / 1000.0
        delay = self._retry.delay(attempt.number - 1, asked, _chance())
        if delay is None:
            return None
        following = Attempt(attempt.number + 1, report.last_event_id, met, delay)
        self._tell(following)
        return self.source(following)

    def _is_worth(self, status: int | None, error: BaseException) -> bool:
        try:
            return bool(self._retry.worth(status, error))
        except Exception as raised:
            warn("worth raised %s", type(raised).__name__)
            return False

    def _tell(self, attempt: Attempt) -> None:
        warn("%s: attempt %d follows in %.1f seconds", type(attempt.error).__name__, attempt.number, attempt.delay)
        if self._on_retry is not None:
            try:
                self._on_retry(attempt)
            except Exception as error:
                warn("on_retry raised %s", type(error).__name__)


def _chance() -> float:
    import random  # a tenth of the time of `import unbroken`, spared where nothing fails

    return random.random()

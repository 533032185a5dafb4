"""The retry loop: whether another attempt follows a failed one, and after how long.

Whether one may follow depends on what was delivered, and only the stream knows that. So a source is one attempt, and
when it fails the stream asks its `renew` for the source that takes its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..adapters.source import Source, met_by
from ..observe.log import warn
from .answers import retry_after_of, status_of
from .connections import AsyncConnection, Attempt, Connection
from .policy import Retry

if TYPE_CHECKING:
    from ..core.report import StreamReport


class RetryLoop:
    """Makes a source for each attempt of one `retrying` or `aretrying`; `function` is the name of the one called.

    Raises `TypeError` for a wrong argument of it.
    """

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
        self._policy = retry or Retry()
        self._resume = resume
        self._on_retry = on_retry

    def source(self, attempt: Attempt) -> Source:
        """Return the source that makes this attempt when it is read."""
        connection = self._connection(self._connect, attempt)
        return Source(
            connection,
            abort=connection.abort,
            renew=partial(self.renew, attempt),
            delay=attempt.delay,
            resumes=self._resume,
            begin=self.begin if attempt.number == 1 else None,
        )

    def begin(self, last_event_id: str) -> Source:
        """Return the first source of a stream that starts after this id."""
        return self.source(Attempt(last_event_id=last_event_id))

    def renew(self, attempt: Attempt, error: Exception, report: StreamReport) -> Source | None:
        """Return the source of the attempt after this one, which failed; None if its failure is final."""
        raised = met_by(error)
        if not self._is_retryable(status_of(error), raised):
            return None
        delay = self._policy.delay(attempt.number - 1, _asked_delay(error, report), _chance())
        if delay is None:
            return None
        following = Attempt(attempt.number + 1, report.last_event_id, raised, delay)
        self._announce(following)
        return self.source(following)

    def _is_retryable(self, status: int | None, error: BaseException) -> bool:
        try:
            return bool(self._policy.worth(status, error))
        except Exception as raised:
            warn("worth raised %s", type(raised).__name__)
            return False

    def _announce(self, attempt: Attempt) -> None:
        warn("%s: attempt %d follows in %.1f seconds", type(attempt.error).__name__, attempt.number, attempt.delay)
        if self._on_retry is not None:
            try:
                self._on_retry(attempt)
            except Exception as error:
                warn("on_retry raised %s", type(error).__name__)


def _asked_delay(error: Exception, report: StreamReport) -> float | None:
    """Return the seconds that the server asks for, by `Retry-After` or else by a `retry:` field, or None."""
    asked = retry_after_of(error, time.time())
    if asked is None and report.retry is not None:
        return report.retry / 1000.0
    return asked


def _chance() -> float:
    import random  # a tenth of the time of `import unbroken`, spared where nothing fails

    return random.random()

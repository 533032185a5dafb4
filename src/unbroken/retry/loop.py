"""The retry loop: whether another attempt follows a failed one, and after how long.

Whether one may follow depends on what was delivered, and only the stream knows that. So a source is one attempt, and
when it fails the stream asks its `renew` for the source that takes its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..adapters.source import Source, met_by
from ..answers import retry_after_of, status_of
from ..observe.log import warn
from ..opening import AsyncOpening, Opening
from .policy import Retry

if TYPE_CHECKING:
    from ..core.report import StreamReport


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to open upstream; `connect` and `on_retry` are called with it.

    `number` counts from 1. `last_event_id`, for a `Last-Event-ID` header, is the id of the last event delivered; before
    the first event, the one that the stream was given to start from; "" if there is none. `error` is the exception that
    ended the previous attempt, None for the first. `delay` is how many seconds this attempt waits before it opens
    upstream. With `continues=True`, `text` and `tool_calls` are what was delivered, as in the report, for another
    answer to go on with; both are empty while nothing was.
    """

    number: int = 1
    last_event_id: str = ""
    error: BaseException | None = None
    delay: float = 0.0
    text: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()


class RetryLoop:
    """Makes a source for each attempt of one `retrying` or `aretrying`; `function` is the name of the one called.

    Raises `TypeError` for a wrong argument of it.
    """

    def __init__(
        self,
        function: str,
        opening: type[Opening | AsyncOpening],
        connect: Callable[[Attempt], Any],
        retry: Retry | None,
        resume: bool,
        on_retry: Callable[[Attempt], object] | None,
        continues: bool,
    ) -> None:
        callbacks: dict[str, object] = {"connect": connect, "on_retry": on_retry or connect}
        for name, callback in callbacks.items():
            if not callable(callback):
                kind = type(callback).__name__
                raise TypeError(f"{function}({name}=...) takes a function of the attempt, not {kind}")
        if not _takes_an_attempt(connect):
            raise TypeError(f"{function}(connect) takes a function of the attempt: write lambda attempt: ...")
        if retry is not None and not isinstance(retry, Retry):
            raise TypeError(f"{function}(retry=...) takes unbroken.Retry(...) or None, not {type(retry).__name__}")
        if resume and continues:
            raise TypeError(f"{function}() takes resume=True, for the same answer, or continues=True, for another one")
        self._function = function
        self._opening = opening
        self._connect = connect
        self._policy = retry or Retry()
        self._resume = resume
        self._continues = continues
        self._on_retry = on_retry

    def source(self, attempt: Attempt) -> Source:
        """Return the source that makes this attempt when it is read."""
        opening = self._opening(partial(self._connect, attempt), self._function, "connect", attempt.delay)
        return Source(
            opening,
            abort=opening.abort,
            renew=partial(self.renew, attempt),
            delay=attempt.delay,
            resumes=self._resume,
            begin=self.begin if attempt.number == 1 else None,
            continues=self._continues,
        )

    def begin(self, last_event_id: str) -> Source:
        """Return the first source of a stream that starts after this id."""
        return self.source(Attempt(last_event_id=last_event_id))

    def renew(self, attempt: Attempt, error: Exception, report: StreamReport) -> Source | None:
        """Return the source of the attempt after this one, which failed; None if its failure is final."""
        raised = met_by(error)
        if not self._is_retryable(status_of(raised), raised):
            return None
        delay = self._policy.delay(attempt.number - 1, _asked_delay(error, report), _chance())
        if delay is None:
            return None
        told = (report.text, tuple(report.tool_calls)) if self._continues else ()
        following = Attempt(attempt.number + 1, report.last_event_id, raised, delay, *told)
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


def _takes_an_attempt(connect: Callable[..., Any]) -> bool:
    """Return whether a function can be called with one argument; True where nobody can tell."""
    import inspect  # loaded already, by the signatures of `repair` and its twins

    try:
        inspect.signature(connect).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _asked_delay(error: Exception, report: StreamReport) -> float | None:
    """Return the seconds that the server asks for, by `Retry-After` or else by a `retry:` field, or None."""
    asked = retry_after_of(error, time.time())
    if asked is None and report.retry is not None:
        return report.retry / 1000.0
    return asked


def _chance() -> float:
    import random  # a tenth of the time of `import unbroken`, spared where nothing fails

    return random.random()

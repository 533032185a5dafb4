"""A failure, the exception that carries it, and the stream's last frame.

What upstream or an exception said never reaches the client: a code and a sentence of ours do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .report import StreamReport

ERROR_TYPE = "unbroken_error"
"""`error.type` of every error object that this library writes; a second pass knows it by this."""

SENTENCES = {
    "truncated": "The stream ended before it was complete.",
    "upstream-failed": "The connection to the upstream service failed.",
    "upstream-error": "The upstream service reported an error.",
    "not-a-stream": "The upstream service answered with something that is not a stream.",
    "first-timeout": "The upstream service did not begin its answer in time.",
    "idle-timeout": "The upstream service paused for too long.",
    "silence-timeout": "The upstream service fell silent.",
    "total-timeout": "The answer took longer than allowed.",
    "invalid-json": "The upstream service sent data that cannot be read.",
    "rate-limited": "The upstream service is limiting requests.",
    "overloaded": "The upstream service is overloaded.",
    "authentication": "The upstream service refused the credentials.",
    "invalid-request": "The upstream service refused the request.",
    "not-found": "The upstream service did not find what was asked for.",
    "content-filtered": "The upstream service withheld the answer.",
}
"""One safe sentence per code: what a user may read."""


def is_ours(value: Any) -> bool:
    """Tell whether a JSON value is an error that this library wrote, in whatever dialect's form."""
    if not isinstance(value, dict):
        return False
    error = value.get("error")
    return value.get("type") == ERROR_TYPE or (isinstance(error, dict) and error.get("type") == ERROR_TYPE)


def failure_of_ours(value: Any) -> Failure:
    """Read back the failure from an error that this library wrote."""
    error = value.get("error")
    told = error if isinstance(error, dict) else value
    # Google's clients expect a number as `code`, so ours stands in `reason` there.
    code = told.get("reason", told.get("code"))
    return Failure(code if isinstance(code, str) and code in SENTENCES else "upstream-error")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stream failed: normalised, fit for a client. `detail` is upstream's own words, for the log only."""

    code: str
    status_hint: int | None = None  # the HTTP status that would have said it
    retry_after: float | None = None  # seconds
    error_type: str | None = None  # the provider's own word, for example "overloaded_error"
    detail: str | None = None

    @property
    def public_message(self) -> str:
        """One sentence without anything of upstream's."""
        return SENTENCES.get(self.code, SENTENCES["upstream-error"])

    def as_error(self) -> dict[str, Any]:
        """Give the error object of ours, `{"error": {...}}`, which every dialect's frame holds in some form."""
        return {"error": {"message": self.public_message, "type": ERROR_TYPE, "code": self.code}}


class StreamError(Exception):
    """The stream failed or was cut; raised after its last event, never in place of one.

    `public_message` may be shown to a user; `str()` is fit for a log line. `safe_to_retry` is true when no event
    reached the consumer. `report` is the stream's report, None after unpickling. `__cause__` is what upstream
    raised, if it did.
    """

    def __init__(
        self,
        failure: Failure,
        *,
        provider: str | None = None,
        request_id: str | None = None,
        retry_count: int = 0,
        tokens_received: int = 0,
        safe_to_retry: bool = False,
        report: StreamReport | None = None,
    ) -> None:
        super().__init__(failure)
        self.failure = failure
        self.provider = provider
        self.request_id = request_id
        self.retry_count = retry_count
        self.tokens_received = tokens_received
        self.safe_to_retry = safe_to_retry
        self.report = report

    @property
    def code(self) -> str:
        """What went wrong, one of a closed set of slugs: `truncated`, `upstream-failed`, `idle-timeout` ..."""
        return self.failure.code

    @property
    def error_type(self) -> str | None:
        """The provider's own word for the error, for example `overloaded_error`."""
        return self.failure.error_type

    @property
    def status_hint(self) -> int | None:
        """The HTTP status that would have said it, where there is one."""
        return self.failure.status_hint

    @property
    def retry_after(self) -> float | None:
        """Seconds that the provider asked to wait."""
        return self.failure.retry_after

    @property
    def public_message(self) -> str:
        """One safe sentence for a user."""
        return self.failure.public_message

    def __str__(self) -> str:
        known = {
            "provider": self.provider,
            "request_id": self.request_id,
            "error_type": self.error_type,
            "status": self.status_hint,
            "retries": self.retry_count or None,
            "tokens": self.tokens_received or None,
        }
        # repr escapes line ends and terminal escapes: labels and error types can come from upstream.
        facts = " ".join(f"{name}={value!r}" for name, value in known.items() if value is not None)
        return f"{self.code}: {self.public_message}" + (f" ({facts})" if facts else "")

    def __reduce__(self) -> tuple[Any, ...]:
        labels = (self.provider, self.request_id, self.retry_count, self.tokens_received, self.safe_to_retry)
        return _restore, (type(self), self.failure, labels)


def _restore(cls: type[StreamError], failure: Failure, labels: tuple[Any, ...]) -> StreamError:
    provider, request_id, retry_count, tokens_received, safe_to_retry = labels
    return cls(
        failure,
        provider=provider,
        request_id=request_id,
        retry_count=retry_count,
        tokens_received=tokens_received,
        safe_to_retry=safe_to_retry,
    )

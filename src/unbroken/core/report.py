"""What happened to one stream, live while it runs."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Any

from .account import Account
from .events import Format
from .failure import Failure
from .repairs import Repair, RepairKind

MAX_FIRST_REPAIRS = 64
"""How many repairs the report keeps whole; all of them are counted."""


class Verdict(Enum):
    """How the stream ended; there is exactly one."""

    OPEN = "open"  # it has not ended yet
    COMPLETE = "complete"  # the terminator of its dialect was seen
    DAMAGED = "damaged"  # it was seen, and a payload before it was lost, or left unreadable: the answer has a hole
    ENDED = "ended"  # a clean end, and no terminator is known for it
    TRUNCATED = "truncated"  # a clean end before the terminator
    FAILED = "failed"  # upstream raised, timed out, or said that it failed
    CANCELLED = "cancelled"  # the consumer left


class StreamReport:
    """Facts about one stream. Counts are exact; `text`, `reasoning` and `tool_calls` are bounded and say so.

    What was delivered is put together when it is asked for, at any time: ask once, not with each event.

    Times are seconds since the start, on the adapter's clock; None means that it has not happened.
    """

    format: Format | None = None
    dialect: str | None = None
    verdict: Verdict = Verdict.OPEN
    error: StreamError | None = None
    repairs: Counter[RepairKind]
    first_repairs: list[Repair]
    respellings: Counter[str]
    bytes_in: int = 0
    bytes_out: int = 0
    chunks_in: int = 0
    events: int = 0
    comments: int = 0
    heartbeats: int = 0
    invalid_utf8: int = 0
    invalid_json: int = 0
    unproven: int = 0
    masked_errors: int = 0
    last_event_id: str = ""
    retries: int = 0  # how often upstream was opened again
    seams: list[int]  # characters of text before each answer that went on with an earlier one
    retry: int | None = None  # milliseconds, by the standard
    content_emitted: bool = False
    timeout: str | None = None  # the clock that fired
    store_error: str | None = None  # the type of the exception by which the store of a replayed answer failed
    provider: str | None = None
    request_id: str | None = None
    first_byte: float | None = None
    first_event: float | None = None
    first_content: float | None = None
    longest_gap: float = 0.0
    longest_pause: float = 0.0  # for how long the consumer asked for nothing, at most
    duration: float = 0.0
    flight: list[dict[str, Any]] | None = None  # of a failed stream, where a `FlightRecorder` watched
    account: Account | None = None  # None: nothing is kept of what was delivered

    def __init__(
        self,
        *,
        format: Format | None = None,
        dialect: str | None = None,
        last_event_id: str = "",
        provider: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.format = format
        self.dialect = dialect
        self.last_event_id = last_event_id
        self.provider = provider
        self.request_id = request_id
        self.repairs = Counter()
        self.first_repairs = []
        self.seams = []
        self.respellings = Counter()

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name != "account")
        return f"StreamReport({facts})"

    @property
    def text(self) -> str:
        """The text of choice 0 so far, at most its first 1,048,576 characters; "" without an account."""
        return self.account.text if self.account else ""

    @property
    def reasoning(self) -> str:
        """The reasoning of choice 0 so far, within the same bound."""
        return self.account.reasoning if self.account else ""

    @property
    def refusal(self) -> str:
        """The words by which choice 0 declined, where the provider keeps them apart from the text."""
        return self.account.refusal if self.account else ""

    @property
    def finish_reason(self) -> str | None:
        """The last finish reason of choice 0, in the provider's own word."""
        return self.account.finish_reason if self.account else None

    @property
    def usage(self) -> dict[str, int]:
        """Tokens by name, as `Reading.usage` names them; a missing name was not sent, a zero was."""
        return self.account.usage if self.account else {}

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The tool calls: choice, id, name, kind, arguments as text, and `arguments_complete`, a strict parse."""
        return self.account.tool_calls if self.account else []

    @property
    def tokens_received(self) -> int:
        """Tokens that came: the provider's figure, else `count_tokens` over the text, else events of content."""
        return self.account.tokens()[0] if self.account else 0

    @property
    def tokens_source(self) -> str | None:
        """Who counted `tokens_received`: `provider`, `count_tokens` or `events`."""
        return self.account.tokens()[1] if self.account else None

    @property
    def account_cut(self) -> bool:
        """Whether text, reasoning or tool calls reached the bound of what is kept; figures are never cut."""
        return self.account is not None and self.account.cut

    @property
    def second_beginnings(self) -> int:
        """How often a message began again in this stream: a retry that nobody announced."""
        return max(0, self.account.beginnings - 1) if self.account else 0

    @property
    def cumulative_text(self) -> bool:
        """Whether each piece of text began with all of the text before it. Reported, never changed."""
        return self.account is not None and self.account.cumulative

    @property
    def repetitions(self) -> int:
        """How often the passage that ends the text stands there in a row; 1 means no repetition. Reported only."""
        return self.account.repetitions if self.account else 1

    @property
    def whole(self) -> bool:
        """Whether the answer is known to be whole: true for the verdict `COMPLETE` alone."""
        return self.verdict is Verdict.COMPLETE

    def error_for(self, failure: Failure) -> StreamError:
        """Return the exception that carries this failure of the stream."""
        return StreamError(
            failure,
            provider=self.provider,
            request_id=self.request_id,
            retry_count=self.retries,
            tokens_received=self.tokens_received,
            # Asking upstream again would repeat nothing. Without a dialect, any event may be content.
            safe_to_retry=not (self.events if self.dialect is None else self.content_emitted),
            report=self,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all of it in JSON-ready values: enums by their value, the error by its facts."""
        facts: dict[str, Any] = {}
        for name in _PLAIN:
            value = getattr(self, name)
            facts[name] = value.value if isinstance(value, Enum) else value
        facts["respellings"] = dict(self.respellings)
        facts["repairs"] = {kind.value: count for kind, count in self.repairs.items()}
        facts["first_repairs"] = [
            {"kind": repair.kind.value, "offset": repair.offset, "length": repair.length}
            for repair in self.first_repairs
        ]
        facts["error"] = self.error and {
            "code": self.error.code,
            "message": self.error.public_message,
            "error_type": self.error.error_type,
            "status_hint": self.error.status_hint,
            "retry_after": self.error.retry_after,
            "safe_to_retry": self.error.safe_to_retry,
        }
        return facts

    def note_repair(self, repair: Repair) -> None:
        """Count one repair, and keep it whole while there is room."""
        self.repairs[repair.kind] += 1
        if len(self.first_repairs) < MAX_FIRST_REPAIRS:
            self.first_repairs.append(repair)


_PLAIN = (
    *(
        "format",
        "dialect",
        "verdict",
        "whole",
        "bytes_in",
        "bytes_out",
        "chunks_in",
        "events",
        "comments",
        "heartbeats",
        "retries",
        "seams",
    ),
    *(
        "invalid_utf8",
        "invalid_json",
        "unproven",
        "masked_errors",
        "last_event_id",
        "retry",
        "text",
        "reasoning",
        "refusal",
    ),
    *("finish_reason", "usage", "tool_calls", "content_emitted", "tokens_received", "tokens_source", "account_cut"),
    *("second_beginnings", "cumulative_text", "repetitions", "timeout", "store_error", "provider", "request_id"),
    *("first_byte", "first_event", "first_content", "longest_gap", "longest_pause", "duration", "flight"),
)


class StreamError(Exception):
    """The stream failed or was cut; raised after its last event, never in place of one.

    `public_message` may be shown to a user; `str()` is fit for a log line. `safe_to_retry` is true when no content
    reached the consumer; where no dialect is known, no event. `report` is the stream's report, None after unpickling.
    `__cause__` is what upstream raised, if it did.
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

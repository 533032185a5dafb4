"""Continuation: another answer goes on where the one that was delivered broke off, as if it were the same one.

Asked for with what was delivered, a model can go on behind it (the prefill of an assistant's message). Its answer has a
beginning of its own, which clients would take for a second message: that is left out, and numbers that count on from
the first answer are changed. Nothing else is; no text is compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..core.dialect import EventClass
from ..core.events import Event, Format
from ..core.failure import Failure, tells_error
from ..core.frames import exchanged
from ..core.mending import escape_separators
from ..core.proof import read_exactly
from ..core.registry import recognise
from ..core.repairs import RepairKind

if TYPE_CHECKING:
    from ..core.report import StreamReport
    from ..core.resume import Gate


_MAX_OPEN: Final = 1024  # blocks that have begun and not stopped: with more of them nothing goes on
_MAX_INDEX: Final = 2.0**53  # a float that is larger is not exact
_LABELS: Final = frozenset(
    (
        *("choices", "id", "object", "created", "model", "provider", "service_tier", "system_fingerprint"),
        "prompt_filter_results",  # Azure's first chunk, about the prompt
    )
)
_PLACES: Final = ("index", "delta", "message")


def _says(value: Any) -> bool:
    """Return whether a member says something: it is not empty, null or false. A token may be the number zero."""
    return bool(value) or (value == 0 and value is not False)


def _says_more(members: dict[str, Any], known: Collection[str]) -> bool:
    """Return whether an object says something under another name than these."""
    return any(_says(value) for key, value in members.items() if key not in known)


class _Chat:
    """Chunks of chat completions: the roles of another answer are left out, and what it begins with that says nothing.

    `take` changes a payload in place, and returns whether it did, or None where the event is left out.
    """

    def __init__(self) -> None:
        self._joins = False
        self._begins = False  # whether nothing was said yet

    def may_follow(self, report: StreamReport) -> bool:
        """Return whether another answer can go on: not behind a call, to whose index its own would be joined."""
        return not report.tool_calls

    def restart(self) -> None:
        """Note that another answer begins."""
        self._joins = self._begins = True

    def take(self, payload: dict[str, Any]) -> bool | None:
        """Take the next chunk. Clients read `delta` or `message`, so each counts."""
        choices = payload.get("choices")
        if not self._joins or not isinstance(choices, list):
            return False
        known = [choice for choice in choices if isinstance(choice, dict)]
        told = [choice.get(key) for choice in known for key in ("delta", "message")]
        spoken = [said for said in told if isinstance(said, dict)]
        if self._begins:
            says = any(_says_more(said, ("role",)) for said in spoken)
            is_doubtful = (
                len(known) < len(choices)
                or any(_says(said) for said in told if not isinstance(said, dict))
                or any(_says_more(choice, _PLACES) for choice in known)
                or _says_more(payload, _LABELS)
            )
            if not says and not is_doubtful:
                return None
            self._begins = not says and not any(choice.get("finish_reason") for choice in known)
        roles = [said.pop("role", None) for said in spoken]
        return any(role is not None for role in roles)


class _Anthropic:
    """Events of the Messages API: one `message_start`, and blocks that are numbered through.

    A text that was broken off goes on within its block; any other block gets the next number.
    """

    def __init__(self) -> None:
        self._open: dict[int, bool] = {}  # the blocks that have begun and not stopped, and whether each is text
        self._next = 0  # the number of the next block
        self._shift: int | None = 0  # None: until the first block of another answer

    def may_follow(self, report: StreamReport) -> bool:
        """Return whether another answer can go on: not behind a block that never stops and whose rest is lost."""
        return all(self._open.values()) and len(self._open) < _MAX_OPEN

    def restart(self) -> None:
        """Note that another answer begins."""
        self._shift = None

    def take(self, payload: dict[str, Any]) -> bool | None:
        """Take the next event."""
        kind, given = payload.get("type"), payload.get("index")
        if kind == "message_start":
            return None if self._shift is None else False
        if kind not in ("content_block_start", "content_block_delta", "content_block_stop"):
            return False
        if not isinstance(given, float) or not given.is_integer() or abs(given) > _MAX_INDEX:
            return False
        begun = payload.get("content_block") if kind == "content_block_start" else None
        is_text = isinstance(begun, dict) and begun.get("type") == "text"
        if self._shift is None:
            is_bare = isinstance(begun, dict) and not _says_more(begun, ("type",))
            goes_on = is_text and is_bare and bool(self._open)  # each that is open is text
            self._shift = (next(reversed(self._open)) if goes_on else self._next) - int(given)
            if goes_on:
                return None
        index = int(given) + self._shift
        self._next = max(self._next, index + 1)
        if kind == "content_block_stop":
            self._open.pop(index, None)
        elif kind == "content_block_start" and len(self._open) < _MAX_OPEN:
            self._open[index] = is_text
        payload["index"] = index
        return self._shift != 0


class _Pieces:
    """Payloads that all have one form, and begin nothing."""

    def may_follow(self, report: StreamReport) -> bool:
        """Return whether another answer can go on."""
        return True

    def restart(self) -> None:
        """Note that another answer begins."""

    def take(self, payload: dict[str, Any]) -> bool | None:
        """Take the next payload."""
        return False


CONTINUES: Final[dict[str, Callable[[], _Chat | _Anthropic | _Pieces]]] = {
    "openai-chat": _Chat,
    "openai-completions": _Pieces,
    "anthropic": _Anthropic,
    "gemini": _Pieces,
    "ollama": _Pieces,
    "text": _Pieces,
}
"""The dialects in which an answer can go on with another one, with what that changes."""


class Seam:
    """Joins the answers of several connections."""

    __slots__ = ("_at", "_is_known", "_is_over", "_joined", "_rule", "joins")

    def __init__(self) -> None:
        self._rule: _Chat | _Anthropic | _Pieces | None = None
        self._joined: str | None = None  # the dialect of `_rule`
        self._at: int | None = None  # how much text came before the answer that begins, until it says something
        self._is_over = False  # an answer was in another dialect: no other is asked for
        self._is_known = True  # whether the answer that begins was seen to be in the dialect of the first
        self.joins = False
        """Whether what comes now goes on with an earlier answer."""

    def may_follow(self, report: StreamReport) -> bool:
        """Return whether another answer can go on with what was delivered.

        Not behind half a call or a finish reason, where clients would join what comes to something else, nor where the
        text that was delivered is not all there was.
        """
        if self._is_over or report.dialect not in CONTINUES or report.format not in (Format.SSE, Format.NDJSON):
            return False
        account, calls = report.account, report.tool_calls
        if account is None or account.cut or account.choices > 1 or report.finish_reason is not None or report.refusal:
            return False
        is_half = any(not call["arguments_complete"] for call in calls if call["kind"] != "hosted")
        rule = self._rule or CONTINUES[report.dialect]()
        return not is_half and bool(report.text or calls) and rule.may_follow(report)

    def restart(self, report: StreamReport) -> None:
        """Note that another connection begins."""
        if report.content_emitted:
            self.joins, self._is_known = True, False
            self._at = len(report.text)
            if self._rule is not None:
                self._rule.restart()
        else:
            self._rule = None  # what it knows of did not leave

    def note(self, report: StreamReport, kind: EventClass) -> None:
        """Keep where an answer went on, once it says something."""
        if self._at is not None and (kind is EventClass.CONTENT or len(report.text) > self._at):
            report.seams.append(self._at)
            self._at = None

    def take(
        self, gate: Gate, event: Event, wire: bytes, value: dict[str, Any], start: int, end: int
    ) -> tuple[Event, bytes] | None:
        """Return event and frame as they go on with what was delivered, or None: they do not leave.

        Where they are changed, so is the value of the payload. What is left out is recorded. An answer in another
        dialect ends the stream: clients of the first one would not read it.
        """
        dialect = gate.report.dialect
        found = recognise(event.event, value) if dialect is None or not self._is_known else None
        if dialect is None:
            if found is None:
                return event, wire
            dialect = found.name  # as it will be known, once this event was read
        elif found is not None:
            self._is_known = True
            if found.name not in (dialect, "vocabulary") and not tells_error(value):
                self._is_over = True
                detail = f"the answer that was to go on is {found.name}, behind one that is {dialect}"
                gate.state.die(Failure("upstream-failed", status_hint=502, detail=detail), end)
                return None
        if self._rule is None or self._joined != dialect:
            self._rule, self._joined = CONTINUES.get(dialect, _Pieces)(), dialect
            if self.joins:
                self._rule.restart()
        changes = self._rule.take(value)
        if changes is None:
            gate.repair(RepairKind.REPEATED_EVENT, start, end)
            return None
        if not changes:
            return event, wire
        data = _with_exact_numbers(event.data, value)
        joined = exchanged(wire, event.data, data)
        return (event, wire) if joined is None else (replace(event, data=data), joined)


def _with_exact_numbers(data: str, changed: dict[str, Any]) -> str:
    """Spell a payload of which members were changed or left out; a number beyond every float has no spelling."""
    try:
        exact = _joined(read_exactly(data), changed)
        return escape_separators(json.dumps(exact, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    except (ValueError, RecursionError):
        return data


def _joined(exact: Any, changed: Any) -> Any:
    """Return the changed value with the numbers of the exact one, where these are the same."""
    if isinstance(changed, dict) and isinstance(exact, dict):
        return {key: _joined(exact[key], value) for key, value in changed.items()}
    if isinstance(changed, list) and isinstance(exact, list):
        return [_joined(one, value) for one, value in zip(exact, changed, strict=True)]
    return changed if type(changed) is int else exact  # what was proven has no whole numbers but the changed ones

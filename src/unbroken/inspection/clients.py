"""Which clients would fail on the bytes of a stream, and how: rules over its facts, from tests of these clients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..core.events import Format
from ..core.repairs import RepairKind
from ..core.report import Verdict
from ..core.sniffer import media_type
from .facts import Facts


@dataclass(frozen=True, slots=True)
class Breakage:
    """Clients that would fail on these bytes, and how."""

    clients: str
    how: str
    evidence: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dict for JSON."""
        return {"clients": self.clients, "how": self.how, "evidence": self.evidence}


def breakages(facts: Facts) -> list[Breakage]:
    """Return the clients that would fail on these bytes; none if the status reports the failure to them."""
    if facts.recorded or facts.refused:
        return []
    return [Breakage(rule.clients, rule.how, evidence) for rule in _CLIENTS if (evidence := rule.applies(facts))]


@dataclass(frozen=True, slots=True)
class _Rule:
    clients: str
    how: str
    applies: Callable[[Facts], str]  # the evidence; "" where it does not apply


def _repaired(*kinds: RepairKind) -> Callable[[Facts], str]:
    def applies(facts: Facts) -> str:
        return ", ".join(f"{kind.value} ({facts.report.repairs[kind]})" for kind in kinds if facts.report.repairs[kind])

    return applies


def _spelt(name: str, what: str, *formats: Format) -> Callable[[Facts], str]:
    def applies(facts: Facts) -> str:
        count = int(getattr(facts.spelling, name))
        return f"{what} ({count})" if count and facts.report.format in formats else ""

    return applies


def _for(dialects: tuple[str | None, ...], rule: Callable[[Facts], str]) -> Callable[[Facts], str]:
    return lambda facts: rule(facts) if facts.report.dialect in dialects else ""


def _truncated(facts: Facts) -> str:
    report = facts.report
    was_cut = report.verdict is Verdict.TRUNCATED and not facts.stopped
    return "no terminator" if was_cut and (report.events or report.repairs[RepairKind.UNFINISHED_TAIL]) else ""


def _foreign(facts: Facts) -> str:
    # If nothing of the body can be read, the clients end as for an empty answer.
    failure = facts.failure
    return "the body is not a stream" if failure is not None and failure.code == "not-a-stream" else ""


def _lines(facts: Facts) -> str:
    return "NDJSON, where an event stream is asked for" if facts.report.format is Format.NDJSON else ""


def _wrong_type(facts: Facts) -> str:
    if facts.head is None or facts.report.format is not Format.SSE:
        return ""
    if facts.head.status != 200:
        return f"status {facts.head.status}"
    kind = media_type(facts.head.get("content-type"))
    return "" if kind == "text/event-stream" else f"content type '{kind[:60]}'"


def _charset(facts: Facts) -> str:
    given = (facts.head.get("content-type") or "").lower() if facts.head else ""
    return given[:80] if facts.non_ascii and given.startswith("text/") and "charset=" not in given else ""


def _latin(facts: Facts) -> str:
    given = (facts.head.get("content-type") or "").lower() if facts.head else ""
    return (
        given[:80] if facts.non_ascii and "charset=" in given and "utf-8" not in given and "utf8" not in given else ""
    )


def _line_over(limit: int) -> Callable[[Facts], str]:
    def applies(facts: Facts) -> str:
        longest = facts.spelling.longest_line
        return f"a line of {longest:,} bytes" if longest > limit else ""

    return applies


def _bom(facts: Facts) -> str:
    return "a byte order mark" if facts.spelling.bom else ""


def _error_event(facts: Facts) -> str:
    return f"event: error ({facts.error_names})" if facts.error_names else ""


def _empty_choices(facts: Facts) -> str:
    return f"choices: [] ({facts.empty_choices})" if facts.empty_choices else ""


def _silent_for(seconds: float) -> Callable[[Facts], str]:
    def applies(facts: Facts) -> str:
        return f"{facts.longest_wait:.0f} s between events" if facts.longest_wait >= seconds else ""

    return applies


_OPENAI: Final = (None, "openai-chat", "openai-completions", "openai-responses")
_SSE: Final = Format.SSE
_UNPARSABLE: Final = (
    *(RepairKind.MISSING_BLANK_LINE, RepairKind.GLUED_JSON, RepairKind.RAW_NEWLINE, RepairKind.EMPTY_DATA),
    *(RepairKind.INVALID_JSON, RepairKind.DOUBLE_PREFIX, RepairKind.WRAPPED_COMMENT, RepairKind.SPLICED_EVENT),
    *(RepairKind.PYTHON_REPR, RepairKind.DONE_SPELLING, RepairKind.RAW_CONTROL, RepairKind.LONE_BACKSLASH),
    RepairKind.SPLIT_EVENT,
)
_CLIENTS: Final = (
    _Rule(
        "openai and anthropic for Python, and most hand-written readers",
        "raises a JSON error at this event and loses the rest",
        _repaired(*_UNPARSABLE),
    ),
    _Rule(
        "openai for Python",
        "raises a JSON error: it dispatches a block without data as an event",
        _for(_OPENAI, _spelt("dataless_blocks", "blocks without data", _SSE)),
    ),
    _Rule(
        "openai for Python",
        "raises a JSON error: once an id was sent, a comment or an extra blank line yields an empty event",
        _for(_OPENAI, _spelt("empty_blocks_after_id", "blocks without any field after an id", _SSE)),
    ),
    _Rule(
        "httpx-sse, httpx2, anthropic, cohere",
        "yields an empty event that nobody sent: once an id was sent, a comment or an extra blank line does that",
        _spelt("empty_blocks_after_id", "blocks without any field after an id", _SSE),
    ),
    _Rule(
        "openai and anthropic for Python, and 8 of 16 parsers",
        "raises UnicodeDecodeError and loses the rest",
        _repaired(RepairKind.INVALID_UTF8),
    ),
    _Rule(
        "openai and anthropic for Python, and most others",
        "ends as if all were well: half an answer passes for a whole one",
        _truncated,
    ),
    _Rule(
        "openai for Python, and every standard parser",
        "loses the last event in silence",
        _repaired(RepairKind.UNTERMINATED_EVENT),
    ),
    _Rule("openai for Python", "ends as if all were well, with nothing", _for(_OPENAI, _foreign)),
    _Rule("openai for Python", "ends as if all were well, with nothing", _for(_OPENAI[1:], _lines)),
    _Rule(
        "openai for Python, and every standard parser",
        "skips the line in silence: an error reported there is missed",
        _repaired(RepairKind.RAW_JSON, RepairKind.ERROR_LINE),
    ),
    _Rule(
        "openai for Python",
        "skips the error in silence and ends as if all were well",
        _for(("openai-chat",), _error_event),
    ),
    _Rule("JSON.parse in browsers and Node.js", "raises a SyntaxError", _repaired(RepairKind.NON_FINITE)),
    _Rule("14 of 16 Python parsers, openai among them", "loses the first event", _bom),
    _Rule(
        "ollama, huggingface_hub, google-genai, litellm, sseclient",
        "takes U+2028, U+2029 or U+0085 for a line end and cuts the payload there",
        _spelt("separators", "raw line separators", Format.SSE, Format.NDJSON, Format.JSON_ARRAY),
    ),
    _Rule(
        "anthropic for Python",
        "yields nothing, in silence: it goes by the `event:` lines",
        _repaired(RepairKind.EVENT_NAME_RESTORED),
    ),
    _Rule("openai for Python and Node.js", "passes over this error, in silence", _repaired(RepairKind.FLAT_ERROR)),
    _Rule(
        "openai for Python, langchain, pydantic-ai, AI SDK and others",
        "joins two tool calls, or loses one",
        _repaired(RepairKind.TOOL_INDEX),
    ),
    _Rule("requests-sse", "misreads a CRLF that came in two reads", _spelt("split_crlf", "CRLF cut in two", _SSE)),
    _Rule(
        "ollama, anthropic's JSON lines, jsonlines, ndjson",
        "raises at a blank line",
        _spelt("blank_lines", "blank lines", Format.NDJSON),
    ),
    _Rule(
        "readers that test for `data: ` with its space",
        "see nothing in these lines",
        _spelt("unspaced_fields", "`data:` without a space", _SSE),
    ),
    _Rule("aiohttp, reading line by line", "raises: the line is longer than its buffer", _line_over(2**17)),
    _Rule(
        "sseclient-py, sseclient, requests-sse, requests.iter_lines, anthropic, cohere",
        "take time quadratic in the length of this line",
        _line_over(2**20),
    ),
    _Rule("EventSource in browsers", "refuses the response", _wrong_type),
    _Rule("requests, decoding by itself", "decodes the text as Latin-1: the content type has no charset", _charset),
    _Rule("httpx-sse, httpx2", "decode by the charset, where the standard says UTF-8 always", _latin),
    _Rule(
        "hand-written readers of `choices[0]`", "raise IndexError: legal, and healthy servers send it", _empty_choices
    ),
    _Rule("Codex CLI", "gives up: comments do not count as events", _silent_for(300.0)),
)

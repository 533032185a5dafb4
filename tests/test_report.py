"""The report: live, bounded, ready for JSON, and the same facts in every form."""

import json
from typing import Any

import pytest

from unbroken import Format, Repair, RepairKind, StreamError, StreamReport, Verdict, iter_events
from unbroken.core.account import Account
from unbroken.core.dialect import Delta, EventClass, Reading
from unbroken.core.report import MAX_FIRST_REPAIRS

HEALTHY = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


def read(data: bytes, **options: object) -> StreamReport:
    stream = iter_events([data], **options)  # type: ignore[arg-type]
    list(stream)
    return stream.report


def test_every_fact_of_a_report_stands_in_its_dictionary() -> None:
    public = set(StreamReport.__annotations__) - {"account"}
    public |= {name for name, value in vars(StreamReport).items() if isinstance(value, property)}
    assert StreamReport().as_dict().keys() == public


def test_the_dictionary_of_a_report_is_ready_for_json_whatever_was_in_the_stream() -> None:
    data = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d \xff"},"finish_reason":"stop"}]}\n\ndata: x\n\n'
    facts = json.loads(json.dumps(read(data, provider="p").as_dict(), allow_nan=False))
    assert (facts["text"], facts["dialect"], facts["provider"]) == ("\ufffd \ufffd", "openai-chat", "p")
    assert (facts["format"], facts["verdict"], facts["error"]) == ("sse", "damaged", None)
    assert facts["repairs"] == {"invalid-utf8": 1, "invalid-json": 1}
    assert {repair["kind"] for repair in facts["first_repairs"]} == set(facts["repairs"])


def test_an_error_stands_in_the_dictionary_by_its_facts() -> None:
    stream = iter_events([b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'])
    with pytest.raises(StreamError):
        list(stream)
    error = stream.report.as_dict()["error"]
    assert error == {
        "code": "truncated",
        "message": "The stream ended before it was complete.",
        "error_type": None,
        "status_hint": None,
        "retry_after": None,
        "safe_to_retry": False,
    }


def test_a_repair_stands_in_the_dictionary_by_its_place() -> None:
    report = StreamReport()
    report.note_repair(Repair(RepairKind.STRAY_LINE, 3, 5))
    assert report.as_dict()["first_repairs"] == [{"kind": "stray-line", "offset": 3, "length": 5}]


def test_all_repairs_are_counted_and_the_first_are_kept() -> None:
    report = StreamReport()
    for offset in range(MAX_FIRST_REPAIRS + 10):
        report.note_repair(Repair(RepairKind.STRAY_LINE, offset, 1))
    assert report.repairs[RepairKind.STRAY_LINE] == MAX_FIRST_REPAIRS + 10
    assert [repair.offset for repair in report.first_repairs] == list(range(MAX_FIRST_REPAIRS))


def test_a_new_report_says_that_nothing_has_happened() -> None:
    report = StreamReport()
    assert (report.verdict, report.text, report.usage, report.tool_calls) == (Verdict.OPEN, "", {}, [])
    assert (report.tokens_received, report.tokens_source, report.repetitions) == (0, None, 1)


DELIVERED: list[tuple[str, Any, Any]] = [
    ("text", "x" * 40, ""),
    ("reasoning", "Hm", ""),
    ("refusal", "No", ""),
    ("finish_reason", "stop", None),
    ("usage", {"input_tokens": 3, "output_tokens": 7}, {}),
    ("tokens_received", 7, 0),
    ("tokens_source", "provider", None),
    ("account_cut", False, False),
    ("second_beginnings", 1, 0),
    ("cumulative_text", False, False),
    ("repetitions", 40, 1),
]


@pytest.mark.parametrize(("fact", "value", "without"), DELIVERED, ids=[fact for fact, _, _ in DELIVERED])
def test_what_was_delivered_is_known_by_the_account_and_by_nothing_else(fact: str, value: Any, without: Any) -> None:
    report = StreamReport(format=Format.SSE, dialect="d", request_id="r")
    assert (report.format, report.dialect, report.request_id) == (Format.SSE, "d", "r")
    assert getattr(report, fact) == without
    report.account = Account()
    for delta in (Delta(text="x" * 40), Delta(reasoning="Hm"), Delta(refusal="No"), Delta(finish_reason="stop")):
        report.account.absorb(Reading(EventClass.CONTENT, (delta,)))
    report.account.absorb(Reading(EventClass.STRUCTURAL, usage={"input_tokens": 3, "output_tokens": 7}, begins=True))
    report.account.absorb(Reading(EventClass.STRUCTURAL, begins=True))
    assert getattr(report, fact) == value


def test_without_an_account_nothing_is_kept_and_nothing_fails() -> None:
    facts = read(HEALTHY, account=False).as_dict()
    assert (facts["text"], facts["usage"], facts["tokens_received"], facts["tokens_source"]) == ("", {}, 0, None)
    assert facts["verdict"] == "complete"


def test_a_change_to_what_a_report_gave_does_not_change_the_report() -> None:
    report = read(HEALTHY)
    report.usage["output_tokens"] = 7
    report.tool_calls.append({})
    assert (report.usage, report.tool_calls) == ({}, [])


def test_a_report_shows_its_facts() -> None:
    shown = repr(StreamReport(provider="p"))
    assert shown.startswith("StreamReport(")
    assert "provider='p'" in shown

"""What the report tells of an answer, OpenAI's own client reads in the conversion; the end is that of the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests import captures, laws
from tests.clients.judges import openai_chat
from unbroken import Verdict
from unbroken.testing.contract.repairer.telling import answer_in, answers_of_any_dialect, answers_of_each_dialect, told

NOT_CONVERTED = (None, "text", "openai-chat")


def errs(chunks: list[bytes], **options: Any) -> list[str]:
    """Say in what the client that reads the conversion differs from the report."""
    result = laws.repaired(chunks, convert="openai-chat", **options)
    report = result.report
    if report.dialect in NOT_CONVERTED or b"data:" not in result.wire:
        return []
    judgement = openai_chat(result.wire)
    failed = report.verdict in (Verdict.FAILED, Verdict.TRUNCATED)
    theirs = judgement.text, judgement.reasoning, judgement.tools
    ours = told(laws.facts(report), hosted=False)
    found = []
    if theirs != ours:
        found.append(f"{theirs}, not {ours}")
    if (judgement.error is not None) != failed:
        found.append(f"{report.verdict.value}, and the client raised {judgement.error!r}")
    if report.verdict in (Verdict.COMPLETE, Verdict.DAMAGED) and report.finish_reason and not judgement.finish:
        found.append(f"no finish reason, and the report has {report.finish_reason!r}")
    return found


@captures.needs_captures
@pytest.mark.parametrize(
    "file", captures.chosen(lambda entry: entry["api"] != "openai-chat" and entry["format"] != "json")
)
def test_the_client_reads_the_conversion_of_a_recorded_answer_as_the_report_tells_it(file: str) -> None:
    assert errs([captures.body(file)]) == []


def test_the_client_reads_the_conversion_of_an_answer_in_each_dialect_as_the_report_tells_it() -> None:
    for data, options in answers_of_each_dialect():
        assert is_excused(data, options) or errs([data], **options) == []


@given(drawn=answers_of_any_dialect)
def test_the_client_reads_the_conversion_of_any_answer_as_the_report_tells_it(
    drawn: tuple[bytes, dict[str, Any]],
) -> None:
    data, options = drawn
    if not is_excused(data, options):
        assert errs([data], **options) == []


def is_excused(data: bytes, options: dict[str, Any]) -> bool:
    """Return whether something is said behind the end, or other arguments than those that were written.

    Where nobody named the dialect, events before it showed pass as they are, and the client may fail at them.
    """
    first = laws.repaired([data], convert="openai-chat", **options).wire.partition(b"\n\n")[0]
    if not options and b"chat.completion.chunk" not in first:
        return True
    result = laws.repaired([data], **options)
    format = result.report.format
    answer = answer_in(result.wire, result.report.dialect, format and format.value)
    return answer.late or answer.contradicted

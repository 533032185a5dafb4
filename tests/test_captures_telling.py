"""Recorded streams: what the report tells of an answer stands in what is written, and in the conversion."""

from __future__ import annotations

import pytest

from unbroken.testing.contract.repairer.telling import answer_in, end_of, end_that_fits, spelt, told

from . import captures, laws

pytestmark = captures.needs_captures

STREAMS = captures.chosen(lambda entry: entry["format"] in ("sse", "ndjson", "json-array"))
# An eighth of them every day.
ASKED = [file if place % 8 == 0 else pytest.param(file, marks=pytest.mark.slow) for place, file in enumerate(STREAMS)]


@pytest.mark.parametrize("file", ASKED)
def test_a_plain_reader_finds_what_the_report_tells(file: str) -> None:
    result = laws.repaired([captures.body(file)])
    facts = laws.facts(result.report)
    assert spelt(answer_in(result.wire, facts["dialect"], facts["format"] and facts["format"].value)) == told(facts)


@pytest.mark.parametrize("file", ASKED)
def test_a_plain_reader_finds_it_in_the_conversion_with_an_end_that_fits(file: str) -> None:
    result = laws.repaired([captures.body(file)], convert="openai-chat")
    facts = laws.facts(result.report)
    if facts["dialect"] not in (None, "openai-chat"):
        answer = answer_in(result.wire, "openai-chat", "sse")
        assert (*spelt(answer), end_of(answer, facts)) == (*told(facts, hosted=False), end_that_fits(facts))

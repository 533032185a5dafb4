"""The tables of cases agree with the reference readers of the standards."""

import json
from collections.abc import Iterable

import pytest

from unbroken.testing.cases import NDJSON_CASES, SSE_CASES, Clause, NDJSONCase, SSECase
from unbroken.testing.standard import NDJSONReading, SSEReading, read_json_array, read_ndjson, read_sse


@pytest.mark.parametrize("case", SSE_CASES, ids=lambda case: case.slug)
def test_the_plain_reader_sees_what_the_case_says(case: SSECase) -> None:
    assert read_sse(case.data) == SSEReading(case.events, case.last_event_id, case.retry)


@pytest.mark.parametrize("case", NDJSON_CASES, ids=lambda case: case.slug)
def test_the_plain_ndjson_reader_sees_what_the_case_says(case: NDJSONCase) -> None:
    assert read_ndjson(case.data) == NDJSONReading(case.texts, case.invalid)
    for text in case.texts:
        json.loads(text)


def test_names_are_unique_and_every_clause_has_a_case() -> None:
    def slugs(cases: Iterable[SSECase | NDJSONCase]) -> list[str]:
        return [case.slug for case in cases]

    assert len(set(slugs(SSE_CASES))) == len(SSE_CASES)
    assert len(set(slugs(NDJSON_CASES))) == len(NDJSON_CASES)
    used = {case.clause for case in (*SSE_CASES, *NDJSON_CASES)}
    # CHUNKS is tested by cutting any case, BLANK by every case.
    assert set(Clause) - used == {Clause.CHUNKS, Clause.BLANK}


def test_a_reading_can_begin_with_an_id() -> None:
    assert read_sse(b"data: a\n\n", "9").events == (("message", "a", "9"),)
    assert read_sse(b"", "9").last_event_id == "9"


def test_an_array_is_read_element_by_element() -> None:
    assert read_json_array(b' [1 ,\r\n{"a": [2, 3]}, "],"]\n') == ("1", '{"a": [2, 3]}', '"],"')
    assert read_json_array(b"[ ]") == ()
    for wrong in (b"{}", b"[1", b"[1,]", b"[NaN]"):
        with pytest.raises(ValueError):
            read_json_array(wrong)

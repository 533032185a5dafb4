"""Tables of streams, as the tests of the three framings hold them: read whole, and cut anyhow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from unbroken import DEFAULT_REPAIRS, Repair, RepairKind
from unbroken.core.encoder import spell_error
from unbroken.core.events import Format
from unbroken.core.failure import SENTENCES, Failure
from unbroken.core.frames import Item
from unbroken.core.registry import dialect_named
from unbroken.testing.cuts import cuttings

from .laws import Repaired, check_accounted, check_idempotent, check_same, seen

LIMIT = 1024
"""`max_event_bytes` of every case: the least that is allowed, so that tables can hold what is beyond it."""

SAME = b"the input, byte for byte"

Case = tuple[str, bytes, dict[str, Any], bytes, str]
"""What it is, the input, the options, the output (or `SAME`), and the repairs as `kind@offset+length`, in order."""


def error(code: str) -> bytes:
    """Return the error object of this library with this code, as JSON."""
    return f'{{"error": {{"message": "{SENTENCES[code]}", "type": "unbroken_error", "code": "{code}"}}}}'.encode()


def first_error(code: str, status: int) -> bytes:
    """Return the frame of this library's error where nothing is known of who reads it."""
    flat = f'"type": "error", "sequence_number": 0, "code": "{code}", "message": "{SENTENCES[code]}", "param": null'
    nested = f'"code": {status}, "message": "{SENTENCES[code]}", "type": "unbroken_error", "reason": "{code}"'
    return f'event: error\ndata: {{{flat}, "error": {{{nested}}}}}\n\n'.encode()


def first_line(code: str) -> bytes:
    """Return the line of this library's error where nothing is known of who reads it."""
    return f'{{"error": "{SENTENCES[code]}", "type": "unbroken_error", "code": "{code}"}}\n'.encode()


def but(*slugs: str) -> dict[str, Any]:
    """Choose all default repairs but these."""
    return {"repairs": DEFAULT_REPAIRS - {RepairKind(slug) for slug in slugs}}


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Return the decorator of a test that is asked of each case."""
    return pytest.mark.parametrize("case", cases, ids=[name for name, *_ in cases])


def check_case(case: Case) -> Repaired:
    """Hold one case to its output and its repairs, however it is cut."""
    _, data, options, wire, repairs = case
    options = {"max_event_bytes": LIMIT, **options}
    whole = seen([data], **options)
    result, _ = whole
    assert result.wire == (data if wire is SAME else wire)
    assert [f"{repair.kind.value}@{repair.offset}+{repair.length}" for repair in result.repairs] == repairs.split()
    for chunks in cuttings(data):
        check_same(whole, seen(chunks, **options))
    return result


def check_second_pass(case: Case) -> None:
    """Hold one case to laws 4 and 6, where its options let them be asked."""
    _, data, options, *_ = case
    if "to" not in options:
        check_idempotent(data, max_event_bytes=LIMIT, **options)
    if "repairs" not in options and "to" not in options:
        check_accounted(data, max_event_bytes=LIMIT, **options)


def wires(items: list[Item]) -> bytes:
    """Return the canonical bytes of all that leaves."""
    return b"".join(item.wire for item in items if not isinstance(item, Repair))


def told_in_form_of(dialect: str | None, format: Format) -> bytes:
    """Return a cut as it is told in the form of this dialect, or of none, in this framing; an array is opened first."""
    return spell_error(Failure("truncated"), None if dialect is None else dialect_named(dialect)(), format, b"[")

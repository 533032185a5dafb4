"""An error of no known dialect fails the stream where nothing else is in it, and is a record among others."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import Verdict
from unbroken.testing.cuts import every

from . import laws

FAILED, ENDED = Verdict.FAILED, Verdict.ENDED
LINES = {"format": "ndjson"}


@pytest.mark.parametrize(
    ("data", "options", "verdict", "frames_of_ours"),
    [
        (b'event: error\ndata: {"message":"disk full"}\n\n', {}, FAILED, 0),
        (b'event: error\ndata: {"message":"disk full"}\n\n', {"repairs": ()}, FAILED, 0),
        (b': ping\n\nevent: error\ndata: {"message":"disk full"}\n\n: ping\n\n', {}, FAILED, 0),
        (b"event: error\ndata: engine crashed\n\n", {}, ENDED, 0),  # prose is left alone
        (b"event: error\ndata: \n\n", {}, ENDED, 0),
        (b"event: error\nid: 1\n\n", {}, ENDED, 0),  # no client dispatches it
        (b'data: {"error":"exploded"}\n\n', {}, FAILED, 0),
        (b'{"error":"model not found"}\n', LINES, FAILED, 0),
        (b'[{"error":"model not found"}]', {}, FAILED, 0),
        (b"event: error\n\ndata: x\n\n", {}, ENDED, 0),
        (b"event: error\nid: 1\n\nevent: info\ndata: disk cleared\n\n", {}, ENDED, 0),
        (b"event: error\ndata: disk full\n\nevent: info\ndata: disk cleared\n\n", {}, ENDED, 0),
        (b"event: info\ndata: started\n\nevent: error\n\n", {}, ENDED, 0),
        (b'{"error":"disk full"}\n{"error":"disk full"}\n', LINES, ENDED, 0),
        (b'{"error":"disk full","level":"warning"}\n', LINES, ENDED, 0),
        (b"event: error\n\n", {"dialect": "text"}, ENDED, 0),
        (b"event: error\ndata: the word error\n\n", {"dialect": "text"}, ENDED, 0),
    ],
)
def test_an_error_is_the_answer_where_it_is_all_of_the_stream(
    data: bytes, options: dict[str, Any], verdict: Verdict, frames_of_ours: int
) -> None:
    whole = laws.repaired([data], **options)
    assert whole.report.verdict is verdict
    assert (whole.report.error is not None) == (verdict is FAILED)
    assert whole.wire.startswith(data)
    assert whole.wire.count(b"unbroken_error") == frames_of_ours
    for size in (1, 7):
        laws.check_same(laws.seen(every(data, size), **options), laws.seen([data], **options))
    laws.check_idempotent(data, **options)


def test_lines_have_no_names_so_its_name_becomes_a_key() -> None:
    whole = laws.repaired([b'event: error\ndata: {"message":"x"}\n\n'], to="ndjson")
    assert whole.wire == b'{"error": {"message":"x"}}\n'

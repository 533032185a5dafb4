"""`docs/endings.md` shows every verdict and every code, and says of each what `retrying` and the command do with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unbroken import Verdict
from unbroken.cli import main
from unbroken.core.failure import SENTENCES
from unbroken.retry.retryable import PERMANENT_CODES, TRANSIENT_CODES

PAGE = (Path(__file__).parent.parent / "docs" / "endings.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([\w-]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROWS = {
    name: cells.split(" | ")
    for name, cells in re.findall(r"^\| \[`([\w-]+)`\]\(#[\w-]+\) \| (.*) \|$", PAGE, re.MULTILINE)
}
VERDICTS = [verdict.name for verdict in Verdict if verdict is not Verdict.OPEN]


def test_the_tables_have_a_row_for_each_verdict_and_each_code_and_no_others() -> None:
    assert set(ROWS) == {*VERDICTS, *SENTENCES}, (
        "add a row to the table of docs/endings.md, and a section with an example"
    )


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_has_an_example(verdict: str) -> None:
    assert f"\nreport  {verdict} whole={verdict == 'COMPLETE'}" in SECTIONS[verdict]


@pytest.mark.parametrize("code", SENTENCES)
def test_each_code_has_an_example(code: str) -> None:
    section = SECTIONS["TRUNCATED"] if code == "truncated" else SECTIONS[code]
    assert f" code={code}" in section
    assert SENTENCES[code] in section
    assert "\nexit    3\n" in section


TOKEN = b'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"Hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
ENDS = {
    "COMPLETE": TOKEN + DONE,
    "DAMAGED": TOKEN + b'data: {"a":\n\n' + DONE,
    "ENDED": b'data: {"a":1}\n\n',
    "TRUNCATED": TOKEN,
    "FAILED": b"<html></html>",
}


@pytest.mark.parametrize("verdict", ENDS)
def test_the_exit_code_of_each_verdict_is_that_of_the_command(
    verdict: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / "stream"
    file.write_bytes(ENDS[verdict])
    code = main(["repair", str(file)])
    assert f"verdict: {verdict.lower()}".encode() in capsysbinary.readouterr().err
    assert ROWS[verdict][-1] == str(code)
    assert f"\nexit    {code}\n" in SECTIONS[verdict]


def test_a_stream_is_not_cancelled_on_the_command_line() -> None:
    assert ROWS["CANCELLED"][-1] == "none"
    assert {*ENDS, "CANCELLED"} == set(VERDICTS)


@pytest.mark.parametrize("code", SENTENCES)
def test_the_page_says_whether_a_code_is_retried(code: str) -> None:
    expected = "yes" if code in TRANSIENT_CODES else "no" if code in PERMANENT_CODES else "by its status"
    assert ROWS[code][-1].partition(",")[0] == expected

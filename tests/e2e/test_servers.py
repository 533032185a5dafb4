"""The servers page, row by row: the real server, with the code and the command of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .responses import Http1
from .servers import CHECKS, PAGE, ROWS, Check, Goodbye, Outcomes, Row, check_all, served, table, terminate_all

pytestmark = pytest.mark.e2e

Results = tuple[Outcomes, dict[Row, Goodbye]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Results]:
    with served(tmp_path_factory.mktemp("servers")) as (upstream, programs):
        outcomes = check_all(upstream, programs)
        print(table(outcomes))
        yield outcomes, terminate_all(upstream, programs)


@pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_server_holds(row: Row, check: Check, results: Results) -> None:
    outcome = results[0][row, check]
    if isinstance(outcome, Exception):
        raise outcome


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_sigterm_ends_the_stream_and_the_server(row: Row, results: Results) -> None:
    goodbye = results[1][row]
    assert (goodbye.exited, goodbye.released) == (True, True), goodbye
    body = goodbye.arrivals.reading.body
    assert body.startswith(b"data: ")
    assert (body.count(b'"error"'), body.count(b"shutting-down")) == ((1, 1) if row.says_goodbye else (0, 0))
    if row.says_goodbye and row.kind is Http1:  # hypercorn closes an HTTP/2 connection before it ends the last stream
        assert goodbye.arrivals.cut is None


def test_the_page_tells_of_every_row() -> None:
    text = PAGE.read_text()
    assert not [str(row) for row in ROWS if f"| {row.set_up} | {row.way} |" not in text]

"""The reader leaves while upstream is silent: each real server must let go of upstream in time."""

from __future__ import annotations

import pytest

from .departures import CASES, PAGE, Case, Measured, measure, table
from .stacks import running
from .upstream import Upstream

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    names = tuple(dict.fromkeys(case.stack for case in CASES))
    with (
        Upstream() as upstream,
        running(tmp_path_factory.mktemp("servers"), upstream.url, names) as programs,
    ):
        result = measure(upstream, programs)
    print(table(result))
    return result


@pytest.mark.parametrize("case", [case for case in CASES if case.limit is not None], ids=str)
def test_upstream_is_released_soon_after_the_reader_left(case: Case, measured: Measured) -> None:
    release = measured[case]
    assert release is not None
    assert release.seconds <= (case.limit or 0.0), table(measured)


@pytest.mark.parametrize("case", [case for case in CASES if case.limit is None], ids=str)
def test_without_abort_upstream_stays_open_while_it_is_silent(case: Case, measured: Measured) -> None:
    assert measured[case] is None, table(measured)


def test_the_page_tells_of_every_case() -> None:
    text = PAGE.read_text()
    assert not [str(case) for case in CASES if f"| {case.server} | {case.returns} |" not in text]

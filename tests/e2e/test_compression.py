"""What compression does to a stream: nothing is held back where each event is flushed, and everything where not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .compression import WAYS, Measuring

pytestmark = pytest.mark.e2e

PROMPTLY = {
    "uvicorn, not compressed": "",
    "Starlette's `GZipMiddleware`": "",
    "`CompressStreams` below": "gzip",
    "the same with brotli": "br",
    "the same with zstd": "zstd",
    "nginx, `gzip on`, `SSE_HEADERS`": "gzip",
    "nginx, `gzip on`, `proxy_buffering off`": "gzip",
    "nginx, `brotli on`, `proxy_buffering off`": "br",
    "Caddy, `encode zstd gzip`": "",
    "Caddy, `encode` of other types, the same": "",
    "Chromium behind nginx, `gzip on`, `proxy_buffering off`": "gzip",
    "Chromium behind nginx, `CompressStreams`": "gzip",
    "Chromium behind nginx, the same with brotli": "br",
    "Chromium behind nginx, the same with zstd": "zstd",
}


@pytest.fixture(scope="module")
def measuring() -> Iterator[Measuring]:
    with Measuring() as running:
        yield running


@pytest.mark.parametrize("name", PROMPTLY)
def test_each_event_can_be_read_when_it_was_written(measuring: Measuring, name: str) -> None:
    seen = measuring.measure(name)
    assert seen.encoding == PROMPTLY[name]
    assert seen.is_prompt, max(seen.delays)


HOLDS_BACK = [
    "gzip without a flush",
    "nginx, `gzip on`",
    "Caddy, `encode gzip`, a first event of 600 bytes",
    "Caddy, `encode zstd`, a first event of 600 bytes",
]


@pytest.mark.parametrize("name", HOLDS_BACK)
def test_what_is_not_flushed_comes_in_the_end(measuring: Measuring, name: str) -> None:
    seen = measuring.measure(name)
    assert seen.encoding in ("gzip", "zstd")
    assert seen.is_held_back


def test_an_event_that_is_flushed_costs_a_fraction_of_what_it_costs_as_it_is(measuring: Measuring) -> None:
    plain = measuring.measure("uvicorn, not compressed")
    for name in ("`CompressStreams` below", "the same with brotli", "the same with zstd"):
        assert measuring.measure(name).size * 3 < plain.size


def test_every_way_of_the_table_is_measured(measuring: Measuring) -> None:
    assert {*PROMPTLY, *HOLDS_BACK} | {"Starlette's `GZipMiddleware`, NDJSON"} == WAYS.keys()
    assert measuring.measure("Starlette's `GZipMiddleware`, NDJSON").is_prompt

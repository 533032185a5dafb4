"""Every way of waiting that is timed passes the same chunks."""

from __future__ import annotations

import asyncio

import pytest

from . import adapters


@pytest.mark.parametrize("upstream", adapters.UPSTREAMS)
@pytest.mark.parametrize("way", adapters.WAYS)
def test_an_asynchronous_way_passes_every_chunk(way: str, upstream: str) -> None:
    async def read() -> list[bytes]:
        return [chunk async for chunk in adapters.WAYS[way](adapters.UPSTREAMS[upstream]())]

    assert asyncio.run(read()) == adapters.BODY


@pytest.mark.parametrize("way", adapters.SYNC_WAYS)
def test_a_synchronous_way_passes_every_chunk(way: str) -> None:
    assert list(adapters.SYNC_WAYS[way](adapters.BODY)) == adapters.BODY

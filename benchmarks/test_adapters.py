"""Every way of waiting that is timed passes the same bytes; what comes at once may leave at once."""

from __future__ import annotations

import asyncio

import pytest

from . import adapters


@pytest.mark.parametrize("upstream", adapters.UPSTREAMS)
@pytest.mark.parametrize("way", adapters.WAYS)
def test_an_asynchronous_way_passes_every_byte(way: str, upstream: str) -> None:
    async def read() -> list[bytes]:
        return [chunk async for chunk in adapters.WAYS[way](adapters.UPSTREAMS[upstream]())]

    assert b"".join(asyncio.run(read())) == b"".join(adapters.BODY)


@pytest.mark.parametrize("way", adapters.SYNC_WAYS)
def test_a_synchronous_way_passes_every_byte(way: str) -> None:
    assert b"".join(adapters.SYNC_WAYS[way](adapters.BODY)) == b"".join(adapters.BODY)

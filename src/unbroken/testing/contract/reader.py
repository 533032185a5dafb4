"""How the reader under test is called, sync or async."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from ..mistakes import WrongContract, hides
from ..shown import described

__tracebackhide__ = hides


class Reader:
    """The base of both contracts that calls `parse`, which returns a list or yields items."""

    def parse(self, chunks: Iterable[bytes]) -> Iterable[Any]:
        raise WrongContract(f"{type(self).__name__} must define parse(chunks)")

    def _for_each(self, chunks: Iterable[bytes], take: Callable[[Any], object], turns: int = 0) -> bool:
        """Read all chunks, call `take` with each item, and return whether items came while reading (not in a list).

        After each chunk the event loop, if there is one, runs `turns` times before the next chunk arrives.
        """
        items = _items("parse(chunks)", self.parse(chunks))
        for item in items:
            take(item)
        return not isinstance(items, Sequence)

    def _read(self, chunks: Iterable[bytes]) -> list[Any]:
        seen: list[Any] = []
        self._for_each(chunks, seen.append)
        return seen

    def _consume(self, chunks: Iterable[bytes]) -> None:
        self._for_each(chunks, lambda item: None)


class AsyncReader(Reader):
    """The same for `aparse`, which takes an async iterable. Each reading runs in its own event loop."""

    def aparse(self, chunks: AsyncIterable[bytes]) -> AsyncIterable[Any] | Awaitable[Iterable[Any]]:
        raise WrongContract(f"{type(self).__name__} must define aparse(chunks)")

    def _for_each(self, chunks: Iterable[bytes], take: Callable[[Any], object], turns: int = 0) -> bool:
        return asyncio.run(self._afor_each(chunks, take, turns))

    async def _afor_each(self, chunks: Iterable[bytes], take: Callable[[Any], object], turns: int) -> bool:
        items = self.aparse(_asynchronously(chunks, turns))
        if isinstance(items, AsyncIterable):
            async for item in items:
                take(item)
            return True
        if not isinstance(items, Awaitable):
            raise WrongContract(f"aparse(chunks) must be an async generator or a coroutine, and not {described(items)}")
        whole = _items("aparse(chunks)", await items)
        for item in whole:
            take(item)
        return False


def _items(method: str, returned: Iterable[Any]) -> Iterable[Any]:
    if isinstance(returned, (bytes, str, Mapping)) or not isinstance(returned, Iterable):
        raise WrongContract(f"{method} must return a list, or yield its items, and not {described(returned)}")
    return returned


async def _asynchronously(chunks: Iterable[bytes], turns: int) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        for _ in range(turns):
            await asyncio.sleep(0)

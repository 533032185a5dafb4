"""Odd streams before and after: what official clients make of them, as they come and repaired.

`python -m tests.clients.odd_streams` writes the table of docs/odd-streams.md anew, with the clients that are installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anthropic
import httpx
import httpx2
import ollama
import openai

from unbroken import StreamReport, repair

STREAMS = Path(__file__).parent / "odd_streams.jsonl"  # bytes as Latin-1 text
PAGE = Path(__file__).parents[2] / "docs" / "odd-streams.md"
BEGIN, END = "<!-- table: python -m tests.clients.odd_streams -->\n", "<!-- end -->\n"
# What a proxy knows of its upstream and of its clients.
OPTIONS: dict[str, dict[str, Any]] = {
    "openai": {"dialect": "openai-chat", "to": "sse"},
    "anthropic": {"dialect": "anthropic", "to": "sse"},
    "ollama": {"dialect": "ollama", "to": "ndjson"},
}
MESSAGES: Any = [{"role": "user", "content": "Hello"}]


@dataclass
class Odd:
    """One odd stream; `raises` says that its connection breaks behind the last chunk."""

    client: str
    name: str
    chunks: list[bytes]
    raises: bool = False

    def upstream(self, library: Any) -> Iterator[bytes]:
        """Give the chunks, and then what the connection does."""
        yield from self.chunks
        if self.raises:
            raise library.RemoteProtocolError("peer closed connection without sending complete message body")


@dataclass
class Outcome:
    """What a client delivered, and how it ended."""

    texts: list[str]
    error: Exception | None = None

    def __str__(self) -> str:
        told = " ".join(f"`{_plain(text)}`" for text in self.texts) or "nothing"
        if self.error is None:
            return f"{told}, ends well"
        return f"{told}, **{type(self.error).__name__}**"


def _plain(text: str) -> str:
    return text.encode("unicode_escape").decode().replace("|", "\\|")


def odd_streams() -> list[Odd]:
    """Read them all."""
    made = []
    for line in STREAMS.read_text(encoding="utf-8").splitlines():
        odd = json.loads(line)
        chunks = [chunk.encode("latin-1") for chunk in odd["chunks"]]
        made.append(Odd(odd["client"], odd["name"], chunks, odd.get("raises", False)))
    return made


def read(client: str, upstream: Any) -> Outcome:
    """Let a client read chunks, and keep what it gives and raises."""
    outcome = Outcome([])
    try:
        for text in {"openai": _read_openai, "anthropic": _read_anthropic, "ollama": _read_ollama}[client](upstream):
            outcome.texts.append(text)
    except Exception as error:
        outcome.error = error
    return outcome


def _client(library: Any, kind: str, upstream: Any) -> Any:
    class Body(library.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            yield from upstream

    answer = library.Response(200, headers={"content-type": kind}, stream=Body())
    return library.Client(transport=library.MockTransport(lambda request: answer))


def _read_openai(upstream: Any) -> Iterator[str]:
    client = openai.OpenAI(
        api_key="none",
        base_url="http://local",
        max_retries=0,
        http_client=_client(httpx2, "text/event-stream", upstream),
    )
    for chunk in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
        yield from (choice.delta.content or "" for choice in chunk.choices or [])


def _read_anthropic(upstream: Any) -> Iterator[str]:
    client = anthropic.Anthropic(
        api_key="none",
        base_url="http://local",
        max_retries=0,
        http_client=_client(httpx2, "text/event-stream", upstream),
    )
    for event in client.messages.create(model="m", max_tokens=9, messages=MESSAGES, stream=True):
        if event.type == "content_block_delta":
            yield getattr(event.delta, "text", "")


def _read_ollama(upstream: Any) -> Iterator[str]:
    client = ollama.Client()
    client._client = _client(httpx, "application/x-ndjson", upstream)
    client._client.base_url = "http://local"
    for part in client.chat(model="m", messages=MESSAGES, stream=True):
        yield part.message.content or ""


def before_and_after(odd: Odd) -> tuple[Outcome, Outcome, StreamReport]:
    """Give what the client makes of the stream as it comes, and of the repaired one, whose report is the third."""
    library = httpx if odd.client == "ollama" else httpx2
    before = read(odd.client, odd.upstream(library))
    stream = repair(odd.upstream(library), **OPTIONS[odd.client], heartbeat=None, timeouts=None)
    repaired = list(stream)
    return before, read(odd.client, repaired), stream.report


def table() -> str:
    """Write the table, one row per stream."""
    versions = ", ".join(f"{client} {version(client)}" for client in OPTIONS)
    rows = [
        f"Clients: {versions}.",
        "",
        "| client | stream | as it comes | repaired | verdict | mended |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for odd in odd_streams():
        before, after, report = before_and_after(odd)
        kinds = ", ".join(f"{kind.value}" for kind in report.repairs)
        respelt = ", ".join(report.respellings)
        mended = kinds or (f"({respelt})" if respelt else "")
        verdict = report.verdict.value
        rows.append(f"| {odd.client} | {_plain(odd.name)} | {before} | {after} | {verdict} | {mended} |")
    return "\n".join(rows) + "\n"


def write() -> None:
    """Put the table into the page."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    write()

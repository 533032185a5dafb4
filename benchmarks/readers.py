"""Every Python reader that is timed: unbroken's own lines, its peers, and the yardstick of the guard.

Peers are timed without their HTTP layer (decoder objects fed with chunks), which is the reading kindest to them;
only the hand loop goes through `httpx.Response`, since that is how it is written.
"""

from __future__ import annotations

import codecs
import importlib.metadata
import json
import platform
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Chunks = list[bytes]


@dataclass(frozen=True)
class Reader:
    """One contender. `open` starts reading a stream; `payload` finds the text in what it yields.

    A proxy yields bytes and has no `payload`. Where `payload` returns None the item is not an event.
    `package` is whose version is printed; None: it is written here and needs nothing but Python.
    """

    name: str
    open: Callable[[Iterable[bytes]], Iterator[Any]]
    package: str | None = None
    formats: frozenset[str] = frozenset({"sse"})
    payload: Callable[[Any], str | None] | None = lambda event: event.data

    def version(self) -> str | None:
        """Return the installed version, or None where it is not installed: then it does not take part."""
        if self.package is None:
            return platform.python_version()
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None

    def read(self, streams: list[Chunks]) -> None:
        """Read every stream to its end and throw the events away; this is what is timed."""
        for chunks in streams:
            deque(self.open(chunks), maxlen=0)

    def payloads(self, chunks: Iterable[bytes]) -> list[str]:
        """Return the payloads of one stream, by which readers are compared."""
        assert self.payload is not None, "a proxy yields bytes"
        return [text for text in map(self.payload, self.open(chunks)) if text is not None]


def values(payloads: list[str]) -> list[Any]:
    """Return payloads as JSON values, less the terminator, which the hand loop does not yield."""
    return [json.loads(text) for text in payloads if text != "[DONE]"]


def reference(format: str, chunks: Chunks) -> list[Any]:
    """Return the values of one healthy stream, read from its whole body in the plainest way there is."""
    body = b"".join(chunks)
    if format == "json-array":
        return list(json.loads(body))
    lines = body.decode().replace("\r\n", "\n").split("\n")
    if format == "sse":
        lines = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return values([line for line in lines if line])


# --- peers ----------------------------------------------------------------------------------------------------


def httpx_sse(chunks: Iterable[bytes]) -> Iterator[Any]:
    from httpx_sse._decoders import SSEDecoder, SSELineDecoder

    decode, lines, events = codecs.getincrementaldecoder("utf-8")().decode, SSELineDecoder(), SSEDecoder()
    for chunk in chunks:
        for line in lines.decode(decode(chunk)):
            event = events.decode(line)
            if event is not None:
                yield event


def httpx2(chunks: Iterable[bytes]) -> Iterator[Any]:
    from httpx2._sse import _SSEParser

    decode, parser = codecs.getincrementaldecoder("utf-8")().decode, _SSEParser()
    for chunk in chunks:
        yield from parser.decode(decode(chunk))
    yield from parser.flush()


def sseclient_py(chunks: Iterable[bytes]) -> Iterator[Any]:
    from sseclient import SSEClient

    return SSEClient(chunks).events()  # type: ignore[no-any-return]


def openai_decoder(chunks: Iterable[bytes]) -> Iterator[Any]:
    from openai._streaming import SSEDecoder

    return SSEDecoder().iter_bytes(iter(chunks))


def anthropic_decoder(chunks: Iterable[bytes]) -> Iterator[Any]:
    from anthropic._streaming import SSEDecoder

    return SSEDecoder().iter_bytes(iter(chunks))


def launchdarkly(chunks: Iterable[bytes]) -> Iterator[Any]:
    from ld_eventsource.reader import _BufferedLineReader, _SSEReader

    return iter(_SSEReader(_BufferedLineReader.lines_from(chunks)).events_and_comments())


def hand_loop(chunks: Iterable[bytes]) -> Iterator[Any]:
    """The loop of a thousand code bases; it reads SSE only in its simplest form."""
    import httpx

    for line in httpx.Response(200, content=iter(chunks)).iter_lines():
        if line.startswith("data:"):
            payload = line[5:].strip()
            if payload == "[DONE]":
                break
            yield json.loads(payload)


def ndjson_loop(chunks: Iterable[bytes]) -> Iterator[Any]:
    """The loop inside ollama's client."""
    import httpx

    for line in httpx.Response(200, content=iter(chunks)).iter_lines():
        yield json.loads(line)


def array_loop(chunks: Iterable[bytes]) -> Iterator[Any]:
    """Yield the elements: text is collected and `raw_decode` tried after each chunk."""
    decode, text = codecs.getincrementaldecoder("utf-8")().decode, ""
    for chunk in chunks:
        text = (text + decode(chunk)).lstrip("[,\r\n ")
        try:
            element, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            continue
        yield element
        text = text[end:]


def plain_loop(chunks: Iterable[bytes]) -> Iterator[tuple[str, str, str]]:
    """The yardstick of the guard: the standard's rules in plain Python, never to be tuned."""
    decode, rest = codecs.getincrementaldecoder("utf-8")("replace").decode, ""
    event, data, last_id = "", [], ""
    for chunk in chunks:
        lines = (rest + decode(chunk)).split("\n")
        rest = lines.pop()
        for line in lines:
            if not line:
                if data:
                    yield event or "message", "\n".join(data), last_id
                event, data = "", []
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data.append(value)
            elif name == "event":
                event = value
            elif name == "id":
                last_id = value


def dumped(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


PEERS = [
    Reader("httpx-sse", httpx_sse, "httpx-sse"),
    Reader("httpx2", httpx2, "httpx2"),
    Reader("sseclient-py", sseclient_py, "sseclient-py"),
    Reader("openai's decoder", openai_decoder, "openai"),
    Reader("anthropic's decoder", anthropic_decoder, "anthropic"),
    Reader(
        "launchdarkly-eventsource",
        launchdarkly,
        "launchdarkly-eventsource",
        payload=lambda action: getattr(action, "data", None),
    ),
    Reader("hand loop, with json.loads", hand_loop, "httpx", payload=dumped),
    Reader("hand loop, with json.loads", ndjson_loop, "httpx", frozenset({"ndjson"}), payload=dumped),
    Reader("hand loop, with json.loads", array_loop, None, frozenset({"json-array"}), payload=dumped),
]


# --- unbroken -------------------------------------------------------------------------------------------------


def reader(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import iter_events

    return iter_events(chunks, account=False, timeouts=None)


def reader_with_defaults(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import iter_events

    return iter_events(chunks)


def event_reader(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import EventReader

    events = EventReader()
    for chunk in chunks:
        yield from events.feed(chunk)
    yield from events.close()


def proxy(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import repair

    return repair(chunks, heartbeat=None)


def proxy_without_thread(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import repair

    return repair(chunks, heartbeat=None, timeouts=None)


def lean_proxy(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import repair

    return repair(chunks, heartbeat=None, timeouts=None, account=False, invalid_json="keep")


def stream_repairer(chunks: Iterable[bytes]) -> Iterator[Any]:
    from unbroken import StreamRepairer

    repairer = StreamRepairer()
    for chunk in chunks:
        yield from repairer.feed(chunk, 0.0)
    yield from repairer.close(0.0)


ALL = frozenset({"sse", "ndjson", "json-array"})


def only_events(item: Any) -> str | None:
    return item.data if type(item).__name__ == "Event" else None


READER = Reader("iter_events(account=False, timeouts=None)", reader, "unbroken", ALL)
PROXY = Reader("repair(heartbeat=None, timeouts=None)", proxy_without_thread, "unbroken", ALL, None)
LEAN_PROXY = Reader('the same, account=False, invalid_json="keep"', lean_proxy, "unbroken", ALL, None)
OURS = [
    READER,
    Reader("iter_events()", reader_with_defaults, "unbroken", ALL),
    Reader("EventReader", event_reader, "unbroken", ALL, only_events),
    PROXY,
    LEAN_PROXY,
    Reader("repair(heartbeat=None), its thread on", proxy, "unbroken", ALL, None),
    Reader("StreamRepairer", stream_repairer, "unbroken", ALL, None),
]
YARDSTICK = Reader("plain loop", plain_loop, payload=lambda event: event[1])

"""Tests of connections that break and are opened again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...cuts import every
from ...mistakes import hides
from ...require_hypothesis import st
from ...standard import read_sse
from . import returned
from .law import Law
from .reading import payload_words
from .under_test import Options, RepairerUnderTest, broken

__tracebackhide__ = hides

_HEADS = (b"", b"\xef\xbb\xbf", b": welcome\n\n", b"\n", b"retry: 1\n\n")
_CHAT = b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"p%dx"}}]}'
_PAYLOADS = (b"p%dx", b'{"a":"p%dx"}', _CHAT)
_SPELLINGS = (
    b"id: %d\ndata: %s\n\n", b"id: %d\ndata: %s\n\n", b"data: %s\nid: %d\n\n", b"id: %d\r\ndata: %s\r\n\r\n",
    b"id: %d\n: c\ndata: %s\n\n", b": c\n\nid: %d\ndata: %s\n\n",
)  # fmt: skip

_MANY = 6000
"""Events of a long answer."""


class Server:
    """A server of numbered events. A connection continues after the last id, or begins again behind the first one.

    Connection n breaks after `breaks[n]` bytes; the one after the last break goes on to the end.
    """

    def __init__(self, frames: Sequence[bytes], breaks: Sequence[int], heads: Sequence[bytes], anew: bool) -> None:
        self.frames, self.breaks, self.heads, self.anew = frames, breaks, heads, anew
        self.asked: list[str] = []
        """The `last_event_id` of each connection."""

    def connect(self, last_event_id: str) -> Iterator[bytes]:
        """Yield the chunks of one connection. Raises `ConnectionResetError` where it breaks."""
        number = len(self.asked)
        self.asked.append(last_event_id)
        begin = 0 if self.anew or not last_event_id.isdigit() else int(last_event_id)
        body = self.heads[number % len(self.heads)] + b"".join(self.frames[begin:])
        if number < len(self.breaks):
            yield from every(body[: self.breaks[number] % (len(body) + 1)], 7)
            raise ConnectionResetError("connection reset by peer")
        yield from every(body, 9)


class ConnectionTests(RepairerUnderTest):
    """A source that is opened again delivers each event once."""

    def test_each_event_is_delivered_once_and_in_order(self) -> None:
        """Whether the server continues after the last id or begins again, and wherever its connections break."""
        self._needs("reconnecting", "connect, options")

        def check(spelling: bytes, payload: bytes, count: int, server: tuple[list[int], list[bytes], bool]) -> None:
            frames = [_numbered(spelling, payload, number) for number in range(1, count + 1)]
            if payload is _CHAT and self._defines("ends_at_sentinel"):
                frames.append(b"data: [DONE]\n\n: bye\n\n" + _numbered(spelling, payload, 99))
            played = Server(frames, *server)
            wire = returned.joined("reconnecting(connect, options)", self.reconnecting(played.connect, {}))
            expected = [word for word in payload_words(b"".join(frames)) if word != b"p99x"]
            seen = payload_words(wire)
            delivered = {"", *(id for _, _, id in read_sse(wire).events)}
            if seen != expected or not delivered.issuperset(played.asked):
                told = (seen, wire, f"asked for what follows {played.asked}")
                raise broken(
                    Law.EVENTS_ARE_DELIVERED_ONCE, frames, expected, told, {"breaks": server[0], "anew": server[2]}
                )

        breaks = st.lists(st.integers(0, 400), max_size=4)
        servers = st.tuples(breaks, st.lists(st.sampled_from(_HEADS), min_size=1, max_size=3), st.booleans())
        drawn = st.tuples(st.sampled_from(_SPELLINGS), st.sampled_from(_PAYLOADS), st.integers(1, 6), servers)
        self._run(drawn, "once", lambda drawn: check(*drawn))

    def test_each_of_many_events_is_delivered_once(self) -> None:
        """The same for a server that begins again after more ids than a repairer may remember."""
        self._needs("reconnecting", "connect, options")
        frames = [_numbered(_SPELLINGS[0], b"p%dx", number) for number in range(1, _MANY)]
        for anew in (True, False):
            played = Server(frames, [len(b"".join(frames))], [b""], anew)
            wire = returned.joined("reconnecting(connect, options)", self.reconnecting(played.connect, {}))
            seen = payload_words(wire)
            if seen != payload_words(b"".join(frames)):
                shown = (seen[:3], seen[-3:], len(seen))
                raise broken(
                    Law.EVENTS_ARE_DELIVERED_ONCE, frames[:3], f"{_MANY - 1} events, each once", shown, {"anew": anew}
                )

    def test_what_was_half_read_is_forgotten(self) -> None:
        """A broken connection leaves nothing of an unfinished event in the next one, in no framing."""
        self._needs("reconnecting", "connect, options")

        def check(half: bytes, options: Options) -> None:
            def connect(last_event_id: str) -> Iterator[bytes]:
                connections.append(last_event_id)
                if len(connections) == 1:
                    yield half
                    raise ConnectionResetError("connection reset by peer")
                yield whole

            connections: list[str] = []
            whole = b'data: {"a":"p1x"}\n\ndata: {"a":"p2x"}\n\n'
            wire = returned.joined("reconnecting(connect, options)", self.reconnecting(connect, options))
            if len(connections) == 1:
                return  # it was not opened again
            events = [data for _, data, _ in read_sse(wire).events]
            if events != ['{"a":"p1x"}', '{"a":"p2x"}']:
                raise broken(Law.EVENTS_ARE_DELIVERED_ONCE, [half, whole], whole, wire, options)

        halves = (
            b"data: {",
            b"data",
            b'{"a":',
            b"[",
            b"da",
            b"\xef\xbb",
            b"event: x\n",
            b": c",
            b"\n",
            b"data: \xc3",
            b"",
        )
        self._run(st.tuples(st.sampled_from(halves), st.just({})), "half", lambda drawn: check(*drawn))


def _numbered(spelling: bytes, payload: bytes, number: int) -> bytes:
    text = payload % number
    return spelling % ((text, number) if spelling.index(b"%s") < spelling.index(b"%d") else (number, text))

"""The faults of a transport, by name: how each is produced, and the correct result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...core.report import Verdict
from ..failures import client_failures
from ..server import Hold, Reset, WireStep, chunked, close_delimited, with_length
from ..sources import Block, Step
from .streams import CHAT, PLAIN, Healthy


@dataclass(frozen=True, slots=True)
class Outcome:
    """The correct result for a stream whose transport failed.

    `delivered` are the bytes that must reach the client, without an error frame; `error` is the code of that frame.
    """

    delivered: bytes
    verdict: Verdict
    error: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class TransportFault:
    """A fault of the transport.

    From the frames of a healthy stream, `steps` makes the script of a source, and `wire` that of a `ScriptedServer`;
    `wire` is None for what a server cannot cause, such as a client's timeout. `outcome` returns the correct result.
    """

    name: str
    does: str
    steps: Callable[[Sequence[bytes]], list[Step]] = field(repr=False)
    wire: Callable[[Sequence[bytes]], list[WireStep]] | None = field(repr=False)
    outcome: Callable[[Healthy], Outcome] = field(repr=False)

    @property
    def examples(self) -> tuple[tuple[Healthy, Outcome], ...]:
        """The outcome for a stream without a dialect and for one whose dialect has a terminator."""
        return tuple((healthy, self.outcome(healthy)) for healthy in (PLAIN, CHAT))


def _half(frames: Sequence[bytes]) -> list[bytes]:
    """Return all frames but the last one, and half of that one."""
    last = frames[-1]
    return [*frames[:-1], last[: len(last) // 2]]


def _whole(healthy: Healthy, content_type: str | None = None) -> Outcome:
    ended = Verdict.COMPLETE if healthy.dialect else Verdict.ENDED
    return Outcome(b"".join(healthy.frames), ended, content_type=content_type)


def _failed(healthy: Healthy) -> Outcome:
    return Outcome(b"".join(healthy.frames[:-1]), Verdict.FAILED, "upstream-failed")


def _cut_in_silence(healthy: Healthy) -> Outcome:
    """Return the outcome of a clean end inside an event, which is reported only where the dialect is known."""
    if healthy.dialect:
        return Outcome(b"".join(healthy.frames[:-1]), Verdict.TRUNCATED, "truncated")
    return Outcome(b"".join(healthy.frames[:-1]), Verdict.TRUNCATED)


def _raising(name: str) -> Callable[[Sequence[bytes]], list[Step]]:
    def steps(frames: Sequence[bytes]) -> list[Step]:
        failures = client_failures()
        return [*_half(frames), failures.get(name, failures["ConnectionResetError"])()]

    return steps


TRANSPORT_FAULTS: Mapping[str, TransportFault] = {
    fault.name: fault
    for fault in (
        TransportFault(
            "cut-chunked",
            "a chunked body without its last chunk",
            _raising("httpx.RemoteProtocolError"),
            lambda frames: chunked(_half(frames), end=False),
            _failed,
        ),
        TransportFault(
            "cut-length",
            "a body shorter than its Content-Length",
            _raising("http.client.IncompleteRead"),
            lambda frames: with_length(_half(frames), length=10**6),
            _failed,
        ),
        TransportFault(
            "reset",
            "a connection that is reset",
            _raising("ConnectionResetError"),
            lambda frames: [*chunked(_half(frames), end=False), Reset()],
            _failed,
        ),
        TransportFault("read-timeout", "a client's own timeout", _raising("httpx.ReadTimeout"), None, _failed),
        TransportFault(
            "cut-in-silence",
            "a body that ends with its connection, too early: no client can detect it",
            lambda frames: list(_half(frames)),
            lambda frames: close_delimited(_half(frames)),
            _cut_in_silence,
        ),
        TransportFault(
            "stall",
            "a connection that stays open and sends nothing more",
            lambda frames: [*_half(frames), Block()],
            lambda frames: [*chunked(_half(frames), end=False), Hold()],
            lambda healthy: Outcome(b"".join(healthy.frames[:-1]), Verdict.FAILED, "silence-timeout"),
        ),
        TransportFault(
            "lump",
            "a proxy that buffers the whole body",
            lambda frames: [b"".join(frames)],
            lambda frames: chunked([b"".join(frames)]),
            _whole,
        ),
        TransportFault(
            "drip",
            "a byte at a time",
            lambda frames: [bytes([byte]) for byte in b"".join(frames)],
            lambda frames: chunked([bytes([byte]) for byte in b"".join(frames)]),
            _whole,
        ),
        TransportFault(
            "wrong-content-type",
            "a stream whose content type says JSON",
            lambda frames: list(frames),
            lambda frames: chunked(frames, content_type="application/json"),
            lambda healthy: _whole(healthy, "application/json"),
        ),
    )
}
"""The faults of the transport, by name."""

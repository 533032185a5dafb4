"""The streams that write in this process, and one end for all of them: what a server needs before it exits."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

from ..core.failure import SHUTTING_DOWN
from ..core.report import StreamError

if TYPE_CHECKING:
    from typing import Protocol

    class Interruptible(Protocol):
        """A stream that can be ended from outside."""

        def interrupt(self, error: StreamError) -> bool:
            """End with this error as soon as it wakes; return whether it can be woken. Any thread may call this."""


# A set of references and no WeakSet, which must not change while another thread walks through it: a copy of a set is
# made in one step.
_open: Final[set[ref[Interruptible]]] = set()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open.clear)  # a stream belongs to the process that made it


def note_open(stream: Interruptible) -> None:
    """Remember a stream that is read, for as long as it lives."""
    _open.add(ref(stream, _open.discard))


def open_streams() -> list[Interruptible]:
    """Return the streams that live in this process and were read; some of them may have ended."""
    return [stream for stream in (it() for it in _open.copy()) if stream is not None]


def end_streams() -> int:
    """End every stream that is written in this process, by `repair`, `transform`, their twins or the middleware.

    Returns how many these were. Each one that is being read ends with an error frame, code `shutting-down`, as soon as
    it wakes, and releases upstream. Any thread may call this, a signal handler too. Streams that are read without a
    heartbeat and without timeouts, in the thread that iterates, cannot be woken and go on.
    """
    return sum(stream.interrupt(StreamError(SHUTTING_DOWN)) for stream in open_streams())


def end_streams_on_signal(*signals: int) -> None:
    """Have these signals, SIGTERM by default, end all streams first, and then do what they did.

    Call it in the main thread, after the server has set its own handlers: in the lifespan of an ASGI application, or at
    the import of a WSGI application by its worker. A signal without a handler ends the process as `SystemExit` does.

    Raises `ValueError` outside of the main thread, as `signal.signal` does.
    """
    for number in signals or (signal.SIGTERM,):
        signal.signal(number, _ending(signal.getsignal(number)))


def _ending(previous: Any) -> Callable[[int, Any], None]:
    def handle(number: int, frame: Any) -> None:
        end_streams()
        if callable(previous):
            previous(number, frame)
        elif previous is signal.SIG_DFL:
            raise SystemExit(128 + number)

    return handle

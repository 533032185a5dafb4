"""Events, comments and repairs out of bytes, without I/O and without time."""

from __future__ import annotations

from typing import Unpack

from .decoder import copy_buffer
from .events import Comment, Event
from .frames import Delivery, Frame, Item
from .options import ReadOptions, check_options, refuse_unknown
from .pipeline import Pipeline, new_report
from .repairs import Repair
from .report import StreamError, StreamReport


class EventReader:
    """Read events, comments and repairs out of a stream of bytes, in order, without I/O and without time.

    Takes the keyword arguments of `unbroken.iter_events`; `timeouts` mean nothing here. A repair stands before what it
    produced. After `close` the report holds the verdict, and `error` why the stream failed, if it did.
    """

    __slots__ = ("_pipeline", "error", "report")

    def __init__(self, **options: Unpack[ReadOptions]) -> None:
        refuse_unknown("EventReader", options, writes=False)
        checked = check_options(**options)
        self.report: StreamReport = new_report(checked)
        self.error: StreamError | None = None
        self._pipeline = Pipeline(checked, self.report, Delivery.EVENTS)

    def feed(self, chunk: bytes) -> list[Event | Comment | Repair]:
        """Return what the next bytes complete; `b""` is nothing, and not the end.

        Raises `ValueError` after `close`, and `TypeError` for what is not bytes.
        """
        if type(chunk) is not bytes:
            chunk = copy_buffer(chunk)
        fast = self._pipeline.fast
        if fast is not None and (events := fast.take(chunk)) is not None:
            self.report.chunks_in += 1
            return events
        if self._pipeline.closed:
            raise ValueError("feed() after close(): an EventReader reads one stream; make a new one for the next")
        self.report.chunks_in += 1
        return _public(self._pipeline.feed(chunk))

    def close(self) -> list[Event | Comment | Repair]:
        """Take the clean end of the input, and return what it completes. A second call returns nothing."""
        if self._pipeline.closed:
            return []
        items, self.report.verdict = self._pipeline.close(clean=True)
        self._pipeline.finish()
        self.error = self.report.error = self._pipeline.error()
        return _public(items)


def _public(items: list[Item]) -> list[Event | Comment | Repair]:
    """Return events, comments and repairs."""
    public: list[Event | Comment | Repair] = []
    for item in items:
        if isinstance(item, Repair):
            public.append(item)
        elif isinstance(item, Frame) and item.comment is not None:
            public.append(item.comment)
        else:
            public += item.events()
    return public

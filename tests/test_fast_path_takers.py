"""A taker takes one frame of its template in one step, counts it, and leaves every other chunk as it was."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import Event, StreamReport
from unbroken.core.account import Account
from unbroken.core.dialect import Delta, EventClass, Reading
from unbroken.core.fast_path.slots import NUMBER, TEXT
from unbroken.core.fast_path.spelling import Values
from unbroken.core.fast_path.takers import taker_of_one, taker_of_several
from unbroken.core.fast_path.template import Template
from unbroken.core.frames import Delivery

READING = Reading(EventClass.CONTENT, (Delta(text="a"),))
PLAIN = Template('{"t":"\0"}', "e", READING, head="event: e\n")
COUNTED = Template('{"n%":\0,"t":"\0"}', "message", READING, slots=(NUMBER, TEXT), text_at=1)
WITH_ID = Template('{"t":"\0"}', "message", READING, tail="id: \0\n\n")
LIMIT = 4096


class Taken:
    """A taker of a template, with all that it is given."""

    def __init__(
        self, template: Template, delivery: Delivery = Delivery.EVENTS, *, limit: int = LIMIT, account: bool = True
    ) -> None:
        self.report = StreamReport(last_event_id="7")
        self.account = self.report.account = Account() if account else None
        self.absorbed: Values = []
        self.left: list[bytes] = []
        if template.width == 1:
            self.take = taker_of_one(template, self.report, self.account, limit, self.leave, delivery)
        else:
            self.take = taker_of_several(template, self.report, self.absorb, limit, self.leave, delivery)

    def leave(self, chunk: bytes) -> list[Any] | None:
        self.left.append(chunk)
        return [b"otherwise"]

    def absorb(self, values: Values) -> None:
        self.absorbed += values

    def counts(self) -> tuple[int, int, int]:
        return self.report.bytes_in, self.report.bytes_out, self.report.events


ONE = 'event: e\ndata: {{"t":"{}"}}\n\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [("a", "a"), (" é", " é"), ("\\n", "\n"), ("\\u00e9\\\\", "é\\"), ("%s", "%s"), ("x" * 1900, "x" * 1900)],
)
@pytest.mark.parametrize("account", [True, False])
def test_a_frame_that_differs_in_its_text_is_taken(text: str, said: str, account: bool) -> None:
    chunk = ONE.format(text).encode()
    reads = Taken(PLAIN, account=account)
    assert reads.take(chunk) == [Event(f'{{"t":"{text}"}}', "e", "7")]
    assert reads.counts() == (len(chunk), 0, 1)
    writes = Taken(PLAIN, Delivery.WIRE, account=account)
    assert writes.take(chunk) == [chunk]
    assert writes.counts() == (len(chunk), len(chunk), 1)
    for taken in (reads, writes):
        assert not taken.left
        assert taken.account is None or taken.account.text == said
        assert taken.account is None or taken.account.content_events == 1


@pytest.mark.parametrize(
    "chunk",
    [
        b"", b"\n", ONE.format("a")[:-1].encode(), ONE.format("").encode(), ONE.format('"').encode(),
        ONE.format("\\x").encode(), ONE.format("\t").encode(), ONE.format("\u2028").encode(),
        ONE.format("a").replace("t", "u").encode(), 2 * ONE.format("a").encode(),
        ONE.format("a").replace("\n", "\r\n").encode(), ONE.format("x" * 2048).encode(),
    ],
)  # fmt: skip
def test_any_other_chunk_is_left_to_somebody_else(chunk: bytes) -> None:
    taken = Taken(PLAIN)
    assert taken.take(chunk) == [b"otherwise"]
    assert taken.left == [chunk]
    assert taken.counts() == (0, 0, 0)
    assert taken.account is not None
    assert taken.account.content_events == 0


def test_a_frame_longer_than_the_limit_is_left_to_somebody_else() -> None:
    chunk = ONE.format("a").encode()
    for template, text in ((PLAIN, ONE.format("a")), (COUNTED, 'data: {"n%":1,"t":"a"}\n\n')):
        chunk = text.encode()
        for limit, is_taken in ((len(chunk), True), (len(chunk) - 1, False)):
            taken = Taken(template, limit=limit)
            taken.take(chunk)
            assert (not taken.left) is is_taken


def test_what_is_not_utf8_is_not_taken() -> None:
    taken = Taken(PLAIN)
    assert taken.take(b'event: e\ndata: {"t":"\xff"}\n\n') is None
    assert taken.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    ("template", "frame", "values", "event"),
    [
        (COUNTED, 'data: {"n%":1,"t":"a"}\n\n', ["1", "a"], Event('{"n%":1,"t":"a"}', id="7")),
        (COUNTED, 'data: {"n%":0,"t":"\\n%s"}\n\n', ["0", "\\n%s"], Event('{"n%":0,"t":"\\n%s"}', id="7")),
        (WITH_ID, 'data: {"t":"a"}\nid: 8\n\n', ["a", "8"], Event('{"t":"a"}', id="8")),
    ],
)
def test_a_frame_that_differs_in_more_is_taken(template: Template, frame: str, values: Values, event: Event) -> None:
    chunk = frame.encode()
    for delivery, delivered in ((Delivery.EVENTS, [event]), (Delivery.WIRE, [chunk])):
        taken = Taken(template, delivery)
        assert taken.take(chunk) == delivered
        assert taken.absorbed == values
        assert taken.report.bytes_in == len(chunk)
        assert taken.report.bytes_out == (len(chunk) if delivery is Delivery.WIRE else 0)
        for other in (b"", chunk + chunk, chunk.replace(b'"t"', b'"u"'), chunk.replace(b"a", b"\xff", 1)):
            assert taken.take(other) == ([b"otherwise"] if other != chunk else delivered)

"""Strategies for what stands around events: in front of the first, between two, behind the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

from ..conversations import DIALECTS, Answer, Conversation
from ..conversations import spell as spell_answer
from ..require_hypothesis import SearchStrategy, st
from ..spellings import SPELLINGS

_BARE = (
    *(b": c\n\n", b": c\n", b":\n\n", b":\n", b"id: 1\n\n", b"id\n\n", b"id: 7\n", b"retry: 5\n\n", b"retry: 5\n"),
    *(b"event: x\n\n", b"event: x\n", b"foo: 1\n\n", b"foo: 1\n", b"foo\n\n", b"\n", b"\n\n", b"\r\n", b" "),
    b": c\r\n\r\n",
)
"""Frames that are no events: what servers and proxies write to keep a connection alive, to name and to number."""
_IDS_AND_COMMENTS = (b"id\n\n", b": c\n\n", b"id: 1\n\n", b": c\n", b"id: 7\n", b"event: x\n\n", b"foo: 1\n\n")
"""Some clients dispatch an empty event at a blank line once an id came, so that these depend on one another."""
_BARE_IN_ORDER = (b"id\n\n", b": c\n\n", b"foo: 1\n\n", b"event: x\n\n", b"retry: 5\n\n", b"id: 1\n")
_OPEN = (
    *(b"", b":", b": bye", b": bye\n", b"id", b"id: 7", b"id: 7\n", b"retry: 1", b"retry: 1\n", b"event: x"),
    *(b"event: x\n", b"foo: 1", b"foo: 1\n", b"data", b"data: x", b"data: {", b"x", b'{"type": "x', b'{"a":1}\nx\n'),
)
"""Ends of a stream that came in the middle of something."""
_BEHIND = (
    *(b": bye\n\n", b": bye\n", b'data: {"a":1}\n\n', b"data: late\n\n", b"data: [DONE]\n\n", b"id: 9\n\n"),
    *(b"retry: 7\n\n", b"event: x\n\n", b"foo: 1\n\n", b"\n", b"\r\n", b"garbage\n", b"<html>", b'{"a":1}\n'),
    *(b"\xff", b"\0", b"data: x", b"data: {", b":", b"id: 9", b"HTTP/1.1 500 Oops\r\n\r\n"),
    b'data: {"error":{"message":"late","code":500}}\n\n',
)

_words = ("p0x", " p1x", " p2x", " p3x", " p4x", " p5x")
_conversations = {name: spell_answer(name, Answer(_words, input_tokens=3, output_tokens=6)) for name in DIALECTS}
_plain = (b'data: {"a":1}\n\n', b"data: a\n\n", b'data:{"a":1}\r\n\r\n', b'{"a":1}\n', b'Data: {"a":1}\n\n')
_bare_frames = st.lists(st.sampled_from(_BARE), max_size=3).map(b"".join)


def conversation_of(dialect: str) -> Conversation:
    """Return one answer in this dialect, whose text is `p0x p1x p2x p3x p4x p5x`, a word with each event."""
    return _conversations[dialect]


def frames_in_front() -> SearchStrategy[bytes]:
    """Draw what may come before the first event: comments, blank lines, blocks of an id, a name or a retry time."""
    return _bare_frames


def frames_behind() -> SearchStrategy[bytes]:
    """Draw what may come after the end of an answer: comments, events, another end, an error, garbage."""
    return st.lists(st.sampled_from(_BEHIND), min_size=1, max_size=4).map(b"".join)


def _events_of(dialect: str | None) -> SearchStrategy[bytes]:
    if dialect is None:
        return st.sampled_from(_plain)
    frames = conversation_of(dialect).frames
    # The first ones show the dialect, the last ones end the answer.
    return st.sampled_from([*frames[:3], frames[-3], frames[-2], frames[-1]])


def _of_a_few(bare: Sequence[bytes], numbers: Sequence[bytes], dialect: str | None) -> SearchStrategy[bytes]:
    """Draw streams of a few pieces that come again and again, since it is their order that matters."""
    chosen = st.sampled_from(bare)
    pieces = st.tuples(chosen, chosen, st.sampled_from(numbers), _events_of(dialect), _events_of(dialect))

    def streams(drawn: tuple[bytes, bytes, bytes, bytes, bytes]) -> SearchStrategy[bytes]:
        one, other, fields, first, second = drawn
        pool = st.sampled_from([fields + first, one, other, second])
        return st.builds(lambda pieces, end: b"".join(pieces) + end, st.lists(pool, max_size=7), st.sampled_from(_OPEN))

    return pieces.flatmap(streams)


# Those that are declared share their code: they are drawn as one, so that more of them leave the search as it is.
_declared = st.sampled_from([*SPELLINGS])
_dialects = st.sampled_from([None, *(name for name in DIALECTS if name not in SPELLINGS), ""]).flatmap(
    lambda name: st.just(name) if name != "" else _declared
)
_framed = st.one_of(
    _dialects.flatmap(partial(_of_a_few, _BARE, (b"", b"", b"id: 2\n", b"retry: 6\n", b": c\n"))),
    _dialects.flatmap(partial(_of_a_few, _IDS_AND_COMMENTS, (b"id: 2\n",))),
)


def framed_streams() -> SearchStrategy[bytes]:
    """Draw a few events of one dialect among frames that are no events, with an end in the middle of something."""
    return _framed


def orders_of_frames(most: int = 3) -> Iterator[bytes]:
    """Yield each stream of up to `most` frames out of eight, an event behind them, or the beginning of one, or nothing.

    These are plain bytes and not a strategy: what goes wrong between a few frames in one order shows in all of them.
    """
    event = b'data: {"object":"chat.completion.chunk","choices":[]}\n\n'
    frames = (event, b"id: 2\n" + event, *_BARE_IN_ORDER)
    for count in range(most + 1):
        for order in product(frames, repeat=count):
            for end in (b"", event, b":", b"id: 7\n", b"data: {"):
                yield b"".join(order) + end


def orders_before_a_dialect(most: int = 3) -> Iterator[bytes]:
    """Yield each stream of up to `most` events out of five, of which two are errors and only one shows the dialect.

    These are plain bytes, as those of `orders_of_frames`. An error alone may be anybody's; what it means must not
    depend on what is dropped behind it, or on the framing in which it is written.
    """
    chunk = b'{"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"p0x"}}]}'
    errors = b'{"error":{"message":"p1x"}}', b'{"error":{"message":"p2x","code":1}}'
    payloads = (chunk, b"[DONE]", b'"[DONE]"', *errors)
    for count in range(1, most + 1):
        for order in product(payloads, repeat=count):
            yield b"".join([b"data: " + payload + b"\n\n" for payload in order])


_WITH_SENTINEL = tuple(name for name, answer in _conversations.items() if answer.data.endswith(b"data: [DONE]\n\n"))


def _answer_to_its_sentinel(front: bytes, dialect: str, first: int, kept: int) -> bytes:
    *frames, sentinel = conversation_of(dialect).frames
    return front + b"".join(frames[first : first + kept] or frames[:1]) + sentinel


_sentinel = st.tuples(
    st.builds(
        _answer_to_its_sentinel,
        _bare_frames.filter(lambda front: b"\r" not in front),
        st.sampled_from(_WITH_SENTINEL),
        st.integers(0, 3),
        st.integers(1, 9),
    ),
    frames_behind(),
)


def sentinel_streams() -> SearchStrategy[tuple[bytes, bytes]]:
    """Draw an answer that ends with the sentinel `[DONE]`, and what upstream sent after it."""
    return _sentinel

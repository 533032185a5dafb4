"""Text that is held for a reader's pace, on a clock: the units in which it leaves, when, and before what."""

from __future__ import annotations

import json
from typing import Final

from ...core.observer import BugObserver, Observer
from ...core.pacing.pace import Pace
from ...core.report import StreamReport
from .case import DONE, FINISH, SAME, failure, said, told, told_as_line
from .paced import ANTHROPIC_END, ANTHROPIC_START, CUT, START, WORDS, anthropic, chat, due, fed, paced, texts
from .timed import TimedCase

_TOOL: Final = b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}\n\n'
_GEMINI: Final = b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"%b"}]}}]}\n\n'
_ERROR: Final = b'data: {"error":{"message":"m","type":"t","code":null}}\n\n'
_LONG: Final = said("x" * 65_500)


def _converted(delta: str) -> bytes:
    head = '"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": ""'
    return f'data: {{{head}, "choices": [{{"index": 0, "delta": {{{delta}}}, "finish_reason": null}}]}}\n\n'.encode()


def _line(text: str) -> bytes:
    return json.dumps({"model": "m", "message": {"role": "assistant", "content": text}, "done": False}).encode() + b"\n"


class _Log(BugObserver):
    """A log, to which a bug of the application's function is told; without one it passes through."""

    def __init__(self, kind: type[Exception] | None) -> None:
        self._kind = kind
        self._told: list[type[Exception]] = []

    def started(self, report: StreamReport) -> None:
        self._told = []

    def application_raised(self, error: Exception) -> None:
        self._told.append(type(error))

    def ended(self, report: StreamReport) -> None:
        assert self._told == [self._kind] * (self._kind is not None), self._told


def _raising_at_a_word(text: str) -> int:
    if "wor" in text:
        raise KeyError("a secret")
    return 0


CASES: Final[tuple[TimedCase, ...]] = (
    # Units
    texts(
        "words of which the blank behind them has come",
        WORDS,
        (1.0, "Hel", "", 91.0),
        (2.0, "lo", "", 91.0),
        (3.0, " wor", "Hello ", 93.0),
        (4.0, "ld", "", 93.0),
        (5.0, " and", "world ", 95.0),
        last="and",
    ),
    texts(
        "the word is what is meant where no pace is named",
        "words",
        (1.0, "Hel", "", 2.0),
        (1.5, "lo", "", 2.0),
        (1.75, "", "", 2.0),
        (2.0, "", "Hello", None),
        (2.5, "", "", None),
        (3.0, " a", "", 4.0),
        last=" a",
    ),
    texts(
        "words with lines between them",
        WORDS,
        (1.0, "\n\n", "", 91.0),
        (2.0, "a", "", 91.0),
        (3.0, "\n\n", "\n\na\n\n", None),
        (4.0, "b", "", 94.0),
        last="b",
    ),
    texts(
        "words of Chinese, each of which is a character",
        WORDS,
        (1.0, "\u4f60", "\u4f60", None),
        (2.0, "\u597d\uff0c\u4e16", "\u597d\uff0c\u4e16", None),
        (3.0, "\u754ca", "\u754c", 93.0),
        (4.0, "b \u4f60", "ab \u4f60", None),
    ),
    texts(
        "lines",
        Pace("lines", max_delay=90.0),
        (1.0, "a b", "", 91.0),
        (2.0, " c\nd", "a b c\n", 92.0),
        (3.0, "e\n", "de\n", None),
        (4.0, "\n", "\n", None),
        (5.0, "f", "", 95.0),
        last="f",
    ),
    texts(
        "sentences, not numbers with a point",
        Pace("sentences", max_delay=90.0),
        (1.0, "Pi is 3", "", 91.0),
        (2.0, ".14. ", "Pi is 3.14. ", None),
        (3.0, "Is", "", 93.0),
        (4.0, " it? Ye", "Is it? ", 94.0),
        (5.0, "s.", "", 94.0),
        last="Yes.",
    ),
    texts(
        "sentences that end with a quotation mark, or a line",
        Pace("sentences", max_delay=90.0),
        (1.0, 'He said "no"', "", 91.0),
        (2.0, '." Then', 'He said "no"." ', 92.0),
        (3.0, " he\nleft", "Then he\n", 93.0),
        last="left",
    ),
    texts(
        "sentences of Chinese",
        Pace("sentences", max_delay=90.0),
        (1.0, "\u4f60\u597d\u3002\u4e16", "\u4f60\u597d\u3002", 91.0),
        (2.0, "\u754c\uff01\u300da", "\u4e16\u754c\uff01\u300d", 92.0),
        last="a",
    ),
    texts(
        "units of a function",
        Pace(lambda text: 3 * (len(text) > 2), max_delay=90.0),
        (1.0, "ab", "", 91.0),
        (2.0, "cd", "abc", 92.0),
        (3.0, "efg", "def", 93.0),
        last="g",
    ),
    texts(
        "units of a function that says less than nothing",
        Pace(lambda text: -1, max_delay=90.0),
        (1.0, "ab", "", 91.0),
        (2.0, "cd", "", 91.0),
        last="abcd",
    ),
    texts(
        "units of a function that says more than there is",
        Pace(lambda text: 99, max_delay=90.0),
        (1.0, "ab", "ab", None),
        (2.0, "cd", "cd", None),
    ),
    texts(
        "a unit that never ends",
        Pace("lines", max_delay=90.0),
        (1.0, "x" * 1000, "", 91.0),
        (2.0, "y" * 24, "", 91.0),
        (3.0, "z", "x" * 1000 + "y" * 24 + "z", None),
        (4.0, "x" * 1025, "x" * 1025, None),
        (5.0, "a\nb", "a\n", 95.0),
        last="b",
    ),
    # Time
    texts(
        "what is held leaves when it is due, and with it what has come of its unit",
        Pace("lines", max_delay=0.5),
        (1.0, "a", "", 1.5),
        (1.25, "b", "", 1.5),
        (1.5, "", "ab", None),
        (2.0, "c", "", 2.5),
        (2.25, "d\ne", "cd\n", 2.75),
        (2.5, "", "", 2.75),
        (2.75, "", "e", None),
    ),
    texts(
        "of what is overdue the whole unit leaves, and nothing of the next one",
        Pace("words", max_delay=0.5, rate=0.5),
        (1.0, "a ", "a ", None),
        (1.25, "b c ", "", 1.75),
        (1.5, "d e", "", 1.75),
        (1.75, "", "b c ", 2.0),
        (2.0, "", "d e", None),
    ),
    texts(
        "a burst is spread over the bound",
        Pace("words", max_delay=0.5, rate=8.0),
        (1.0, "a b c d e f g h ", "a b ", 1.125),
        (1.0625, "", "", 1.125),
        (1.125, "", "c d ", 1.25),
        (1.25, "", "e f ", 1.375),
        (1.375, "", "g h ", None),
        (1.5, "", "", None),
    ),
    texts(
        "a timer that is late does not make the rate lower",
        Pace("words", max_delay=9.0, rate=8.0),
        (1.0, "a b c d ", "a ", 1.125),
        (1.1875, "", "b ", 1.25),
        (1.25, "", "c ", 1.375),
        (2.0, "", "d ", None),
        (2.0625, "e f ", "", 2.125),
        (2.125, "", "e ", 2.25),
        (2.25, "", "f ", None),
    ),
    # What is not held
    *(
        paced(
            f"what was held leaves before {what}",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, said("Hel"), b"", 91.0),
            fed(2.0, said("lo"), b"", 91.0),
            fed(3.0, frame, said("Hello") + frame),
        )
        for what, frame in (("a tool call", _TOOL), ("a comment", b": hi\n\n"), ("another event", b"data: {}\n\n"))
    ),
    *(
        paced(
            f"what was held leaves before {what}, which is held itself",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, said("Hel"), b"", 91.0),
            fed(2.0, frame, said("Hel"), 92.0),
            end=frame + CUT,
        )
        for what, frame in (
            ("the text of another choice", said("t").replace(b'"index":0', b'"index":1')),
            ("reasoning", chat("t", key="reasoning")),
        )
    ),
    paced(
        "what was held leaves before the end",
        WORDS,
        fed(0.0, START + said("Hel"), START, 90.0),
        fed(1.0, FINISH + DONE, said("Hel") + FINISH + DONE),
        end=b"",
    ),
    paced(
        "what was held leaves before an error of upstream",
        WORDS,
        fed(0.0, START + said("Hel"), START, 90.0),
        fed(1.0, _ERROR, said("Hel") + _ERROR),
        end=b"",
    ),
    paced(
        "what was held leaves before the error of a connection that broke",
        WORDS,
        fed(0.0, START + said("Hel"), START, 90.0),
        ("fail", (1.0,), said("Hel") + told("upstream-failed"), None),
        due(95.0),
        end=b"",
    ),
    paced(
        "what is held is forgotten when the reader has left",
        WORDS,
        fed(0.0, START + said("Hel"), START, 90.0),
        ("cancel", (1.0,), b"", None),
        due(95.0),
        end=b"",
    ),
    paced(
        "a frame that is too long to be looked at passes, behind what was held",
        Pace("lines", max_delay=90.0),
        fed(0.0, START + said("Hel"), START, 90.0),
        fed(1.0, _LONG, said("Hel") + _LONG),
    ),
    # Framings and dialects
    paced(
        "lines of NDJSON",
        WORDS,
        fed(0.0, _line("x "), SAME),
        fed(1.0, _line("Hel") + _line("lo wor"), _line("Hello "), 91.0),
        fed(2.0, _line("ld "), _line("world ")),
        end=told_as_line("truncated"),
    ),
    paced(
        "prose",
        WORDS,
        fed(0.0, b"data: Hel\n\ndata: lo  wor\n\n", b"data: Hello  \n\n", 90.0),
        fed(1.0, b"data: ld\n\n", b"", 90.0),
        end=b"data: world\n\n",
        options={"dialect": "text"},
    ),
    paced(
        "nothing is held of an array",
        WORDS,
        fed(0.0, b'[{"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]}}]}', SAME),
        fed(1.0, b',{"candidates":[{"finishReason":"STOP","content":{"role":"model","parts":[{"text":"b"}]}}]}]', SAME),
        end=b"",
        options={"dialect": "gemini", "format": "json-array"},
    ),
    paced(
        "what is written is held in the dialect in which it is written",
        WORDS,
        fed(0.0, _GEMINI % b"x ", _converted('"role": "assistant", "content": "x "')),
        fed(1.0, _GEMINI % b"Hel", b"", 91.0),
        fed(2.0, _GEMINI % b"lo wor", _converted('"content": "Hello "'), 92.0),
        end=_converted('"content": "wor"') + CUT,
        options={"convert": "openai-chat"},
    ),
    paced(
        "a joined frame is no longer than an event may be",
        Pace("lines", max_delay=90.0),
        fed(0.0, START + said("a" * 400) + said("b" * 400), START, 90.0),
        fed(1.0, said("c" * 200) + FINISH, said("a" * 400 + "b" * 400) + said("c" * 200) + FINISH),
        end=b"",
        options={"max_event_bytes": 1024},
    ),
    # What runs beside it
    paced(
        "a bug of the function ends the stream, behind what was held",
        _raising_at_a_word,
        fed(0.0, START + said("Hel"), START, 1.0),
        fed(0.5, said("lo wor"), said("Hello wor") + told("application-error")),
        fed(0.75, said("ld")),
        end=b"",
        options={"observers": [_Log(KeyError)]},
        facts=failure("application-error", "KeyError", 500),
    ),
    TimedCase(
        "a bug of the function asks for no other connection, and what came with the text leaves in one piece",
        (
            ("resume", (0.0,), b"", None),
            fed(0.0, START + said("Hel"), START, 1.0),
            fed(0.5, said("lo wor", "ld"), said("Hello world") + told("application-error")),
            fed(2.0, said("!")),
        ),
        options={"pace": Pace(_raising_at_a_word, rate=8.0), "observers": [Observer(), _Log(KeyError)]},
        renews=(1.0,),
        facts=failure("application-error", "KeyError", 500),
    ),
    paced(
        "a function that returns no number ends the stream, too",
        lambda text: True,
        fed(0.0, START + said("Hel"), START + said("Hel") + told("application-error")),
        end=b"",
        options={"observers": [_Log(TypeError)]},
        facts=failure("application-error", "TypeError", 500),
    ),
    paced(
        "a log has no part in words",
        WORDS,
        fed(0.0, START + said("Hel"), START, 90.0),
        fed(1.0, said("lo "), said("Hello ")),
        options={"observers": [_Log(None)]},
    ),
    TimedCase(
        "a heartbeat counts from what has left, and stands before what is held",
        (
            ("resume", (0.0,), b"", 4.75),
            fed(0.5, START, SAME, 5.25),
            fed(1.0, said("Hel"), b"", 5.25),
            due(2.0, b"", 5.25),
            due(5.25, b":\n\n", 10.0),
            fed(6.0, said("lo"), b"", 10.0),
            due(10.0, b":\n\n", 11.0),
            due(11.0, said("Hello"), 15.75),
            fed(12.0, said(" a"), b"", 15.75),
            ("close", (13.0,), said(" a") + CUT, None),
        ),
        {"heartbeat": 5.0},
        options={"pace": Pace(max_delay=10.0)},
        facts={
            "heartbeats": 2,
            "bytes_out": len(START + said("Hello", " a") + CUT) + 6,
        },
    ),
    TimedCase(
        "a heartbeat that is an event of the dialect stands behind what was held",
        (
            ("resume", (0.0,), b"", 4.75),
            fed(0.0, ANTHROPIC_START, SAME, 4.75),
            fed(1.0, anthropic("Hel"), b"", 4.75),
            due(2.0, b"", 4.75),
            due(4.75, anthropic("Hel"), 9.5),
            due(9.5, b'event: ping\ndata: {"type": "ping"}\n\n', 14.25),
            fed(10.0, ANTHROPIC_END, SAME, 14.75),
            ("close", (11.0,), b"", None),
        ),
        {"heartbeat": 5.0},
        options={"pace": Pace(max_delay=30.0), "heartbeat_as": "event", "dialect": "anthropic"},
        facts={"heartbeats": 1},
    ),
    TimedCase(
        "a timeout ends the stream behind what was held",
        (
            ("resume", (0.0,), b"", 60.0),
            fed(0.0, START, SAME, 60.0),
            fed(1.0, said("Hel"), b"", 31.0),
            due(31.0, said("Hel"), 61.0),
            fed(40.0, said("lo"), b"", 70.0),
            fed(41.0, START, said("lo") + START, 101.0),
            fed(42.0, said("a"), b"", 72.0),
            due(72.0, said("a"), 102.0),
            due(102.0, told("silence-timeout"), None),
        ),
        {"silence": 60.0},
        options={"pace": Pace(max_delay=30.0)},
        facts={"verdict": "failed", "timeout": "silence"},
    ),
    paced(
        "events that are written as lines are held as lines",
        WORDS,
        fed(0.0, START, START.removeprefix(b"data: ")[:-1]),
        fed(1.0, said("Hel"), b"", 91.0),
        fed(2.0, said("lo "), said("Hello ").removeprefix(b"data: ")[:-1]),
        fed(3.0, FINISH + DONE, FINISH.removeprefix(b"data: ")[:-1]),
        end=b"",
        options={"to": "ndjson"},
    ),
    paced(
        "nothing is held of a stream in no dialect",
        WORDS,
        fed(0.0, b'data: {"text":"a"}\n\n', SAME),
        fed(1.0, b'data: {"text":"b"}\n\n', SAME),
        end=b"",
    ),
)

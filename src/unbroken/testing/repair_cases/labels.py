"""What stands beside a text that is held for a reader's pace: names, ids, padding, and the same text elsewhere."""

from __future__ import annotations

import json
from typing import Final

from ...core.pacing.pace import Pace
from .case import SAME, said
from .paced import CUT, START, WORDS, chat, due, fed, paced
from .timed import TimedCase

_BARE: Final = said("b")[:-1]


def _of_model(text: str, more: str = "", first: str = "") -> bytes:
    """Return an event of a model whose name, `fp`, is also a word."""
    delta = f'"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}]'
    return f'data: {{{first}"model":"fp",{delta}{more}}}\n\n'.encode()


def _at(created: int, text: str) -> bytes:
    return _of_model(text, first=f'"created":{created},')


def _in_session(text: str) -> bytes:
    return chat(text, more=',"session":"s"')


def _cited(text: str) -> bytes:
    return chat(text, more=',"citations":["u"]')


def _sized(text: str, size: int) -> bytes:
    """Return an event of so many bytes."""
    return chat(text, more=f',"pad":"{"x" * (size - len(chat(text, more=",") + b"pad") - 5)}"')


def _padded(text: str) -> bytes:
    return chat(text, more=f',"pad":"{"x" * 20_000}"')


def _beside(text: str, place: str, more: str) -> bytes:
    """Return an event of OpenAI's chat dialect with this in its delta, its choice or its chunk."""
    if place == "delta":
        return said("TEXT").replace(b'"TEXT"', json.dumps(text).encode() + more.encode())
    return chat(text, **{place: more})


def _adk(text: str, id: str) -> bytes:
    """Return an event of Google's ADK with an id of its own, and one of something else."""
    content = {"role": "model", "parts": [{"text": text}]}
    event = {"content": content, "partial": True, "author": "a", "id": id, "customMetadata": {"job": {"id": id}}}
    return b"data: " + json.dumps(event).encode() + b"\n\n"


_ADK_END: Final = b'data: {"content":{"role":"model","parts":[{"text":"one "}]},"finishReason":"STOP","author":"a"}\n\n'

CASES: Final[tuple[TimedCase, ...]] = (
    # The same text elsewhere
    paced(
        "a text that equals the name of the model, behind another one, in frames with their times",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _at(1, "x"), b"", 91.0),
        fed(2.0, _at(2, "fp"), b"", 91.0),
        fed(3.0, _at(3, " "), _at(3, "xfp ")),
    ),
    paced(
        "a text that equals the name of the model twice, behind another one",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _of_model("x"), b"", 91.0),
        fed(2.0, _of_model("fp"), b"", 91.0),
        fed(3.0, _of_model("fp"), b"", 91.0),
        fed(4.0, _of_model(" "), _of_model("xfpfp ")),
    ),
    paced(
        "names of no known meaning are labels if they stood beside the name of the model",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _of_model("fp", ',"session":"s"'), b"", 91.0),
        fed(2.0, _of_model("one tw", ',"session":"s"'), _of_model("fpone ", ',"session":"s"'), 92.0),
        end=_of_model("tw", ',"session":"s"') + CUT,
    ),
    # Texts with escapes
    paced(
        "names of no known meaning are labels if they stood beside another text with line ends",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _in_session("one tw"), b"", 91.0),
        fed(2.0, _in_session("o\nthree fo"), _in_session("one two\nthree "), 92.0),
        fed(3.0, _in_session("ur\n"), _in_session("four\n")),
        fed(4.0, _in_session("\nha"), b"", 94.0),
        fed(5.0, _in_session("\nha"), _in_session("\nha\n"), 95.0),
        fed(6.0, _in_session("! "), _in_session("ha! ")),
    ),
    paced(
        "citations beside lines, one after the other",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _cited("one"), b"", 91.0),
        fed(2.0, _cited("\ntwo"), _cited("one"), 92.0),
        fed(3.0, _cited("\nthree "), _cited("\ntwo") + _cited("\nthree ")),
    ),
    # Ids
    paced(
        "texts that speak of ids are cut as others",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, said("id: 1\nid: 2"), said("id: 1\nid: "), 91.0),
        fed(2.0, said(" id: 3 id: 4"), said("2 id: 3 id: "), 92.0),
        end=said("4") + CUT,
    ),
    paced(
        "events with two ids are not held, and one with an id behind its data is",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, b"id: 1\n" + _BARE + b"id: 2\n\n", SAME),
        fed(2.0, b"id: 3\nid: 4\n" + _BARE + b"\n", SAME),
        fed(3.0, _BARE + b"id: 5\nid: 6\n\n", SAME),
        fed(4.0, _BARE + b"id: 7\n\n", b"", 94.0),
        end=_BARE + b"id: 7\n\n" + CUT,
    ),
    paced(
        "a blank line with which a frame with an id begins is no unit of its own",
        Pace("lines", max_delay=0.75, rate=4.0),
        fed(0.0, START + chat("a\n", id="1"), SAME),
        fed(0.0, chat("\nb\n", id="2") + chat("c\n", id="3") + chat("d\n", id="4"), b"", 0.25),
        due(0.25, chat("\nb\nc\n", id="3"), 0.5),
        due(0.5, chat("d\n", id="4")),
    ),
    # What is added up, and what is not
    *(
        paced(
            f"frames with {what} are neither cut nor joined, though their texts differ",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, _beside("one tw", place, more), b"", 91.0),
            fed(2.0, _beside("o", place, more), b"", 91.0),
            fed(
                3.0, _beside("! ", place, more), b"".join(_beside(text, place, more) for text in ("one tw", "o", "! "))
            ),
        )
        for what, place, more in (
            ("a signature", "delta", ',"reasoning_signature":"s"'),
            ("data of any meaning", "delta", ',"data":"AAAA"'),
            ("a list of any name", "delta", ',"steps":["s"]'),
            ("a count of tokens", "more", ',"token_count":3'),
            ("a count of one", "more", ',"token_count":1'),
            ("a probability of nought", "choice", ',"logprob":0'),
        )
    ),
    *(
        paced(
            f"frames with {what} are cut and joined",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, _beside("one tw", place, more), _beside("one ", place, more), 91.0),
            fed(2.0, _beside("o! ", place, more), _beside("two! ", place, more)),
        )
        for what, place, more in (
            (
                "what is empty",
                "more",
                ',"citations":[],"usage":null,"annotations":{"tokens":[{}]},"cost":"","done":false',
            ),
            ("a count of nought", "more", ',"token_count":0'),
            ("a model whose name ends in final", "more", ',"model":"m-final"'),
        )
    ),
    *(
        paced(
            f"frames with {what} are joined, and not cut before",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, _beside("one tw", "more", more), b"", 91.0),
            fed(2.0, _beside("o! three", "more", more), _beside("one two! ", "more", more), 92.0),
            end=_beside("three", "more", more) + CUT,
        )
        for what, more in (
            ("labels of something else", ',"extra":{"model":"m"}'),
            ("the time of something else", ',"extra":{"created":1}'),
        )
    ),
    paced(
        "frames with an id of something else are not joined, though their own ids may differ",
        WORDS,
        fed(0.0, _adk("on", "1"), b"", 90.0),
        fed(1.0, _adk("e ", "2"), _adk("on", "1") + _adk("e ", "2")),
        fed(2.0, _ADK_END, SAME),
        end=b"",
        options={"dialect": "google-adk"},
    ),
    # Bounds
    paced(
        "what is left of a frame that was cut is counted to what is held",
        WORDS,
        fed(0.0, START, SAME),
        fed(0.5, _padded("x "), SAME),
        fed(1.0, _padded("a b"), _padded("a "), 91.0),
        fed(2.0, _padded("c"), b"", 91.0),
        fed(3.0, _padded("d"), b"", 91.0),
        fed(4.0, _padded("e"), _padded("bcd"), 94.0),
        end=_padded("e") + CUT,
    ),
    paced(
        "a frame as long as may be looked at is held",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _sized("a", 65_536), b"", 91.0),
        fed(2.0, _sized("b", 65_537), _sized("a", 65_536) + _sized("b", 65_537)),
    ),
    paced(
        "frames are held that are together as long as may be",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _sized("a", 32_768), b"", 91.0),
        fed(2.0, _sized("b", 32_768), b"", 91.0),
        fed(3.0, said("c"), _sized("ab", 32_769), 93.0),
        end=said("c") + CUT,
    ),
)

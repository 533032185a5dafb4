"""Frames whose text is held for a reader's pace: which are joined, which are cut, and how much of them is held."""

from __future__ import annotations

import json
from itertools import product
from typing import Final

from ...core.pacing.pace import Pace
from .case import DONE, FINISH, SAME, said
from .paced import ANTHROPIC_END, CUT, START, WORDS, anthropic, chat, due, fed, paced, spelt, texts
from .timed import TimedCase

_SHAPES: Final = ["".join(letters) for letters in product("abcdefghijklmnop", repeat=2)]
_PAD: Final = f',"pad":"{"x" * 20_000}"'
_FIRST_MODEL: Final = b'data: {"model":"fp","choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
_RESPONSES_END: Final = (
    b"event: response.completed\n"
    b'data: {"type":"response.completed","sequence_number":5,"response":{"status":"completed"}}\n\n'
)
_ESCAPED: Final = said("TEXT").replace(b"TEXT", rb"\ud83d\ude00\u00e9\n\\\" b")


def _responses(text: str, number: int) -> bytes:
    name = "response.output_text.delta"
    body = f'{{"type":"{name}","item_id":"i","sequence_number":{number},"delta":{json.dumps(text)}}}'
    return f"event: {name}\ndata: {body}\n\n".encode()


def _named(letters: str, text: str) -> bytes:
    """Return an event of a shape of its own."""
    return chat(text, more=f',"{letters}":0')


def _parts(*texts: str) -> bytes:
    parts = ",".join(f'{{"type":"text","text":"{text}"}}' for text in texts)
    return said("TEXT").replace(b'"TEXT"', f"[{parts}]".encode())


def _twice(text: str) -> bytes:
    return chat(text, key="reasoning", more=f',"r":[{{"t":{json.dumps(text)}}}]')


def _with_key(key: str) -> bytes:
    return said("a").replace(b'"a"', b'"a",' + key.encode())


def _event(payload: object) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def _sglang(text: str, finish: object = None) -> bytes:
    return _event({"text": text, "output_ids": [1], "meta_info": {"id": "r", "finish_reason": finish}})


def _dashscope(text: str, finish: str = "null") -> bytes:
    return _event({"output": {"text": text, "finish_reason": finish}, "request_id": "q"})


def _artifact(text: str, **more: bool) -> bytes:
    return _event({"artifactUpdate": {"artifact": {"artifactId": "a", "parts": [{"text": text}]}, **more}})


def _adk(text: str, id: str) -> bytes:
    content = {"role": "model", "parts": [{"text": text}]}
    return _event({"content": content, "partial": True, "invocationId": "e", "author": "a", "id": id})


_GEMINI_END: Final = b'data: {"candidates":[{"finishReason":"STOP"}]}\n\n'
_ARTIFACTS_END: Final = b'data: {"statusUpdate":{"contextId":"c","status":{"state":"TASK_STATE_COMPLETED"}}}\n\n'
_ADK_END: Final = _event(
    {"content": {"role": "model", "parts": [{"text": "one two three "}]}, "finishReason": "STOP", "author": "a"}
)


def _gemini(text: str, part: str = "", more: str = "") -> bytes:
    content = f'{{"role":"model","parts":[{{"text":{json.dumps(text)}{part}}}]}}'
    return f'data: {{"candidates":[{{"content":{content}{more}}}],"usageMetadata":{{"n":1}}}}\n\n'.encode()


def _delta(text: str, more: str = "") -> bytes:
    return f'data: {{"choices":[{{"index":0,"delta":{{"content":{json.dumps(text)}{more}}}}}]}}\n\n'.encode()


def _beside(text: str, place: str, more: str) -> bytes:
    """Return an event of OpenAI's chat dialect with this in its delta, its choice or its chunk."""
    return _delta(text, more) if place == "delta" else chat(text, **{place: more})


def _each_letter(text: str) -> int:
    return 1


CASES: Final[tuple[TimedCase, ...]] = (
    # Frames
    paced(
        "the joined frame is the last one",
        WORDS,
        fed(0.0, chat("x ", more=',"created":1'), SAME),
        fed(1.0, chat('"a\\', more=',"created":1,"obfuscation":"x"'), b"", 91.0),
        fed(2.0, chat("\u20ac\U0001f600", more=',"created":2,"obfuscation":"xyz"'), b"", 91.0),
        fed(
            3.0,
            chat("c ", more=',"created":3,"obfuscation":"z"'),
            chat('"a\\\u20ac\U0001f600c ', more=',"created":3,"obfuscation":"z"'),
        ),
    ),
    paced(
        "a frame is cut between escapes",
        Pace(_each_letter, max_delay=9.0, rate=8.0),
        fed(0.0, START, SAME),
        fed(1.0, _ESCAPED, spelt(rb"\ud83d\ude00"), 1.125),
        due(1.125, spelt(rb"\u00e9"), 1.25),
        due(1.25, spelt(rb"\n"), 1.375),
        due(1.375, spelt(rb"\\"), 1.5),
        due(1.5, spelt(rb"\""), 1.625),
        due(1.625, spelt(b" "), 1.75),
        due(1.75, spelt(b"b"), None),
    ),
    *(
        paced(
            f"frames that differ in more than their text leave together and apart: {what}",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, first, b"", 91.0),
            fed(2.0, second, first + second),
        )
        for what, first, second in (
            ("the model", chat("a", more=',"model":"m"'), chat("b ", more=',"model":"n"')),
            ("what was used", chat("a", more=',"usage":{"n":1}'), chat("b ", more=',"usage":{"n":2}')),
            ("probabilities", chat("a", choice=',"logprobs":{"n":[1]}'), chat("b ", choice=',"logprobs":{"n":[2]}')),
            ("one has an id", chat("a"), chat("b ", id="7")),
            ("halves of a character", spelt(rb"\ud83d"), spelt(rb"\ude00 ")),
            ("how they are spelt", said("a"), said("b ").replace(b'"delta":', b'"delta": ')),
        )
    ),
    paced(
        "a text that stands twice in each frame is joined at both places",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _twice("x"), b"", 91.0),
        fed(2.0, _twice("on"), b"", 91.0),
        fed(3.0, _twice("on"), b"", 91.0),
        fed(4.0, _twice("e "), _twice("xonone ")),
        fed(5.0, _twice("on"), b"", 95.0),
        fed(6.0, _twice("on "), _twice("onon ")),
    ),
    paced(
        "texts that stand twice in frames and are equal leave apart, until others have stood there",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _twice("on"), b"", 91.0),
        fed(2.0, _twice("on"), b"", 91.0),
        fed(3.0, _twice("e "), _twice("on") + _twice("one ")),
        fed(4.0, _twice("on"), b"", 94.0),
        fed(5.0, _twice("on"), b"", 94.0),
        fed(6.0, _twice("e "), _twice("onone ")),
    ),
    paced(
        "a text that stands elsewhere by chance is joined where it is read",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, chat("fp", more=',"model":"fp"'), b"", 91.0),
        fed(2.0, chat("s ", more=',"model":"fp"'), chat("fps ", more=',"model":"fp"')),
    ),
    paced(
        "a joined frame has the id of the last one, and none with an id is cut",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, chat("Hel", id="2"), b"", 91.0),
        fed(2.0, chat("lo wor", id="3"), b"", 91.0),
        fed(3.0, chat("ld", id="4"), b"", 91.0),
        fed(4.0, chat(" and", id="5"), chat("Hello world", id="4"), 94.0),
        end=chat(" and", id="5") + CUT,
    ),
    paced(
        "a frame with a number of its own is joined, and not cut",
        WORDS,
        fed(0.0, _responses("x ", 1), SAME),
        fed(1.0, _responses("one tw", 2), b"", 91.0),
        fed(2.0, _responses("o", 3), b"", 91.0),
        fed(3.0, _responses(" ", 4), _responses("one two ", 4)),
        fed(4.0, _RESPONSES_END, SAME),
        end=b"",
        options={"dialect": "openai-responses"},
    ),
    paced(
        "padding that hides the length of a text is none of its meaning",
        WORDS,
        fed(0.0, anthropic("x "), SAME),
        fed(1.0, anthropic("a", "   "), b"", 91.0),
        fed(2.0, anthropic("b "), anthropic("ab ")),
        fed(3.0, anthropic("c", id="1"), b"", 93.0),
        fed(4.0, anthropic("d ", "      ", id="2"), anthropic("cd ", "      ", id="2")),
        fed(5.0, ANTHROPIC_END, SAME),
        end=b"",
        options={"dialect": "anthropic"},
    ),
    # What stands beside the text
    *(
        paced(
            f"a frame with {what} is neither cut nor joined",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, _beside("one tw", place, more), b"", 91.0),
            fed(2.0, said("o "), _beside("one tw", place, more) + said("o ")),
            fed(3.0, _beside("on", place, more), b"", 93.0),
            fed(4.0, _beside("on", place, more), b"", 93.0),
            fed(5.0, said("e "), _beside("on", place, more) + _beside("on", place, more) + said("e ")),
        )
        for what, place, more in (
            ("annotations", "delta", ',"annotations":[{"type":"url_citation","url":"u"}]'),
            ("sound", "delta", ',"audio":{"data":"AAAA"}'),
            ("an image", "delta", ',"images":[{"type":"image_url","index":0}]'),
            ("sealed reasoning", "delta", ',"reasoning_details":[{"type":"r","data":"AAAA"}]'),
            ("a signature", "delta", ',"reasoning_signature":"s"'),
            ("ids of tokens", "choice", ',"token_ids":[1]'),
            ("the id of a token", "delta", ',"token_id":1'),
            ("probabilities", "choice", ',"logprobs":{"content":[{"logprob":0}]}'),
            ("what was used", "more", ',"usage":{"completion_tokens":1}'),
            ("citations", "more", ',"citations":["u"]'),
        )
    ),
    *(
        paced(
            f"a frame of Gemini with {what} is not cut",
            WORDS,
            fed(0.0, _gemini("x "), SAME),
            fed(1.0, frame, b"", 91.0),
            fed(2.0, _gemini("o "), frame + _gemini("o ")),
            fed(3.0, _GEMINI_END, SAME),
            options={"dialect": "gemini"},
            end=b"",
        )
        for what, frame in (
            ("a signature", _gemini("one tw", ',"thoughtSignature":"s"')),
            ("citations", _gemini("one tw", more=',"citationMetadata":{"citationSources":[{"uri":"u"}]}')),
        )
    ),
    paced(
        "judgements, totals, labels and what is empty may be said twice",
        WORDS,
        fed(
            0.0,
            _gemini("one tw", more=',"safetyRatings":[{"category":"c"}]'),
            _gemini("one ", more=',"safetyRatings":[{"category":"c"}]'),
            90.0,
        ),
        fed(1.0, _GEMINI_END, _gemini("tw", more=',"safetyRatings":[{"category":"c"}]') + _GEMINI_END),
        end=b"",
        options={"dialect": "gemini"},
    ),
    paced(
        "names of no known meaning are labels if they stood beside another text",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, chat("one tw", more=',"session":"s"'), b"", 91.0),
        fed(2.0, chat("o three fo", more=',"session":"s"'), chat("one two three ", more=',"session":"s"'), 92.0),
        fed(3.0, chat("ur ", more=',"session":"s"'), chat("four ", more=',"session":"s"')),
        fed(4.0, chat("on", more=',"session":"t"'), b"", 94.0),
        fed(5.0, chat("on", more=',"session":"t"'), b"", 94.0),
        fed(
            6.0,
            chat("e ", more=',"session":"t"'),
            chat("on", more=',"session":"t"') + chat("one ", more=',"session":"t"'),
        ),
    ),
    paced(
        "a frame with another id than the one before it is not cut until one has the same",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, chat("x ", more=',"id":"a"'), SAME),
        fed(2.0, chat("one tw", more=',"id":"b"'), b"", 92.0),
        fed(3.0, chat("o ", more=',"id":"c"'), chat("one tw", more=',"id":"b"') + chat("o ", more=',"id":"c"')),
        fed(4.0, chat("three fo", more=',"id":"c"'), chat("three ", more=',"id":"c"'), 94.0),
        fed(5.0, chat("ur ", more=',"id":"c"'), chat("four ", more=',"id":"c"')),
    ),
    # Text that is all that was said so far
    paced(
        "a text that may be all so far is not cut in its first frame",
        Pace("words", max_delay=90.0, rate=8.0),
        fed(0.0, _sglang("Hello, I am "), SAME),
        fed(1.0, _sglang("Hello, I am here.", {"type": "stop"}), SAME),
        fed(2.0, DONE, SAME),
        end=b"",
        facts={"text": "Hello, I am here."},
    ),
    paced(
        "nor is it joined where it says nothing of that",
        Pace("lines", max_delay=90.0),
        fed(0.0, _dashscope("One "), b"", 90.0),
        fed(1.0, _dashscope("two "), b"", 90.0),
        fed(2.0, _dashscope("three\n"), _dashscope("One ") + _dashscope("two ") + _dashscope("three\n")),
        fed(3.0, _dashscope("", "stop"), SAME),
        end=b"",
        options={"dialect": "dashscope"},
        facts={"text": "One two three\n"},
    ),
    paced(
        "an artifact is neither cut nor joined unless it goes on",
        WORDS,
        fed(0.0, _artifact("one tw"), b"", 90.0),
        fed(1.0, _artifact("o thr", append=True), b"", 90.0),
        fed(2.0, _artifact("ee ", append=True), _artifact("one tw") + _artifact("o three ", append=True)),
        fed(3.0, _ARTIFACTS_END, SAME),
        end=b"",
        options={"dialect": "a2a-1.0"},
    ),
    paced(
        "a frame with an id of its own in its payload is joined, and not cut",
        WORDS,
        fed(0.0, _adk("one tw", "1"), b"", 90.0),
        fed(1.0, _adk("o thr", "2"), b"", 90.0),
        fed(2.0, _adk("ee ", "3"), _adk("one two three ", "3")),
        fed(3.0, _ADK_END, SAME),
        end=b"",
        options={"dialect": "google-adk"},
    ),
    # Several frames in one piece
    paced(
        "what comes in one piece is looked at frame by frame",
        Pace("lines", max_delay=90.0),
        fed(0.0, START + said(*"abcdefgh"), START, 90.0),
        fed(
            1.0,
            said("i", "j\n", "k") + b": hi\n\n\n" + said("l") + b"data",
            said("abcdefghij\n", "k") + b": hi\n\n",
            91.0,
        ),
        end=said("l") + CUT,
    ),
    # Bounds
    paced(
        "no more bytes are held than may be",
        Pace("lines", max_delay=90.0),
        fed(0.0, START, SAME),
        fed(1.0, chat("a", more=_PAD), b"", 91.0),
        fed(2.0, chat("b", more=_PAD), b"", 91.0),
        fed(3.0, chat("c", more=_PAD), b"", 91.0),
        fed(4.0, chat("d", more=_PAD), chat("abc", more=_PAD), 94.0),
        fed(5.0, chat("e", more=_PAD), b"", 94.0),
        end=chat("de", more=_PAD) + CUT,
    ),
    paced(
        "what is left of a frame that was cut is counted too",
        Pace("words", max_delay=90.0, rate=0.01),
        fed(0.0, START, SAME),
        fed(1.0, chat("a b c ", more=_PAD), chat("a b c ", more=_PAD)),
        fed(2.0, chat("d e f ", more=_PAD), b"", 92.0),
        fed(3.0, chat("g", more=_PAD), b"", 92.0),
        fed(4.0, chat("h", more=_PAD), b"", 92.0),
        fed(5.0, chat("i", more=_PAD), chat("d e f gh", more=_PAD), 95.0),
        end=chat("i", more=_PAD) + CUT,
    ),
    texts(
        "no more text is held than may be",
        Pace("words", max_delay=90.0, rate=0.25),
        (1.0, "a ", "a ", None),
        (1.5, "b " * 2048, "", 5.0),
        (2.0, "c " * 2048, "", 5.0),
        (3.0, "d ", "b " * 2048 + "c " * 2048, 5.0),
        last="d ",
    ),
    texts(
        "a unit that is whole is not counted to one that is long",
        Pace("words", max_delay=90.0, rate=0.5),
        (1.0, "x ", "x ", None),
        (1.5, "a" * 590 + " " + "b" * 10, "", 3.0),
        (3.0, "", "a" * 590 + " ", 91.5),
        (5.0, "", "", 91.5),
        last="b" * 10,
    ),
    texts(
        "frames that are due one after the other",
        Pace("words", max_delay=0.5, rate=0.25),
        (1.0, "a ", "a ", None),
        (1.25, "b ", "", 1.75),
        (1.5, "c ", "", 1.75),
        (1.625, "e ", "", 1.75),
        (1.75, "", "b ", 2.0),
        (2.0, "", "c ", 2.125),
        (2.125, "", "e ", None),
    ),
    paced(
        "a timer that is late by all of its time",
        Pace("words", max_delay=9.0, rate=8.0),
        fed(0.0, START, SAME),
        fed(1.0, said("a b c d "), said("a "), 1.125),
        due(1.25, said("b ", "c "), 1.375),
        due(1.375, said("d ")),
    ),
    paced(
        "of frames that are each of another kind, some hundreds are looked at",
        WORDS,
        fed(0.0, START, SAME),
        *(fed(1.0, _named(shape, "x "), SAME) for shape in _SHAPES[:-1]),
        fed(2.0, _named(_SHAPES[-1], "a"), b"", 92.0),
        fed(3.0, _named(_SHAPES[-1], "b "), _named(_SHAPES[-1], "ab ")),
        fed(4.0, _named("other", "a"), b"", 94.0),
        fed(5.0, _named("other", "b "), _named("other", "a") + _named("other", "b ")),
        fed(6.0, _named(_SHAPES[0], "a"), b"", 96.0),
        fed(7.0, _named(_SHAPES[0], "b "), _named(_SHAPES[0], "ab ")),
    ),
    # Where the text stands
    paced(
        "a text that stands elsewhere by chance, before the text, is joined where it is read",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _FIRST_MODEL % b"fp", b"", 91.0),
        fed(2.0, _FIRST_MODEL % b" ", _FIRST_MODEL % b"fp "),
        fed(3.0, _FIRST_MODEL % b"x", b"", 93.0),
        fed(4.0, _FIRST_MODEL % b"fp", b"", 93.0),
        fed(5.0, _FIRST_MODEL % b" ", _FIRST_MODEL % b"xfp "),
    ),
    paced(
        "texts that stand elsewhere by chance, and are equal, leave apart",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _FIRST_MODEL % b"fp", b"", 91.0),
        fed(2.0, _FIRST_MODEL % b"fp", b"", 91.0),
        fed(3.0, _FIRST_MODEL % b" ", _FIRST_MODEL % b"fp" + _FIRST_MODEL % b"fp "),
    ),
    paced(
        "a text that stands in the padding too is joined where it is read",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, chat("on", more=',"obfuscation":"on"'), b"", 91.0),
        fed(2.0, chat("on", more=',"obfuscation":"on"'), b"", 91.0),
        fed(3.0, chat("e ", more=',"obfuscation":"z"'), chat("onone ", more=',"obfuscation":"z"')),
    ),
    paced(
        "texts that stand twice in frames of two models leave apart",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, chat("on", key="reasoning", more=',"r":["on"],"model":"m"'), b"", 91.0),
        fed(
            2.0,
            chat("e ", key="reasoning", more=',"r":["e "],"model":"n"'),
            chat("on", key="reasoning", more=',"r":["on"],"model":"m"')
            + chat("e ", key="reasoning", more=',"r":["e "],"model":"n"'),
        ),
    ),
    paced(
        "a text that stands nowhere in one piece is held, and leaves as it came",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, _parts("a", "b"), b"", 91.0),
        fed(2.0, _parts("c", "d "), _parts("a", "b") + _parts("c", "d ")),
        fed(3.0, _parts("e", "f"), b"", 93.0),
        due(93.0, _parts("e", "f")),
    ),
    *(
        paced(
            f"half of a character is joined to {what}",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, spelt(first), b"", 91.0),
            fed(2.0, spelt(second), spelt(first + second)),
        )
        for what, first, second in (
            ("what is no half of it", rb"\ud83d", b"x "),
            ("what came before it", b"a", rb"\ude00 "),
            ("another first half", rb"\ud83d", rb"\ud83d "),
            ("another second half", rb"\ude00", rb"\ude00 "),
        )
    ),
    # Frames that say more than text
    *(
        paced(
            f"a text with {what} is not held",
            WORDS,
            fed(0.0, START, SAME),
            fed(1.0, said("Hel"), b"", 91.0),
            fed(2.0, frame, said("Hel") + frame),
            fed(3.0, FINISH + DONE, SAME),
            end=b"",
        )
        for what, frame in (
            ("a finish", chat("a", choice=',"finish_reason":"stop"')),
            ("a tool call", _with_key('"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{"}}]')),
            ("a refusal", _with_key('"refusal":"c"')),
            ("reasoning", _with_key('"reasoning":"c"')),
        )
    ),
    paced(
        "what is no JSON is not held",
        WORDS,
        fed(0.0, START, SAME),
        fed(1.0, said("Hel"), b"", 91.0),
        fed(2.0, b"data: {nonsense\n\n", said("Hel") + b"data: {nonsense\n\n"),
        end=b"",
        options={"repairs": ()},
    ),
)

"""SSE out of hostile bytes: what leaves, what was repaired, and where."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken import DEFAULT_REPAIRS, Comment, Event, EventReader, Repair, RepairKind
from unbroken.testing.cuts import cuttings

from .tables import SAME, Case, but, check_case, check_second_pass, each, error, first_error

CHAT = {"dialect": "openai-chat"}
GEMINI = {"dialect": "gemini"}
TEXT = {"dialect": "text"}
STANDARD = {"repairs": ()}
DROPC = {"comments": "drop"}
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
SAID = b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0}]}\n\n'
LAST = SAID.replace(b'"index":0', b'"index":0,"finishReason":"STOP"')
CUT = b"data: " + error("truncated") + b"\n\n"

CASES: list[Case] = [
    ("nothing", b"", {}, b"", ""),
    ("one event", b"data: a\n\n", {}, SAME, ""),
    ("CRLF", b"data: a\r\n\r\n", {}, b"data: a\n\n", ""),
    ("CR", b"data: a\r\r", {}, b"data: a\n\n", ""),
    ("no blank after the colon", b"data:{}\n\n", {}, b"data: {}\n\n", ""),
    ("a field without a colon", b"data\n\n", {}, b"data: \n\n", ""),
    ("a BOM", b"\xef\xbb\xbfdata: {}\n\n", {}, b"data: {}\n\n", ""),
    (
        "two BOMs",
        b"\xef\xbb\xbf\xef\xbb\xbfdata: {}\n\n",
        {"format": "sse"},
        first_error("not-a-stream", 500),
        "stray-line@3+11 not-a-stream@0+16",
    ),
    ("extra blank lines", b"\n\ndata: {}\n\n\n\ndata: {}\n\n", {}, b"data: {}\n\ndata: {}\n\n", ""),
    ("a comment alone", b": hi\n\ndata: {}\n\n", {}, SAME, ""),
    ("a comment in a block", b"data: {}\n: hi\n\n", {}, SAME, ""),
    ("comments that are not wanted", b": hi\n\ndata: {}\n: hi\n\n", DROPC, b"data: {}\n\n", ""),
    (
        "a comment after an id in a known dialect",
        b"id: 1\ndata: {}\n\n: hi\n\ndata: {}\n\n",
        CHAT,
        b"id: 1\ndata: {}\n\n: hi\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    (
        "comments where Gemini's clients fail at them",
        b": early\n\n" + SAID + b": a\r\n\r\n" + SAID + b":\n" + SAID + b": b\n: c\n\n" + LAST + b": d\n\n",
        {},
        b": early\n\n" + SAID + b"\n\n" + SAID + b"\n" + SAID + b"\n\n\n" + LAST + b"\n\n",
        "",
    ),
    (
        "comments in blocks where Gemini's clients fail at them",
        b": early\n" + SAID[:-1] + b": early\n\n: a\n" + SAID[:-1] + b": b\n: c\n\n" + LAST[:-1] + b":\n\n",
        {},
        b": early\n" + SAID[:-1] + b": early\n\n\n" + SAID + LAST,
        "",
    ),
    (
        "comments where the dialect is named, and before anything left",
        b": a\n\n: b\n\n" + SAID[:-1] + b": c\n\n: d\n\n" + LAST,
        GEMINI,
        SAID + b"\n\n" + LAST,
        "",
    ),
    (
        "a comment between lines of data that are two events",
        SAID[:-1] + b": a\n" + LAST,
        {},
        SAID + LAST,
        f"missing-blank-line@{len(SAID) + 3}+0",
    ),
    ("blank lines that keep Gemini's clients alive", b"\n\n" + SAID + b"\n\r\n" + LAST, {}, SAID + b"\n\n" + LAST, ""),
    (
        "blank lines in a canonical stream of Gemini's",
        SAID + b"\n" + SAID + SAID + b"\n\n" + LAST + b"\n",
        {},
        SAME,
        "",
    ),
    ("comments of Gemini's that are not wanted", SAID + b": a\n\n\n" + LAST, DROPC, SAID + LAST, ""),
    ("comments of Gemini's, by the standard", SAID + b": a\n\n" + LAST, {**GEMINI, **STANDARD}, SAME, ""),
    (
        "comments of Gemini's after an id",
        SAID + b"id: 1\n" + SAID + b": a\n\n" + LAST,
        {},
        SAID + b"id: 1\n" + SAID + LAST,
        "",
    ),
    (
        "comments of Gemini's after an id that is pending",
        b"id: 1\n" + SAID + b"id:\n\n: a\n\n" + SAID + b": b\n\n" + LAST,
        {},
        b"id: 1\n" + SAID + b"id: \n" + SAID + b"\n\n" + LAST,
        "",
    ),
    (
        "comments of Gemini's in another framing",
        SAID + b": a\n\n" + LAST,
        {"to": "ndjson"},
        SAID[6:-1] + LAST[6:-1],
        "",
    ),
    ("an event with every field", b"event: e\nid: 1\nretry: 5\ndata: {}\nx: y\n\n", {}, SAME, ""),
    ("fields without data", b"id: 1\n\ndata: {}\n\n", {}, SAME, ""),
    (
        "fields without data, known",
        b": c\nid: 1\nretry: 9\n\ndata: {}\n\n",
        CHAT,
        b": c\nid: 1\nretry: 9\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    (
        "fields without data, then an id of its own",
        b"id: 1\nretry: 9\n\nid: 2\ndata: {}\n\ndata: {}\n\n",
        CHAT,
        b"retry: 9\nid: 2\ndata: {}\n\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    (
        "fields without data and an unknown one",
        b"id: 1\nx: y\n\ndata: {}\n\n",
        CHAT,
        b"id: 1\nx: y\n\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    (
        "fields without data at the end",
        b"data: {}\n\nid: 1\n\n",
        CHAT,
        b"data: {}\n\nid: 1\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    (
        "a comment within raw lines of JSON",
        b'{"a":\n: c\n1}\n\ndata: {}\n\n',
        {"format": "sse"},
        b": c\n\ndata: {}\n\n",
        "stray-line@0+5 stray-line@10+2",
    ),
    (
        "separators in a JSON text of many lines",
        b'data: {"a":\ndata: "\xe2\x80\xa8"}\ndata: \n\n',
        {},
        b'data: {"a":\ndata: "\\u2028"}\ndata: \n\n',
        "",
    ),
    ("separators in text", b"data: a\xe2\x80\xa8\n\n", TEXT, SAME, ""),
    ("invalid UTF-8", b"data: a\xff\n\n", {}, b"data: a\xef\xbf\xbd\n\n", "invalid-utf8@7+1"),
    ("invalid UTF-8, kept unnamed", b"data: a\xff\n\n", but("invalid-utf8"), b"data: a\xef\xbf\xbd\n\n", ""),
    ("an event as long as allowed", b"data: " + 1016 * b"x" + b"\n\ndata: {}\n\n", TEXT, SAME, ""),
    (
        "an event as long as allowed once it is spelt out",
        b"data:" + 1016 * b"x" + b"\n\ndata: {}\n\n",
        TEXT,
        b"data: " + 1016 * b"x" + b"\n\ndata: {}\n\n",
        "",
    ),
    (
        "an event too long once it is spelt out",
        b"data:" + 1017 * b"x" + b"\n\ndata: {}\n\n",
        {},
        b"data: {}\n\n",
        "oversized-event@0+1022",
    ),
    (
        "a field, then an unknown one, and no end",
        b"data: {\nfoo: 1\n",
        {"format": "sse"},
        b"",
        "unfinished-tail@0+14",
    ),
    (
        "a field between two events without a blank line",
        b"data: {}\nid: 1\ndata: [1]\n",
        {},
        b"data: {}\n\nid: 1\ndata: [1]\n\n",
        "missing-blank-line@15+0 unterminated-event@9+15",
    ),
    (
        "non-field lines in two blocks",
        b"data: {}\n1 2\n\ndata: {}\n3 4\n\n",
        {},
        b"data: {}\n\ndata: {}\n\n",
        "stray-line@9+3 stray-line@23+3",
    ),
    (
        "raw JSON that may not be lifted",
        b'id: 1\n{"a":1}\n\ndata: {}\n\n',
        but("raw-json"),
        b"id: 1\n\ndata: {}\n\n",
        "stray-line@6+7",
    ),
    (
        "an error line after data",
        b'data: {}\nerror: {"a":1}\n\ndata: {}\n\n',
        {},
        SAME,
        "",
    ),
    (
        "an HTTP error head",
        b"data: {}\n\nHTTP/1.1 502 Bad Gateway\nx",
        CHAT,
        b"data: {}\n\ndata: " + error("upstream-failed") + b"\n\n",
        "foreign-body@10+24",
    ),
    (
        "[DONE] where no dialect is known",
        b"data: {}\n[DONE]\n\ndata: {}\n\n",
        {},
        b"data: {}\n\ndata: {}\n\n",
        "stray-line@9+6",
    ),
    (
        "a raw array in a block",
        b"id: 1\n[1]\ndata: {}\n\n",
        {},
        b"data: [1]\n\nid: 1\ndata: {}\n\n",
        "raw-json@6+3",
    ),
    (
        "two raw lines that are JSON in one block, and one that is not",
        b'id: 1\n2 3\n{"a":1}\n[2]\n\ndata: {}\n\n',
        {},
        b'data: {"a":1}\n\ndata: [2]\n\nid: 1\n\ndata: {}\n\n',
        "stray-line@6+15 raw-json@6+15 raw-json@6+15",
    ),
    (
        "a repair after simple frames of one chunk, CRLF",
        b'event: e\r\nid: 1\r\ndata: {}\r\n\r\ndata: {"a":1}\r\n\r\ndata: {}{}\r\n\r\nid: 2\r\ndata: {}[]\r\n\r\n1 2\n',
        {},
        b'event: e\nid: 1\ndata: {}\n\ndata: {"a":1}\n\ndata: {}\n\ndata: {}\n\nid: 2\ndata: {}\n\ndata: []\n\n',
        "glued-json@46+10 glued-json@60+17 stray-line@81+3",
    ),
    (
        "[DONE] and a blank where no dialect is known",
        b"data: [DONE]\n \n\n",
        {},
        b"data: [DONE]\n\n",
        "stray-line@13+1",
    ),
    ("an error line that is not an object", b"error: [1]\n\ndata: {}\n\n", {}, SAME, ""),
    (
        "[DONE] without its prefix that may not be lifted",
        b"data: {}\n\n[DONE]\n\n",
        {**CHAT, **but("done-spelling")},
        b"data: {}\n\ndata: " + error("truncated") + b"\n\n",
        "stray-line@10+6",
    ),
    (
        "null that may not be dropped",
        b"data: null\n\n",
        {**CHAT, **but("empty-data")},
        b"data: null\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    ("an error line cut", b"data: {}\n\nerror: {", {}, b"data: {}\n\n", "unfinished-tail@10+8"),
    (
        "an error line as a tail",
        b'data: {}\n\nerror: {"a":1}',
        {},
        b'data: {}\n\ndata: {"error": {"a":1}}\n\n',
        "error-line@10+14",
    ),
    ("raw lines of JSON cut", b'data: {}\n\n{"a":\n', {}, b"data: {}\n\n", "unfinished-tail@10+5"),
    (
        "a comment, and no blank line of its own",
        b": hi\ndata: {}\n\n\ndata: {}\n\n",
        {},
        b": hi\ndata: {}\n\ndata: {}\n\n",
        "",
    ),
    ("a tail after a comment that is dropped", b": hi\nfoo", {**DROPC, "format": "sse"}, b"", "unfinished-tail@5+3"),
    ("[done] as a tail", b"data: {}\n\ndata: [done]", {}, b"data: {}\n\n", "unfinished-tail@10+12"),
    ("[DONE] as a tail", b"data: {}\n\ndata: [DONE]", {}, b"data: {}\n\ndata: [DONE]\n\n", "unterminated-event@10+12"),
    (
        "[done] as a tail where it is expected",
        b"data: {}\n\ndata: [done]",
        CHAT,
        b"data: {}\n\ndata: [DONE]\n\n",
        "unterminated-event@10+12 done-spelling@10+12",
    ),
    (
        "a whole event and a broken line as a tail",
        b"data: {}\ndata: x",
        {},
        b"data: {}\n\n",
        "unterminated-event@0+8 unfinished-tail@9+7",
    ),
    ("fields and a broken line as a tail", b"data: {}\n\nid: 7\ndata: {", {}, b"data: {}\n\n", "unfinished-tail@10+13"),
    (
        "an event too long by many lines",
        100 * b"data: xxxxxx\n" + b"\ndata: {}\n\n",
        {},
        b"data: {}\n\n",
        "oversized-event@0+1299",
    ),
    ("an event too long at its last line", b"id: 1\ndata: " + 1005 * b"x" + b"\n: c\n\ndata: {}\n\n", {}, SAME, ""),
    (
        "an event too long that never ends",
        b"data: {}\n\ndata: " + 3300 * b"x",
        {},
        b"data: {}\n\n",
        "oversized-event@10+3306",
    ),
    (
        "an event too long, and nothing after it",
        b"data: " + 1100 * b"x" + b"\n",
        {},
        b"",
        "oversized-event@0+1107",
    ),
    (
        "respelt past the limit",
        b"data: {}\n\nabc\ndata:" + 1020 * b"x" + b"\n\n",
        {},
        b"data: {}\n\n",
        "oversized-event@10+1029",
    ),
    (
        "spelt anew past the limit",
        b"data:" + 1017 * b"x" + b"\n\ndata: {}\n\n",
        {},
        b"data: {}\n\n",
        "oversized-event@0+1022",
    ),
    ("fields and a comment without data", b"id: 1\n: c\n\ndata: [DONE]\n\n", CHAT, b": c\nid: 1\ndata: [DONE]\n\n", ""),
    (
        "fields and a non-field line without data",
        b"id: 1\nx y\n\ndata: {}\n\n",
        {},
        b"id: 1\n\ndata: {}\n\n",
        "stray-line@6+3",
    ),
    ("a raw document after a field", b'id: 1\n{"a":\n1}\n\n', {}, b'id: 1\ndata: {"a":1}\n\n', "raw-json@0+14"),
    ("a NUL in a chunk of simple frames", b"data: a\0\n\ndata: {}\n\ndata: b\n\n", {}, SAME, ""),
    ("a non-field line alone", b"data: {}\n\nnot a field\n\n", {}, b"data: {}\n\n", "stray-line@10+11"),
    ("a non-field line in a block", b"data: {}\nnot a field\n\n", {}, b"data: {}\n\n", "stray-line@9+11"),
    (
        "two non-field lines in a block",
        b"not a field\ndata: {}\nnor this\nnor this\n\n",
        {},
        b"data: {}\n\n",
        "stray-line@0+11 stray-line@21+17",
    ),
    ("a non-field line left alone", b"data: {}\n\nnot a field\n\n", but("stray-line"), b"data: {}\n\n", ""),
    ("a non-field line in a block left alone", b"data: {}\nnot a field\n\n", but("stray-line"), b"data: {}\n\n", ""),
    ("blanks alone", b"data: {}\n\n  \n", {}, b"data: {}\n\n", "stray-line@10+2"),
    (
        "blanks for a blank line",
        b"data: {}\n  \ndata: {}\n\n",
        {},
        b"data: {}\n\ndata: {}\n\n",
        "missing-blank-line@9+2",
    ),
    (
        "blanks for a blank line after text",
        b"data: a\n  \ndata: {}\n\n",
        {},
        b"data: a\ndata: {}\n\n",
        "stray-line@8+2",
    ),
    (
        "blanks for a blank line after an open document",
        b"data: {\n  \ndata: }\n\n",
        {},
        b"data: {\ndata: }\n\n",
        "stray-line@8+2",
    ),
    ("blanks for a blank line after DONE", b"data: [DONE]\n \n", CHAT, b"data: [DONE]\n\n", "missing-blank-line@13+1"),
    ("blanks in text", b"data: a\n\ndata: b\n \n\n", {}, SAME, ""),
    (
        "a misnamed field",
        b"  data: {}\n\nData:[1]\n\n DATA :  [DONE]\n\n",
        {},
        b"data: {}\n\nData: [1]\n\ndata:  [DONE]\n\n",
        "field-name@0+10 field-name@22+15",
    ),
    ("a misnamed field with text", b"data: {}\n\n  data: hello\n\n", {}, b"data: {}\n\n", "stray-line@10+13"),
    (
        "a misnamed field after open data",
        b"data: {}\n Data: {}\n\n",
        {},
        b"data: {}\n\ndata: {}\n\n",
        "field-name@9+9 missing-blank-line@9+0",
    ),
    ("a misnamed field after broken data", b"data: {\n Data: {}\n\n", {}, b"data: {\n\n", "stray-line@8+9"),
    (
        "a misnamed field that may not be repaired",
        b"data: {}\n\n data: {}\n\n",
        but("field-name"),
        b"data: {}\n\n",
        "stray-line@10+9",
    ),
    (
        "a missing blank line",
        b'data: {"a":1}\ndata: {"b":2}\n\n',
        {},
        b'data: {"a":1}\n\ndata: {"b":2}\n\n',
        "missing-blank-line@14+0",
    ),
    (
        "missing blank lines with names",
        b"event: e\nid: 1\ndata: {}\nid: 2\n: c\nstray line\ndata: []\n\n",
        {},
        b"event: e\nid: 1\ndata: {}\n\nevent: e\nid: 2\n: c\ndata: []\n\n",
        "missing-blank-line@45+0 stray-line@34+10",
    ),
    (
        "missing blank line with a name of its own",
        b"event: e\ndata: {}\nevent: f\nretry: 5\ndata: []\n\n",
        {},
        b"event: e\ndata: {}\n\nevent: f\nretry: 5\ndata: []\n\n",
        "missing-blank-line@36+0",
    ),
    (
        "missing blank line and an error field between",
        b"data: {}\nerror: x\nid: 2\ndata: []\n\n",
        {},
        b"data: {}\nerror: x\n\nid: 2\ndata: []\n\n",
        "missing-blank-line@24+0",
    ),
    (
        "missing blank line before DONE",
        b"data: {}\ndata: [DONE]\n\n",
        {},
        b"data: {}\n\ndata: [DONE]\n\n",
        "missing-blank-line@9+0",
    ),
    ("one document over lines", b'data: {\ndata: "a": [\ndata: {}\ndata: ]}\n\n', {}, SAME, ""),
    ("text then document is never split", b"data: a\ndata: {}\n\n", {}, SAME, ""),
    ("brackets closed but not whole", b"data: {]\ndata: {}\ndata: {}\n\n", {}, SAME, ""),
    (
        "missing blank left alone",
        b"data: {}\ndata: {}\n\n",
        but("missing-blank-line"),
        b"data: {}\n\ndata: {}\n\n",
        "glued-json@0+17",
    ),
    (
        "missing blank line and the limit",
        b'data: {}\ndata: {"a": "' + 1000 * b"x" + b'"}\n\n',
        {},
        b"",
        "oversized-event@0+1024",
    ),
    ("raw JSON", b'data: {}\n\n{"a":1}\n\n', {}, b'data: {}\n\ndata: {"a":1}\n\n', "raw-json@10+7"),
    (
        "raw JSON over lines",
        b'data: {}\n\n{"a":\n1}\ndata: []\n\n',
        {},
        b'data: {}\n\ndata: {"a":1}\n\ndata: []\n\n',
        "raw-json@10+8",
    ),
    (
        "raw JSON after open data",
        b'data: {}\n{"a":1}\n',
        {},
        b'data: {}\n\ndata: {"a":1}\n\n',
        "missing-blank-line@9+0 raw-json@9+7",
    ),
    ("raw JSON after open broken data", b'data: {\n{"a":1}\n\n', {}, b'data: {\n\ndata: {"a":1}\n\n', "raw-json@8+7"),
    (
        "raw JSON that never ends",
        b'data: {}\n\n{"a":\n\ndata: []\n\n',
        {},
        b"data: {}\n\ndata: []\n\n",
        "stray-line@10+5",
    ),
    (
        "raw JSON ended by a field",
        b'data: {}\n\n{"a":\ndata: []\n\n',
        {},
        b"data: {}\n\ndata: []\n\n",
        "stray-line@10+5",
    ),
    (
        "raw JSON that is closed wrong",
        b'data: {}\n\n{"a":\n]\ndata: []\n\n',
        {},
        b"data: {}\n\ndata: []\n\n",
        "stray-line@10+7",
    ),
    ("raw JSON with something after it", b"data: {}\n\n{} x\n\n", {}, b"data: {}\n\n", "stray-line@10+4"),
    (
        "raw JSON too long",
        b'data: {}\n\n{"a":\n"' + 1010 * b"x" + b'"}\n\n',
        {},
        b"data: {}\n\n",
        "raw-json@10+1019 oversized-event@10+1019",
    ),
    (
        "raw JSON too long in one line",
        b'data: {}\n\n{"a":"' + 1013 * b"x" + b'"}\n\n',
        {},
        b"data: {}\n\n",
        "raw-json@10+1021 oversized-event@10+1021",
    ),
    ("raw JSON left alone", b'data: {}\n\n{"a":1}\n\n', but("raw-json"), b"data: {}\n\n", "stray-line@10+7"),
    (
        "raw JSON after a non-field line",
        b'x y\n{"a":\n1}\n\ndata: {}\n\n',
        {"format": "sse"},
        b'data: {"a":1}\n\ndata: {}\n\n',
        "stray-line@0+3 raw-json@4+8",
    ),
    (
        "raw JSON lines rescued from a block",
        b'data: text\n{"a":1}\n{"b":2}\n\n',
        {},
        b'data: text\n\ndata: {"a":1}\n\ndata: {"b":2}\n\n',
        "raw-json@11+15 raw-json@11+15",
    ),
    ("raw DONE", b"data: {}\n\n[DONE]\n\n", CHAT, b"data: {}\n\ndata: [DONE]\n\n", "done-spelling@10+6"),
    (
        "raw DONE after open data",
        b"data: {}\n[DONE]\n\n",
        CHAT,
        b"data: {}\n\ndata: [DONE]\n\n",
        "missing-blank-line@9+0 done-spelling@9+6",
    ),
    (
        "raw DONE after broken data",
        b"data: {\n[DONE]\n\n",
        CHAT,
        b"data: " + error("not-a-stream") + b"\n\n",
        "stray-line@8+6 invalid-json@0+14 not-a-stream@0+16",
    ),
    ("raw DONE in an unknown dialect", b"data: {}\n\n[DONE]\n\n", {}, b"data: {}\n\n", "stray-line@10+6"),
    ("raw newline", b'data: {"a":"x\ny"}\n\n', {}, b'data: {"a":"x\\ny"}\n\n', "raw-newline@0+17"),
    (
        "raw newline, many data lines",
        b'data: {"a":"x\ndata: y"}\n\n',
        {},
        b'data: {"a":"x\ndata: y"}\n\n',
        "",
    ),
    ("raw newline left alone", b'data: {"a":"x\ny"}\n\n', but("raw-newline"), b'data: {"a":"x\n\n', "stray-line@14+3"),
    ("glued", b"id: 1\nretry: 2\ndata: {}{}\n\n", {}, b"id: 1\nretry: 2\ndata: {}\n\ndata: {}\n\n", "glued-json@0+25"),
    (
        "glued after name and twice",
        b"event: e\ndata: {}data: []\n\n",
        {},
        b"event: e\ndata: {}\n\nevent: e\ndata: []\n\n",
        "glued-json@0+25",
    ),
    ("glued DONE by double prefix", b"data: data: [DONE]\n\n", CHAT, b"data: [DONE]\n\n", "double-prefix@0+18"),
    ("double prefix", b"data: data: {}\n\n", {}, b"data: {}\n\n", "double-prefix@0+14"),
    (
        "wrapped comment",
        b"data: : keepalive\n\ndata: {}\n\n",
        CHAT,
        b"data: {}\n\ndata: " + error("truncated") + b"\n\n",
        "wrapped-comment@0+17",
    ),
    (
        "wrapped comment kept",
        b"data: : keepalive\n\ndata: {}\n\n",
        {**but("wrapped-comment"), **CHAT},
        b"data: : keepalive\n\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    (
        "empty data",
        b"id: 1\ndata:\n\ndata: null\n\ndata: {}\n\n",
        CHAT,
        b"id: 1\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "empty-data@0+11 empty-data@13+10",
    ),
    (
        "empty data kept",
        b"data: \n\ndata: null\n\n",
        {**but("empty-data"), **CHAT},
        b"data: \n\ndata: null\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    ("empty data unknown", b"data: \n\ndata: null\n\n", {}, SAME, ""),
    (
        "invalid JSON",
        b"retry: 1\ndata: {\n\ndata: {}\n\n",
        CHAT,
        b"retry: 1\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "invalid-json@0+16",
    ),
    (
        "invalid JSON kept",
        b"data: {\n\ndata: {}\n\n",
        {**CHAT, "invalid_json": "keep"},
        b"data: {\n\ndata: {}\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    (
        "invalid JSON error",
        b"data: {}\n\ndata: {\n\ndata: {}\n\n",
        {**CHAT, "invalid_json": "error"},
        b"data: {}\n\ndata: " + error("invalid-json") + b"\n\n",
        "invalid-json@10+7",
    ),
    (
        "invalid JSON drop forbidden",
        b"data: {\n\n",
        {**but("invalid-json"), **CHAT},
        b"data: {\n\ndata: " + error("truncated") + b"\n\n",
        "",
    ),
    ("misspelt done", b"data: {}\n\ndata: [done]\n\n", CHAT, b"data: {}\n\ndata: [DONE]\n\n", "done-spelling@10+12"),
    (
        "misspelt done not allowed",
        b"data: {}\n\ndata: [done]\n\n",
        {**but("done-spelling"), **CHAT},
        b"data: {}\n\ndata: " + error("truncated") + b"\n\n",
        "invalid-json@10+12",
    ),
    ("done with blanks", b"data:  [DONE] \n\n", CHAT, b"data: [DONE]\n\n", "done-spelling@0+14"),
    (
        "after done",
        b"data: [DONE]\n\n: c\ndata: {}\n\nid: 1\n\nstray x\n\n<html>\n\n{}\n\n",
        CHAT,
        b"data: [DONE]\n\n",
        "",
    ),
    ("after done with CRLF", b"data: [DONE]\r\n\r\ndata: {}\r\n\r\n: c", CHAT, b"data: [DONE]\n\n", ""),
    (
        "raw JSON in the block of the sentinel",
        b"data: [DONE]\n{}\n\n: c\n\n",
        CHAT,
        b"data: [DONE]\n\n",
        "stray-line@13+2",
    ),
    (
        "after done in one chunk with simple frames",
        b'data: {}\n\ndata: [DONE]\n\nevent: e\nid: 4\ndata: {"a":"bbbbbb"}\n\ndata: {}\n\n',
        CHAT,
        b"data: {}\n\ndata: [DONE]\n\n",
        "",
    ),
    ("after done allowed", b"data: [DONE]\n\ndata: {}\n\n", {**but("after-done"), **CHAT}, SAME, ""),
    ("error line", b'error: {"message":"m"}\n\n', {}, b'data: {"error": {"message":"m"}}\n\n', "error-line@0+22"),
    ("error line of text", b"error: oh\n\ndata: {}\n\n", {}, SAME, ""),
    ("error line broken", b"error: {\n\ndata: {}\n\n", {}, SAME, ""),
    ("error line left alone", b"error: {}\n\ndata: {}\n\n", but("error-line"), SAME, ""),
    ("error line in a block", b"data: {}\nerror: {}\n\n", {}, SAME, ""),
    (
        "foreign page",
        b"data: {}\n\n<html><body>\n502\n\ndata: {}\n\n",
        {},
        b"data: {}\n\nevent: error\ndata: " + error("upstream-failed") + b"\n\n",
        "foreign-body@10+12",
    ),
    (
        "foreign head",
        b"data: {}\n\nHTTP/1.1 502 Bad Gateway\r\nServer: x\r\n\r\n",
        CHAT,
        b"data: {}\n\ndata: " + error("upstream-failed") + b"\n\n",
        "foreign-body@10+24",
    ),
    (
        "foreign page not allowed",
        b"data: {}\n\n<html>\n\ndata: {}\n\n",
        but("foreign-body"),
        b"data: {}\n\ndata: {}\n\n",
        "stray-line@10+6",
    ),
    ("foreign page after done", b"data: [DONE]\n\n<html>\n", CHAT, b"data: [DONE]\n\n", ""),
    (
        "DONE after error",
        b'data: {"error":{"message":"m"}}\n\ndata: [DONE]\n\n',
        CHAT,
        b'data: {"error":{"message":"m"}}\n\n',
        "done-after-error@33+12",
    ),
    (
        "DONE after error with id",
        b'data: {"error":{"message":"m"}}\n\nid: 3\ndata: [DONE]\n\ndata: {}\n\n',
        CHAT,
        b'data: {"error":{"message":"m"}}\n\nid: 3\ndata: {}\n\n',
        "done-after-error@33+18",
    ),
    (
        "DONE after error allowed",
        b'data: {"error":{"message":"m"}}\n\ndata: [DONE]\n\n',
        {**but("done-after-error"), **CHAT},
        SAME,
        "",
    ),
    ("text mode by prose", b"data: hello\n\n Data: {}\n\n{}\n\ndata: {}{}\n\n", {}, SAME, ""),
    ("text mode tail", b"data: hello\n\ndata: {}", {}, b"data: hello\n\n", "unfinished-tail@13+8"),
    ("text mode bare", b"id: 1\n\nretry: 4\n\n: c\n\ndata: x\n\n", TEXT, SAME, ""),
    (
        "standard only",
        b" data: {}\ndata: {}{}\n\nid: 1\n\nx y\n\ndata: {}",
        STANDARD,
        b" data: {}\ndata: {}{}\n\nid: 1\n\nx y\n\n",
        "",
    ),
    ("standard only, a non-field line in a block", b"data: {}\nx y\n\n", STANDARD, SAME, ""),
    ("unterminated event", b"data: {}", {}, b"data: {}\n\n", "unterminated-event@0+8"),
    ("unterminated event with line end", b"id: 1\ndata: {}\n", {}, b"id: 1\ndata: {}\n\n", "unterminated-event@0+14"),
    ("unterminated text", b"data: {}\n\ndata: hello", {}, b"data: {}\n\n", "unfinished-tail@10+11"),
    ("unterminated text with line end", b"data: {}\n\ndata: hello\n", {}, b"data: {}\n\n", "unfinished-tail@10+11"),
    (
        "unterminated DONE",
        b"data: {}\n\ndata: [DONE]",
        CHAT,
        b"data: {}\n\ndata: [DONE]\n\n",
        "unterminated-event@10+12",
    ),
    (
        "unterminated misspelt DONE",
        b"data: {}\n\ndata: [done]",
        CHAT,
        b"data: {}\n\ndata: [DONE]\n\n",
        "unterminated-event@10+12 done-spelling@10+12",
    ),
    ("unterminated id", b"data: {}\nid: 1", {}, b"data: {}\n\n", "unterminated-event@0+8 unfinished-tail@9+5"),
    (
        "unterminated data of lines",
        b'data: {"a":\ndata: 1}',
        {},
        b'data: {"a":\ndata: 1}\n\n',
        "unterminated-event@0+20",
    ),
    (
        "unterminated two events",
        b"data: {}\ndata: []",
        {},
        b"data: {}\n\ndata: []\n\n",
        "missing-blank-line@9+0 unterminated-event@9+8",
    ),
    ("unterminated glued", b"data: {}{}", {}, b"data: {}\n\ndata: {}\n\n", "unterminated-event@0+10 glued-json@0+10"),
    (
        "unterminated error line",
        b"data: {}\n\nerror: {}",
        {},
        b'data: {}\n\ndata: {"error": {}}\n\n',
        "error-line@10+9",
    ),
    (
        "unterminated error line in a block",
        b"data: {}\nerror: {}",
        {},
        b"data: {}\n\n",
        "unterminated-event@0+8 unfinished-tail@9+9",
    ),
    ("unterminated error line broken", b"data: {}\n\nerror: {", {}, b"data: {}\n\n", "unfinished-tail@10+8"),
    ("unterminated raw JSON", b'data: {}\n\n{"a":1}', {}, b'data: {}\n\ndata: {"a":1}\n\n', "raw-json@10+7"),
    ("unterminated raw JSON open", b'data: {}\n\n{"a":\n1', {}, b"data: {}\n\n", "unfinished-tail@10+7"),
    ("unterminated raw JSON of lines", b'data: {}\n\n{"a":\n1}', {}, b'data: {}\n\ndata: {"a":1}\n\n', "raw-json@10+8"),
    (
        "unterminated raw JSON ended by data",
        b'data: {}\n\n{"a":\ndata: {}',
        {},
        b"data: {}\n\ndata: {}\n\n",
        "stray-line@10+5 unterminated-event@16+8",
    ),
    (
        "unterminated misnamed",
        b"data: {}\n\n Data: {}",
        {},
        b"data: {}\n\ndata: {}\n\n",
        "field-name@10+9 unterminated-event@10+9",
    ),
    ("unterminated, invalid UTF-8", b'data: {"a":"\xff"}', {}, b"", "unfinished-tail@0+15"),
    ("unterminated comment", b"data: {}\n\n: hi", {}, b"data: {}\n\n", ""),
    ("unterminated comment in a block", b"data: {}\n: hi", {}, b"data: {}\n\n", "unterminated-event@0+8"),
    ("unterminated block of id", b"data: {}\n\nid: 1\n", {}, b"data: {}\n\n", "unfinished-tail@10+5"),
    ("unterminated not allowed", b"data: {}", but("unterminated-event"), b"", "unfinished-tail@0+8"),
    ("unterminated not allowed nor named", b"data: {}", but("unterminated-event", "unfinished-tail"), b"", ""),
    (
        "unterminated raw JSON after a non-field line",
        b'x y\n{"a":\n1}\n',
        {"format": "sse"},
        b'data: {"a":1}\n\n',
        "stray-line@0+3 raw-json@4+8",
    ),
    ("an id with NUL", b"id: 1\ndata: {}\n\nid: a\x00\ndata: {}\n\n", {}, SAME, ""),
    ("simple frames of one chunk", b'event: e\nid: 1\ndata: {}\n\ndata: {"a":1}\n\nid: 2\ndata: [1]\n\n', {}, SAME, ""),
    (
        "simple frames of one chunk, CRLF",
        b'event: e\r\nid: 1\r\ndata: {}\r\n\r\ndata: {"a":1}\r\n\r\n',
        {},
        b'event: e\nid: 1\ndata: {}\n\ndata: {"a":1}\n\n',
        "",
    ),
    (
        "frames of mixed line ends",
        b'event: e\r\nid: 1\r\ndata: {}\r\n\r\ndata: {"a":1}\n\ndata: {}\r\n\r\n',
        {},
        b'event: e\nid: 1\ndata: {}\n\ndata: {"a":1}\n\ndata: {}\n\n',
        "",
    ),
    (
        "words alone",
        b"Unauthorized\n\n",
        {},
        b"Unauthorized: \n\n" + first_error("not-a-stream", 500),
        "",
    ),
    ("unknown fields and a comment", b"foo: 1\n\n: hi\n\n", {}, SAME, ""),
    ("unknown fields alone, by the standard", b"foo: 1\n\n", STANDARD, SAME, ""),
    (
        "a page where prose was expected",
        b"<p>x</p>\n\n",
        TEXT,
        b"<p>x</p>\n\nevent: error\ndata: " + error("not-a-stream") + b"\n\n",
        "",
    ),
    (
        "an id that is ignored leaves the one before it",
        b"id: 2\n\nid: a\0\n\nretry: 5\n\nretry: x\n\n" + CHUNK,
        CHAT,
        b"id: 2\nretry: 5\n" + CHUNK + CUT,
        "",
    ),
    (
        "an id too long to stand with an event",
        b"id: " + 990 * b"x" + b"\n\n" + 2 * CHUNK,
        CHAT,
        b"id: " + 990 * b"x" + b"\n\n" + 2 * CHUNK + CUT,
        "",
    ),
    (
        "an error record among prose",
        b'data: start\n\ndata: {"error":{"message":"job 7 failed","code":7}}\n\ndata: next\n\n',
        {},
        SAME,
        "",
    ),
    (
        "an error record before prose",
        b'event: error\ndata: {"error":"sensor 3 offline"}\n\nevent: reading\ndata: temp 20\n\n',
        {},
        SAME,
        "",
    ),
    (
        "named events that need no payload",
        b'event: delta\ndata: {"text":"Hi"}\n\nevent: ping\ndata:\n\nevent: ping\ndata: null\n\n'
        b"event: done\ndata: ok\n\n",
        {},
        b'event: delta\ndata: {"text":"Hi"}\n\nevent: ping\ndata: \n\nevent: ping\ndata: null\n\n'
        b"event: done\ndata: ok\n\n",
        "",
    ),
    (
        "an error in prose",
        b"event: error\ndata: Internal Server Error\n\ndata: [DONE]\n\n",
        CHAT,
        b"data: " + error("upstream-error") + b"\n\n",
        "invalid-json@0+40",
    ),
    (
        "scalars",
        b'data: 1\n\ndata: "a"\n\ndata: {}\n\n',
        CHAT,
        b'data: 1\n\ndata: "a"\n\ndata: {}\n\ndata: ' + error("truncated") + b"\n\n",
        "",
    ),
]


@each(CASES)
def test_each_case_has_its_output_and_repairs_however_it_is_cut(case: Case) -> None:
    check_case(case)


@each(CASES)
def test_in_each_case_a_second_pass_changes_nothing_and_nothing_is_lost_silently(case: Case) -> None:
    check_second_pass(case)


@pytest.mark.parametrize(
    ("data", "items"),
    [
        (b"data: a\n\n", [Event("a")]),
        (b": hi\n\nevent: e\nid: 1\nretry: 5\ndata: a\ndata: b\n\n", [Comment("hi"), Event("a\nb", "e", "1", 5)]),
        (b"id: 1\ndata: {}\n\ndata: {}\n\nid\ndata: {}\n\n", [Event("{}", id="1"), Event("{}", id="1"), Event("{}")]),
        (b"event:\ndata: a\n\n", [Event("a")]),
        (b"retry: x\ndata: a\n\n", [Event("a")]),
        (b"id: 1\n\n", []),
        (
            b"retry: 2\ndata: {}{}\n\n",
            [Repair(RepairKind.GLUED_JSON, 0, 19), Event("{}", retry=2), Event("{}")],
        ),
    ],
)
def test_events_are_those_of_the_standard_and_a_repair_stands_before_what_it_produced(
    data: bytes, items: list[Event | Comment | Repair]
) -> None:
    for chunks in cuttings(data):
        reader = EventReader()
        assert [item for chunk in chunks for item in reader.feed(chunk)] + reader.close() == items


def test_a_retry_of_a_block_that_was_dropped_goes_to_the_next_event() -> None:
    reader = EventReader(dialect="openai-chat")
    items = reader.feed(b"retry: 7\ndata: {\n\ndata: {}\n\ndata: {}\n\n")
    assert [item.retry for item in items if isinstance(item, Event)] == [7, None]


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b"data: {}\n\ndata: {}\r\r", 20),
        (b'data: {}\n\n{"a":\n1}\n', 19),
        (b"data: {}\ndata: {}\n", 18),
        (b"data: {}\n \n", 11),
        (b": hi\n", 5),
    ],
)
def test_what_is_complete_leaves_with_the_byte_that_completes_it(data: bytes, at: int) -> None:
    reader = EventReader()
    left = [sum(not isinstance(item, Repair) for item in reader.feed(data[n : n + 1])) for n in range(len(data))]
    assert left[at - 1] == 1
    assert sum(left[at:]) == 0


@pytest.mark.parametrize(
    ("data", "options", "count"),
    [
        (SAID + b": a\n\n:\n" + SAID[:-1] + b": b\n: c\n\n", {}, 4),
        (b": a\n\n" + SAID, {}, 0),
        (b": a\n\n" + SAID, GEMINI, 1),
        (SAID + b": a\n\n", DROPC, 0),
        (SAID + b": a\n\n", {**GEMINI, **STANDARD}, 0),
        (CHUNK + b": a\n\n", {}, 0),
    ],
)
def test_a_comment_that_leaves_as_a_blank_line_is_counted_and_still_read(
    data: bytes, options: dict[str, Any], count: int
) -> None:
    reader = EventReader(**options)
    items = reader.feed(data)
    assert reader.report.respellings["comment"] == count
    assert [item for item in items if isinstance(item, Comment)][:1] == ([] if options is DROPC else [Comment("a")])


def test_the_status_of_an_error_head_in_the_stream_is_reported() -> None:
    for line, status in ((b"HTTP/1.1 502 Bad Gateway", 502), (b"<html>", None)):
        reader = EventReader(dialect="openai-chat")
        reader.feed(b"data: {}\n\n" + line + b"\n")
        assert reader.report.repairs == {RepairKind.FOREIGN_BODY: 1}
        reader.close()
        assert reader.error is not None
        assert (reader.error.code, reader.error.status_hint) == ("upstream-failed", status)


@pytest.mark.parametrize("raw", [b"[1]", b'{"a":1}', b"[DONE]"])
def test_a_blank_line_that_may_not_be_put_in_is_not_put_in_before_a_raw_document(raw: bytes) -> None:
    reader = EventReader(dialect="openai-chat", repairs=DEFAULT_REPAIRS - {RepairKind.MISSING_BLANK_LINE})
    items = reader.feed(b"data: {}\n" + raw + b"\n\n") + reader.close()
    assert next(item.data for item in items if isinstance(item, Event)) == "{}"
    assert RepairKind.MISSING_BLANK_LINE not in reader.report.repairs

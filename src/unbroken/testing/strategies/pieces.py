"""The pieces that troubled streams are made of: framing, JSON, events, departures from the standard, answers, damage.

`#` in a piece becomes a number, so that `w#x` is a word that stands nowhere else in the stream.
"""

from __future__ import annotations

_CHUNK = '{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"w#x"}}]}'
_FINISH = '{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'

FRAMING = (
    "data: ", "data:", "data", "event: w#x\n", "id: w#x\n", "id:\n", "retry: 30\n", "\n", "\n\n", "\r\n", "\r",
    "\r\n\r\n", ": w#x\n", ": w#x\n\n", ":\n\n", "foo: w#x\n", "foo:w#x\n", "foo\n", " ", "  ", "\t", "   \n", "\0",
    "\ufeff", "hello w#x", "w#x b c\n", "w#x\n",
)  # fmt: skip

JSON = (
    '{"a":"w#x"}', '{"a":"w#x"}\n', '{"a":"w#x"}\n\n', '["w#x"]', '[{"a":"w#x"},', ',{"b":"w#x"}]', "12", "12\n",
    "null\n", '"w#x"\n', "true\n", '{"a":', '"w#x', 'w#x"', "NaN", "}", "{", "[", "]", ",", '"', "\\", '{"a":NaN}\n',
    '{"a":"w#x"}{"b":"w#x"}\n', "{'a': 'w#x'}\n", '{\n "a": "w#x"\n}\n', '[{"a":"w#x"}\n,\r\n{"b":"w#x"}]', "1, ",
    '"w#x", ', '{"a":1}{"b":"w#x"}, ', "NaN, ", "{'a': 'w#x'}, ",
)  # fmt: skip

EVENTS = (
    'data: {"a":"w#x"}\n\n', 'data: {"a":"w#x"}\r\n\r\n', 'data:{"a":"w#x"}\n\n', 'data: {"a":"w#x"}\n',
    "data: w#x\n\n", "data: w#x\n", "data: w#x\ndata: w#x\n\n", "data: null\n\n", "data:\n\n", "data: \n",
    "data:  \n\n", 'data: {"a":"w#x\u2028"}\n\n', 'data: {"a":"\\ud83d w#x"}\n\n',
)  # fmt: skip

DEPARTURES = (
    'data: data: {"a":"w#x"}\n\n', 'data: id: w#x\ndata: data: {"a":"w#x"}\n\n', "data: {'a': 'w#x'}\n\n",
    "data: {'a': True, 'b': None}\n\n", "data: b'{\"a\": \"w#x\"}'\n\n", 'data: {"a":NaN,"b":"w#x"}\n\n',
    'data: {"a":"w#x"}{"b":"w#x"}\n\n', 'data: {"a":"w#x"} [1] {}\n', 'data: {"t":"w#x\nw#x"}\n\n', 'data: {"t":"w#x\n',
    'data: {\n "a": "w#x"\n}\n\n', '{\n "error": {\n "code": 429, "m":"w#x"\n }\n}\n', 'error: {"code":1,"m":"w#x"}\n',
    "error: w#x\n", "<html>", "<!doctype html>w#x\n", "<p>w#x</p>\n", "HTTP/1.1 500 w#x\n",
    "HTTP/1.1 200 OK\r\nA: w#x\r\n\r\n", "data: : w#x\n\n", '  data: {"a":"w#x"}\n\n', 'Data: {"a":"w#x"}\n',
    " data: w#x\n", 'data: {"id":"w#x","data: {"id":"w#x","z":1}\n\n', "[DONE]\n", "data:  [DONE]\n\n",
    "data: done\n\n", "data: [DONE]\n",
)  # fmt: skip

ANSWERS = (
    f"data: {_CHUNK}\n\n", f"data: {_CHUNK}\n\n", f"data: {_CHUNK}\n", _CHUNK + "\n", f"data: {_FINISH}\n\n",
    "data: [DONE]\n\n", 'data: {"error":{"message":"w#x","code":1}}\n\n', '{"error":{"message":"w#x"}}\n',
    '{"error":"w#x"}\n', 'data: {"error":{"message":"w#x","type":"unbroken_error","code":"c"}}\n\n',
    'event: message_start\ndata: {"type":"message_start","message":{"id":"w#x","role":"assistant","content":[]}}\n\n',
    'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"w#x"}}\n\n',
    'event: ping\ndata: {"type":"ping"}\n\n', 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"w#x"}}\n\n',
    '{"model":"m","message":{"role":"assistant","content":"w#x"},"done":false}\n',
    '{"model":"m","message":{"role":"assistant","content":"w#x"},"done":true,"done_reason":"stop"}\n',
    'data: {"candidates":[{"content":{"parts":[{"text":"w#x"}],"role":"model"}}]}\n\n',
    '[{"candidates":[{"content":{"parts":[{"text":"w#x"}]}}]},',
    '{"candidates":[{"content":{"parts":[{"text":"w#x"}]},"finishReason":"STOP"}]}]',
    'event: response.created\ndata: {"type":"response.created","response":{"id":"w#x"}}\n\n',
    'data: {"type":"response.output_text.delta","delta":"w#x"}\n\n',
    'event: delta\ndata: {"text":"w#x"}\n\n', "event: done\ndata: {}\n\n",
)  # fmt: skip

DAMAGE = (
    b"\xff", b"\xe4\xbd", b"\xef\xbb", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xff" * 400, b"\x1f\x8b", b"x" * 1100,
    b'data: "' + b"y" * 1200 + b'"\n\n', b'data: {"a":"' + b"z" * 600 + b'"}\n', b'{"a":"' + b"z" * 600 + b'"}\n',
    b'{"a":"' + b"\xff" * 400 + b'"}\n', b'data: {"a":"w0x\xff"}\n\n',
)  # fmt: skip

# Events that differ in one text and nothing else, as tokens do, with something odd among them.
TEMPLATES = (
    '{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"@"}}]}',
    '{"choices":[{"index":1,"delta":{"content":"@"}}],"usage":null}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@"}}',
    '{"candidates":[{"content":{"parts":[{"text":"@"}],"role":"model"}}]}',
    '{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"@"}}}}',
    '{"model":"m","message":{"role":"assistant","content":"@"},"done":false}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@"}~}',
    '{"type":"response.output_text.delta","item_id":"m","delta":"@","sequence_number":#,"obfuscation":"x#"}',
    '{"text":"@"}',
)
TOKENS = ("w#x", "w#x", "w#x", " w#x", "", 'a\\"w#x', "\\u00e9", "\\ud83d", "\u2028", "\u00e9", 'w#x","x":"y', "w#x\\")
BETWEEN = (
    ": w#x\n", ": w#x\n\n", "\n", "data: [DONE]\n\n", "data:\n\n", 'data: {"error":{"message":"w#x","code":1}}\n\n',
    "id: 5\n\n", "foo: w#x\n", "data: null\n\n", "\r\n", "id\n", "retry: 5\n",
)  # fmt: skip

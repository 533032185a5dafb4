"""What is whole at the end of input: a last line without its end, a last block without its blank line."""

from __future__ import annotations

from typing import Any

import pytest

from unbroken.core.sse.end_rules import completes, is_whole_block

from .sse_rooms import seen_after
from .tables import but

CHAT = {"dialect": "openai-chat"}


@pytest.mark.parametrize(
    ("block", "line", "options", "whole"),
    [
        (b"", b"", {}, False),
        (b"data: {}\n", b"", {}, False),
        (b"", b"data: {}", {}, True),
        (b"", b"data:[1]", {}, True),
        (b"id: 1\n", b"data: {}", {}, True),
        (b"", b"data: {", {}, False),
        (b"", b"data: 12", {}, False),
        (b"", b"data: hello", {}, False),
        (b"", b"data: ", {}, False),
        (b"", b"data", {}, False),
        (b"", b"dat", {}, False),
        (b"", b'data: {"a":"\xff"}', {}, False),
        (b"", b'data: {"a":"\xc3', {}, False),
        (b"", b"data: [DONE]", {}, True),
        (b"", b"data: [done]", {}, False),
        (b"", b"data: [done]", CHAT, True),
        (b"", b"data: [done]", {"dialect": "anthropic"}, False),
        (b'data: {"a":\n', b"data: 1}", {}, True),
        (b'data: {"a":\n', b"data: {}", {}, False),
        (b"data: {}\n", b"data: [1]", {}, True),
        (b"data: {}\n", b"data: [DONE]", {}, True),
        (b"data: {}\n", b"data: x", {}, False),
        (b"data: {a}\n", b"data: {}", {}, False),
        (b"", b"data: {}{}", {}, True),
        (b"", b"data: {}{}", but("glued-json"), False),
        (b"", b"data: {'a': None}", {}, True),
        (b"", b"error: {}", {}, True),
        (b"", b"error: {", {}, False),
        (b"", b"error: oh", {}, False),
        (b"id: 1\n", b"error: {}", {}, True),
        (b"data: {}\n", b"error: {}", {}, False),
        (b"", b"id: 1", {}, False),
        (b"", b"event: x", {}, False),
        (b"", b"retry: 5", {}, False),
        (b"", b": c", {}, False),
        (b"", b"foo: {}", {}, False),
        (b"", b"{}", {}, True),
        (b"", b"[1", {}, False),
        (b"", b"{'a': None}", {}, True),
        (b"data: {}\n", b"{}", {}, True),
        (b"data: {}\n", b'{"a":', {}, False),
        (b'data: {"a":[\n', b'{"b":1}]}', {}, True),
        (b'data: {"a":[\n', b'{"b":1}]', {}, False),
        (b"", b" Data: {}", {}, True),
        (b"", b" Data: [DONE]", {}, True),
        (b"", b" Data: {", {}, False),
        (b"", b"Data: {}", {}, False),  # a field of another name
        (b"", b"hello you", {}, False),
    ],
)
def test_a_last_line_counts_where_it_makes_something_whole(
    block: bytes, line: bytes, options: dict[str, Any], whole: bool
) -> None:
    seen = seen_after(block, **options)
    assert completes(line, seen, raw=False) is whole
    assert seen.block.wire == block


@pytest.mark.parametrize(
    ("line", "whole"),
    [(b"}", True), (b"x", True), (b"data: {}", True), (b"data: }", False), (b": c", False), (b"", False)],
)
def test_in_a_raw_document_a_last_line_counts_unless_it_is_data_or_a_comment_cut(line: bytes, whole: bool) -> None:
    assert completes(line, seen_after(b'{"a":\n'), raw=True) is whole


@pytest.mark.parametrize(
    ("lines", "options", "whole"),
    [
        (b"data: {}\n", {}, True),
        (b"event: e\nid: 1\ndata: {}\n: c\nx: y\n", {}, True),
        (b'data: {"a":\ndata: 1}\n', {}, True),
        (b"data: [DONE]\n", {}, True),
        (b"data: done\n", {}, False),
        (b"data: done\n", CHAT, True),
        (b"data: {}[]\n", {}, True),
        (b"data: {}[]\n", but("glued-json"), False),
        (b'data: {"a":"x\ny"}\n', {}, True),
        (b'data: {"a":"x\ny"}\n', but("raw-newline"), False),
        (b'{"a":\n1}\n', {}, True),
        (b"data: {\n", {}, False),
        (b"data: hello\n", {}, False),
        (b"data: 12\n", {}, False),
        (b"data: null\n", {}, False),
        (b"data: \n", {}, False),
        (b"id: 1\n", {}, False),
        (b"retry: 1\n: c\n", {}, False),
        (b"", {}, False),
    ],
)
def test_a_last_block_counts_where_it_is_whole_or_proves_to_be(
    lines: bytes, options: dict[str, Any], whole: bool
) -> None:
    seen = seen_after(lines, **options)
    assert is_whole_block(seen.block.parse(), seen) is whole

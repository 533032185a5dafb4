"""Strategies for whole answers of language models in each dialect."""

from __future__ import annotations

import json
from functools import lru_cache

from ..conversations import Answer, Conversation, ToolCall
from ..conversations import spell as spell_answer
from ..require_hypothesis import SearchStrategy, st
from .text_and_json import line_texts

_odd_text = st.lists(
    st.one_of(st.sampled_from(["Hello", " world", "\n\n", "é你😀", "data: x", "[DONE]", '{"a":']), line_texts).filter(
        bool
    ),
    max_size=4,
).map(tuple)
# Most events of a stream differ in one word only; these exercise the fast path.
_prose = st.lists(st.sampled_from(["Hello", " world", " é", ","]), min_size=6, max_size=16).map(tuple)
_pieces_of_text = st.one_of(_odd_text, _odd_text, _odd_text, _prose)
_tool_calls = st.builds(
    ToolCall,
    st.integers(1, 9).map("call_{}".format),
    st.sampled_from(["get_weather", "search", "f"]),
    st.dictionaries(st.sampled_from(["city", "q", "n"]), st.one_of(line_texts, st.integers(0, 99)), max_size=2).map(
        json.dumps
    ),
)
answers = st.builds(
    Answer,
    text=_pieces_of_text,
    reasoning=st.just(()) | _pieces_of_text,
    tools=st.lists(_tool_calls, max_size=2, unique_by=lambda tool: tool.id).map(tuple),
    input_tokens=st.integers(1, 9999),
    output_tokens=st.integers(1, 9999),
)


@lru_cache(maxsize=64)
def dialect_streams(dialect: str) -> SearchStrategy[Conversation]:
    """Draw whole answers in this dialect, in canonical form, with known text, reasoning, tool calls and usage.

    Raises `ValueError` for a dialect that is not among `unbroken.testing.conversations.DIALECTS`.
    """
    spell_answer(dialect, Answer())
    return answers.map(lambda answer: spell_answer(dialect, answer))

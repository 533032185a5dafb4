"""How a table of payloads spells an answer in one dialect.

In a payload `$piece` stands for a piece of text, `$whole` for all of it so far; `$index`, `$id`, `$name`, `$first` and
`$second` (halves of the arguments), `$arguments` and `$input` (the value of them) for those of a call; `$in`, `$out`
and `$total` for numbers of tokens. At the end `$text` and `$reasoning` are all of them, and `"$calls"` in a list stands
for each call as `call` spells it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conversations import Answer, ToolCall

Payload = Mapping[str, Any] | str | tuple[str, Any] | tuple[str, str, str]
"""A JSON object, the sentinel, the name of an event with its payload, or an event of prose: its name, text and id."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """The payloads of an answer in one dialect, in order. `begins_text` and `ends_text` stand around the pieces.

    `reason` is the finish reason that a reader must find, `says` what the dialect can express: "reasoning", "tools",
    "input" and "output" tokens.
    """

    text: Payload
    begins: tuple[Payload, ...] = ()
    begins_reasoning: tuple[Payload, ...] = ()
    reasoning: Payload = ""
    ends_reasoning: tuple[Payload, ...] = ()
    begins_text: tuple[Payload, ...] = ()
    ends_text: tuple[Payload, ...] = ()
    tool: tuple[Payload, ...] = ()
    call: Payload = ""
    ends: tuple[Payload, ...] = ()
    reason: str | None = None
    says: tuple[str, ...] = ()
    is_sse: bool = True
    is_prose: bool = False

    def payloads(self, answer: Answer) -> Iterator[Payload]:
        """Yield the payloads of this answer."""
        counts = {"$in": answer.input_tokens, "$out": answer.output_tokens}
        counts["$total"] = sum(counts.values())
        yield from [_filled(payload, counts) for payload in self.begins]
        if answer.reasoning:
            yield from self.begins_reasoning
            yield from _said(self.reasoning, answer.reasoning, counts)
            yield from self.ends_reasoning
        yield from self.begins_text
        yield from _said(self.text, answer.text, counts)
        yield from self.ends_text
        tools = [{"$index": index, **counts, **_facts_of(tool)} for index, tool in enumerate(answer.tools)]
        for facts in tools:
            yield from [_filled(payload, facts) for payload in self.tool]
        calls = [_filled(self.call, facts) for facts in tools]
        words = {"$text": "".join(answer.text), "$reasoning": "".join(answer.reasoning), "$calls": calls}
        yield from [_filled(payload, {**counts, **words}) for payload in self.ends]


def _said(payload: Payload, pieces: tuple[str, ...], counts: Mapping[str, int]) -> list[Payload]:
    told = zip(pieces, accumulate(pieces), strict=True)
    return [_filled(payload, {**counts, "$piece": piece, "$whole": whole}) for piece, whole in told]


def _facts_of(tool: ToolCall) -> dict[str, Any]:
    middle = len(tool.arguments) // 2
    halves = {"$first": tool.arguments[:middle], "$second": tool.arguments[middle:]}
    whole = {"$arguments": tool.arguments, "$input": json.loads(tool.arguments)}
    return {"$id": tool.id, "$name": tool.name, **halves, **whole}


def _filled(value: Any, words: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(each, words) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        filled = [words[each] if each == "$calls" else [_filled(each, words)] for each in value]
        return type(value)([each for some in filled for each in some])
    return words.get(value, value) if isinstance(value, str) else value

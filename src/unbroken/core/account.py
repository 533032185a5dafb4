"""What a stream delivered: text, usage, tool calls; at any moment, also of a stream that failed.

Pieces are kept as they come and joined when somebody asks. What is kept is bounded, what is counted is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any, Final

from .calls import MAX_CALLS, MAX_NAME, Call, Calls, is_same_json, longer_name, replaces
from .dialect import Delta, EventClass, Part, Reading, ToolFragment
from .proof import is_whole
from .registry import BROKEN_OFF

MAX_KEPT: Final = 2**20
"""Characters of text, reasoning and arguments that are kept of one stream, all choices together."""
MAX_LABELS: Final = 2**18
"""Characters of ids, names and finish reasons that are kept of one stream, all together."""
_CONTENT: Final = EventClass.CONTENT
_SURROGATE: Final = "[\ud800-\udfff]"
_NEEDLE: Final = 32  # characters: shorter passages stand twice in a row in any prose
_WINDOW: Final = 4096


def join_surrogates(text: str) -> str:
    """Join halves that were sent in two escapes; a half without its other half becomes U+FFFD."""
    if text.isascii() or re.search(_SURROGATE, text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def count_repetitions(text: str) -> int:
    """Return how often the passage that ends the text stands there in a row, within its last 4,096 characters."""
    tail = text[-_WINDOW:]
    at = tail.rfind(tail[-_NEEDLE:], 0, len(tail) - 1) if len(tail) > _NEEDLE else -1
    if at < 0:
        return 1
    period = len(tail) - _NEEDLE - at
    unit = tail[-period:]
    count = 1
    while tail.endswith(unit, 0, len(tail) - count * period):
        count += 1
    return count


class _Choice:
    """What one choice delivered."""

    __slots__ = ("begun", "finish_reason", "pieces", "reasoning", "refusal", "text")

    def __init__(self) -> None:
        self.text = StringIO()
        self.reasoning = StringIO()
        self.refusal = StringIO()
        self.finish_reason: str | None = None
        self.begun: dict[str, int] = {}  # where the current part of a field begins
        self.pieces = 0  # readings that were of this choice; counted up to the second


_NOTHING: Final = _Choice()  # its buffers take 900 bytes, which no stream pays before it has said something


def _begins_with_half(character: str, half: str) -> bool:
    """Return whether a character is made of this surrogate half and another one; of no half, any is."""
    return character.encode("utf-16-be", "surrogatepass").startswith(half.encode("utf-16-be", "surrogatepass"))


class Account:
    """Absorbs readings, and holds what they amount to so far.

    `count_tokens` takes a text and gives its number of tokens; it is called only where the provider sent no figure.
    """

    __slots__ = (
        "_calls",
        "_choices",
        "_count_tokens",
        "_figures_at",
        "_growing",
        "_last_piece",
        "_room",
        "_room_for_labels",
        "_usage",
        "beginnings",
        "content_events",
        "cut",
    )

    def __init__(self, count_tokens: Callable[[str], int] | None = None) -> None:
        self._count_tokens = count_tokens
        self._choices: dict[int, _Choice] = {}
        self._calls = Calls()
        self._room = MAX_KEPT
        self._room_for_labels = MAX_LABELS
        self.cut: bool = False
        """Whether something was not kept."""
        self.content_events: int = 0
        """Readings that brought content."""
        self.beginnings: int = 0
        """Beginnings of a message; a second one shows a retry that nobody announced."""
        self._usage: dict[str, int] = {}
        self._figures_at = -1  # how much content there was when the provider last sent a figure for its output
        self._last_piece: str | None = ""
        self._growing = 0  # text pieces that began with all of the text before them

    def absorb(self, reading: Reading) -> None:
        """Add what one payload said; linear in its length."""
        says = reading.kind is _CONTENT
        for delta in reading.deltas:
            if self._absorb_delta(delta):
                says = True
        if len(reading.deltas) > 1:
            self._note_beside(reading.deltas)
        self.content_events += says
        self.beginnings += reading.begins
        if reading.usage:
            self._absorb_usage(reading.usage)

    def _note_beside(self, deltas: Sequence[Delta]) -> None:
        """Note that one reading was of several choices, so that an index that counts choices counts no pieces."""
        choices = {delta.choice for delta in deltas}
        for choice in choices if len(choices) > 1 else ():
            if choice in self._choices:
                self._choices[choice].pieces += 1

    def absorb_texts(self, choice: int, field: str, texts: list[str]) -> None:
        """Add texts (or reasoning) that came one after the other, in as many readings of nothing else."""
        pieces = self._choices.get(choice) or self._open_choice(choice)
        pieces.pieces += 1
        if self._last_piece is not None and choice == 0 and field == "text":
            self._compare_all(texts)
        self._keep(getattr(pieces, field), "".join(texts))
        self.content_events += len(texts)

    def adder(self, choice: int, field: str) -> Callable[[str], None]:
        """Return what adds one text (or reasoning) of this choice, as a reading of nothing else would be absorbed."""
        pieces = self._choices.get(choice) or self._open_choice(choice)
        pieces.pieces += 1
        write = getattr(pieces, field).write
        compares = choice == 0 and field == "text"

        def add(text: str) -> None:
            self.content_events += 1
            if compares and self._last_piece is not None:
                self._compare(text)
            if len(text) > self._room:
                self.cut = True
                text = text[: self._room]
            self._room -= len(text)
            write(text)

        return add

    def absorb_arguments(self, choice: int, fragment: ToolFragment, texts: list[str]) -> None:
        """Add arguments of one tool call that came one after the other, in as many readings of nothing else."""
        (self._choices.get(choice) or self._open_choice(choice)).pieces += 1
        for text in ["".join(texts)] if fragment.name is None else texts:  # a name may begin a call
            self._absorb_tool(choice, replace(fragment, arguments=text))
        self.content_events += len(texts)

    def _absorb_delta(self, delta: Delta) -> bool:
        choice = self._choices.get(delta.choice)
        if choice is None:
            choice = self._open_choice(delta.choice)
        choice.pieces += 1
        settled = sum([self._settle(choice, part) for part in delta.parts]) if delta.parts else 0
        if delta.text:
            self._keep(choice.text, delta.text)
            if delta.choice == 0 and self._last_piece is not None:
                self._compare(delta.text)
        if delta.reasoning:
            self._keep(choice.reasoning, delta.reasoning)
        if delta.refusal:
            self._keep(choice.refusal, delta.refusal)
        for fragment in delta.tools:
            self._absorb_tool(delta.choice, fragment)
        if delta.finish_reason is not None and delta.finish_reason != choice.finish_reason:
            self._room_for_labels += len(choice.finish_reason or "")
            choice.finish_reason = self._keep_label(delta.finish_reason)
        return bool(delta.text or delta.reasoning or delta.tools or delta.refusal) or settled > 0

    def _settle(self, choice: _Choice, part: Part) -> bool:
        """Begin a part, or add what its pieces left out of the whole; return whether anything was said."""
        pieces: StringIO = getattr(choice, part.field)
        if part.whole is None:
            choice.begun[part.field] = pieces.tell()
            return False
        begin, whole = choice.begun.get(part.field, 0), part.whole
        if self.cut or (len(whole) <= pieces.tell() - begin and whole.isascii() and not part.fresh):
            return False
        pieces.seek(begin)
        said = pieces.read()
        half = said[-1:] if "\ud800" <= said[-1:] <= "\udbff" else ""
        told = join_surrogates(said.removesuffix(half))
        if whole.startswith(told) and _begins_with_half(whole[len(told) : len(told) + 1], half):
            if half:
                self._room += 1
                pieces.seek(begin + len(said) - 1)
                pieces.truncate()
            self._keep(pieces, whole[len(told) :])
            return len(whole) > len(told)
        if part.fresh:
            choice.begun[part.field] = pieces.tell()
            self._keep(pieces, whole)
        return part.fresh

    def _open_choice(self, index: int) -> _Choice:
        if index and len(self._choices) - (0 in self._choices) >= MAX_CALLS - 1:  # there is always room for the first
            self.cut = True
            return _Choice()
        return self._choices.setdefault(index, _Choice())

    def _keep(self, pieces: StringIO, piece: str) -> None:
        if len(piece) > self._room:
            self.cut = True
            piece = piece[: self._room]
        self._room -= len(piece)
        pieces.write(piece)

    def _keep_label(self, label: str | None) -> str | None:
        """Return a label that is to be kept, or None where there is no room for it: half of an id says nothing."""
        if label is None or len(label) > self._room_for_labels:
            self.cut = self.cut or label is not None
            return None
        self._room_for_labels -= len(label)
        return label

    def _absorb_tool(self, choice: int, fragment: ToolFragment) -> None:
        call = self._calls.find(choice, fragment)
        opens = call is None
        if call is None:
            key = fragment.key
            if len(self._calls.made) >= MAX_CALLS or (isinstance(key, str) and self._keep_label(key) is None):
                self.cut = True
                return
            call = self._calls.add(choice, fragment)
        call.id = call.id or self._keep_label(fragment.id)
        if fragment.name and fragment.name != call.name:
            self._name(call, fragment.name)
        arguments = fragment.arguments
        if arguments and (fragment.whole or call.opened) and replaces(call, fragment):
            if fragment.whole and is_same_json(call.arguments.getvalue(), arguments):
                arguments = ""  # spelt otherwise: what was delivered stands
            else:
                self._room += call.arguments.tell()
                call.clear()
        call.whole = call.whole or fragment.whole
        call.opened = opens
        if arguments:
            self._keep(call.arguments, arguments)

    def _name(self, call: Call, piece: str) -> None:
        """Give a call its name, or a further piece of it where no arguments have come."""
        name = call.name or piece if call.arguments.tell() else longer_name(call.name, piece)
        if name != call.name and (call.name is None or len(name or "") <= MAX_NAME):
            self._room_for_labels += len(call.name or "")
            call.name = self._keep_label(name)

    def _absorb_usage(self, usage: Any) -> None:
        for name, figure in usage.items():
            self._usage[name] = max(figure, self._usage.get(name, 0))
        if "output_tokens" in usage:
            self._figures_at = self.content_events

    def _compare(self, piece: str) -> None:
        """Notice text that is sent anew from its beginning with each event."""
        assert self._last_piece is not None
        grows = len(piece) > len(self._last_piece) and piece.startswith(self._last_piece)
        self._growing += grows and self._last_piece != ""
        self._last_piece = piece if grows else None

    def _compare_all(self, pieces: list[str]) -> None:
        for piece in pieces:
            if self._last_piece is not None:
                self._compare(piece)

    @property
    def _first(self) -> _Choice:
        return self._choices.get(0, _NOTHING)

    @property
    def _counts_pieces(self) -> bool:
        """Whether a server counted the pieces of one answer in the index of its choice."""
        if len(self._choices) < 3 or self._choices.get(0, _NOTHING).pieces > 1:
            return False
        *others, last = self._choices.items()
        return last[0] == len(others) and all(
            choice.pieces == 1 and choice.finish_reason is None and place == index
            for place, (index, choice) in enumerate(others)
        )

    def _said(self, field: str) -> str:
        """Return what choice 0 said, or all choices whose index counts pieces."""
        choices = self._choices.values() if self._counts_pieces else (self._first,)
        return join_surrogates("".join([getattr(choice, field).getvalue() for choice in choices]))

    @property
    def choices(self) -> int:
        """The number of choices; pieces that a server counted in their index are one."""
        return 1 if self._counts_pieces else len(self._choices)

    @property
    def text(self) -> str:
        """The text of choice 0 so far, surrogate halves joined."""
        return self._said("text")

    @property
    def reasoning(self) -> str:
        """The reasoning of choice 0 so far."""
        return self._said("reasoning")

    @property
    def refusal(self) -> str:
        """What choice 0 said to decline, where the provider keeps that apart from the text."""
        return self._said("refusal")

    @property
    def finish_reason(self) -> str | None:
        """The last finish reason of choice 0, in the provider's own word."""
        return list(self._choices.values())[-1].finish_reason if self._counts_pieces else self._first.finish_reason

    @property
    def usage(self) -> dict[str, int]:
        """The provider's figures, each the largest that was sent; a missing name was not sent."""
        return dict(self._usage)

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The tool calls in the order in which they began; `arguments_complete` is a strict parse of the arguments."""
        doubtful = self._calls.doubtful()
        return [
            _as_dict(
                call,
                _is_whole(self._choices.get(call.choice, _NOTHING).finish_reason),
                self.cut,
                call.choice in doubtful,
            )
            for call in self._calls.made
        ]

    @property
    def cumulative(self) -> bool:
        """Whether each of at least four pieces of text began with all of the text before it. Reported only."""
        return self._last_piece is not None and self._growing >= 3

    @property
    def repetitions(self) -> int:
        """How often the passage that ends the text stands there in a row, within its last 4,096 characters."""
        return count_repetitions(self.text)

    def tokens(self) -> tuple[int, str]:
        """Return the number of tokens received, and who counted: `provider`, `count_tokens`, or `events` of content.

        A figure that the provider sent before the last content counts only if nothing counts higher.
        """
        sent = self._usage.get("output_tokens", 0) + self._usage.get("thought_tokens", 0)
        if self._figures_at == self.content_events:
            return sent, "provider"
        counted, source = self._count()
        return (sent, "provider") if self._figures_at >= 0 and sent >= counted else (counted, source)

    def _count(self) -> tuple[int, str]:
        if self._count_tokens is None:
            return self.content_events, "events"
        kept = [pieces for choice in self._choices.values() for pieces in (choice.text, choice.reasoning)]
        try:
            counts = [int(self._count_tokens(join_surrogates(pieces.getvalue()))) for pieces in kept if pieces.tell()]
            return sum(counts), "count_tokens"
        except Exception:
            # The caller's tokenizer must not end the caller's stream.
            return self.content_events, "events"


def _is_whole(finish_reason: str | None) -> bool:
    """Return whether an answer ended by itself, so that what it left empty is empty."""
    return finish_reason is not None and finish_reason.strip().lower() not in BROKEN_OFF


def _as_dict(call: Call, finished: bool, cut: bool, doubtful: bool) -> dict[str, Any]:
    """Return the call as the report shows it; `doubtful`: there are pieces that may be of this call or another."""
    arguments = join_surrogates(call.arguments.getvalue())
    # Free text proves nothing, and neither does an empty one: a cut stream may just not have come to it yet.
    unproven = call.kind == "custom" or not arguments
    return {
        "choice": call.choice,
        "id": call.id,
        "name": call.name,
        "kind": call.kind,
        "arguments": arguments,
        "arguments_complete": not doubtful
        and ((call.whole or finished) and not cut if unproven else is_whole(arguments)),
    }

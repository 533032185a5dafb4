"""The rules of a declared dialect, and all that they find in a payload of one kind, compiled to one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..core.dialect import NOTHING, Delta, EventClass, Part, Reading, ToolFragment
from ..core.failure import SENTENCES, Failure
from .failures import failure_of, find_failure
from .finishes import as_finish, failure_of_finish
from .paths import Get, Path, Test, any_of
from .shapes import as_arguments, as_figures, as_label, as_object, as_said, as_timestamp

if TYPE_CHECKING:
    from .declared import Declared

Read = Callable[["Declared", str, Any], Reading]
Say = Callable[[Any], str]

PING: Final = Reading(EventClass.LIVENESS)
CONTENT: Final = EventClass.CONTENT
_CODES: Final = {sentence: code for code, sentence in SENTENCES.items()}
FACTS: Final = {"id", "model", "created", "role"}
_NO_ERROR: Final = (None, False, "", 0)


@dataclass(slots=True)
class ToolRule:
    """Where a call stands: each value of `at` is one; the others are paths within it. `key` tells calls apart."""

    at: Path | None = None
    key: Get | None = None
    id: Get | None = None
    name: Get | None = None
    arguments: Get | None = None  # a piece of them, as text
    whole: Get | None = None  # all of them, as text or as a JSON value
    hosted: Test | None = None
    opens: bool = False  # each value is a call of its own


@dataclass(slots=True)
class ErrorRule:
    """Where an error stands, and where within it, if elsewhere than usual, its message, code, status and delay.

    `needs`: keys of the payload of which it has at least one; None if that is not known.
    """

    at: Get | None = None
    fields: Mapping[str, Get] = field(default_factory=dict)
    needs: frozenset[str] | None = None


@dataclass(slots=True)
class Figures:
    """Numbers of tokens that stand in one object: their places there by our names, and the keys to look for first."""

    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    def add(self, name: str, key: str) -> None:
        """Add a number that stands under this key."""
        self.names[name] = (key,)
        self.keys.add(key)


@dataclass(slots=True)
class Rules:
    """What is read in payloads of one kind."""

    text: list[Path] = field(default_factory=list)
    reasoning: list[Path] = field(default_factory=list)
    refusal: list[Path] = field(default_factory=list)
    text_whole: list[Path] = field(default_factory=list)
    reasoning_whole: list[Path] = field(default_factory=list)
    tools: list[ToolRule] = field(default_factory=list)
    usage: list[tuple[Get, Figures]] = field(default_factory=list)
    id: list[Path] = field(default_factory=list)
    model: list[Path] = field(default_factory=list)
    created: list[Path] = field(default_factory=list)
    role: list[Path] = field(default_factory=list)
    part: list[Path] = field(default_factory=list)  # what tells parts of an answer apart that are repeated whole
    finish: list[Path] = field(default_factory=list)
    error: list[ErrorRule] = field(default_factory=list)
    ends: list[Test] = field(default_factory=list)
    begins: list[Test] = field(default_factory=list)
    pings: list[Test] = field(default_factory=list)
    progress: list[Test] = field(default_factory=list)
    complete: list[Test] = field(default_factory=list)

    def used(self) -> set[str]:
        """Return the names of the rules that there are."""
        return {name for name in self.__slots__ if getattr(self, name)}


def always(payload: Any) -> bool:
    """Return True: the kind alone is the condition."""
    return True


def compile_full(rules: Rules) -> Read:
    """Compile a reader of all that a payload can say."""
    text, reasoning, refusal = map(compile_said, (rules.text, rules.reasoning, rules.refusal))
    read_tools, read_error, read_facts = _compile_tools(rules.tools), _compile_error(rules.error), _compile_facts(rules)
    begin, whole, finish = compile_begin(rules), _compile_whole(rules), _compile_first(rules.finish)
    completes, classify = compile_any(rules.complete), _compile_class(rules)

    def read(dialect: Declared, event: str, payload: Any) -> Reading:
        delta = Delta(0, None, text(payload) if text is not None else "")
        if reasoning is not None:
            delta.reasoning = reasoning(payload)
        if read_tools is not None:
            delta.tools = read_tools(dialect, payload)
        if refusal is not None:
            delta.refusal = refusal(payload)
        if begin is not None:
            delta.parts = begin(dialect, payload, delta)
        deltas: tuple[Delta, ...] = (delta,)
        if whole is not None and (parts := whole(dialect, payload)):
            deltas = (delta, Delta(parts=parts))  # behind the pieces
        says = bool(delta.text or delta.reasoning or delta.tools or delta.refusal or len(deltas) > 1)
        if finish is not None:
            delta.finish_reason = as_finish(finish(payload))
        failure = None
        if rules.error or not says or "error" in payload:
            failure = read_error(event, payload, says)
        if failure is None and delta.finish_reason is not None:
            failure = dialect.failure_of(delta.finish_reason)
        reading = Reading(classify(dialect, payload, delta, failure, says), deltas, None, failure)
        read_facts(reading, delta, payload, says and dialect.has_begun)
        dialect.note(delta, says, completes is not None and completes(payload))
        return reading if says else _without_nothing(reading)

    return read


def _without_nothing(reading: Reading) -> Reading:
    """Return a reading without a delta that says nothing."""
    if reading.kind is EventClass.LIVENESS:
        return PING
    (delta,) = reading.deltas
    if delta.finish_reason is None and delta.role is None:
        reading.deltas = ()
    return NOTHING if reading == NOTHING else reading


def _compile_class(rules: Rules) -> Callable[[Declared, Any, Delta, Failure | None, bool], EventClass]:
    """Compile what says what an event is for."""
    ends, moves, pings = map(compile_any, (rules.ends, rules.progress, rules.pings))

    def classify(dialect: Declared, payload: Any, delta: Delta, failure: Failure | None, says: bool) -> EventClass:
        if failure is not None:
            return EventClass.ERROR
        if (ends is not None and ends(payload)) or (delta.finish_reason is not None and dialect.finish_ends):
            return EventClass.TERMINAL
        if says or (moves is not None and moves(payload)):
            return CONTENT
        return EventClass.LIVENESS if pings is not None and pings(payload) else EventClass.STRUCTURAL

    return classify


def compile_said(paths: list[Path]) -> Say | None:
    """Compile the first of the paths that says something, to a text; of a path to several, their texts joined."""
    if not paths:
        return None
    says = [_compile_say(path) for path in paths]
    if len(says) == 1:
        return says[0]

    def said(payload: Any) -> str:
        for say in says:
            if text := say(payload):
                return text
        return ""

    return said


def _compile_say(path: Path) -> Say:
    first, every = path.first, path.all
    if not path.is_single:
        return lambda payload: "".join(map(as_said, every(payload)))

    def say(payload: Any) -> str:
        text = first(payload)
        return text if text.__class__ is str else as_said(text)

    return say


def compile_begin(rules: Rules) -> Callable[[Declared, Any, Delta], tuple[Part, ...]] | None:
    """Compile what says of which part pieces are, where the parts have keys."""
    if not rules.part:
        return None
    get = _compile_first(rules.part) or always

    def begin(dialect: Declared, payload: Any, delta: Delta) -> tuple[Part, ...]:
        key = hash(as_label(get(payload)))
        found: tuple[Part, ...] = ()
        for name, said in (("text", delta.text), ("reasoning", delta.reasoning)):
            if said:
                found += dialect.parts.begin(name, (name, key))
        return found

    return begin


def _compile_whole(rules: Rules) -> Callable[[Declared, Any], tuple[Part, ...]] | None:
    """Compile what reads the whole of a field, with which its pieces are compared."""
    fields = (("text", rules.text_whole), ("reasoning", rules.reasoning_whole))
    says = [(name, say) for name, paths in fields if (say := compile_said(paths)) is not None]
    get = _compile_first(rules.part)
    if not says:
        return None

    def whole(dialect: Declared, payload: Any) -> tuple[Part, ...]:
        found: tuple[Part, ...] = ()
        for name, say in says:
            if text := say(payload):
                key = None if get is None else (name, hash(as_label(get(payload))))
                found += (Part(name, text),) if key is None else dialect.parts.whole(name, key, text)
        return found

    return whole


def _compile_first(paths: list[Path]) -> Get | None:
    """Compile the first of the paths that leads to something."""
    gets = [path.first for path in paths]
    if len(gets) > 1:
        return lambda payload: next((value for get in gets if (value := get(payload)) is not None), None)
    return gets[0] if gets else None


def compile_any(tests: list[Test]) -> Test | None:
    """Compile the test whether one of these holds; None if there is none."""
    if not tests or always in tests:
        return always if tests else None
    return any_of(tests)


def _compile_facts(rules: Rules) -> Callable[[Reading, Delta, Any, bool], None]:
    """Compile what adds ids, model, time, role and usage to a reading, and says what it is if it is nothing else.

    Most servers repeat them in each payload, so they are read as far as the first content, and without content.
    """
    id, model, created, role = map(_compile_first, (rules.id, rules.model, rules.created, rules.role))
    begins, add_usage = compile_any(rules.begins), compile_usage(rules.usage)

    def read_facts(reading: Reading, delta: Delta, payload: Any, goes_on: bool) -> None:
        if add_usage is not None:
            add_usage(reading, payload)
        if reading.usage and reading.kind is EventClass.STRUCTURAL:
            reading.kind = EventClass.USAGE
        if begins is not None:
            reading.begins = begins(payload)
        if goes_on:
            return
        if id is not None:
            reading.id = as_label(id(payload))
        if model is not None:
            reading.model = as_label(model(payload))
        if created is not None:
            reading.created = as_timestamp(created(payload))
        if role is not None:
            delta.role = as_label(role(payload))

    return read_facts


def compile_usage(rules: list[tuple[Get, Figures]]) -> Callable[[Reading, Any], None] | None:
    """Compile what adds numbers of tokens to a reading."""

    places: dict[Get, list[Figures]] = {}
    for get, figures in rules:
        places.setdefault(get, []).append(figures)
    found_at = [*places.items()]

    def add_usage(reading: Reading, payload: Any) -> None:
        for get, told in found_at:
            counts = get(payload)
            if counts.__class__ is not dict:
                continue
            for figures in told:
                if not figures.keys.isdisjoint(counts) and (found := as_figures(counts, figures.names)):
                    reading.usage = {**reading.usage, **found} if reading.usage else found

    return add_usage if rules else None


def _compile_tools(rules: list[ToolRule]) -> Callable[[Declared, Any], tuple[ToolFragment, ...]] | None:
    if not rules:
        return None

    places = [(None if rule.at is None else rule.at.all, rule) for rule in rules]

    def read_tools(dialect: Declared, payload: Any) -> tuple[ToolFragment, ...]:
        found: list[ToolFragment | None] = []
        for at, rule in places:
            calls = (payload,) if at is None else at(payload)
            found += [_read_tool(dialect, rule, call) for call in calls if isinstance(call, dict)]
        return tuple([fragment for fragment in found if fragment is not None]) if found else ()

    return read_tools


def _read_tool(dialect: Declared, rule: ToolRule, call: dict[str, Any]) -> ToolFragment | None:
    id = as_label(rule.id(call)) if rule.id is not None else None
    name = as_label(rule.name(call)) if rule.name is not None else None
    arguments, is_whole = as_said(rule.arguments(call)) if rule.arguments is not None else "", False
    if rule.whole is not None and (given := rule.whole(call)) is not None:
        arguments, is_whole = as_arguments(given), True
    if id is None and name is None and not arguments:
        return None
    told = as_label(rule.key(call)) if rule.key is not None else id
    kind = "hosted" if rule.hosted is not None and rule.hosted(call) else "function"
    return ToolFragment(
        dialect.key_of_call(told, id, named=name is not None, new=rule.opens), id, name, arguments, is_whole, kind
    )


def _compile_error(rules: list[ErrorRule]) -> Callable[[str, Any, bool], Failure | None]:
    """Compile what finds an error: where it is declared to stand, else where errors of any dialect stand."""

    def read_error(event: str, payload: Any, says: bool) -> Failure | None:
        for rule in rules:
            if rule.needs is not None and (payload.__class__ is not dict or rule.needs.isdisjoint(payload)):
                continue
            if (failure := _read_error(rule, payload)) is not None:
                return failure
        if isinstance(payload, dict) and ("error" in payload or not says):
            return find_failure(event, payload)
        return None

    return read_error


def _read_error(rule: ErrorRule, payload: Any) -> Failure | None:
    error = payload if rule.at is None else rule.at(payload)
    if error in _NO_ERROR or (isinstance(error, dict) and not any(error.values())):
        return None
    told = {name: value for name, get in rule.fields.items() if (value := get(error)) is not None}
    if rule.fields and not told:
        return None
    failure = failure_of({**as_object(error), **told} if rule.fields or isinstance(error, dict) else error)
    code = _CODES.get(failure.detail or "")  # some clients take no more than the words; those of ours are known
    return failure if code is None else Failure(code)


def failure_by_words(finish: str, words: frozenset[str]) -> Failure | None:
    """Return the failure that a finish word tells, in every dialect or, by these words, in one."""
    failure = failure_of_finish(finish)
    return failure_of({"type": finish}) if failure is None and finish.strip().lower() in words else failure

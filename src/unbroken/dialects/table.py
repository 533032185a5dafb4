"""The table of a declared dialect: what each key may hold, checked, and compiled to rules per kind of payload."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from ..core.naming import nearest
from ..core.proof import prove
from ..core.quantities import shown
from .paths import Get, Path, Test, all_of, compile_tests, holds, refuse_sentinel
from .readers import compile_read, keys_of_errors
from .rules import ErrorRule, Figures, Read, Rules, ToolRule, always

T = TypeVar("T")

EVENT: Final = "@event"
"""In place of a path: the name of the event."""
USAGE: Final = (
    *("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "reasoning_tokens"),
    *("cache_read_tokens", "cache_write_tokens", "thought_tokens"),
)
_USUAL_USAGE: Final = (
    {"input_tokens": "input_tokens", "output_tokens": "output_tokens"},
    {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"},
    {"total_tokens": "total_tokens"},
)
"""The names of figures in most objects of usage."""
WORDS_OF_ERRORS: Final = ("$message", "$code", "$status", "$error")
"""What is filled in, in the data of an error frame."""
_PLACES: Final = (
    *("text", "reasoning", "refusal", "text_whole", "reasoning_whole", "finish"),
    *("id", "model", "created", "role", "part"),
)
_CONDITIONS: Final = ("ends", "begins", "pings", "progress", "complete_when")
_FLAGS: Final = ("sentinel_completes", "takes_comments", "json_payloads")
_OWN_FLAGS: Final = ("finish_ends", "finish_completes")
_WORDS: Final = ("fails", "keys", "bare_names", "varying", "prose")
_MAYBE: Final = "maybe"
KEYS: Final = (
    *(
        "recognised_by",
        "kind",
        *_PLACES,
        "tools",
        "usage",
        "error",
        *_CONDITIONS,
        *_FLAGS,
        *_OWN_FLAGS,
        *_WORDS,
        "cumulative",
    ),
    *("sentinel", "event_name", "error_frame", "heartbeat", "like", "inside"),
)
"""Every key of a table."""
_TABLES: Final = ("tools", "usage", "error")
_TOOL: Final = ("at", "key", "id", "name", "arguments", "whole", "hosted")
_ERROR: Final = ("at", "message", "code", "status", "type", "retry_after")


class Compiled(NamedTuple):
    """The readers of a table: by kind, for other kinds, and what gives the kind; None: the name of the event.

    `tells`: the table says no more than errors and facts, and of an error one of these keys; None: it may say more.
    """

    by_kind: Mapping[str, Read]
    other: Read
    kind: Get | None
    tells: frozenset[str] | None


class Table:
    """A checked table. Raises `ValueError` or `TypeError` that names the key and what it may be."""

    def __init__(self, name: str, settings: Mapping[str, Any], where: str) -> None:
        self.where = where
        self.settings = settings
        self._check_keys(settings, KEYS, "")
        self._check_shape()
        self.has_kind = "kind" in settings
        self._rules: dict[str | None, Rules] = {None: Rules()}
        self._paths: list[Path] = []
        self._keys = {*settings.get("kind", EVENT).split(".")} - {EVENT}
        self.may_grow = settings.get("cumulative") == _MAYBE
        self._grows = not self.may_grow and self._flag("cumulative", False, '"maybe", true or false')
        self._fill()
        self.kinds = frozenset(kind for kind in self._rules if kind is not None)
        self.marks, self._recognisers = self._recognition()
        self.fails = frozenset(word.lower() for word in self._words("fails"))
        self.pings = frozenset(kind for kind, rules in self._rules.items() if kind and rules.pings)
        self.names = self.pings | frozenset(self._words("bare_names")) | self._told_by_name()
        self.finish_completes = self._flag("finish_completes", False)
        self.event_name = self._path("event_name", settings["event_name"]) if "event_name" in settings else None
        self.like = self._text("like")
        self.prose = frozenset(self._words("prose"))
        if self.prose and settings.get("kind") != EVENT:
            raise ValueError(f'{where}: prose names events, whose names must be the kinds: kind = "{EVENT}"')
        self.inside = self._path("inside", settings["inside"]).first if "inside" in settings else _same
        self.decides_end = not {"ends", "complete_when", "finish_completes"}.isdisjoint(settings)
        self.error_frame = self._frame("error_frame")
        self.heartbeat = _spell_heartbeat(self._frame("heartbeat"))

    # What a class is made of

    @property
    def members(self) -> dict[str, Any]:
        """The members of the class that the table sets."""
        keys = {key for path in self._paths for key in path.keys} | self._keys
        wholes = {
            path.keys[-1]
            for each in self._by_kind("tools", self.settings.get("tools", {}), is_leaf=_is_tool)
            for rule in each[1]
            if isinstance(rule, Mapping) and "whole" in rule and (path := Path(str(rule["whole"]))).keys
        }
        return {
            **{name: self._text(name) for name in ("sentinel",) if name in self.settings},
            "finish_ends": self._flag("finish_ends", False),
            "steady": not (self._grows or self.may_grow or self.prose),
            "cumulative": self._grows or self.may_grow,
            "keys": frozenset(keys | self._words("keys")),
            "varying": tuple(sorted(self._words("varying"))),
            "bare_names": frozenset(self._words("bare_names")),
            "exact_marks": tuple(f'"{key}"' for key in sorted(wholes)),
            **({"json_payloads": False, "tells_end": True} if self.prose else {}),
            **{name: self._flag(name, True) for name in _FLAGS if name in self.settings},
        }

    def recognises(self, event: str, payload: object) -> bool:
        """Return whether one of the conditions in `recognised_by` holds."""
        for name, test in self._recognisers:  # noqa: SIM110 - a generator would cost as much as a condition
            if (name is None or name == event) and test(payload):
                return True
        return False

    def compile(self) -> Compiled:
        """Return the readers. To be called once for each class."""
        kind = self.settings.get("kind")
        get: Get | None = None if kind == EVENT else Path(kind).first if kind else lambda payload: None
        readers = {kind: compile_read(rules) for kind, rules in self._rules.items()}
        other = readers.pop(None)
        tells = None if self.has_kind else keys_of_errors(self._rules[None])
        return Compiled({kind: read for kind, read in readers.items() if kind is not None}, other, get, tells)

    # The rules

    def _fill(self) -> None:
        """Compile what the table says to rules per kind; what is said of every kind is in each."""
        for key in _PLACES:
            name = f"{key}_whole" if self._grows and key in ("text", "reasoning") else key
            self._add(key, name, lambda value, where: [self._path(where, path) for path in _listed(value)])
        for key in _CONDITIONS:
            name = "complete" if key == "complete_when" else key
            for kind, test in self._conditions(key):
                getattr(self._of(kind), name).append(test)
        self._add("tools", "tools", self._tools, is_leaf=_is_tool)
        self._add("usage", "usage", self._usage, is_leaf=lambda value: not value.keys().isdisjoint(USAGE))
        self._add("error", "error", self._errors, is_leaf=lambda value: value.keys() <= {*_ERROR})
        common = self._rules[None]
        for rules in self._rules.values():
            if rules is not common:
                for name in Rules.__slots__:
                    getattr(rules, name).extend(getattr(common, name))

    def _add(
        self,
        key: str,
        name: str,
        parse: Callable[[Any, str], list[Any]],
        is_leaf: Callable[[Mapping[str, Any]], bool] = lambda value: False,
    ) -> None:
        if key in self.settings:
            for kind, value in self._by_kind(key, self.settings[key], is_leaf=is_leaf):
                getattr(self._of(kind), name).extend(parse(value, key if kind is None else f"{key}.{kind}"))

    def _of(self, kind: str | None) -> Rules:
        return self._rules.setdefault(kind, Rules())

    def _by_kind(
        self, key: str, value: Any, is_leaf: Callable[[Mapping[str, Any]], bool]
    ) -> Iterator[tuple[str | None, Any]]:
        """Yield what holds for a kind, or for all of them (None)."""
        is_table = isinstance(value, Mapping)
        if not is_table or is_leaf(value) or (key in _TABLES and not self.has_kind):
            yield None, _listed(value)
            return
        if not self.has_kind:
            raise ValueError(f"{self.where}: {key} differs by kind; say with kind= where the kind of a payload stands")
        for kinds, each in value.items():
            for kind in self._kinds_in(key, kinds):
                yield kind, _listed(each)

    def _kinds_in(self, key: str, kinds: Any) -> Iterator[str | None]:
        """Yield the kinds that are named in one text, separated by bars; None for `*`, all of them."""
        names = [name.strip() for name in kinds.split("|")] if isinstance(kinds, str) else []
        if not all(names) or not names:
            raise ValueError(f'{self.where}: {key} takes the names of kinds, such as "a" or "a|b", not {shown(kinds)}')
        for name in names:
            self._compiled(key, refuse_sentinel, name)
        yield from (None if name == "*" else name for name in names)

    def _conditions(self, key: str) -> Iterator[tuple[str | None, Test]]:
        """Yield kind and condition: a kind alone, where the table has kinds; a path; a path by kind."""
        value = self.settings.get(key, ())
        if isinstance(value, Mapping):
            for kind, conditions in self._by_kind(key, value, is_leaf=lambda value: False):
                for condition in conditions:
                    yield kind, always if condition is True else holds(self._path(f"{key}.{kind}", condition))
            return
        for each in _listed(value):
            if not isinstance(each, str):
                raise TypeError(f"{self.where}: {key} must be kinds or paths, not {shown(each)}")
            if self.has_kind and not each.startswith("["):
                for named in self._kinds_in(key, each):
                    yield named, always
            else:
                yield None, holds(self._path(key, each))

    def _tools(self, rules: Any, where: str) -> list[ToolRule]:
        found = []
        for rule in rules:
            self._check_keys(self._table(rule, where), _TOOL, where)
            given = {name: self._path(f"{where}.{name}", path) for name, path in rule.items() if name != "hosted"}
            if "whole" not in given and "arguments" not in given and "name" not in given:
                raise ValueError(f"{self.where}: {where} says neither name, arguments nor whole")
            hosted = rule.get("hosted", False)
            found.append(
                ToolRule(
                    given.pop("at", None),
                    hosted=always if hosted is True else holds(self._path(where, hosted)) if hosted else None,
                    opens="key" not in given and "id" not in given,
                    **{name: path.first for name, path in given.items()},
                )
            )
        return found

    def _usage(self, tables: Any, where: str) -> list[tuple[Get, Figures]]:
        found: dict[str, Figures] = {}
        usual: list[tuple[Get, Figures]] = []
        for table in tables:
            if isinstance(table, str):
                get = self._path(where, table).first if table != "." else _same
                usual += [(get, _usual_figures(names)) for names in _USUAL_USAGE]
                self._keys.update(key for names in _USUAL_USAGE for key in names.values())
                continue
            self._check_keys(self._table(table, where), USAGE, where)
            for name, text in table.items():
                self._path(f"{where}.{name}", text)
                head, _, key = text.rpartition(".")
                found.setdefault(head, Figures()).add(name, key)
        return usual + [(Path(head).first if head else _same, figures) for head, figures in found.items()]

    def _errors(self, rules: Any, where: str) -> list[ErrorRule]:
        found = []
        for rule in rules:
            if isinstance(rule, str):
                at = self._path(where, rule) if rule != "." else None
                found.append(
                    ErrorRule(None if at is None else at.first, needs=_all_of([None if at is None else at.needs]))
                )
                continue
            self._check_keys(self._table(rule, where), _ERROR, where)
            fields = {name: self._path(f"{where}.{name}", path) for name, path in rule.items() if name != "at"}
            at = self._path(f"{where}.at", rule["at"]) if "at" in rule else None
            needs = [each.needs for each in (fields.values() if at is None else (at,))]
            gets = {name: path.first for name, path in fields.items()}
            found.append(ErrorRule(None if at is None else at.first, gets, _all_of(needs)))
        return found

    # Recognition

    def _recognition(self) -> tuple[frozenset[str], list[tuple[str | None, Test]]]:
        """Return the first condition of each way to recognise it, and all of them, compiled."""
        marks: set[str] = set()
        recognisers: list[tuple[str | None, Test]] = []
        where = self.where
        for text in _listed(self.settings.get("recognised_by", ())):
            if not isinstance(text, str):
                raise TypeError(f"{where}: recognised_by must be conditions such as [key=value], not {shown(text)}")
            tests = self._compiled("recognised_by", compile_tests, text)
            names = [each.word for each in tests if each.key == EVENT]
            others = [each.test for each in tests if each.key != EVENT]
            test = all_of(others) if others else always
            self._check_event_keys("recognised_by", [each.key for each in tests])
            if not tests or None in names or (names and not all((names[0] or "").split("|"))):
                raise ValueError(f"{self.where}: recognised_by must be conditions, an event name as [@event=name]")
            self._keys.update(part for each in tests if each.key != EVENT for part in Path(each.key).keys)
            key, word = tests[0].key, tests[0].word
            for each in (word or "").split("|"):
                marks.add(key if word is None else f"{key}={each}")
            recognisers += [(name, test) for name in ((names[0] or "").split("|") if names else (None,))]
        return frozenset(marks), recognisers

    def _told_by_name(self) -> frozenset[str]:
        """Return the names of events that need no payload: where names are the kinds, those that begin, end or fail."""
        if self.settings.get("kind") != EVENT:
            return frozenset()
        told = {kind for kind, rules in self._rules.items() if kind and always in (*rules.ends, *rules.begins)}
        return frozenset(told)

    # Checks

    def _check_keys(self, table: Mapping[str, Any], known: Collection[str], where: str) -> None:
        for key in table:
            if key not in known:
                what = f"{self.where}: {where}" if where else self.where
                raise ValueError(f"{what} has no key {shown(key)}; {hint_of(str(key), known)}")

    def _check_shape(self) -> None:
        """Refuse what could only be a mistake before anything is compiled: empty tables, and keys that lack another."""
        settings, kind = self.settings, self.settings.get("kind", EVENT)
        if not settings:
            raise ValueError(f"{self.where}: the table is empty; say where the text of a payload stands: text = a path")
        if not isinstance(kind, str) or not kind:
            raise TypeError(f'{self.where}: kind must be a path such as type, or "{EVENT}", not {shown(kind)}')
        if kind != EVENT:
            self._check_event_keys("kind", [kind])
            self._compiled("kind", Path, kind)
        for key, value in settings.items():
            if isinstance(value, Mapping) and not value:
                raise ValueError(f"{self.where}: {key} is an empty table; say what stands where, or leave it out")
        if "inside" in settings and "like" not in settings:
            raise ValueError(f"{self.where}: inside needs like, the name of the dialect that stands there")

    def _check_event_keys(self, where: str, keys: Collection[str]) -> None:
        """Refuse what is nearly `@event`: it would be the key of a payload, and never be there."""
        for key in keys:
            if key != EVENT and key.startswith("@") and nearest(key, (EVENT,)):
                raise ValueError(f"{self.where}: {where} asks for {shown(key)}; did you mean {EVENT}?")

    def _table(self, value: Any, where: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise TypeError(f"{self.where}: {where} must be a table, not {shown(value)}")
        return value

    def _path(self, where: str, value: Any) -> Path:
        if not isinstance(value, str) or not value:
            raise TypeError(f"{self.where}: {where} must be a path such as delta.content, not {shown(value)}")
        if EVENT in value:
            fix = f'with kind = "{EVENT}" the names are the kinds'
            raise ValueError(f"{self.where}: {where}: {EVENT} is no place in a payload; {fix}")
        path = self._compiled(where, Path, value)
        self._paths.append(path)
        return path

    def _compiled(self, where: str, compile: Callable[[str], T], value: Any) -> T:
        try:
            return compile(value)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.where}: {where}: {error}") from None

    def _flag(self, key: str, default: bool, values: str = "true or false") -> bool:
        value = self.settings.get(key, default)
        if not isinstance(value, bool):
            raise TypeError(f"{self.where}: {key} must be {values}, not {shown(value)}")
        return value

    def _text(self, key: str) -> str | None:
        value = self.settings.get(key)
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{self.where}: {key} must be a text, not {shown(value)}")
        return value

    def _words(self, key: str) -> set[str]:
        words = _listed(self.settings.get(key, ()))
        for word in words:
            if not isinstance(word, str) or not word:
                raise TypeError(f"{self.where}: {key} must be a text or a list of texts, not {shown(word)}")
        return set(words)

    def _frame(self, key: str) -> Mapping[str, Any] | None:
        if key not in self.settings:
            return None
        value = self._table(self.settings[key], key)
        self._check_keys(value, ("event", "data"), key)
        name = value.get("event")
        if name is not None and (not isinstance(name, str) or set(name) & set("\r\n\0")):
            raise ValueError(f"{self.where}: {key}.event must be a name on one line, not {shown(name)}")
        if key == "error_frame" and "data" not in value:
            raise ValueError(f'{self.where}: error_frame needs data, such as {{"message": "$message"}}')
        if "data" in value:
            self._check_data(key, value["data"])
        return value

    def _check_data(self, key: str, data: Any) -> None:
        """Refuse data that is no JSON value, a text that is meant as one, and words that nothing is filled in for."""
        import json

        try:
            json.dumps(data, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(f"{self.where}: {key}.data must be a JSON value: {error}") from None
        if isinstance(data, str) and isinstance(prove(data), (dict, list)):
            raise ValueError(f"{self.where}: {key}.data is a text that holds JSON; write the value itself: {data[:60]}")
        for text in _texts_in(data) if key == "error_frame" else ():
            if text in WORDS_OF_ERRORS:
                continue
            if re.fullmatch(r"\$[A-Za-z_]+", text):
                hint = hint_of(text, WORDS_OF_ERRORS)
                raise ValueError(f"{self.where}: {key} fills in nothing for {shown(text)}; {hint}")
            for word in WORDS_OF_ERRORS:
                if word in text:
                    raise ValueError(f"{self.where}: {key} fills in {word} as a whole text, not within {shown(text)}")


def hint_of(key: str, known: Collection[str]) -> str:
    """Return the end of a message that names the nearest known key, or all of them."""
    near = nearest(key, known)
    return f"did you mean {near}?" if near else f"known are {', '.join(known)}"


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def _all_of(keys: list[str | None]) -> frozenset[str] | None:
    """Return the keys, or None if one is not known."""
    return None if None in keys else frozenset(filter(None, keys))


def _usual_figures(names: Mapping[str, str]) -> Figures:
    figures = Figures()
    for name, key in names.items():
        figures.add(name, key)
    return figures


def _texts_in(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON value, but for keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(each)


def _is_tool(value: Mapping[str, Any]) -> bool:
    return bool(value) and not any(isinstance(each, (Mapping, list, tuple)) for each in value.values())


def _same(payload: Any) -> Any:
    return payload


def _spell_heartbeat(frame: Mapping[str, Any] | None) -> bytes | None:
    if frame is None:
        return None
    import json

    name = f"event: {frame['event']}\n" if "event" in frame else ""
    data = f"data: {json.dumps(frame['data'])}\n" if "data" in frame else ""
    return f"{name}{data}\n".encode()

"""Where a value stands in a payload: `choices.0.delta.content`, `parts.*[type=text].text`, and conditions on it.

A path is keys, list indexes and `*` (each element), joined by dots. Behind each step may stand conditions in brackets,
which the value there must meet; at the beginning of a path they are about the payload itself. Paths are compiled to
functions once, and applied to untrusted values: what does not fit leads nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

Test = Callable[[Any], bool]
Get = Callable[[Any], Any]
Step = tuple[str, list["Condition"]]

_STEP: Final = r'(?P<key>[^.\[\]"]*)(?P<tests>(?:\[[^\[\]]*\])*)(?P<dot>\.|\Z)'
_TEST: Final = r"\[(?P<no>!?)(?P<key>[^\[\]=!:|]+)(?:(?P<sign>!?=|:)(?P<value>[^\[\]]*))?\]"
_LITERALS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}
_KINDS: Final[dict[str, Test]] = {
    "text": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "bool": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
}
_FORM: Final = "write keys, numbers and * joined by dots, and conditions as [key], [!key], [key=value] or [key:text]"


class Condition(NamedTuple):
    """What stands in brackets: the key, the word that is asked for (None: another condition), and the test.

    `needs`: the key without which an object does not meet it; None where there is no such key.
    """

    key: str
    word: str | None
    test: Test
    needs: str | None


class Path:
    """One path, compiled: `first` gives the value it leads to, or None; `all` gives every one of them.

    `keys` are the keys in it, `is_plain` says that it is nothing but keys, `is_single` that it leads to one value.
    `needs` is the key of the payload without which it leads nowhere; None where there is no such key.
    """

    __slots__ = ("all", "first", "is_plain", "is_single", "keys", "needs", "tests")

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"{text!r} is no path; {_FORM}")
        steps = list(_steps(text))
        self.keys = tuple(key for key, _ in steps if key not in ("", "*") and not key.isdigit())
        self.is_plain = len(self.keys) == len(steps) and not any(tests for _, tests in steps)
        self.is_single = all(key != "*" for key, _ in steps)
        self.needs = _needs(steps)
        self.tests = [each.test for each in steps[0][1]] if len(steps) == 1 and not steps[0][0] else None
        self.first = _compile_single(steps) if self.is_single else _compile_first(steps)
        self.all = _compile_one(self.first) if self.is_single else _compile_walk(steps)


def holds(path: Path) -> Test:
    """Return the test whether a path leads to something: not to nothing, null or false."""
    if path.tests is not None:
        return all_of(path.tests)
    first = path.first

    def test(payload: Any) -> bool:
        value = first(payload)
        return value is not None and value is not False

    return test


def compile_tests(text: str) -> list[Condition]:
    """Return the conditions in brackets. Raises `ValueError` if the text is not made of conditions."""
    found = [*re.finditer(_TEST, text)]
    if "".join(match[0] for match in found) != text:
        raise ValueError(f"{text!r} is no condition; {_FORM}")
    return [_condition(match) for match in found]


def refuse_sentinel(text: str) -> None:
    """Raise `ValueError` for the last payload of OpenAI's streams: as a condition it asks for a key of that name."""
    if text == "[DONE]":
        raise ValueError("[DONE] asks for a key DONE; of a last payload that is not JSON, write sentinel='[DONE]'")


def _refuse_mistaken(match: re.Match[str]) -> None:
    """Raise `ValueError` for a condition that is spelt as in another language, and would ask for that spelling."""
    refuse_sentinel(match[0])
    key, sign, value = match["key"], match["sign"], match["value"] or ""
    if sign == ":":
        return
    fix = ""
    if value.startswith("="):
        fix = "with one ="
    elif value in ("True", "False"):
        fix = f"with {value.lower()}"
    elif re.search(r"""(?:^|\|)(?P<quote>["']).*(?P=quote)(?:\||$)""", value):
        fix = "without quotes"
    if fix:
        words = "|".join(word.strip("\"'") for word in value.removeprefix("=").split("|"))
        written = words.lower() if words in ("True", "False") else words
        raise ValueError(f"{match[0]} asks for the text {value}; write it {fix}: [{match['no']}{key}{sign}{written}]")


def _refuse_index(text: str, step: re.Match[str]) -> None:
    """Raise `ValueError` for an index in brackets, which asks whether there is such an element."""
    if index := re.search(r"\[([0-9]+|\*)\]", step["tests"]):
        fix = re.sub(r"\[([0-9]+|\*)\]", r".\1", text).lstrip(".")
        raise ValueError(f"{text!r}: {index[0]} is a condition, and an element of a list is a step; write {fix}")


def _condition(match: re.Match[str]) -> Condition:
    _refuse_mistaken(match)
    sign, spelt = match["sign"], match["value"]
    asks = not match["no"] and sign != "!=" and not (sign == "=" and "null" in spelt.split("|"))
    word = spelt if sign == "=" else None
    return Condition(match["key"], word, _compile_test(match), Path(match["key"]).needs if asks else None)


def _needs(steps: list[Step]) -> str | None:
    """Return the key without which these steps lead nowhere."""
    key, tests = steps[0]
    if not key and len(steps) > 1:
        key = steps[1][0]
    if not key:
        return next((each.needs for each in tests if each.needs is not None), None)
    return None if key == "*" or key.isdigit() else key


def _steps(text: str) -> Iterator[Step]:
    at = 0
    while at < len(text) or text.endswith("."):
        match = re.compile(_STEP).match(text, at)
        if match is None or (not match["key"] and (at or not match["tests"])):
            raise ValueError(f"{text!r} is no path; {_FORM}")
        if match["key"] == "$" and not at:
            raise ValueError(f"{text!r} begins at the payload without a $; write {text[1:].lstrip('.') or '.'}")
        if match["key"] or match["dot"]:
            _refuse_index(text, match)
        yield match["key"], compile_tests(match["tests"])
        at = match.end()
        if at == len(text) and not match["dot"]:
            return


def _compile_test(match: re.Match[str]) -> Test:
    """Compile one condition on an object."""
    path, sign, spelt = Path(match["key"]), match["sign"], match["value"]
    get = path.first
    if sign == ":":
        return _compile_kind_test(get, spelt)
    if sign is None:
        wanted = not match["no"]
        return lambda value: (get(value) not in (None, False)) is wanted
    test = _compile_equal(path, spelt)
    return test if sign == "=" else lambda value: not test(value)


def _compile_equal(path: Path, spelt: str) -> Test:
    """Compile the test whether a value is one of these words; of one key, words that are texts cost no further call."""
    get, words = path.first, spelt.split("|")
    if len(words) == 1 and spelt in _LITERALS:
        literal = _LITERALS[spelt]
        return lambda value: get(value) is literal
    literals = [_LITERALS[word] for word in words if word in _LITERALS]
    numbers = [float(word) for word in words if re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", word)]
    if path.is_plain and len(path.keys) == 1 and len(words) == 1 and not numbers:
        (key,) = path.keys
        return lambda value: isinstance(value, dict) and value.get(key) == spelt
    texts = frozenset(words)

    def test(value: Any) -> bool:
        found = get(value)
        if found.__class__ is str:
            return found in texts
        if found is None or isinstance(found, bool):
            return any(found is literal for literal in literals)
        return isinstance(found, (int, float)) and found in numbers

    return test


def _compile_kind_test(get: Get, kind: str) -> Test:
    if kind not in _KINDS:
        raise ValueError(f"[...:{kind}] asks for no kind of value; known are {', '.join(_KINDS)}")
    test = _KINDS[kind]
    return lambda value: test(get(value))


def _compile_keys(keys: tuple[str, ...]) -> Get:
    """Compile a path of keys alone; those of one and two keys, as most are, cost no loop."""
    if len(keys) == 1:
        (only,) = keys
        return lambda value: value.get(only) if isinstance(value, dict) else None
    if len(keys) == 2:
        outer, inner = keys

        def pair(value: Any) -> Any:
            found = value.get(outer) if isinstance(value, dict) else None
            return found.get(inner) if isinstance(found, dict) else None

        return pair

    def chain(value: Any) -> Any:
        for key in keys:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    return chain


def all_of(tests: list[Test]) -> Test:
    """Return the test whether a value meets all of these."""
    if len(tests) == 1:
        return tests[0]

    def test_all(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost as much as two tests
            if not test(value):
                return False
        return True

    return test_all


def any_of(tests: list[Test]) -> Test:
    """Return the test whether a value meets one of these."""
    if len(tests) == 1:
        return tests[0]

    def test_any(value: Any) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(value):
                return True
        return False

    return test_any


def _compile_one(first: Get) -> Callable[[Any], list[Any]]:
    def every(value: Any) -> list[Any]:
        found = first(value)
        return [] if found is None else [found]

    return every


def _compile_single(steps: list[Step]) -> Get:
    """Compile a path that leads to one value: keys and indexes, and tests on the way."""
    if not any(tests for _, tests in steps):
        if not any(key.isdigit() for key, _ in steps):
            return _compile_keys(tuple(key for key, _ in steps))
        return _compile_places([int(key) if key.isdigit() else key for key, _ in steps])
    at = next(index for index, (_, tests) in enumerate(steps) if tests)
    (key, conditions), rest = steps[at], steps[at + 1 :]
    head = [*steps[:at], *([(key, [])] if key else [])]
    get = _compile_single(head) if head else None
    return _compile_tested(get, [each.test for each in conditions], _compile_single(rest) if rest else None)


def _compile_tested(head: Get | None, tests: list[Test], tail: Get | None) -> Get:
    """Compile what leads to a value that meets these tests, and from it to another."""
    only = all_of(tests)

    def tested(value: Any) -> Any:
        if head is not None:
            value = head(value)
        if value is None or not only(value):
            return None
        return value if tail is None else tail(value)

    return tested


def _compile_places(places: list[str | int]) -> Get:
    """Compile a path of keys and indexes."""

    def place(value: Any) -> Any:
        for at in places:
            if at.__class__ is int:
                value = value[at] if isinstance(value, list) and len(value) > at else None
            else:
                value = value.get(at) if isinstance(value, dict) else None
        return value

    return place


def _compile_first(steps: list[Step]) -> Get:
    every = _compile_walk(steps)

    def first(value: Any) -> Any:
        found = every(value)
        return found[0] if found else None

    return first


def _compile_walk(steps: list[Step]) -> Callable[[Any], list[Any]]:
    """Compile a path to several values: one value as far as the first `*`, each element of it, and so on."""
    at = next(index for index, (key, _) in enumerate(steps) if key == "*")
    (_, conditions), rest = steps[at], steps[at + 1 :]
    head = _compile_single(steps[:at]) if at else None
    tests = [each.test for each in conditions]
    only = all_of(tests) if tests else None
    goes_on = any(key == "*" for key, _ in rest)
    each_of = _compile_walk(rest) if goes_on else None
    last = _compile_single(rest) if rest and not goes_on else None

    def walk(value: Any) -> list[Any]:
        values = value if head is None else head(value)
        if not isinstance(values, list) or not values:
            return []
        if only is not None:
            values = [each for each in values if only(each)]
        if each_of is not None:
            return [found for each in values for found in each_of(each)]
        if last is not None:
            return [found for each in values if (found := last(each)) is not None]
        return values

    return walk

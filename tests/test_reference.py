"""docs/reference.md names everything that is public, with its true defaults."""

import dataclasses
import inspect
import re

import pytest

import unbroken
import unbroken.middleware
import unbroken.replay
from tests.fences import ROOT
from unbroken.core.failure import SENTENCES
from unbroken.core.registry import REGISTRY
from unbroken.core.report import StreamReport
from unbroken.http import FORWARDED

PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", PAGE))))
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
OPTIONS = {
    name: default
    for names, default in re.findall(r"^\| (`.+?`) \| `(.+?)` \|", SECTIONS["Options"], re.MULTILINE)
    for name in re.findall(r"\w+", names)
}


def test_the_reference_names_every_public_name() -> None:
    assert not {*unbroken.__all__, *unbroken.middleware.__all__, *unbroken.replay.__all__} - NAMED


@pytest.mark.parametrize("function", [unbroken.repair, unbroken.arepair, unbroken.iter_events, unbroken.aiter_events])
def test_the_reference_gives_every_option_with_its_default(function: object) -> None:
    parameters = inspect.signature(function).parameters  # type: ignore[arg-type]
    defaults = {name: parameter.default for name, parameter in parameters.items() if name != "chunks"}
    documented = {name: eval(OPTIONS[name], vars(unbroken)) for name in defaults}
    assert documented == defaults


def test_the_reference_gives_no_option_that_is_none() -> None:
    assert set(OPTIONS) <= set(inspect.signature(unbroken.repair).parameters)


def test_the_reference_tells_which_options_are_of_repair_only() -> None:
    only = {
        name
        for row in SECTIONS["Options"].splitlines()
        if "`repair` only" in row
        for name in re.findall(r"\w+", row)[:1]
    }
    every, events = (set(inspect.signature(f).parameters) for f in (unbroken.repair, unbroken.iter_events))
    assert only == every - events


def test_the_reference_names_every_fact_of_a_report() -> None:
    told = set(re.findall(r"\w+", SECTIONS["The report"]))
    assert not set(StreamReport().as_dict()) - told


@pytest.mark.parametrize(
    "name", ["RepairedStream", "AsyncRepairedStream", "StreamRepairer", "EventReader", "Event", "StreamError"]
)
def test_the_reference_names_every_method_that_somebody_needs(name: str) -> None:
    kind = getattr(unbroken, name)
    members = {m for m in dir(kind) if not m.startswith("_") and not hasattr(BaseException, m)}
    fields = {f.name for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    assert not members - fields - NAMED


def test_the_reference_names_every_verdict_code_and_dialect() -> None:
    assert not {verdict.name for verdict in unbroken.Verdict} - set(re.findall(r"\w+", SECTIONS["The verdict"]))
    assert not set(SENTENCES) - NAMED
    assert not set(REGISTRY) - set(re.findall(r"`([\w-]+)`", SECTIONS["Dialects"]))


HEADERS = re.findall(r"`([^`]+)`", " ".join(re.findall(r"^\| (`.+?`) \|", SECTIONS["HTTP"], re.MULTILINE)))


def test_the_reference_names_every_header_that_is_forwarded_and_no_other() -> None:
    assert sorted(HEADERS) == sorted(FORWARDED)


def test_each_header_that_the_reference_names_is_forwarded() -> None:
    headers = dict.fromkeys([name.replace("*", "remaining-tokens") for name in HEADERS], "text/plain")
    assert unbroken.clean_headers(headers, decoded=False) == headers

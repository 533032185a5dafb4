"""The page of replay's rivals tells what becomes of answers: ours exactly, theirs as far as a brief run shows."""

from __future__ import annotations

import pytest

from tests.peers.replay.__main__ import PAGE, findings, page, told
from tests.peers.replay.cases import CASES
from tests.peers.replay.rivals import OURS, RIVALS, Rival

PATIENCE = 4.5
"""Seconds: our lease, and two more until each reader is told."""
QUICK = tuple(rival for rival in RIVALS if rival.is_quick)
PROMISED = {
    "upstream raises": "told",
    "the producing process is killed": "told",
    "stop, while upstream is silent": "told, upstream closed",
    "two processes start one id at once": "one producer, exact",
    "a reader comes after the end": "exact",
    "a reload in the middle, with a cursor": "exact",
    "Redis is killed": "beside: all; elsewhere: told",
}
Found = dict[tuple[str, str], str]


@pytest.fixture(scope="module", name="found")
def _found() -> Found:
    return findings((*OURS, *QUICK), PATIENCE, rounds=1, at_once=6)  # most of it waits


def again(rival: Rival, fault: str) -> str:
    """Run one case alone, patiently: a busy machine's time is not the library's."""
    return findings([rival], 4 * PATIENCE, rounds=1, faults=[fault])[rival.title, fault]


def agrees(found: str, page: str) -> bool:
    """Return whether a brief run says nothing else than the page: what hangs may be told later, a race may go well."""
    said, rest = (set(text.replace("beside: ", "").replace("elsewhere: ", "").split("; ")) for text in (found, page))
    if said - {"hang"} <= rest:
        return True
    return set(found.split(", ")) - {"exact", "some hang"} <= set(page.split(", "))


@pytest.mark.parametrize("fault", CASES)
@pytest.mark.parametrize("rival", OURS, ids=lambda rival: rival.argument)
def test_ours_keeps_what_the_page_promises(rival: Rival, fault: str, found: Found) -> None:
    promised = "–" if fault == "Redis is killed" and not rival.is_in_redis else PROMISED[fault]
    assert told(PAGE.read_text(encoding="utf-8"))[rival.title, fault] == promised
    assert found[rival.title, fault] == promised or again(rival, fault) == promised, found[rival.title, fault]


@pytest.mark.parametrize("fault", CASES)
@pytest.mark.parametrize("rival", QUICK, ids=lambda rival: rival.title)
def test_the_page_is_fair_to_the_others(rival: Rival, fault: str, found: Found) -> None:
    said = told(PAGE.read_text(encoding="utf-8"))[rival.title, fault]
    assert agrees(found[rival.title, fault], said) or agrees(again(rival, fault), said), found[rival.title, fault]


def test_the_page_is_what_the_program_writes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page([*OURS, *RIVALS], told(text)) == text


def test_a_run_that_disagrees_is_seen() -> None:
    assert not agrees("clean end", "told")
    assert not agrees("several producers, wrong bytes", "one producer, wrong bytes")
    assert agrees("beside: clean end; elsewhere: hang", "beside: clean end; elsewhere: told")
    assert agrees("one producer, exact", "one producer, wrong bytes")

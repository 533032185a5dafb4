"""The state of a stream is one table, and the page that explains it shows that table."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from unbroken import Verdict
from unbroken.core.failure import Failure
from unbroken.core.state import TRANSITIONS, Mode, Phase, Signal, State

PAGE = Path(__file__).parent.parent / "docs" / "design.md"
OTHER = Failure("upstream-error")


def state_in(mode: Mode, phase: Phase) -> State:
    state = State()
    for signal in {Mode.KNOWN: [Signal.DIALECT], Mode.TEXT: [Signal.PROSE]}.get(mode, []):
        state.receive(signal)
    for signal in {Phase.DONE: [Signal.SENTINEL], Phase.DEAD: [Signal.FAILURE]}.get(phase, []):
        state.receive(signal)
    assert str(state) == f"{mode.value}/{phase.value}"
    return state


def table() -> str:
    """Write the transitions as the page shows them: a row for each signal, a column for each mode and phase."""
    columns = [*Mode, *Phase]
    rows = [["", *(f"*{column.value}*" for column in columns)], ["---"] * (1 + len(columns))]
    for signal in Signal:
        changes = TRANSITIONS[signal]
        rows.append([signal.value, *(f"*{changes[column].value}*" if column in changes else "" for column in columns)])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows).replace("|  |", "| |").replace("|  |", "| |")


def test_the_page_shows_the_table() -> None:
    assert table() in PAGE.read_text()


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize(("mode", "phase"), [*itertools.product(Mode, Phase)])
def test_a_signal_changes_what_the_table_says_and_nothing_else(mode: Mode, phase: Phase, signal: Signal) -> None:
    state = state_in(mode, phase)
    state.receive(signal)
    changes = TRANSITIONS[signal]
    assert state.mode is changes.get(mode, mode)
    assert state.phase is changes.get(phase, phase)


@pytest.mark.parametrize("stops", [True, False])
def test_after_its_sentinel_a_stream_stops_unless_what_follows_may_stay(stops: bool) -> None:
    state = State(stops_at_sentinel=stops)
    assert not state.stopped
    state.forwarded_sentinel()
    assert state.phase is Phase.DONE
    assert (state.stopped, state.after_done, state.ended) == (stops, stops, True)


def test_a_terminator_ends_the_answer_and_not_the_stream() -> None:
    state = State()
    state.forwarded_terminator()
    assert (state.phase, state.stopped, state.ended) == (Phase.LIVE, False, True)
    assert state.verdict(clean=False, cut=True, complete=False) is Verdict.COMPLETE


def test_the_first_failure_counts() -> None:
    state = State()
    state.forwarded_error(OTHER)
    state.forwarded_error(Failure("overloaded"))
    state.die(Failure("invalid-json"), 7)
    assert (state.failure, state.unreported) == (OTHER, None)
    assert (state.phase, state.dead_from) == (Phase.DEAD, 7)


def test_an_error_that_may_be_a_record_counts_once_the_dialect_is_known() -> None:
    state = State()
    state.forwarded_early_error(OTHER)
    state.forwarded_early_error(Failure("overloaded"))
    state.receive(Signal.PROSE)
    assert state.failure is None
    state.receive(Signal.DIALECT)
    assert (state.failure, state.unreported) == (OTHER, None)


def test_an_early_error_of_another_connection_is_not_counted() -> None:
    state = State()
    state.forwarded_early_error(OTHER)
    state.reconnect()
    state.receive(Signal.DIALECT)
    assert state.failure is None


def test_another_connection_goes_on_without_the_failure_of_the_last() -> None:
    state = State()
    state.receive(Signal.DIALECT)
    state.die(OTHER, 7)
    assert state.unreported is OTHER
    state.reconnect()
    assert str(state) == "known/live"
    assert (state.failure, state.unreported, state.dead_from) == (None, None, None)


@pytest.mark.parametrize(
    ("clean", "cut", "complete", "verdict"),
    [
        (True, False, None, Verdict.ENDED),
        (True, True, None, Verdict.TRUNCATED),
        (True, False, True, Verdict.COMPLETE),
        (True, True, True, Verdict.TRUNCATED),
        (True, False, False, Verdict.TRUNCATED),
        (False, False, True, Verdict.FAILED),
        (False, False, None, Verdict.FAILED),
    ],
)
def test_where_nothing_ended_it_the_verdict_follows_from_the_input(
    clean: bool, cut: bool, complete: bool | None, verdict: Verdict
) -> None:
    assert State().verdict(clean=clean, cut=cut, complete=complete) is verdict


def test_a_failure_outweighs_a_terminator() -> None:
    state = State()
    state.forwarded_terminator()
    state.broke(OTHER)
    assert state.verdict(clean=True, cut=False, complete=True) is Verdict.FAILED


def assignments(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((node, target) for target in node.targets)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            yield node, node.target


def test_nobody_else_changes_the_state() -> None:
    """In the source of the library no attribute of a state is assigned outside of its own module."""
    changed = [
        f"{path.name}: {ast.unparse(node)}"
        for path in sorted((PAGE.parent.parent / "src" / "unbroken").rglob("*.py"))
        for node, target in assignments(ast.parse(path.read_bytes()))
        if isinstance(target, ast.Attribute) and ast.unparse(target.value).split(".")[-1] == "state"
    ]
    assert not changed

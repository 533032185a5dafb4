"""What the kit says of a contract class that is wrong itself, and how it names what a repairer did."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import strategies as st

import unbroken
from unbroken import StreamError, StreamRepairer, Timeouts, iter_events
from unbroken.testing import (
    REFUSED_ARGUMENTS,
    REPAIR_CASES,
    TAKEN_OPTIONS,
    TIMED_CASES,
    AsyncParserContract,
    Claim,
    Finding,
    NDJSONContract,
    ParserContract,
    RepairContract,
    StoreContract,
    TimedCase,
    examine,
)
from unbroken.testing.repair_cases import RepairCase
from unbroken.testing.repair_cases.case import SAME
from unbroken.testing.routes import RouteContract

Options = dict[str, Any]


class Forwarding(RepairContract):
    """A repairer that passes on what it gets."""

    def repair(self, chunks: Iterable[bytes], options: Options) -> Iterator[bytes]:
        yield from chunks


def found(contract: Any, test: str) -> Finding:
    (finding,) = examine(contract, lambda name: name == f"test_{test}")
    return finding


# --- Attributes -------------------------------------------------------------------------------------------------------

WRONG_ATTRIBUTES = [
    (RepairContract, "options", {}, "strategy"),
    (RepairContract, "conversions", {"to": "ndjson"}, "dicts of options"),
    (RepairContract, "framings", "sse", "'sse', 'ndjson' or both"),
    (RepairContract, "framings", ("xml",), "'sse', 'ndjson' or both"),
    (RepairContract, "framings", (), "'sse', 'ndjson' or both"),
    (RepairContract, "rewrites", "raw-json", "kinds of repairs"),
    (RepairContract, "longest_retry", 1.5, "milliseconds"),
    (RepairContract, "paces", ({"pace": "words"},), "pairs (options, seconds"),
    (RepairContract, "paces", ("words",), "pairs (options, seconds"),
    (RepairContract, "paces", {"pace": "words"}, "pairs (options, seconds"),
    (RepairContract, "cases", (case for case in REPAIR_CASES), "REPAIR_CASES"),
    (RepairContract, "cases", TIMED_CASES, "REPAIR_CASES"),
    (RepairContract, "timed_cases", REPAIR_CASES, "TIMED_CASES"),
    (RepairContract, "refused_options", ({"limit": 7},), "pairs (options, class"),
    (RepairContract, "taken_options", {"limit": 7}, "dicts of options"),
    (RepairContract, "refused_arguments", TAKEN_OPTIONS, "rows (class, arguments"),
    (RepairContract, "taken_arguments", REFUSED_ARGUMENTS, "pairs (class, arguments)"),
    (RepairContract, "constructors", (Timeouts,), "functions by the name"),
    (RepairContract, "does_not_claim", Claim.LINEAR_TIME, "a tuple of claims"),
    (RepairContract, "does_not_claim", (Claim.BOM,), "Claim.RETRY"),
    (RepairContract, "max_event_bytes", "1 MB", "bytes"),
    (ParserContract, "does_not_claim", Claim.BOM, "Claim.BOM"),
    (ParserContract, "does_not_claim", ("BOM",), "Claim.BOM"),
    (NDJSONContract, "does_not_claim", (Claim.IDS,), "Claim.LINEAR_TIME"),
    (StoreContract, "tolerance", "1 s", "seconds"),
    (StoreContract, "examples", None, "a number"),
    (NDJSONContract, "claims_invalid_lines", "no", "True or False"),
    (RouteContract, "path", "stream", "begins with /"),
    (RouteContract, "method", None, "a method of HTTP"),
    (RouteContract, "body", "{}", "bytes"),
    (RouteContract, "request_headers", ["accept"], "names"),
    (RouteContract, "heartbeat", "15 s", "seconds, or None"),
    (RouteContract, "patience", None, "seconds"),
]


@pytest.mark.parametrize(("contract", "name", "value", "shape"), WRONG_ATTRIBUTES)
def test_an_attribute_of_another_shape_is_refused_where_the_class_is_made(
    contract: type, name: str, value: object, shape: str
) -> None:
    with pytest.raises(TypeError) as refused:
        type("Wrong", (contract,), {name: value})
    assert str(refused.value).startswith(f"Wrong.{name} must be ")
    assert shape in str(refused.value)


def test_an_attribute_that_is_a_property_is_left_for_later() -> None:
    assert type("Late", (RepairContract,), {"constructors": property(lambda self: {})})


# --- Methods ----------------------------------------------------------------------------------------------------------


class Running(Forwarding):
    """The same on a clock."""

    def clocked(self, options: Options, **seconds: float) -> Any:
        return StreamRepairer(heartbeat=None, timeouts=Timeouts(silence=seconds.get("silence")))


WRONG_METHODS: list[tuple[str, Callable[..., Any], str, str]] = [
    ("repair", lambda self, chunks, options: b"".join(chunks), "a_healthy_stream_reads_the_same", "list of bytes"),
    ("repair", lambda self, chunks, options: None, "a_healthy_stream_reads_the_same", "and not NoneType"),
    ("repair", lambda self, chunks, options: ["data"], "a_healthy_stream_reads_the_same", "an item that is str"),
    ("repair", lambda self, chunks, options: None, "a_frame_is_written_before_the_next_chunk_is_asked_for", "NoneType"),
    ("facts", lambda self, chunks, options: {}, "a_healthy_stream_reads_the_same", "a tuple (all bytes written"),
    (
        "facts",
        lambda self, chunks, options: (b"", {"repairs": {"a": 1}}),
        "every_line_leaves_or_is_named",
        "(kind, off",
    ),
    (
        "facts",
        lambda self, chunks, options: (b"", {"repairs": [("a", 1)]}),
        "every_line_leaves_or_is_named",
        "(kind, o",
    ),
    ("facts", lambda self, chunks, options: (b"", {"format": "SSE"}), "every_line_leaves_or_is_named", "'json-array'"),
    ("events", lambda self, chunks, options: None, "a_reader_sees_the_events_that_are_written", "(event, data, id)"),
    ("events", lambda self, chunks, options: ["a"], "a_reader_sees_the_events_that_are_written", "an item that is str"),
    ("variants", lambda self: [lambda chunks, options: []], "variants_agree", "dict of functions"),
    ("variants", lambda self: {"a": lambda chunks, options: b""}, "variants_agree", "variants()['a']"),
    ("clocked", lambda self, options, **seconds: None, "a_failure_is_one_last_frame", "next_deadline()"),
    ("reading", lambda self, options: None, "a_reader_of_chunks_reads_to_its_end", "feed(), close()"),
    ("watched", lambda self, options, tell, hooks, **seconds: None, "an_observer_is_told_in_order", "resume()"),
    ("reconnecting", lambda self, connect, options: None, "each_of_many_events_is_delivered_once", "list of bytes"),
    ("declared", lambda self, content_type: None, "a_repaired_body_that_is_declared_as_json_needs_no_repair", "dict"),
    ("facts_of", lambda self, ran: None, "chunks_are_counted", "a dict of facts"),
    ("bounded", lambda self, limit: {}, "memory_is_bounded_for_field_names", "pairs (options"),
]


@pytest.mark.parametrize(("name", "method", "test", "shape"), WRONG_METHODS)
def test_what_a_method_must_return_is_said(name: str, method: Callable[..., Any], test: str, shape: str) -> None:
    contract = type("Wrong", (Running,), {name: method})
    finding = found(contract(), test)
    assert finding.failure
    assert finding.failure.startswith(f"WrongContract: {name}")
    assert shape in finding.failure


@pytest.mark.parametrize(
    ("contract", "method", "test"),
    [
        (RepairContract, "repair(chunks, options)", "a_healthy_stream_reads_the_same"),
        (ParserContract, "parse(chunks)", "a_chunk_may_be_empty"),
        (AsyncParserContract, "aparse(chunks)", "a_chunk_may_be_empty"),
        (NDJSONContract, "parse(chunks)", "case_LF_ends_lines"),
        (StoreContract, "store(clock)", "of_many_that_start_one_is_elected"),
        (RouteContract, "app(upstream)", "the_headers_let_a_stream_pass"),
    ],
)
def test_a_contract_without_its_method_is_told_so(contract: type, method: str, test: str) -> None:
    assert found(contract(), test).failure == f"WrongContract: {contract.__name__} must define {method}"


def test_a_class_in_place_of_an_instance_is_refused() -> None:
    with pytest.raises(TypeError, match=r"an instance, Forwarding\(\), and not the class"):
        examine(Forwarding)


@pytest.mark.parametrize("returned", [None, b"data", {}, ["a"], [("message", "a")]])
def test_what_a_parser_must_return_is_said(returned: Any) -> None:
    contract = type("Wrong", (ParserContract,), {"parse": lambda self, chunks: returned})
    finding = found(contract(), "a_chunk_may_be_empty")
    assert finding.failure
    assert "WrongContract" in finding.failure
    assert "parse(chunks) must " in finding.failure


def test_what_events_raises_is_shown_with_its_stream() -> None:
    class Raising(Forwarding):
        options = st.just({"account": False})

        def events(self, chunks: Iterable[bytes], options: Options) -> Iterator[Any]:
            return (("message", event.data, "") for event in iter_events(chunks, dialect="openai-chat", **options))

    finding = found(Raising(), "a_reader_sees_the_events_that_are_written")
    assert finding.broken
    assert "seen      raised StreamError: " in str(finding.broken)
    assert "options   {'account': False}" in str(finding.broken)
    assert isinstance(finding.broken.__cause__, StreamError)


@pytest.mark.parametrize(
    ("name", "test"), [("clocked", "a_failure_is_one_last_frame"), ("reading", "a_reader_of_chunks_reads_to_its_end")]
)
def test_what_any_other_method_raises_is_shown_with_its_stream(name: str, test: str) -> None:
    def raising(self: Any, options: Options, **seconds: float) -> Any:
        raise KeyError("a bug")

    finding = found(type("Raising", (Forwarding,), {name: raising, "options": st.just({"a": 1})})(), test)
    assert finding.broken
    assert "options   {'a': 1}" in str(finding.broken)
    assert "seen      raised KeyError: 'a bug'" in str(finding.broken)


def test_a_sentinel_that_ends_no_stream_is_not_asked_for() -> None:
    class Endless(Forwarding):
        def ends_at_sentinel(self, options: Options) -> bool:
            return False

        def variants(self) -> dict[str, Any]:
            return {"same": self.repair}

    for test in ("nothing_leaves_after_the_sentinel", "nothing_leaves_after_the_sentinel_in_any_variant"):
        assert "ends_at_sentinel(options) is false for all" in (found(Endless(), test).skipped or "")


# --- Tables -----------------------------------------------------------------------------------------------------------

ARGUMENTS = "wrong_arguments_of_the_cases_are_refused_by_name"
OPTIONS = "wrong_options_of_the_cases_are_refused_by_name"


def making(**constructors: Callable[..., object]) -> Any:
    rows = [row for row in REFUSED_ARGUMENTS if row[0] == "Timeouts"]
    return type("Making", (Forwarding,), {"refused_arguments": rows, "constructors": constructors})()


def test_arguments_need_what_makes_their_classes() -> None:
    assert found(making(), ARGUMENTS).skipped == "does not define constructors"
    assert "missing are ['Timeouts'], unknown are ['Timeout']" in (
        found(making(Timeout=Timeouts), ARGUMENTS).failure or ""
    )
    assert "unknown are ['Pace']" in (found(making(Timeouts=Timeouts, Pace=Timeouts), ARGUMENTS).failure or "")
    assert found(making(Timeouts=Timeouts), ARGUMENTS) == Finding(f"test_{ARGUMENTS}", found(making(), ARGUMENTS).doc)
    assert found(making(Timeouts=dict), ARGUMENTS).broken


def test_what_is_taken_is_asked_for_alone() -> None:
    class Taking(Forwarding):
        taken_options = ({"a": 1},)
        taken_arguments = (("Timeouts", {"first": 0}),)
        constructors = {"Timeouts": Timeouts}  # noqa: RUF012

        def repair(self, chunks: Iterable[bytes], options: Options) -> Iterator[bytes]:
            yield from (options and 1 / 0) or ()

    assert found(Taking(), OPTIONS).broken
    assert found(Taking(), ARGUMENTS).broken
    assert found(Forwarding(), OPTIONS).skipped == "does not define refused_options or taken_options"
    assert found(Forwarding(), ARGUMENTS).skipped == "does not define refused_arguments or taken_arguments"


def test_a_failure_of_a_case_says_which() -> None:
    class Told(Forwarding):
        cases = (
            RepairCase("a right one", b"data: a\n\n", SAME),
            RepairCase("a wrong one", b"data: a\n\n", b"data: b\n\n", leaves=()),
        )

        def clocked(self, options: Options, **seconds: float) -> StreamRepairer:
            return StreamRepairer(heartbeat=None, timeouts=None)

    for test in (
        "the_cases_come_out_as_the_tables_say",
        "the_cases_come_out_the_same_frame_by_frame",
        "the_cases_come_out_the_same_byte_by_byte",
        "the_cases_leave_with_the_byte_that_completes_them",
    ):
        assert "case 'a wrong one'" in str(found(Told(), test).broken).splitlines()[0]


class Raising(Forwarding):
    cases = (RepairCase("a wrong one", b"data: a\n\n", SAME),)

    def repair(self, chunks: Iterable[bytes], options: Options) -> Iterator[bytes]:
        raise KeyError


def test_a_case_that_raises_says_which() -> None:
    finding = found(Raising(), "the_cases_come_out_as_the_tables_say")
    assert str(finding.broken).splitlines()[0] == "any bytes are taken: case 'a wrong one'"


@pytest.mark.parametrize(
    "test",
    [
        "the_cases_leave_with_the_byte_that_completes_them",
        "an_observer_is_told_the_repairs_of_the_cases",
        "an_observer_is_told_of_the_cases_on_a_clock",
    ],
)
def test_a_case_that_raises_on_a_clock_says_which(test: str) -> None:
    class OutOfOrder(Forwarding):
        cases = (RepairCase("a wrong one", b"data: a\n\n", SAME, leaves=(9,)),)
        timed_cases = (TimedCase("a wrong one", (("feed", (b"data: a\n\n", 0.0), SAME, None),)),)

        def clocked(self, options: Options, **seconds: float) -> Any:
            repairer = Mock(spec=StreamRepairer)
            repairer.feed.side_effect = KeyError("a bug")
            return repairer

        def watched(self, options: Options, tell: Any, hooks: Any, **seconds: float) -> Any:
            return self.clocked(options)

    lines = str(found(OutOfOrder(), test).broken).splitlines()
    assert lines[0] == "nothing is raised: case 'a wrong one'"
    assert lines[5] == "  seen      raised KeyError: 'a bug'"


class OnAClock(Forwarding):
    timed_cases = (
        TimedCase(
            "a beat",
            (("resume", (0.0,), b"", 4.75), ("on_deadline", (4.75,), b":\n\n", 11.0)),
            {"heartbeat": 5.0},
            facts={"heartbeats": 2},
        ),
    )

    def clocked(self, options: Options, **seconds: float) -> Any:
        return StreamRepairer(**options, heartbeat=seconds.get("heartbeat"), timeouts=None)

    def facts_of(self, ran: Any) -> Options:
        facts: Options = ran.report.as_dict()
        return facts


TIMED = "the_cases_on_a_clock_come_out_as_the_tables_say"


def test_a_failure_of_a_case_on_a_clock_shows_the_first_call_that_differs() -> None:
    lines = str(found(OnAClock(), TIMED).broken).splitlines()
    assert lines[0] == "a case has its outcome: case 'a beat', call 2: on_deadline(4.75)"
    assert lines[4:6] == ["  expected  {'next_deadline': 11.0}", "  seen      {'next_deadline': 9.5}"]


def test_a_failure_of_the_facts_of_a_case_on_a_clock_shows_them() -> None:
    (case,) = OnAClock.timed_cases
    right = TimedCase(case.name, (case.steps[0], (*case.steps[1][:3], 9.5)), case.seconds, facts=case.facts)
    contract = type("Right", (OnAClock,), {"timed_cases": (right,)})()
    lines = str(found(contract, TIMED).broken).splitlines()
    assert lines[0] == "a case has its outcome: case 'a beat'"
    assert lines[4:6] == ["  expected  {'heartbeats': 2}", "  seen      {'heartbeats': 1}"]


class Held:
    """A repairer on a clock, with no other methods than these, and a slot for none."""

    __slots__ = ("repairer",)

    def __init__(self, repairer: StreamRepairer) -> None:
        self.repairer = repairer


for _name in ("resume", "pause", "feed", "close", "fail", "next_deadline", "on_deadline"):
    setattr(Held, _name, lambda self, *given, _name=_name: getattr(self.repairer, _name)(*given))


def test_a_case_on_a_clock_names_the_methods_that_it_needs() -> None:
    class Modest(OnAClock):
        timed_cases = TIMED_CASES

        def clocked(self, options: Options, **seconds: float) -> Any:
            timeouts = Timeouts(**{name: seconds.get(name) for name in ("first", "idle", "silence", "total")})
            return Held(StreamRepairer(**options, heartbeat=seconds.get("heartbeat"), timeouts=timeouts))

        def watched(self, options: Options, tell: Any, hooks: Any, **seconds: float) -> Any:
            return self.clocked(options, **seconds)

    first = next(case for case in TIMED_CASES if {"hold", "withhold", "cancel"} & {step[0] for step in case.steps})
    renewing = next(case for case in TIMED_CASES if case.renews and case.remembers_ids)
    (name,) = {"hold", "withhold", "cancel"} & {step[0] for step in first.steps}
    for case, missing in ((first, f"{name}()"), (renewing, "the attribute `renew`, remember_ids()")):
        Modest.timed_cases = (case,)
        for test in (TIMED, "an_observer_is_told_of_the_cases_on_a_clock"):
            failure = found(Modest(), test).failure or ""
            assert f"must return an object with {missing}, for the case {case.name!r} of timed_cases" in failure


# --- The law that is named --------------------------------------------------------------------------------------------

PROMPT = "a_frame_is_written_before_the_next_chunk_is_asked_for"


def test_bytes_that_change_do_not_leave_late() -> None:
    class Spacing(Forwarding):
        def repair(self, chunks: Iterable[bytes], options: Options) -> Iterator[bytes]:
            return (chunk.replace(b"{", b"{ ") for chunk in chunks)

    assert str(found(Spacing(), PROMPT).broken).startswith("healthy streams stay")


def test_frames_that_leave_late_are_seen_where_what_upstream_raises_is_kept() -> None:
    class Late(Forwarding):
        def repair(self, chunks: Iterable[bytes], options: Options) -> Iterator[bytes]:
            held = b""
            try:
                for chunk in chunks:
                    yield held
                    held = chunk
            except Exception:
                pass
            yield held

    assert str(found(Late(), PROMPT).broken).startswith("frames leave at once")


def test_a_second_repair_shows_what_differs() -> None:
    class Dropping(Forwarding):
        def repair(self, chunks: Iterable[bytes], options: Options) -> Iterator[bytes]:
            return (chunk[:-1] for chunk in chunks)

    shown = str(found(Dropping(), "a_repaired_stream_needs_no_repair_in_any_order_of_its_frames").broken)
    assert "  expected  {'written': b'" in shown
    assert "'repairs'" not in shown


# --- What is printed --------------------------------------------------------------------------------------------------

FILE = """
from unbroken.testing import ParserContract, RepairContract


class TestProxy(RepairContract):
    def repair(self, chunks, options):
        for chunk in chunks:
            yield chunk.replace(b"t", b"T")

    def clocked(self, options, **seconds):
        return None


class TestParser(ParserContract):
    def parse(self, chunks):
        return []
"""
FAILING = "TestProxy and (_other_line_ends or no_gap_is) or TestParser and (a_CRLF or case_LF_ends)"


def test_a_short_traceback_has_no_frame_of_the_kit(tmp_path: Path) -> None:
    file = tmp_path / "test_of_a_newcomer.py"
    file.write_text(textwrap.dedent(FILE))
    env = {**os.environ, "PYTHONPATH": str(Path(unbroken.__file__).resolve().parents[1])}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", "-k", FAILING, file.name]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=env, check=False).stdout
    assert {"ContractBroken", "WrongContract"} <= {*re.findall(r"\w+(?=: )", printed)}
    # An entry of a traceback begins with its file and line.
    assert [line for line in printed.splitlines() if ".py:" in line and ": in " in line] == []
    assert "Failing test case" not in printed


def test_examining_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    class Skipping(Forwarding):
        def facts(self, chunks: Iterable[bytes], options: Options) -> tuple[bytes, Options]:
            return b"", {}

    findings = examine(Skipping(), lambda name: "leaves_or_is_named" in name or "healthy" in name)
    assert {bool(finding.skipped) for finding in findings} == {True, False}
    assert capfd.readouterr() == ("", "")

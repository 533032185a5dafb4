"""Every fault has the result that it predicts, in its examples and wherever it is planted."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbroken import (
    Attempt,
    RepairKind,
    Retry,
    StreamRepairer,
    StreamReport,
    Timeouts,
    from_response,
    repair,
    retrying,
)
from unbroken.testing.cuts import every
from unbroken.testing.faults import FAULTS, TRANSPORT_FAULTS, BrokenStream, Healthy, Outcome
from unbroken.testing.server import ScriptedServer
from unbroken.testing.sources import ScriptedSource
from unbroken.testing.strategies import broken, chunkings

EXAMPLES = [
    pytest.param(example, id=f"{fault.name} {number}")
    for fault in FAULTS.values()
    for number, example in enumerate(fault.examples)
    if not example.connections
]


def repaired(stream: BrokenStream, chunks: Iterable[bytes]) -> tuple[bytes, StreamReport]:
    repairer = StreamRepairer(**stream.options)
    out = [frame for chunk in chunks for frame in repairer.feed(chunk, 0.0)]
    return b"".join(out + repairer.close(0.0)), repairer.report


def check(stream: BrokenStream, chunks: Sequence[bytes]) -> None:
    out, report = repaired(stream, chunks)
    assert (report.error.code if report.error and stream.error else None) == stream.error
    seen = stream.seen_in(out)
    if stream.error:
        seen.pop()
    assert seen == stream.expected
    assert set(report.repairs) == set(stream.repairs)
    assert all(report.repairs[kind] >= count for kind, count in stream.repairs.items())


def test_every_repair_has_its_fault_with_examples() -> None:
    assert set(FAULTS) == {kind.value for kind in RepairKind}
    assert all(fault.examples for fault in FAULTS.values())


@pytest.mark.parametrize("stream", EXAMPLES)
def test_an_example_is_mended_whole_and_bytewise(stream: BrokenStream) -> None:
    check(stream, [stream.data])
    check(stream, every(stream.data, 1))


def check_planted(data: st.DataObject) -> None:
    stream = data.draw(broken())
    if not stream.connections:
        check(stream, data.draw(chunkings(stream.data)))


@given(st.data())
def test_faults_are_mended_wherever_they_are_planted(data: st.DataObject) -> None:
    check_planted(data)


@pytest.mark.slow
@settings(max_examples=1_000)
@given(st.data())
def test_faults_are_mended_in_many_more_places(data: st.DataObject) -> None:
    check_planted(data)


def test_what_was_sent_again_is_dropped() -> None:
    for stream in FAULTS["repeated-event"].examples:
        first, second = stream.connections

        def connect(attempt: Attempt, first: bytes = first, second: bytes = second) -> Iterator[bytes]:
            yield first if attempt.number == 1 else second
            if attempt.number == 1:
                raise ConnectionResetError

        source = retrying(connect, resume=True, retry=Retry(base=0.0))
        with closing(repair(source)) as out:
            assert stream.seen_in(b"".join(out)) == stream.expected
        assert out.report.repairs[RepairKind.REPEATED_EVENT] == stream.repairs[RepairKind.REPEATED_EVENT]


def transport_examples(*, on_a_wire: bool = False) -> Iterator[object]:
    for fault in TRANSPORT_FAULTS.values():
        if on_a_wire and fault.wire is None:
            continue  # a server cannot cause it
        for number, (healthy, outcome) in enumerate(fault.examples):
            yield pytest.param(fault.name, healthy, outcome, id=f"{fault.name} {number}")


def check_outcome(out: bytes, report: StreamReport, healthy: Healthy, outcome: Outcome) -> None:
    assert report.verdict is outcome.verdict
    assert (report.error and report.error.code) == outcome.error
    assert out.startswith(outcome.delivered)
    assert len(out) > len(outcome.delivered) if outcome.error else out == outcome.delivered


@pytest.mark.parametrize(("name", "healthy", "outcome"), list(transport_examples()))
def test_a_fault_of_the_transport_ends_as_it_says(name: str, healthy: Healthy, outcome: Outcome) -> None:
    source = ScriptedSource(TRANSPORT_FAULTS[name].steps(healthy.frames))
    stream = repair(
        source, abort=source.abort, timeouts=Timeouts(silence=0.2), heartbeat=None, content_type=outcome.content_type
    )
    check_outcome(b"".join(stream), stream.report, healthy, outcome)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "healthy", "outcome"), list(transport_examples(on_a_wire=True)))
def test_a_fault_of_the_transport_ends_so_on_a_socket(name: str, healthy: Healthy, outcome: Outcome) -> None:
    wire = TRANSPORT_FAULTS[name].wire
    assert wire is not None
    with ScriptedServer(wire(healthy.frames)) as server, httpx.stream("GET", server.url) as response:
        stream = repair(from_response(response), timeouts=Timeouts(silence=0.2), heartbeat=None)
        check_outcome(b"".join(stream), stream.report, healthy, outcome)

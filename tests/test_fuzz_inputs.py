"""What the fuzzer feeds and reports, without the fuzzer: inputs, the smallest one, and the program that shows it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import inputs
from unbroken import DEFAULT_REPAIRS, RepairKind
from unbroken.core.options import check_options


@given(st.binary(max_size=inputs.HEADER + 40))
def test_any_bytes_are_a_stream_that_can_be_read_with_its_options(given: bytes) -> None:
    case = inputs.decode(given)
    check_options(**case.options)
    assert case.data == given[inputs.HEADER :]
    assert all(case.chunks)


def test_zeros_choose_nothing() -> None:
    assert inputs.decode(bytes(inputs.HEADER) + b"data: 1\n\n") == inputs.Case((b"data: 1\n\n",))


def test_a_seed_gives_the_same_streams_each_time() -> None:
    assert [*inputs.seeds(7)] == [*inputs.seeds(7)] != [*inputs.seeds(8)]


def check_no_pair(chunks: list[bytes], **options: Any) -> None:
    """Break for a chunk that ends with x before one that begins with it, where comments are dropped."""
    if RepairKind.RAW_JSON not in options.get("repairs", DEFAULT_REPAIRS) and options.get("comments") == "drop":
        assert b"x|x" not in b"|".join(chunks)


LAW = inputs.Law("no pair", check_no_pair, cut=True)
LARGE = inputs.Case(
    (b"data: ", b"1x", b"x2\n", b"\n"),
    {"format": "sse", "comments": "drop", "repairs": frozenset({RepairKind.STRAY_LINE})},
)


def test_a_finding_is_made_as_small_as_it_can_be() -> None:
    small = inputs.smallest(LAW, LARGE)
    assert small == inputs.Case((b"x", b"x"), {"comments": "drop", "repairs": DEFAULT_REPAIRS - {RepairKind.RAW_JSON}})
    assert isinstance(LAW.broken_by(small), AssertionError)


def test_the_program_of_a_finding_shows_it_again() -> None:
    law = inputs.LAW_OF["law 4"]
    case = inputs.Case((b"data: 1\n", b"\n"), {"to": "ndjson"})
    assert law.broken_by(case) is None  # not promised
    line = inputs.program(LAW, inputs.smallest(LAW, LARGE))
    try:
        exec(line, {})
    except AssertionError:
        return
    raise RuntimeError(f"nothing broke: {line}")


def test_a_law_is_asked_only_where_it_is_promised() -> None:
    sample = {name: values[1] for name, values in inputs.CHOICES}
    asked = {law.name for law in inputs.LAWS if law.asked(sample)}
    assert asked == {"law 1", "law 1, fast path", "law 5", "law 9"}
    assert all(law.asked({}) for law in inputs.LAWS)

"""Ids that were delivered are recognised on the next connection, and nothing else is."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from unbroken.core.resume import REMEMBERED, DeliveredIds


def delivered(*ids: str, initial: str = "") -> DeliveredIds:
    known = DeliveredIds(initial)
    for id in ids:
        known.add(id)
    known.restart()
    return known


def kept(known: DeliveredIds, *ids: str) -> list[str]:
    return [id for id in ids if not known.repeats(id)]


def test_a_server_that_begins_anew_is_skipped_up_to_the_last_delivered() -> None:
    assert kept(delivered("a", "b"), "a", "b", "c", "d") == ["c", "d"]


def test_a_server_that_goes_on_is_not_touched() -> None:
    assert kept(delivered("a", "b"), "c", "d") == ["c", "d"]


def test_a_server_that_repeats_the_last_event_is_skipped_by_one() -> None:
    assert kept(delivered("a", "b"), "b", "c") == ["c"]


def test_a_server_may_begin_anywhere_before_the_last() -> None:
    assert kept(delivered("a", "b", "c", "d"), "b", "c", "d", "e") == ["e"]


def test_after_the_last_delivered_id_nothing_is_skipped_any_more() -> None:
    assert kept(delivered("a", "b"), "b", "a", "b") == ["a", "b"]


def test_an_id_that_was_never_delivered_passes_in_the_middle_of_a_repetition() -> None:
    assert kept(delivered("a", "b", "c"), "a", "x", "b", "c", "d") == ["x", "d"]


def test_a_repetition_that_never_reaches_the_last_id_loses_nothing_new() -> None:
    assert kept(delivered("a", "b", "c"), "a", "x", "y", "z") == ["x", "y", "z"]


def test_nothing_is_skipped_on_the_first_connection() -> None:
    known = DeliveredIds()
    known.add("a")
    assert kept(known, "a", "a") == ["a", "a"]


def test_without_a_delivered_id_nothing_is_skipped() -> None:
    assert kept(delivered(), "a", "b") == ["a", "b"]


def test_what_comes_before_a_known_id_passes_and_what_is_known_does_not() -> None:
    """As where a server begins with an event about the connection."""
    assert kept(delivered("a", "b"), "hello", "a", "b", "c") == ["hello", "c"]


def test_what_a_connection_brings_itself_is_never_taken_for_a_repetition() -> None:
    known = delivered("a", "b")
    for id in ("c", "c", "c"):
        assert not known.repeats(id)
        known.add(id)


def test_the_id_before_the_first_connection_is_known_too() -> None:
    assert kept(delivered("4", "5", initial="3"), "3", "4", "5", "6") == ["6"]
    assert kept(delivered("4", "5", initial="3"), "6", "7") == ["6", "7"]


def test_what_came_before_the_initial_id_is_not_known_and_passes() -> None:
    assert kept(delivered("4", "5", initial="3"), *"12345678") == list("12678")


def test_the_initial_id_alone_proves_no_repetition() -> None:
    assert kept(delivered(initial="3"), *"12345") == list("12345")
    assert delivered(initial="3").last is None
    assert delivered("4", initial="3").last == "4"
    assert delivered("4", "", initial="3").last is None


def test_an_empty_id_names_nothing() -> None:
    assert kept(delivered("a", ""), "a") == ["a"]
    assert kept(delivered("a", "b"), "", "a", "", "b", "c") == ["", "", "c"]


def test_each_connection_is_judged_by_its_own_beginning() -> None:
    known = delivered("a", "b")
    assert kept(known, "a") == []
    known.restart()
    assert kept(known, "c") == ["c"]
    known.add("c")
    known.restart()
    assert kept(known, "a", "b", "c", "d") == ["d"]


def test_a_repetition_that_broke_off_ends_with_its_connection() -> None:
    known = delivered("a", "b")
    assert kept(known, "a") == []
    known.add("")  # a block that takes the last id back: there is nothing to go on from
    known.restart()
    assert kept(known, "b") == ["b"]


def test_a_stream_of_more_ids_than_are_remembered_is_still_known_from_its_first() -> None:
    ids = [str(number) for number in range(REMEMBERED + 100)]
    assert kept(delivered(*ids), *ids, "new") == ["new"]
    assert kept(delivered(*ids), *ids[-50:], "new") == ["new"]
    assert kept(delivered(*ids), ids[0], "", ids[-1], "new") == ["", "new"], "an empty id names nothing there either"


def test_what_was_forgotten_is_skipped_between_the_first_ids_and_the_remembered_ones_only() -> None:
    ids = [str(number) for number in range(REMEMBERED + 100)]
    assert kept(delivered(*ids, initial="begin"), "begin", *ids, "new") == ["new"]
    assert kept(delivered(*ids), ids[0], ids[1], ids[-2], "x", ids[-1]) == ["x"]
    assert kept(delivered(*ids), ids[-2], "x", "y") == ["x", "y"]


def test_as_long_as_nothing_was_forgotten_an_unknown_id_is_new() -> None:
    ids = [str(number) for number in range(REMEMBERED)]
    assert kept(delivered(*ids), ids[0], "x", ids[-1], "new") == ["x", "new"]


def test_what_is_remembered_is_bounded_whatever_the_ids_are() -> None:
    known = DeliveredIds()
    tracemalloc.start()
    for number in range(3 * REMEMBERED):
        known.add(f"{number}" + 10_000 * "x")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2**20


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_whatever_is_repeated_the_delivered_ids_are_a_prefix_without_duplicates(
    length: int, connections: list[tuple[int, int]]
) -> None:
    """Each connection begins at or before the last delivered event, or right after it, and breaks somewhere."""
    whole = [f"id {number}" for number in range(length)]
    known, got = DeliveredIds(), list[str]()
    for begin, count in connections:
        known.restart()
        begin = min(begin, len(got))
        for id in whole[begin : begin + count]:
            if not known.repeats(id):
                got.append(id)
                known.add(id)
    assert got == whole[: len(got)]

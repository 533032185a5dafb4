"""The contract finds in other parsers what is known of them, nothing in ours, and the page tells what it finds."""

from __future__ import annotations

import pytest

from tests.peers.examining import Result, examined
from tests.peers.peers import NDJSON_PEERS, OUR_LINES, OURS, SSE_PEERS, Peer
from tests.peers.table import MARKS, PAGE, cases, measured, title

PEERS = (*SSE_PEERS, *NDJSON_PEERS, OURS, OUR_LINES)
BY_NAME = {peer.title: peer for peer in SSE_PEERS}


@pytest.fixture(scope="session")
def results() -> dict[Peer, dict[str, Result]]:
    found = measured(PEERS)
    for peer, tests in found.items():
        told = told_of(peer)
        if any(told[name] != mark for name, mark in marks(tests).items() if name.startswith("linear time")):
            again = examined(peer)  # a busy machine takes its time for the parser's: measured again, alone
            found[peer] = tests | {test: result for test, result in again.items() if "linear_time" in test}
    return found


EVERY = {peer.title for peer in SSE_PEERS}
KNOWN: dict[str, set[str]] = {
    # A byte order mark costs the first event.
    "test_a_byte_order_mark_hides_nothing": EVERY,
    # One wrong byte raises, and the rest is lost.
    "test_wrong_bytes_become_U_FFFD_and_reading_goes_on": {
        *("sseclient-py 1.7.2", "sseclient-py 1.9.0", "aiohttp-sse-client 0.2.1", "requests-sse 0.5.3"),
        *("launchdarkly-eventsource 1.7.4", "openai 3.52.0", "anthropic 1.0.0", "anthropic 2.11.0", "requests 2.34.2"),
    },
    # Behind an id, a comment block or a blank line yields an event that was never sent.
    "test_a_block_without_data_is_no_event_behind_an_id": {
        *("httpx-sse 0.4.0", "httpx-sse 0.4.3", "openai 1.0.0", "openai 3.52.0", "anthropic 1.0.0", "anthropic 2.11.0"),
        *("httpx2 2.16.2", "cohere 7.3.1"),
    },
    # An id in a block without data is forgotten, or makes an event.
    "test_an_id_of_a_block_without_data_is_kept": EVERY - {"aiohttp-sse-client 0.2.1", "requests-sse 0.5.3"},
    # `str.splitlines` ends lines where the standard does not.
    "test_no_other_character_ends_a_line": {"httpx-sse 0.4.0", "openai 1.0.0", "sseclient 0.0.27"},
    # A CRLF that is cut in two counts twice.
    "test_a_CRLF_may_be_cut_in_two": {"requests-sse 0.5.3"},
    # So does one behind a lone CR, or what follows it is taken for the same block.
    "test_the_same_bytes_are_the_same_events_at_any_cut": {
        *("requests-sse 0.5.3", "sseclient-py 1.7.2", "sseclient-py 1.9.0", "anthropic 1.0.0", "anthropic 2.11.0"),
    },
    # Two line ends of different kinds are no blank line.
    "test_any_line_end_ends_a_line": {"sseclient-py 1.7.2", "sseclient-py 1.9.0", "sseclient 0.0.27"},
    # `int()` takes `1_000`.
    "test_retry_takes_ascii_digits_only": {
        *("httpx-sse 0.4.0", "httpx-sse 0.4.3", "openai 1.0.0", "openai 3.52.0"),
        *("httpx2 2.16.2", "cohere 7.3.1"),
    },
    # The charset parameter is obeyed.
    "test_the_charset_parameter_changes_nothing": {"httpx-sse 0.4.0", "httpx-sse 0.4.3", "httpx2 2.16.2"},
    # The unfinished line is copied, or searched, again with each chunk.
    "test_linear_time_for_one_long_line_in_small_chunks": {
        *("sseclient-py 1.7.2", "sseclient-py 1.9.0", "sseclient 0.0.27", "requests-sse 0.5.3"),
        *("anthropic 1.0.0", "anthropic 2.11.0", "cohere 7.3.1", "requests 2.34.2"),
    },
}
"""What is known to break, from reports and from reading these parsers; each must be found by the contract alone."""

SOUND = {
    "test_an_id_of_a_block_without_data_is_kept": {"aiohttp-sse-client 0.2.1", "requests-sse 0.5.3"},
    "test_no_other_character_ends_a_line": {"httpx-sse 0.4.3", "openai 3.52.0", "anthropic 2.11.0"},
    "test_linear_time_for_one_long_line_in_small_chunks": {"httpx-sse 0.4.3", "openai 3.52.0"},
}
"""What is known to hold, so that a contract which fails everything does not pass."""


@pytest.mark.parametrize("test", KNOWN)
def test_what_is_known_to_break_is_found(test: str, results: dict[Peer, dict[str, Result]]) -> None:
    found = {name for name, peer in BY_NAME.items() if results[peer][test].failure}
    assert KNOWN[test] <= found


@pytest.mark.parametrize("test", SOUND)
def test_what_is_known_to_hold_passes(test: str, results: dict[Peer, dict[str, Result]]) -> None:
    for name in SOUND[test]:
        assert results[BY_NAME[name]][test].failure is None


@pytest.mark.parametrize("peer", [OURS, OUR_LINES], ids=["events", "lines"])
def test_nothing_breaks_ours_and_all_is_asked(peer: Peer, results: dict[Peer, dict[str, Result]]) -> None:
    assert {test: result for test, result in results[peer].items() if result.mark != "yes"} == {}


def test_every_counterexample_is_small(results: dict[Peer, dict[str, Result]]) -> None:
    streams = [result.stream for peer in BY_NAME.values() for result in results[peer].values() if result.stream]
    assert streams
    assert max(map(len, streams)) < 200


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer.title} {peer.contract}")
def test_the_page_tells_what_was_found(peer: Peer, results: dict[Peer, dict[str, Result]]) -> None:
    assert told_of(peer) == {**marks(results[peer]), "cases of the standard": cases(results[peer])}


def told_of(peer: Peer) -> dict[str, str]:
    """Return the page's column of this peer."""
    heading = "## NDJSON\n" if peer in (*NDJSON_PEERS, OUR_LINES) else "## Server-sent events\n"
    section = PAGE.read_text(encoding="utf-8").partition(heading)[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|")]
    column = rows[0].index(peer.title)
    return {row[0]: row[column] for row in rows[2:]}


def marks(results: dict[str, Result]) -> dict[str, str]:
    """Return the page's mark for each test but those of the cases."""
    return {title(test): MARKS[result.mark] for test, result in results.items() if "_case_" not in test}

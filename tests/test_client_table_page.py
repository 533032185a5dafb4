"""`docs/client-table.md` is what its program writes from what was found; `tests/clients` runs a selection anew."""

from __future__ import annotations

from tests.clients.table.page import PAGE, page
from tests.clients.table.python_clients import CLIENTS
from tests.clients.table.results import Results
from tests.clients.table.streams import FAULTS, PROVIDERS, RESET, SAID, script


def test_the_tables_of_the_page_are_what_was_found() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(Results.read()), "write it anew: python -m tests.clients.table"


def test_44_entry_points_of_packages_were_measured_and_all_that_are_for_python() -> None:
    found = Results.read().clients
    assert sum(bool(told["package"]) for told in found.values()) == 44
    assert CLIENTS.keys() <= found.keys()
    for name, client in CLIENTS.items():
        assert (found[name]["package"], found[name]["dialect"]) == (client.package, client.dialect)


def test_each_fault_is_one_and_the_healthy_answer_is_whole() -> None:
    for provider in PROVIDERS.values():
        healthy = b"".join(step for step in script(provider, "healthy") if isinstance(step, bytes))
        for name in FAULTS.keys() - {"healthy", "silence", "silence-first", "status-429"}:
            steps = script(provider, name, SAID)
            written = b"".join(step for step in steps if isinstance(step, bytes))
            assert written != healthy or name == "calls" or (name, provider.lines) == ("silence-ids", True)
            assert (RESET in steps) == name.startswith("break")

"""How the tests run: warnings are errors, Hypothesis takes its time, and in CI nothing skips in silence."""

import gc
import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

from unbroken.core import fast_path

pytest.register_assert_rewrite("tests.laws")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

IN_CI = bool(os.environ.get("CI"))

# What may skip in CI: the recorded streams lie beside a checkout, or do not; and a parser contract leaves out what its
# parser does not claim, which is what some of its own tests are about.
ACCEPTED = ("recorded streams", "does not claim", "does not define", "promptness cannot be tested")

# A shared or slow machine must not fail a property by its clock: deadlines are off everywhere. An everyday run draws
# fewer streams, other ones each time; CI draws more, always the same.
settings.register_profile("everyday", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
settings.register_profile(
    "ci", settings.get_profile("everyday"), max_examples=100, derandomize=True, print_blob=True, database=None
)
settings.register_profile("brief", settings.get_profile("ci"), max_examples=40)
settings.register_profile("deep", settings.get_profile("everyday"), max_examples=5_000, print_blob=True)
settings.register_profile("thorough", settings.get_profile("deep"), max_examples=100_000)
settings.register_profile("unshrunk", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "everyday"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast-path", choices=["on", "off"], default="on", help="whether streams take the fast path")


def pytest_configure(config: pytest.Config) -> None:
    fast_path.enabled = config.getoption("--fast-path") == "on"


@pytest.fixture
def with_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the fast path on for a test that is about it."""
    monkeypatch.setattr(fast_path, "enabled", True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return refuse_silence(report) if IN_CI else report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return refuse_silence(report) if IN_CI else report


def refuse_silence(report: Report) -> Report:
    """Turn a skip into a failure: in CI all that a test needs is installed, so a skip means that it never ran."""
    accepted = any(reason in str(report.longrepr) for reason in ACCEPTED)
    if report.skipped and not hasattr(report, "wasxfail") and not accepted:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept: {report.longrepr}"
    return report


@pytest.fixture(autouse=True, scope="module")
def what_is_there_is_set_aside() -> None:
    """Let garbage be searched among a module's own objects: those of ten thousand tests take a quarter of a second."""
    gc.collect()
    gc.freeze()

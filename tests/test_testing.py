"""`unbroken.testing` as a package: its names, what they load, and the error without Hypothesis."""

import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import unbroken.testing

pytest_plugins = ["pytester"]
WITHOUT_HYPOTHESIS = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "hypothesis":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    program = WITHOUT_HYPOTHESIS + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_every_public_name_is_there_and_knows_its_home() -> None:
    for name in unbroken.testing.__all__:
        assert getattr(unbroken.testing, name) is not None
        assert name in dir(unbroken.testing)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        unbroken.testing.nothing  # noqa: B018


def test_sources_cases_faults_and_routes_need_no_hypothesis() -> None:
    result = run("""
        from unbroken.testing import FAULTS, SSE_CASES, FakeClock, RouteContract, ScriptedServer, ScriptedSource
        import unbroken.testing.conversations
        assert all(fault.examples for fault in FAULTS.values())
    """)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["ParserContract", "sse_streams"])
def test_the_absence_of_hypothesis_says_how_to_install_it(name: str) -> None:
    result = run(f"from unbroken.testing import {name}")
    assert "ModuleNotFoundError: this part of unbroken.testing needs Hypothesis" in result.stderr
    assert "pip install 'unbroken[testing]'" in result.stderr


def test_importing_the_package_loads_no_hypothesis_and_no_pytest() -> None:
    result = run("import unbroken.testing; assert not {'pytest', 'hypothesis'} & set(sys.modules)")
    assert result.returncode == 0, result.stderr


def test_no_plugin_is_loaded_by_itself() -> None:
    assert not [point for point in entry_points(group="pytest11") if point.value.startswith("unbroken")]


@pytest.mark.slow
def test_the_fixtures_work_where_they_are_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["unbroken.testing.pytest"]')
    pytester.makepyfile(
        """
        import asyncio
        import urllib.request

        from unbroken.testing import Pause, chunked

        def test_source(scripted_source, fake_clock):
            assert list(scripted_source(b"a", Pause(60.0), b"b")) == [b"a", b"b"]
            assert fake_clock() == 60.0

        def test_async_source(async_scripted_source, fake_clock):
            async def read():
                return [chunk async for chunk in async_scripted_source(b"a", Pause(60.0))]

            assert asyncio.run(read()) == [b"a"]
            assert fake_clock() == 60.0

        def test_server(scripted_server):
            server = scripted_server(chunked([b"data: a\\n\\n"]))
            with urllib.request.urlopen(server.url, timeout=5) as response:
                assert response.read() == b"data: a\\n\\n"
        """
    )
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3)


@pytest.mark.slow
def test_a_contract_is_collected_by_pytest_and_by_unittest(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(
        test_mine="""
        import unittest

        from unbroken.testing import ParserContract, read_sse

        class TestMine(ParserContract, unittest.TestCase):
            does_not_claim = ()

            def parse(self, chunks):
                return list(read_sse(b"".join(chunks)).events)
        """
    )
    picked = "CR_ends_lines or last_id_counts"
    pytester.runpytest_subprocess("-q", "-k", picked, "-p", "no:cacheprovider").assert_outcomes(passed=2)
    command = [sys.executable, "-m", "unittest", "test_mine.TestMine.test_case_CR_ends_lines"]
    result = subprocess.run(command, cwd=Path(path).parent, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr

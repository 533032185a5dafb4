"""The differential finds what differs between two trees, and nothing where nothing does."""

import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .fences import ROOT
from .tools import digest
from .tools.differential import Side, checked_out, compare, draw, main

THIS = Side("this tree", ROOT)
DRAWS = draw(60, 1)

# What is wrong in a copy: lines at the end of its package, and a field that shows it.
WRONG = {
    "a line more at the end": (
        """
close = StreamRepairer.close
StreamRepairer.close = lambda self, now: [*close(self, now), b"\\n"]
""",
        "StreamRepairer: output",
    ),
    "a comment more where upstream fails": (
        """
fail = StreamRepairer.fail
StreamRepairer.fail = lambda self, error, now: [b":\\n\\n", *fail(self, error, now)]
""",
        "StreamRepairer.fail: chunks",
    ),
    "output that leaves one chunk late": (
        """
feed, close, held = StreamRepairer.feed, StreamRepairer.close, {}
def late(self, chunk, now):
    before, held[id(self)] = held.pop(id(self), []), feed(self, chunk, now)
    return before
StreamRepairer.feed = late
StreamRepairer.close = lambda self, now: [*held.pop(id(self), []), *close(self, now)]
""",
        "StreamRepairer: chunks",
    ),
    "an offset of a repair": (
        """
facts = StreamReport.as_dict
def moved(self):
    there = facts(self)
    for repair in there["first_repairs"]:
        repair["offset"] += 1
    return there
StreamReport.as_dict = moved
""",
        "EventReader: report.first_repairs",
    ),
    "a report that lags while the stream runs": (
        """
facts = StreamReport.as_dict
StreamReport.as_dict = lambda self: facts(self) | ({"events": 0} if self.verdict is Verdict.OPEN else {})
""",
        "EventReader: live",
    ),
    "a time, by the clock that is given": (
        """
facts = StreamReport.as_dict
StreamReport.as_dict = lambda self: facts(self) | {"first_event": 0.5}
""",
        "StreamRepairer: report.first_event",
    ),
    "a verdict": (
        """
facts = StreamReport.as_dict
StreamReport.as_dict = lambda self: facts(self) | {"verdict": facts(self)["verdict"].replace("truncated", "ended")}
""",
        "repair: report.verdict",
    ),
    "an id of an event": (
        """
from .core.event_reader import EventReader
feed = EventReader.feed
def named(item):
    return Event(item.data, item.event, "another", item.retry) if isinstance(item, Event) else item
EventReader.feed = lambda self, chunk: [*map(named, feed(self, chunk))]
""",
        "EventReader: items",
    ),
    "an error that is not raised": (
        """
from .adapters.sync import EventStream
ahead = EventStream.__next__
def quiet(self):
    try:
        return ahead(self)
    except StreamError:
        raise StopIteration from None
EventStream.__next__ = quiet
""",
        "iter_events: raised",
    ),
    "a byte that is lost on the way out": (
        """
from .adapters.sync import RepairedStream
onward = RepairedStream.__next__
RepairedStream.__next__ = lambda self: onward(self)[1:]
""",
        "repair: items",
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def append(tree: Path, lines: str) -> None:
    with (tree / "src" / "unbroken" / "__init__.py").open("a") as file:
        file.write(lines)


@pytest.mark.slow
def test_nothing_differs_where_nothing_does(copy: Path) -> None:
    assert compare(THIS, Side("copy", copy), DRAWS, jobs=2) == (0, [])


@pytest.mark.slow
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_found_and_its_field_is_named(copy: Path, what: str) -> None:
    lines, field = WRONG[what]
    append(copy, lines)
    count, shown = compare(THIS, Side("copy", copy), DRAWS)
    assert count >= len(shown) > 0
    assert any(field in difference.fields for difference in shown)


@pytest.mark.slow
def test_a_difference_is_printed_with_all_that_it_takes_to_see_it_again(copy: Path) -> None:
    append(copy, WRONG["a line more at the end"][0])
    _, [difference, *_] = compare(THIS, Side("copy", copy), DRAWS)
    kind, chunks, options = DRAWS[difference.place]
    assert difference.draw == (kind, chunks, options)
    lines = str(difference).splitlines()
    assert lines[:3] == [
        f"stream {difference.place} ({kind})",
        f"  options = {options!r}",
        f"  chunks = {chunks!r}",
    ]
    at = lines.index("  StreamRepairer: output")
    assert [lines[at + 1][:8], lines[at + 2][:8]] == ["    - b'", "    + b'"]


@pytest.mark.slow
def test_a_fact_that_one_tree_alone_reports_is_named_and_left_out(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    append(
        copy, "facts = StreamReport.as_dict\nStreamReport.as_dict = lambda self: facts(self) | {'weather': 'fine'}\n"
    )
    assert compare(THIS, Side("copy", copy), DRAWS[:20]) == (0, [])
    assert capsys.readouterr().out == "not compared, since one tree alone reports it: weather\n"


@pytest.mark.slow
def test_the_same_seed_draws_the_same_streams_in_however_many_processes() -> None:
    assert draw(40, 3) == draw(40, 3, jobs=2)
    assert draw(40, 3) != draw(40, 4)


@pytest.mark.slow
def test_a_tree_that_is_not_the_one_imported_is_refused(copy: Path) -> None:
    (copy / "elsewhere").mkdir()
    (copy / "elsewhere" / "src").symlink_to(copy / "src")
    with pytest.raises(SystemExit, match=r"elsewhere: unbroken was imported from .*, not from .*elsewhere"):
        Side("elsewhere", copy / "elsewhere").run()


def test_a_commit_is_checked_out_and_gone_afterwards() -> None:
    with checked_out("HEAD") as tree:
        assert (tree / "src" / "unbroken" / "__init__.py").is_file()
    assert not tree.exists()
    with pytest.raises(SystemExit, match="no-such-commit"), checked_out("no-such-commit"):
        pass


@pytest.mark.slow
def test_the_command(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, kept = ["--base", str(copy), "--jobs", "1"], str(tmp_path / "kept")
    assert main([*base, "--draws", "20", "--seed", "7", "--save", kept]) == 0
    assert capsys.readouterr().out == "6 anything, 2 long, 2 troubled, 10 alike\n20 streams equal\n"
    append(copy, WRONG["a time, by the clock that is given"][0])
    assert main([*base, "--seed", "7", "--load", kept]) == 1
    told = capsys.readouterr().out
    assert "\nseed 7, stream " in told
    assert f"\n20 of 20 streams differ; - is {copy}, + is this tree\n" in told


@pytest.mark.parametrize("arguments", [[], ["--fast-path", "on"], ["--fast-path", "slow"]])
def test_nothing_to_compare_with(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "--fast-path" in capsys.readouterr().err


# --- the switch of the fast path --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", ["", "enabled = 1\n"])
def test_a_tree_without_the_switch_says_so(copy: Path, lines: str) -> None:
    name = "unbroken.without_a_switch"
    script = copy / "digest.py"
    script.write_text(Path(digest.__file__).read_text().replace(digest.FAST_PATH, name))
    if lines:
        (copy / "src" / "unbroken" / "without_a_switch.py").write_text(lines)
    with pytest.raises(SystemExit, match=f"copy: --fast-path off: .*{name}"):
        Side("copy", copy, ("--fast-path", "off"), script).run()


def test_the_switch_is_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("switch")
    module.enabled = True  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "switch", module)
    monkeypatch.setattr(digest, "FAST_PATH", "switch")
    digest.switch_fast_path_off()
    assert module.enabled is False

"""Does this tree do what another commit did? `python -m tests.tools.differential --base COMMIT [--captures]`

Streams are drawn once, then a process per tree says what the public API makes of each, and every field is compared:
output by chunk, repairs with their offsets, events, the report, the verdict, what is raised. `--fast-path off`
compares this tree with itself, its fast path switched off; with `--base`, that commit with this tree so.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests import alike, captures, drawn
from tests.fences import ROOT

DIGEST = Path(__file__).with_name("digest.py")
BATCH = 250
"""Streams that are drawn by one seed; a draw is a function of the seed, whatever the number of processes."""
SHARES = {"anything": 3, "long": 1, "troubled": 1, "alike": 5}
"""How many in ten streams each generator draws."""
SHOWN = 3
"""Differences that are printed whole; all are counted."""

Draw = tuple[str, list[bytes], dict[str, Any]]
"""Where a stream comes from, its chunks, and options in plain values, which any tree can unpickle."""


# --- drawing ----------------------------------------------------------------------------------------------------------


def draw(count: int, number: int, jobs: int = 1) -> list[Draw]:
    """Return about `count` streams, the same ones for the same number."""
    batches = []
    for place, (kind, share) in enumerate(SHARES.items()):
        wanted = count * share // sum(SHARES.values())
        sizes = [BATCH] * (wanted // BATCH) + ([wanted % BATCH] if wanted % BATCH else [])
        batches += [(kind, size, (number * 1000 + at) * 10 + place) for at, size in enumerate(sizes)]
    # In processes of their own: Hypothesis draws constants of the modules that are loaded, whatever they are here.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return [stream for streams in pool.map(_batch, batches) for stream in streams]


def _batch(wanted: tuple[str, int, int]) -> list[Draw]:
    kind, count, number = wanted
    random = Random(number)
    if kind == "alike":
        streams = [(chunks, dict(options)) for chunks, options in alike.streams(number, count)]
    else:
        streams = _by_hypothesis(drawn.cut_anyhow(getattr(drawn, kind)), count, number)
    return [(kind, chunks, _plain(options) | _asides(random)) for chunks, options in streams]


def _by_hypothesis(
    streams: st.SearchStrategy[list[bytes]], count: int, number: int
) -> list[tuple[list[bytes], dict[str, Any]]]:
    found: list[tuple[list[bytes], dict[str, Any]]] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(streams, drawn.all_options, st.sampled_from([False, False, False, True]))
    def keep(chunks: list[bytes], options: dict[str, Any], bytewise: bool) -> None:
        found.append((alike.in_pieces(b"".join(chunks), 1) if bytewise else chunks, options))

    keep()
    return found


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Spell repairs by their names: a tree may keep the enum elsewhere."""
    if "repairs" in options:
        return options | {"repairs": sorted(kind.value for kind in options["repairs"])}
    return options


def _asides(random: Random) -> dict[str, Any]:
    """Draw what goes with any other option: an observer, a counter of tokens, a heartbeat."""
    asides = {"watched": (True, 0.15), "counted": (True, 0.1), "heartbeat": (2.0, 0.1)}
    return {name: value for name, (value, odds) in asides.items() if random.random() < odds}


def recorded() -> list[Draw]:
    """Return the recorded streams in three cuts, and by block once more with some of the options."""
    streams: list[Draw] = []
    for number, entry in enumerate(captures.manifest()):
        data = captures.body(entry["file"])
        for name, cut in (
            ("by block", alike.by_block(data)),
            ("64 KiB", alike.in_pieces(data, 2**16)),
            ("97 bytes", alike.in_pieces(data, 97)),
        ):
            streams.append((f"{entry['file']}, {name}", cut, {}))
        options = _plain(alike.OPTIONS[number % len(alike.OPTIONS)]) or {"content_type": entry.get("content_type")}
        streams.append((f"{entry['file']}, by block", alike.by_block(data), options))
    return streams


# --- comparing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One of the two trees, and how its digests are made."""

    name: str
    tree: Path
    switches: tuple[str, ...] = ()
    script: Path = DIGEST

    def run(self, *arguments: str) -> str:
        """Return what the digest script prints. Raises `SystemExit` with its message if it fails."""
        tree = self.tree.resolve()
        environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONHASHSEED": "0"}
        command = [sys.executable, str(self.script), "--tree", str(tree), *self.switches, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tree)
        if done.returncode:
            raise SystemExit(f"{self.name}: {done.stderr.strip()}")
        return done.stdout


@dataclass(frozen=True)
class Difference:
    """A stream of which two trees make something different: field by field, what each of them made."""

    place: int
    draw: Draw
    fields: dict[str, tuple[Any, Any]]

    def __str__(self) -> str:
        kind, chunks, options = self.draw
        lines = [f"stream {self.place} ({kind})", f"  options = {options!r}", f"  chunks = {chunks!r}"]
        for field, (before, after) in self.fields.items():
            lines += [f"  {field}", f"    - {before}", f"    + {after}"]
        return "\n".join(lines)


def compare(before: Side, after: Side, draws: Sequence[Draw], jobs: int = 1) -> tuple[int, list[Difference]]:
    """Return how many streams differ, and the first of them in full."""
    facts = common_facts(before, after)
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(list(draws), file)
        file.flush()
        given = ("--draws", file.name, "--facts", ",".join(facts))
        places = [*_differing(before, after, given, len(draws), jobs)]
        shown = sorted(places, key=lambda place: sum(map(len, draws[place][1])))[:SHOWN]
        fields = _fields(before, after, given, shown) if shown else []
        return len(places), [Difference(at, draws[at], there) for at, there in zip(shown, fields, strict=True)]


def common_facts(before: Side, after: Side) -> list[str]:
    """Return the facts of a report that both trees know; the names of the others are printed."""
    ours, theirs = (set(json.loads(side.run())) for side in (before, after))
    if ours ^ theirs:
        print(f"not compared, since one tree alone reports it: {', '.join(sorted(ours ^ theirs))}", flush=True)
    return sorted(ours & theirs)


def _differing(before: Side, after: Side, given: tuple[str, ...], count: int, jobs: int) -> Iterator[int]:
    # More parts than jobs, so that the processes end together.
    parts = max(1, min(4 * jobs, count // 100))
    tasks = [(side, part) for part in range(parts) for side in (before, after)]
    with ThreadPoolExecutor(jobs) as pool:
        made = [*pool.map(lambda task: task[0].run(*given, "--part", f"{task[1]}/{parts}").split(), tasks)]
    for part in range(parts):
        here, there = made[2 * part : 2 * part + 2]
        assert len(here) == len(there) == len(range(part, count, parts))
        yield from (part + parts * at for at, pair in enumerate(zip(here, there, strict=True)) if pair[0] != pair[1])


def _fields(
    before: Side, after: Side, given: tuple[str, ...], places: Sequence[int]
) -> list[dict[str, tuple[Any, Any]]]:
    only = ("--only", ",".join(map(str, places)))
    made = (json.loads(side.run(*given, *only)) for side in (before, after))
    return [_different(here, there) for here, there in zip(*made, strict=True)]


def _different(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    pairs = {field: (before.get(field, "nothing"), after.get(field, "nothing")) for field in {**before, **after}}
    return {field: _first_difference(*pair) for field, pair in pairs.items() if pair[0] != pair[1]}


def _first_difference(before: Any, after: Any) -> tuple[Any, Any]:
    """Return two values, of lists the first place where they differ."""
    if not (isinstance(before, list) and isinstance(after, list)):
        return before, after
    same = sum(1 for _ in _alike_from_the_start(before, after))
    return tuple(f"[{same}] {side[same] if same < len(side) else 'ends here'}" for side in (before, after))


def _alike_from_the_start(before: list[str], after: list[str]) -> Iterator[str]:
    for here, there in zip(before, after, strict=False):
        if here != there:
            return
        yield here


# --- the command ------------------------------------------------------------------------------------------------------


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Check a commit out into a temporary folder, gone afterwards; a folder that is given is taken as it is."""
    if (Path(commit) / "src" / "unbroken").is_dir():
        yield Path(commit)
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--detach", "--quiet", str(tree), commit)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


@contextmanager
def snapshot() -> Iterator[Path]:
    """Copy this tree's package and the digest script, so that nobody need keep hands off until all is compared."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "src", Path(folder) / "src", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(DIGEST, folder)
        yield Path(folder)


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")


def main(given: Sequence[str] | None = None) -> int:
    """Compare as asked; return 1 if a stream differs."""
    told = _told(given)
    is_off = told.fast_path == "off"
    with snapshot() as here, checked_out(told.base or str(here)) as there:
        script = here / DIGEST.name
        before = Side(told.base or "this tree", there, script=script)
        name = "this tree, fast path off" if is_off else "this tree"
        after = Side(name, here, ("--fast-path", told.fast_path), script)
        after.run()  # where there is no switch, it says so before anything is drawn
        draws = _draws(told)
        print(", ".join(f"{count} {kind}" for kind, count in _counted(draws).items()), flush=True)
        differing, shown = compare(before, after, draws, told.jobs)
    if not differing:
        print(f"{len(draws)} streams equal")
        return 0
    for difference in shown:
        print(f"\nseed {told.seed}, {difference}")
    print(f"\n{differing} of {len(draws)} streams differ; - is {before.name}, + is {after.name}")
    return 1


def _told(given: Sequence[str] | None) -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--base", metavar="COMMIT", help="the commit, or the folder of a checkout, to compare with")
    arguments.add_argument("--fast-path", choices=("on", "off"), default="on", help="of this tree")
    arguments.add_argument("--draws", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--captures", action="store_true", help="compare the recorded streams as well")
    arguments.add_argument("--jobs", type=int, default=2, help="processes at a time")
    arguments.add_argument("--save", type=Path, metavar="FILE", help="keep what was drawn")
    arguments.add_argument("--load", type=Path, metavar="FILE", help="take what --save kept; nothing is drawn")
    told = arguments.parse_args(given)
    if told.base is None and told.fast_path == "on":
        arguments.error("nothing to compare with: give --base COMMIT, --fast-path off, or both")
    if told.captures and not captures.manifest():
        arguments.error(f"the recorded streams are not in {captures.FOLDER}; UNBROKEN_CAPTURES says where they are")
    return told


def _draws(told: argparse.Namespace) -> list[Draw]:
    streams: list[Draw] = pickle.loads(told.load.read_bytes()) if told.load else draw(told.draws, told.seed, told.jobs)
    if told.save:
        told.save.write_bytes(pickle.dumps(streams))
    return streams + (recorded() if told.captures else [])


def _counted(draws: Sequence[Draw]) -> dict[str, int]:
    return dict(Counter(kind if kind in SHARES else "recorded" for kind, _, _ in draws))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the checkout is removed
    sys.exit(main())

"""Do the laws hold for streams that nobody thought of? `python -m tests.fuzz.laws --seconds 60 [--seed 1] [--jobs 2]`

Fuzzing guided by coverage, with atheris (extra `fuzz`): inputs that reach a new edge of `unbroken` are kept and changed
further. Each is held to the checks of `tests/laws.py`. At the end it prints how many inputs were tried, how many edges
they reached, and of each finding the smallest input that it has and a line of Python that shows it again.

A seed and `--runs` give the same inputs each time; with `--seconds` the machine decides how many there are.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SLOW = 10
"""Seconds after which one input is a finding by itself (law 5: linear time)."""
SHOWN = 40
"""Findings that are made small and printed, smallest first; all are counted."""

# --- a process that fuzzes; nothing of `unbroken` may be loaded before it is instrumented -----------------------------


def fuzz(told: argparse.Namespace, options: Sequence[str]) -> None:
    """Try inputs until time is up, and write each finding into a file. Does not return."""
    import atheris

    # The kit judges, and is not judged.
    judges = [path.relative_to(ROOT / "src").with_suffix("") for path in (ROOT / "src/unbroken/testing").rglob("*.py")]
    names = [".".join(path.parts).removesuffix(".__init__") for path in judges]
    with atheris.instrument_imports(include=["unbroken"], exclude=names):
        for name in ("core", "dialects"):
            package = importlib.import_module(f"unbroken.{name}")
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                importlib.import_module(module.name)
        from tests.fuzz import inputs

    forget = inputs.read_once()
    smallest: dict[str, int] = {}

    def test(given: bytes) -> None:
        forget()
        case = inputs.decode(given)
        for law in inputs.LAWS:
            error = law.broken_by(case)
            if error is not None:
                name = f"{law.name} {_fingerprint(error, case)}"
                if len(given) < smallest.get(name, 1 << 30):
                    smallest[name] = len(given)
                    (told.folder / "findings" / name).write_bytes(given)

    atheris.Setup([sys.argv[0], *options], test)
    atheris.Fuzz()


def _fingerprint(error: Exception, case: Any) -> str:
    """Return what tells findings apart before they are made small: where it was raised, the options, the first byte."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    facts = (type(error).__name__, place.filename, place.lineno, sorted(case.options), case.data[:1])
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


# --- the process that asks for it -------------------------------------------------------------------------------------


def main(given: Sequence[str] | None = None) -> int:
    """Fuzz as asked; return 1 if a law was broken."""
    told = _told(given)
    if importlib.util.find_spec("atheris") is None:
        print("the fuzzer needs atheris: pip install -e '.[test,fuzz]'")
        return 2
    if told.folder is not None:
        fuzz(told, told.rest)
    with tempfile.TemporaryDirectory() as name:
        return _run(told, Path(name))


def _run(told: argparse.Namespace, folder: Path) -> int:
    from tests.fuzz import inputs

    for name in ("findings", "seeds", "stuck"):
        (folder / name).mkdir()
    for number, seed in enumerate(inputs.seeds(told.seed)):
        (folder / "seeds" / f"{number:05}").write_bytes(seed)
    words = ("".join(map("\\x{:02x}".format, token)) for token in dict.fromkeys(inputs.tokens()))
    (folder / "tokens").write_text("".join(f'"{word}"\n' for word in words))
    logs = _fuzzed(told, folder, inputs.HEADER + inputs.LONGEST)
    counted = [re.search(r"number_of_executed_units: (\d+)", log) for log in logs]
    if not all(counted):
        print(next(log for log, count in zip(logs, counted, strict=True) if not count)[-4000:])
        print("the fuzzer itself stopped; see above")
        return 2
    edges = max(int(edge) for log in logs for edge in re.findall(r"cov: (\d+)", log))
    found = [*_findings(folder)]
    executions = sum(int(count[1]) for count in counted if count)
    print(f"{executions} executions, {edges} edges, {len(found)} findings (seed {told.seed}, {told.jobs} jobs)")
    for line in found[:SHOWN]:
        print(f"\n{line}")
    return 1 if found else 0


def _fuzzed(told: argparse.Namespace, folder: Path, longest: int) -> list[str]:
    """Run the processes, and return what each of them printed."""
    options = [f"-dict={folder / 'tokens'}", f"-artifact_prefix={folder / 'stuck'}/", f"-max_len={longest}"]
    options += [f"-timeout={SLOW}", f"-max_total_time={told.seconds}", f"-runs={told.runs}"]
    options += ["-print_final_stats=1", "-reload=0"]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": f"{ROOT / 'src'}"}
    running = []
    for job in range(told.jobs):
        corpus = told.corpus or folder / f"corpus-{job}"
        corpus.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.fuzz.laws", "--folder", str(folder), "--", str(corpus)]
        command += [str(folder / "seeds"), *options, f"-seed={1 + told.seed * 1000 + job}"]
        log = (folder / f"log-{job}").open("w+")
        running.append((subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log), log))
    try:
        for process, _ in running:
            process.wait()
    finally:
        for process, _ in running:
            process.kill()
    logs = []
    for _, log in running:
        with log:
            log.seek(0)
            logs.append(log.read())
    return logs


def _findings(folder: Path) -> Iterator[str]:
    """Yield each finding as text, the smallest input first, those that come down to the same input once."""
    from tests.fuzz import inputs

    seen = set[str]()
    for path in sorted((folder / "findings").iterdir(), key=lambda path: (path.stat().st_size, path.name)):
        law = inputs.LAW_OF[path.name.rpartition(" ")[0]]
        case = inputs.decode(path.read_bytes())
        error = law.broken_by(case)
        if error is not None:
            case = inputs.smallest(law, case)
            error = law.broken_by(case) or error
        line = inputs.program(law, case)
        if line not in seen:
            seen.add(line)
            said = f"{type(error).__name__}: {str(error)[:200]}" if error else "not seen again outside of the fuzzer"
            yield f"{law.name}: {said}\n  {line}"
    for path in sorted((folder / "stuck").iterdir()):
        case = inputs.decode(path.read_bytes())
        yield f"law 5: {path.name.partition('-')[0]}\n  {inputs.program(inputs.LAW_OF['law 5'], case)}"


def _told(given: Sequence[str] | None) -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=60, help="how long; 0 is until --runs are done")
    arguments.add_argument("--runs", type=int, default=-1, help="how many inputs each job tries; -1 is any number")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--jobs", type=int, default=1, help="processes at a time")
    arguments.add_argument(
        "--corpus", type=Path, metavar="FOLDER", help="keep inputs that reach new edges; start there"
    )
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    return arguments.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())

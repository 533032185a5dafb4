"""Does the kit alone notice when our core is wrong? `python -m tests.tools.mutants [--count 48] [--seed 1]`

Each mutant is one small change in one module of `unbroken.core`: a comparison turned, a constant moved, a condition
negated, an operator swapped, a statement left out. `tests/test_testing_ours.py`, which uses nothing but
`unbroken.testing`, runs against each, part by part, until a test fails. The copy that is changed stands in a temporary
folder. Seed and number name a mutant of one commit: `--seed 1 --only 17` runs that one again.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic

from tests.fences import ROOT

SUITE = "tests/test_testing_ours.py"
# The cheapest first: most mutants die there, in seconds.
PARTS = {
    "cases": ("not slow", "cases"),
    "everyday": ("not slow", "not cases"),
    "slow": ("slow", "not linear and not memory"),
    "time": ("slow", "linear or memory"),
}
"""Parts of the suite: the marks and the names of their tests."""
SLOWER = 4
"""A part that takes so many times as long as on the core as it is, and ten seconds, does not pass."""
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}


@dataclass(frozen=True)
class Mutant:
    """One change: the module, the line, what stands there and what would."""

    module: Path
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.module.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Give what could stand in the place of a node."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield ast.Compare(node.left, [COMPARISONS[type(op)]()], node.comparators)
        case ast.BoolOp(op=ast.And()):
            yield ast.BoolOp(ast.Or(), node.values)
        case ast.BoolOp(op=ast.Or()):
            yield ast.BoolOp(ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            yield ast.BinOp(node.left, OPERATORS[type(op)](), node.right)
        case ast.If(test=test) | ast.IfExp(test=test):
            changed = copy.copy(node)
            changed.test = ast.UnaryOp(ast.Not(), test)
            yield changed
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=bytes(value)) if value:
            yield ast.Constant(value + b"x")
        case ast.AugAssign(op=ast.Add()):
            yield ast.AugAssign(node.target, ast.Sub() if not is_text(node.value) else ast.Add(), node.value)
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute()]):
            yield ast.Pass()


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))


class Replace(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.copy_location(self.new, node) if node is self.old else self.generic_visit(node)


def mutant_of(module: Path, number: int) -> Mutant:
    """Make the mutant of a module that has its change at the place of this number."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    node = list(places(tree))[number]
    change = next(changes(node))
    shown = [ast.unparse(ast.fix_missing_locations(copy.deepcopy(one))).split("\n")[0] for one in (node, change)]
    mutated = ast.fix_missing_locations(Replace(node, copy.deepcopy(change)).visit(tree))
    return Mutant(module, node.lineno, *shown, ast.unparse(mutated))  # type: ignore[attr-defined]


def places(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk the bodies of functions, but for what they raise and tell; constants of a module are no places."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name not in ("__repr__", "__str__", "__reduce__"):
            for statement in function.body:
                yield from nodes(statement)


def nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Raise | ast.FunctionDef | ast.Assert | ast.JoinedStr):
        return
    if any(True for _ in changes(node)):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from nodes(child)


def chosen(numbers: Iterable[int], seed: int) -> list[Mutant]:
    """Choose the mutants of these numbers over the whole core, each module in proportion to its length."""
    modules = sorted((ROOT / "src" / "unbroken" / "core").rglob("*.py"))
    everywhere = [
        (module, number)
        for module in modules
        for number, _ in enumerate(places(ast.parse(module.read_text(encoding="utf-8"))))
    ]
    random.Random(seed).shuffle(everywhere)
    return [mutant_of(*everywhere[number - 1]) for number in numbers]


class Suite:
    """The parts of the suite that are run, each first on the core as it is, which says how long it may take."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts
        self._limits: dict[str, float] = {}
        self._measuring = Lock()

    def death_of(self, mutant: Mutant) -> str | None:
        """Return the part that fails on a copy of the package with this mutant in it; None if it survives."""
        with copied(mutant) as package:
            return next((part for part in self._parts if not passes(part, package, self._limit(part))), None)

    def _limit(self, part: str) -> float:
        """Return the seconds of processor time that a part may take. Exits where the core as it is fails the part."""
        with self._measuring:
            if part not in self._limits:
                begin = processor_time()
                with copied(None) as package:
                    if not passes(part, package, 1800.0):
                        sys.exit(f"the part {part!r} fails on the core as it is, or takes longer than half an hour")
                self._limits[part] = 10.0 + SLOWER * (processor_time() - begin)
            return self._limits[part]


def processor_time() -> float:
    """Return the seconds of processor time of all processes that ended."""
    times = os.times()
    return times.children_user + times.children_system


@contextmanager
def copied(mutant: Mutant | None) -> Iterator[Path]:
    """Copy the package into a temporary folder, with this mutant in it."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "src"
        shutil.copytree(ROOT / "src", package, ignore=shutil.ignore_patterns("__pycache__"))
        if mutant is not None:
            (package / mutant.module.relative_to(ROOT / "src")).write_text(mutant.source, encoding="utf-8")
        yield package


def passes(part: str, package: Path, seconds: float) -> bool:
    """Run a part of the suite; what takes more than `seconds` of processor time does not pass."""
    marks, names = PARTS[part]
    told = {"PYTHONPATH": str(package), "HYPOTHESIS_PROFILE": "unshrunk", "PYTHONDONTWRITEBYTECODE": "1"}
    pytest = [sys.executable, "-m", "pytest", SUITE, "-x", "-q", "-p", "no:cacheprovider", "-m", marks, "-k", names]
    # Processor time, or a busy machine would kill mutants; and a limit for those that wait for ever.
    command = ["prlimit", f"--cpu={seconds:.0f}", *pytest]
    try:
        return not subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **told},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20 * seconds,
        ).returncode
    except subprocess.TimeoutExpired:
        return False


def numbers(told: str) -> list[int]:
    """Read numbers from 1 on, as in `3,17`."""
    return [int(number) for number in told.split(",")]


def main() -> None:
    """Run the suite on each mutant; print the part in which it died, and in the end those that survive."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--count", type=int, default=48)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--first", type=int, default=1, help="the number of the mutant to begin with")
    arguments.add_argument("--only", type=numbers, help="the numbers of the mutants to run, such as 3,17; no others")
    arguments.add_argument("--until", choices=PARTS, default="time", help="the last part to run; less is a lower bound")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants that are run at the same time")
    told = arguments.parse_args()
    parts = list(PARTS)
    suite = Suite(parts[: parts.index(told.until) + 1])
    asked = told.only or range(told.first, told.count + 1)
    mutants = dict(zip(asked, chosen(asked, told.seed), strict=True))
    begin, survivors = monotonic(), list[int]()
    with ThreadPoolExecutor(told.jobs) as pool:
        for number, death in zip(mutants, pool.map(suite.death_of, mutants.values()), strict=True):
            survivors += [number] if death is None else []
            print(f"{number:3} {'SURVIVES' if death is None else f'dies: {death:8}'} {mutants[number]}", flush=True)
    died = len(mutants) - len(survivors)
    print(f"{died} of {len(mutants)} mutants die ({died / len(mutants):.0%}), in {monotonic() - begin:.0f} s")
    if survivors:
        print(f"survivors: --seed {told.seed} --only {','.join(map(str, survivors))}")


if __name__ == "__main__":
    main()

"""Does the kit alone notice when our core is wrong? `python -m tests.tools.mutants [--count 48] [--seed 1]`

Each mutant is one small change in one module of `unbroken.core`: a comparison turned, a constant moved, a condition
negated, an operator swapped, a statement left out. `tests/test_testing_ours.py`, which uses nothing but
`unbroken.testing`, runs against each. The copy that is changed stands in a temporary folder.
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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fences import ROOT

SUITE = "tests/test_testing_ours.py"
# Most mutants die in the first part, and measuring takes long.
PARTS = (("not slow", "not linear and not memory"), ("slow", "not linear and not memory"), ("slow", "linear or memory"))
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


def chosen(count: int, seed: int) -> list[Mutant]:
    """Choose mutants over the whole core, each module in proportion to its length."""
    draw = random.Random(seed)
    modules = sorted((ROOT / "src" / "unbroken" / "core").rglob("*.py"))
    everywhere = [
        (module, number)
        for module in modules
        for number, _ in enumerate(places(ast.parse(module.read_text(encoding="utf-8"))))
    ]
    return [mutant_of(*place) for place in draw.sample(everywhere, count)]


def survives(mutant: Mutant | None, seconds: float) -> bool:
    """Run the suite against a copy of the package with this mutant in it."""
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "src"
        shutil.copytree(ROOT / "src", copied, ignore=shutil.ignore_patterns("__pycache__"))
        if mutant is not None:
            (copied / mutant.module.relative_to(ROOT / "src")).write_text(mutant.source, encoding="utf-8")
        return all(passes(marks, names, copied, seconds) for marks, names in PARTS)


def passes(marks: str, names: str, package: Path, seconds: float) -> bool:
    """Run these tests of the suite; what takes more than `seconds` of processor time does not pass."""
    told = {"PYTHONPATH": str(package), "HYPOTHESIS_PROFILE": "unshrunk", "PYTHONDONTWRITEBYTECODE": "1"}
    pytest = [sys.executable, "-m", "pytest", SUITE, "-x", "-q", "-p", "no:cacheprovider", "-m", marks, "-k", names]
    # Processor time, or a busy machine would kill mutants; and a limit for those that wait for ever.
    command = ["prlimit", f"--cpu={seconds:.0f}", *pytest]
    try:
        return not subprocess.run(
            command, cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.DEVNULL, timeout=20 * seconds
        ).returncode
    except subprocess.TimeoutExpired:
        return False


def main() -> None:
    """Run the suite once on the core as it is, then on each mutant; print what became of each."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=48)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--first", type=int, default=1, help="the number of the mutant to begin with")
    arguments.add_argument("--seconds", type=float, default=300.0, help="of processor time; it dies of more")
    told = arguments.parse_args()
    if not survives(None, told.seconds):
        sys.exit(f"the suite fails on the core as it is, or takes longer than {told.seconds} s")
    survivors, asked = 0, chosen(told.count, told.seed)[told.first - 1 :]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = pool.map(lambda mutant: survives(mutant, told.seconds), asked)
        for number, (mutant, lives) in enumerate(zip(asked, alive, strict=True), start=told.first):
            survivors += lives
            print(f"{number:3} {'SURVIVES' if lives else 'dies    '} {mutant}", flush=True)
    print(f"{len(asked) - survivors} of {len(asked)} mutants die ({1 - survivors / len(asked):.0%})")


if __name__ == "__main__":
    main()

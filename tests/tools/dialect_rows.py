"""The rows of docs/dialects.md for the dialects that are declared in tables: `python -m tests.tools.dialect_rows`.

`--write` puts them into the page. `tests/test_declared.py` compares the page with them. `--lines [COMMIT]` prints how
long each table is, and each module, beside what they were in that commit.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unbroken.core.registry import dialect_named
from unbroken.dialects.declared import Declared
from unbroken.dialects.shelf import SHELVED

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "dialects.md"
DIALECTS = ROOT / "src" / "unbroken" / "dialects"
HEAD = "| name | recognised by | complete when | our error frame | heartbeat |\n|---|---|---|---|---|\n"


def rows() -> str:
    """Return the table, heading included."""
    dialects = [dialect_named(name) for name in SHELVED.names]
    return HEAD + "".join(row(dialect) for dialect in dialects if issubclass(dialect, Declared))


def row(dialect: type[Declared]) -> str:
    """Return the row of one dialect."""
    settings = dialect.table.settings
    written = [error(settings), beat(dialect)]
    if dialect.framing is not None:  # a line has its code before it, and a comment has no place
        code_of, data = settings["error_frame"]["event"], settings["error_frame"]["data"]
        written = [f"`{code_of}:{json.dumps(data)}`", "a blank line"]
    cells = [f"`{dialect.name}`", seen_by(dialect), end(dialect), *written]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def seen_by(dialect: type[Declared]) -> str:
    """Return what shows the dialect."""
    if dialect.framing is not None:
        return f"its framing, [`{dialect.framing.value}`](#lines-of-ai-sdk-4)"
    return code(dialect.table.settings.get("recognised_by", ()))


def end(dialect: type[Declared]) -> str:
    """Return what ends a whole answer."""
    settings = dialect.table.settings
    said = [code(settings["ends"])] if "ends" in settings else []
    if settings.get("finish_ends"):
        said.append("a finish reason")
    if dialect.sentinel and dialect.sentinel_completes:
        said.append(f"`{dialect.sentinel}`")
    if settings.get("finish_completes"):
        said.append("a clean end behind a finish reason")
    if "complete_when" in settings:
        said.append("a clean end behind " + code(settings["complete_when"]))
    if "like" in settings and not said:
        said.append(f"as `{settings['like']}`")
    return "; ".join(said)


def error(settings: Any) -> str:
    """Return our error frame."""
    if "error_frame" not in settings:
        return f"as `{settings['like']}`" if "like" in settings else '`event: error`, `{"error": {...}}`'
    frame = settings["error_frame"]
    name = f"`event: {frame['event']}`, " if "event" in frame else ""
    return f"{name}`{json.dumps(frame['data'])}`"


def beat(dialect: type[Declared]) -> str:
    """Return our heartbeat."""
    spelt = dialect.table.heartbeat
    if spelt is not None:
        return f"`{spelt.decode().strip()}`".replace("\n", "`, `")
    return "a comment" if dialect.takes_comments else "a blank line"


def code(told: Any) -> str:
    """Return kinds or conditions as code."""
    if isinstance(told, dict):
        return ", ".join(f"`{kind}`" + ("" if each is True else f" with {code(each)}") for kind, each in told.items())
    return ", ".join(f"`{each}`" for each in ([told] if isinstance(told, str) else told))


def written(page: str) -> str:
    """Return the page with the rows of today."""
    return re.sub(re.escape(HEAD) + r"(?:\|.*\n)*", lambda _: rows(), page)


def lengths(source: str) -> Iterator[tuple[str, int]]:
    """Yield the name of each dialect that a module declares, and the lines of its table."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "declare" and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant):
                yield str(name.value), (node.end_lineno or node.lineno) - node.lineno + 1


def lines(commit: str | None) -> str:
    """Return the lines of each module of a dialect and of each table, here and, behind a bar, in a commit."""
    sources = {path.stem: (path.read_text(), _source_in(commit, path)) for path in sorted(DIALECTS.glob("*.py"))}
    told = []
    for module, sides in sources.items():
        if not any("declare(" in side or "@register" in side for side in sides) or module in ("declared", "table"):
            continue
        told.append(_beside(f"{module}.py", [side.count("\n") or None for side in sides]))
        names = dict.fromkeys(name for side in sides for name, _ in lengths(side))
        told += [_beside(f"    {name}", [dict(lengths(side)).get(name) for side in sides]) for name in names]
    return "".join(told)


def _beside(name: str, counts: Sequence[int | None]) -> str:
    here, there = counts
    return f"{name:<28}{'' if here is None else here:>5}{'' if there is None else f' | {there}'}\n"


def _source_in(commit: str | None, path: Path) -> str:
    """Return this file in a commit, or nothing where it is not there."""
    if commit is None:
        return ""
    command = ["git", "show", f"{commit}:{path.relative_to(ROOT)}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def main(given: list[str] | None = None) -> None:
    """Print the rows or the lengths, or write the rows."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.dialect_rows")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/dialects.md")
    parser.add_argument("--lines", nargs="?", const="", metavar="COMMIT", help="print how long tables and modules are")
    told = parser.parse_args(given)
    if told.write:
        PAGE.write_text(written(PAGE.read_text()))
    else:
        sys.stdout.write(rows() if told.lines is None else lines(told.lines or None))


if __name__ == "__main__":
    main()

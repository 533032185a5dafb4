"""The fenced blocks of README.md and docs/, read and run.

A fence's info string is a language and options. What stands in a page is run, or its source is named:

- ``python``: the fences of a page run from top to bottom in one namespace, in a working directory of their own that
  holds a copy of ``docs/examples``. ``UPSTREAM`` is there: the URL of a local server that answers GET and POST with
  ``docs/examples/broken.sse`` (and with each other file of that folder, by its name).
- ``pycon``: a session in the same namespace, compared as doctest does, ``...`` included.
- ``console``: each line that begins with ``$ `` runs in bash (``> `` continues it); what it prints on standard output
  and standard error together is compared, ``...`` standing for anything.
- ``text printed``: what the Python fence above it printed.
- ``from=FILE`` on a fence of any other language: its text stands in that file, word for word.
- ``by=FILE`` on any fence: it is run by that file (a test, or .ci/run), which must exist and name the page.
- ``requires=flask,httpx``: the fence needs these modules. Without them it is not run and the page's test says
  "skipped", which CI takes for a failure.

A comment ``<!-- python ... -->`` is a fence that readers do not see: it sets a scene or asserts what came out.
"""

import contextlib
import doctest
import importlib.util
import io
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"

OPENING = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,}|<!--) ?(?P<info>[^`]*)$")
CHECKER = doctest.OutputChecker()


@dataclass(frozen=True)
class Fence:
    """One block of a page: where it stands, what it is, and its text without the indentation."""

    page: Path
    line: int
    language: str
    options: dict[str, str]
    text: str

    def __str__(self) -> str:
        page = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name
        return f"{page}, line {self.line}"


def fences(page: Path) -> Iterator[Fence]:
    """Yield the blocks of a page in order, comments that begin with `python` among them."""
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        opening = OPENING.match(line)
        if not opening or (opening["mark"] == "<!--" and not opening["info"].startswith("python")):
            continue
        end = "-->" if opening["mark"] == "<!--" else opening["mark"]
        body = []
        for _, inner in lines:
            if inner.strip() == end:
                break
            body.append(inner)
        else:
            raise AssertionError(f"{page.name}, line {number}: the fence is never closed")
        language, *options = opening["info"].split() or [""]
        text = "".join(f"{line.removeprefix(opening['indent'])}\n" for line in body)
        yield Fence(page, number, language, {k: v for k, _, v in (o.partition("=") for o in options)}, text)


@dataclass
class Page:
    """What the fences of one page share while they run: a namespace, and what the last of them printed."""

    folder: Path
    names: dict[str, Any] = field(default_factory=dict)
    printed: str | None = None
    missing: list[str] = field(default_factory=list)

    def run(self, fence: Fence) -> None:
        """Run one fence, or check its source; AssertionError or the fence's own error says what is wrong."""
        absent = [name for name in fence.options.get("requires", "").split(",") if name and not installed(name)]
        if absent:
            self.missing += [f"{fence} needs {', '.join(absent)}"]
        elif "by" in fence.options:
            self.run_elsewhere(fence)
        elif "from" in fence.options:
            self.quoted(fence)
        elif fence.language == "text" and "printed" in fence.options:
            assert self.printed is not None, f"{fence}: no Python fence above"
            same(fence, "the fence above", fence.text, self.printed)
        elif fence.language in {"python", "pycon", "console"}:
            getattr(self, fence.language)(fence)
        else:
            raise AssertionError(f"{fence}: a {fence.language or 'nameless'} fence needs from=FILE or by=FILE")

    def run_elsewhere(self, fence: Fence) -> None:
        runner = ROOT / fence.options["by"]
        assert runner.is_file(), f"{fence}: there is no {fence.options['by']}"
        assert fence.page.name in runner.read_text(encoding="utf-8"), f"{fence}: {runner.name} does not name the page"

    def quoted(self, fence: Fence) -> None:
        source = (ROOT / fence.options["from"]).read_text(encoding="utf-8")
        assert fence.text.strip("\n") in source, f"{fence}: the text is not in {fence.options['from']}"

    def python(self, fence: Fence) -> None:
        # Blank lines in front, so that a traceback names the line of the page; no future statement of this file.
        code = compile("\n" * fence.line + fence.text, str(fence.page), "exec", dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(code, self.names)
        self.printed = output.getvalue()

    def pycon(self, fence: Fence) -> None:
        session = doctest.DocTestParser().get_doctest(fence.text, self.names, str(fence), str(fence.page), fence.line)
        assert session.examples, f"{fence}: no >>> in it"
        session.globs = self.names  # else doctest runs in a copy, and later fences miss its names
        report = io.StringIO()
        runner = doctest.DocTestRunner(checker=CHECKER, optionflags=doctest.ELLIPSIS)
        runner.run(session, out=report.write, clear_globs=False)
        assert not runner.failures, f"{fence}\n{report.getvalue()}"

    def console(self, fence: Fence) -> None:
        assert fence.text.startswith("$ "), f"{fence}: the first line is no command"
        for part in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
            command, continued, wanted = re.fullmatch(r"(.*\n)((?:> .*\n)*)((?s:.*))", part).groups()  # type: ignore[union-attr]
            script = command + re.sub("^> ", "", continued, flags=re.MULTILINE)
            same(fence, script, wanted, bash(script, self.folder))


def installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def bash(script: str, folder: Path) -> str:
    """Run a script with this interpreter's commands first in the path; return all that it printed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "80", "PYTHONWARNINGS": "error"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    return ran.stdout.decode("utf-8")


def same(fence: Fence, what: str, wanted: str, got: str) -> None:
    """Compare two texts as doctest does; blank lines at the end do not count, since a fence can end in none."""
    wanted, got = wanted.rstrip("\n") + "\n", got.rstrip("\n") + "\n"
    if not CHECKER.check_output(wanted, got, doctest.ELLIPSIS):
        shown = "".join(
            f"{title}\n{textwrap.indent(text, '    ')}" for title, text in [("Wanted:", wanted), ("Got:", got)]
        )
        raise AssertionError(f"{fence}: {what.strip()}\n{shown}")


def new_page(folder: Path, upstream: str) -> tuple[Page, ModuleType]:
    """Open a page: a module of its own, since some libraries look a function's module up in `sys.modules`."""
    module = ModuleType("page")
    vars(module)["UPSTREAM"] = upstream
    return Page(folder, vars(module)), module

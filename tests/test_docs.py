"""README.md and docs/ tell the truth: every fence runs, every link leads somewhere. The convention: tests/fences.py."""

import re
import shutil
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fences import EXAMPLES, ROOT, Fence, fences, new_page

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)|<(?:img|a)[^>]+(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.*?)\s*$", re.MULTILINE)


class Examples(BaseHTTPRequestHandler):
    """Answer with a file of docs/examples, closing the connection behind it."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = (EXAMPLES / Path(self.path).name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", TYPES.get(Path(self.path).suffix, "application/octet-stream"))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None: ...


TYPES = {".sse": "text/event-stream", ".ndjson": "application/x-ndjson", ".json": "application/json"}


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Examples) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}/broken.sse"
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "docs" / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def run(page: Path, folder: Path, upstream: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run all fences of a page; return what could not run because a module is missing."""
    state, module = new_page(folder, upstream)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for fence in fences(page):
        state.run(fence)
    return state.missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_fence_of_the_page_runs(page: Path, folder: Path, upstream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = run(page, folder, upstream, monkeypatch)
    if missing:
        pytest.skip("; ".join(missing))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_the_page_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def links(page: Path) -> list[str]:
    prose = re.sub(r"^ *(```+|~~~+).*?^ *\1 *$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    targets = [first or second for first, second in LINK.findall(prose)]
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """Name the headings as GitHub does: lower case, no punctuation, blanks to hyphens."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in links(index)}
    assert set(PAGES[1:]) - {index} <= linked


def test_every_file_and_program_that_a_page_names_exists() -> None:
    missing = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = {name.rstrip("/.") for name in re.findall(r"`((?:src|tests|docs|benchmarks)/[\w./-]+)`", text)}
        programs = re.findall(r"`(?:python -m )?((?:tests|benchmarks)\.[\w.]+)", text)
        paths = [program.replace(".", "/") for program in programs]
        named |= {f"{path}/__main__.py" if (ROOT / path).is_dir() else f"{path}.py" for path in paths}
        missing |= {f"{page.name}: {name}" for name in named if not (ROOT / name).exists()}
    assert not missing


def test_every_example_is_used() -> None:
    readers = [*PAGES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in readers)
    assert not [path.name for path in EXAMPLES.rglob("*") if path.is_file() and path.name not in text]


# --- the runner itself: each of these pages is right, or wrong in one way ---

RIGHT = {
    "a namespace for the whole page": """
        ```python
        x = 1
        ```
        <!-- python
        assert x == 1
        y = x + 1
        -->
        ```pycon
        >>> y
        2
        >>> z = 3
        ```
        ```python
        assert z == 3
        ```
        """,
    "what a fence printed": """
        ```python
        print("a\\n\\nb")
        ```
        ```text printed
        a

        b
        ```
        """,
    "a session of two commands": """
        ```console
        $ echo one; echo two >&2
        one
        two
        $ printf '%s\\n' \\
        > three; ls docs
        three
        examples
        ```
        """,
    "anything in between": """
        ```console
        $ seq 1 9
        1
        ...
        9
        ```
        """,
    "a quotation": """
        ```text from=LICENSE
        MIT License
        ```
        """,
    "a fence that a file runs": """
        ```toml by=tests/test_docs.py
        x = 1
        ```
        """,
    "a fence inside a list": """
        - so:

          ```python
          if True:
              x = 1
          ```
          <!-- a remark, not python -->
        """,
}

WRONG = {
    "python that raises": "```python\nassert False\n```",
    "a hidden check that fails": "<!-- python\nassert False\n-->",
    "a session that prints something else": "```pycon\n>>> 1 + 1\n3\n```",
    "a session without a prompt": "```pycon\n1 + 1\n```",
    "a command that prints something else": "```console\n$ echo a\nb\n```",
    "a command that prints more": "```console\n$ echo a; echo b\na\n```",
    "a command that is not found": "```console\n$ no-such-command\n```",
    "a console without a command": "```console\nls\n```",
    "another text than was printed": "```python\nprint(1)\n```\n```text printed\n2\n```",
    "printed by nothing": "```text printed\n2\n```",
    "a quotation that is none": "```text from=LICENSE\nGNU\n```",
    "a runner that does not exist": "```toml by=tests/no_such_file.py\n```",
    "a runner that does not name the page": "```toml by=LICENSE\n```",
    "a language without a source": "```nginx\nserver {}\n```",
    "a fence without a language": "```\nserver {}\n```",
    "a fence that never ends": "```python\nx = 1\n",
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_a_right_page_passes(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = folder / "test_docs.py"  # a name that this file names, for by=
    page.write_text(textwrap.dedent(text))
    assert run(page, folder, "", monkeypatch) == []


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_wrong_page_fails(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = folder / "page.md"
    page.write_text(text)
    with pytest.raises(AssertionError):
        run(page, folder, "", monkeypatch)


def test_a_fence_that_needs_a_missing_module_is_named_and_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = folder / "page.md"
    page.write_text("```python requires=json,no_such_module\nassert False\n```")
    assert run(page, folder, "", monkeypatch) == ["page.md, line 1 needs no_such_module"]


def test_a_fence_knows_its_place_and_its_options(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n````python requires=flask\n```\n````\n")
    assert list(fences(page)) == [Fence(page, 3, "python", {"requires": "flask"}, "```\n")]

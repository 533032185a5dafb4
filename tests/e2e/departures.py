"""How soon upstream is released when the reader leaves, measured on each server and written into docs/how-to.

`python -m tests.e2e.departures` measures and writes the table of docs/how-to/disconnects.md.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .processes import Program
from .reader import connect, read_until
from .stacks import PAGES, running
from .upstream import Upstream

HEARTBEAT = 1.0
WITHIN_HEARTBEATS = 3 * HEARTBEAT + 0.5
AT_ONCE = 0.5
PATIENCE = 6.0  # seconds after which a case counts as not released
TIMES = 3

PAGE = PAGES / "disconnects.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


@dataclass(frozen=True)
class Case:
    """A server, what its application returns, and the seconds within which upstream must be released."""

    stack: str
    server: str
    returns: str
    path: str
    limit: float | None  # None: not while upstream is silent
    collects: bool = False  # collect garbage first

    def __str__(self) -> str:
        return f"{self.server}, {self.returns}"


RESPONSE = "`repair(from_response(...))`"
GENERATOR = "own generator, `async with arepair(...)`"

CASES = (
    Case("werkzeug", "Werkzeug's development server + Flask", RESPONSE, "/chat", WITHIN_HEARTBEATS),
    Case("gunicorn sync", "gunicorn `sync` + Flask", RESPONSE, "/chat", WITHIN_HEARTBEATS),
    Case("gunicorn gthread", "gunicorn `gthread` + Flask", RESPONSE, "/chat", WITHIN_HEARTBEATS),
    Case("gunicorn gthread", "gunicorn `gthread` + Flask", "`repair(chunks)`, no `abort`", "/without-abort", None),
    Case("gunicorn gevent", "gunicorn `gevent` + Flask", RESPONSE, "/chat", WITHIN_HEARTBEATS),
    Case("waitress", "waitress + Flask", RESPONSE, "/chat", WITHIN_HEARTBEATS),
    Case("Django WSGI", "gunicorn `gthread` + Django", RESPONSE, "/chat", WITHIN_HEARTBEATS),
    Case("uvicorn", "uvicorn + FastAPI", GENERATOR, "/chat", AT_ONCE),
    Case("uvicorn", "uvicorn + FastAPI", "bare `arepair(...)`", "/bare", AT_ONCE, collects=True),
    Case("uvicorn", "uvicorn + FastAPI", "bare `repair(...)`, synchronous", "/sync", AT_ONCE, collects=True),
    Case("hypercorn", "hypercorn + FastAPI", GENERATOR, "/chat", AT_ONCE),
    Case("gunicorn asgi", "gunicorn `asgi` + FastAPI", GENERATOR, "/chat", WITHIN_HEARTBEATS),
    Case("Django ASGI", "uvicorn + Django", GENERATOR, "/chat", AT_ONCE),
    Case("Django daphne", "daphne + Django", GENERATOR, "/chat", AT_ONCE),
    Case("aiohttp", "aiohttp", "`async with arepair(...)`", "/chat", WITHIN_HEARTBEATS),
)


def measure(upstream: Upstream, programs: dict[str, Program]) -> dict[Case, float | None]:
    """Leave each server after its first event, three times; give the longest seconds until upstream was released."""
    with ThreadPoolExecutor(len(CASES) * TIMES) as pool:
        runs = {
            case: [pool.submit(depart, upstream, programs[case.stack].port, case, n) for n in range(TIMES)]
            for case in CASES
        }
        seconds = {case: [run.result() for run in runs[case]] for case in CASES}
    return {case: None if None in all_ else max(all_) for case, all_ in seconds.items()}  # type: ignore[type-var]


def depart(upstream: Upstream, port: int, case: Case, n: int) -> float | None:
    prompt = f"leave/{case.stack}{case.path}/{n}"
    connection = connect(port, case.path, prompt)
    try:
        read_until(connection, b"data: ")
    finally:
        connection.close()
    left = time.monotonic()
    if case.collects:
        left += collected_after(upstream, port, prompt)
    return released_after(upstream, prompt, left)


def collected_after(upstream: Upstream, port: int, prompt: str) -> float:
    """Have the server collect its garbage, unless it released upstream within two seconds by itself."""
    left = time.monotonic()
    if released_after(upstream, prompt, left, patience=2.0) is not None:
        return 0.0
    with connect(port, "/collect", "") as connection:
        read_until(connection, b"\r\n\r\n")
    return time.monotonic() - left


def released_after(upstream: Upstream, prompt: str, left: float, patience: float = PATIENCE) -> float | None:
    while (released := upstream.answer(prompt).released_at) is None:
        if time.monotonic() > left + patience:
            return None
        time.sleep(0.01)
    return max(0.0, released - left)


# --- the table --------------------------------------------------------------------------------------------------------


def table(measured: dict[Case, float | None]) -> str:
    rows = ["| server | the view returns | upstream is released after |", "| --- | --- | --- |"]
    for case, seconds in measured.items():
        if seconds is None:
            told = f"not within {PATIENCE:.0f} s, while upstream is silent"
        else:
            told = f"{seconds:.1f} s" + (" (at collection)" if case.collects else "")
        rows.append(f"| {case.server} | {case.returns} | {told} |")
    return "\n".join(rows) + "\n"


def versions() -> str:
    names = ("Flask", "Werkzeug", "gunicorn", "gevent", "waitress", "fastapi", "starlette", "uvicorn", "Hypercorn")
    more = ("Django", "daphne", "aiohttp")
    return ", ".join(f"{name} {version(name)}" for name in (*names, *more))


def write(measured: dict[Case, float | None]) -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(measured)}\n{versions()}.\n\n{END}{after}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Upstream() as upstream:
        names = tuple(dict.fromkeys(case.stack for case in CASES))
        with running(Path(folder), upstream.url, names) as programs:
            measured = measure(upstream, programs)
    print(table(measured))
    write(measured)


if __name__ == "__main__":
    main()

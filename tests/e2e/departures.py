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

from .alone import alone
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
    script: str = "leave"  # "endless": the reader stops reading first, and leaves while it is written to
    collects: bool = False  # garbage may have to be collected first

    def __str__(self) -> str:
        return f"{self.server}, {self.returns}"


@dataclass(frozen=True)
class Release:
    """Seconds after the reader left, or after garbage was `collected` because nothing else released upstream."""

    seconds: float
    collected: bool = False


SYNC = "`repair(lambda: ...)`"
ASYNC = "`arepair(lambda: ...)`"
BEHIND = "uvicorn + FastAPI behind `BaseHTTPMiddleware`"
GENERATOR = "own generator, `async with arepair(...)`"

CASES = (
    Case("werkzeug", "Werkzeug's development server + Flask", SYNC, "/chat", WITHIN_HEARTBEATS),
    Case("gunicorn sync", "gunicorn `sync` + Flask", SYNC, "/chat", WITHIN_HEARTBEATS),
    Case("gunicorn gthread", "gunicorn `gthread` + Flask", SYNC, "/chat", WITHIN_HEARTBEATS),
    Case("gunicorn gthread", "gunicorn `gthread` + Flask", "`repair(chunks)`, no `abort`", "/without-abort", None),
    Case("gunicorn gevent", "gunicorn `gevent` + Flask", SYNC, "/chat", WITHIN_HEARTBEATS),
    Case("waitress", "waitress + Flask", SYNC, "/chat", WITHIN_HEARTBEATS),
    Case("Django WSGI", "gunicorn `gthread` + Django", SYNC, "/chat", WITHIN_HEARTBEATS),
    Case("uvicorn", "uvicorn + FastAPI", ASYNC, "/chat", AT_ONCE),
    Case(
        "uvicorn",
        "uvicorn + FastAPI",
        f"{ASYNC}; while written to",
        "/chat",
        WITHIN_HEARTBEATS,
        "endless",
        collects=True,
    ),
    Case("uvicorn", "uvicorn + FastAPI", GENERATOR, "/generator", AT_ONCE),
    Case(
        "uvicorn",
        "uvicorn + FastAPI",
        f"{GENERATOR}; while written to",
        "/generator",
        WITHIN_HEARTBEATS,
        "endless",
        collects=True,
    ),
    Case("behind", BEHIND, ASYNC, "/chat", AT_ONCE),
    Case("behind", BEHIND, f"{ASYNC}; while written to", "/chat", WITHIN_HEARTBEATS, "endless", collects=True),
    Case("behind", BEHIND, f"`ClosingResponse`, {ASYNC}; while written to", "/closing", WITHIN_HEARTBEATS, "endless"),
    Case("uvicorn", "uvicorn + FastAPI", "`repair(...)`, synchronous", "/sync", AT_ONCE, collects=True),
    Case("hypercorn", "hypercorn + FastAPI", ASYNC, "/chat", AT_ONCE),
    Case("gunicorn asgi", "gunicorn `asgi` + FastAPI", ASYNC, "/chat", WITHIN_HEARTBEATS),
    Case("Django ASGI", "uvicorn + Django", ASYNC, "/chat", AT_ONCE),
    Case("Django daphne", "daphne + Django", ASYNC, "/chat", AT_ONCE),
    Case("aiohttp", "aiohttp", f"`async with` {ASYNC}", "/chat", WITHIN_HEARTBEATS),
)


Measured = dict[Case, Release | None]


def measure(upstream: Upstream, programs: dict[str, Program]) -> Measured:
    """Leave each server after its first event, three times; give the latest release, or None where one never came.

    A case beyond its limit is measured once more, with no other one beside it: fifty readers that leave at once keep a
    small machine busy for longer than a server needs to notice one of them.
    """
    measured: Measured = {}
    for script in ("leave", "endless"):  # apart: filling the buffers takes the processor from those who keep time
        measured |= measure_together(upstream, programs, [case for case in CASES if case.script == script], "first")
    for case, release in measured.items():
        if case.limit is not None and (release is None or release.seconds > case.limit):
            with alone():
                measured |= measure_together(upstream, programs, [case], "again")
    return measured


def measure_together(upstream: Upstream, programs: dict[str, Program], cases: list[Case], turn: str) -> Measured:
    """Leave these servers at the same time, three times each."""
    with ThreadPoolExecutor(len(cases) * TIMES) as pool:
        runs = {
            case: [pool.submit(depart, upstream, programs[case.stack].port, case, f"{turn}/{n}") for n in range(TIMES)]
            for case in cases
        }
    return {case: latest([run.result() for run in of_case]) for case, of_case in runs.items()}


def latest(releases: list[Release | None]) -> Release | None:
    there = [release for release in releases if release is not None]
    return max(there, key=lambda release: (release.collected, release.seconds)) if there == releases else None


def depart(upstream: Upstream, port: int, case: Case, n: str) -> Release | None:
    prompt = f"{case.script}/{case.stack}{case.path}/{n}"
    connection = connect(port, case.path, prompt, receive_buffer=65_536)
    try:
        read_until(connection, b"data: ")
        if case.script == "endless":
            time.sleep(2.0)  # until the server can write no more
    finally:
        connection.close()
    left = time.monotonic()
    released = released_by(upstream, prompt, left + (2.0 if case.collects else PATIENCE))
    if released is not None:
        return Release(max(0.0, released - left))
    if not case.collects:
        return None
    left = time.monotonic()
    with connect(port, "/collect", "") as connection:
        read_until(connection, b"\r\n\r\n")
    released = released_by(upstream, prompt, left + PATIENCE)
    return None if released is None else Release(max(0.0, released - left), collected=True)


def released_by(upstream: Upstream, prompt: str, until: float) -> float | None:
    while (released := upstream.answer(prompt).released_at) is None and time.monotonic() < until:
        time.sleep(0.01)
    return released


# --- the table --------------------------------------------------------------------------------------------------------


def table(measured: dict[Case, Release | None]) -> str:
    rows = ["| server | the view returns | upstream is released after |", "| --- | --- | --- |"]
    rows += [f"| {case.server} | {case.returns} | {told(release)} |" for case, release in measured.items()]
    return "\n".join(rows) + "\n"


def told(release: Release | None) -> str:
    if release is None:
        return f"not within {PATIENCE:.0f} s: only when upstream sends its next chunk"
    return "not before garbage is collected" if release.collected else f"{release.seconds:.1f} s"


def versions() -> str:
    names = ("Flask", "Werkzeug", "gunicorn", "gevent", "waitress", "fastapi", "starlette", "uvicorn", "Hypercorn")
    more = ("Django", "daphne", "aiohttp")
    return ", ".join(f"{name} {version(name)}" for name in (*names, *more))


def write(measured: dict[Case, Release | None]) -> None:
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

"""What each server of docs/how-to/servers.md does with an answer: whole, silent, cut, and with its reader gone.

`python -m tests.e2e.servers` measures and writes the table of that page.
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .alone import alone
from .departures import AT_ONCE, HEARTBEAT, WITHIN_HEARTBEATS, released_by
from .processes import Program
from .proxy import write_certificate
from .responses import Arrivals, Http1, Http2, read
from .stacks import PAGES, running
from .upstream import TOKENS, Upstream

SLACK = 0.5  # seconds of a busy machine
PATIENCE = 10.0
TIMES = 3

PAGE = PAGES / "servers.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


@dataclass(frozen=True)
class Row:
    """A server of the page, what its application returns, and what is expected of it."""

    stack: str
    set_up: str
    way: str
    limit: float  # seconds within which upstream is released after the reader left
    on_head: int = 405
    says_goodbye: bool = True  # SIGTERM ends open streams with a frame
    closes: bool = True  # the stream, also where its task is cancelled while it writes; else the garbage collector does
    drops_stalled: bool = False  # a limit of the server, here three seconds, ends the response of one who stops reading
    kind: type[Http1] | type[Http2] = Http1

    def __str__(self) -> str:
        return self.stack


ASYNC, SYNC = "`arepair`", "`repair`"

ROWS = (
    Row("Quart", "[Quart](#quart) on hypercorn", ASYNC, AT_ONCE, on_head=200),
    Row("Litestar", "[Litestar](#litestar) on uvicorn", ASYNC, AT_ONCE, closes=False),
    Row("Sanic", "[Sanic](#sanic), its own server", ASYNC, AT_ONCE, drops_stalled=True),
    Row("Falcon", "[Falcon](#falcon) on gunicorn `gthread`", SYNC, WITHIN_HEARTBEATS),
    Row("Falcon ASGI", "[Falcon, ASGI](#falcon) on uvicorn", ASYNC, AT_ONCE, closes=False),
    Row("Tornado", "[Tornado](#tornado), its own server", ASYNC, WITHIN_HEARTBEATS),
    Row("Bottle", "[Bottle](#bottle) on gunicorn `gthread`", SYNC, WITHIN_HEARTBEATS, on_head=200),
    Row("cheroot", "Flask on [cheroot](#cheroot)", SYNC, WITHIN_HEARTBEATS, on_head=200, drops_stalled=True),
    Row(
        "uWSGI",  # its HTTP router is one more place where what is written waits
        "Flask on [uWSGI](#uwsgi)",
        SYNC,
        WITHIN_HEARTBEATS + HEARTBEAT,
        on_head=200,
        says_goodbye=False,
        drops_stalled=True,
    ),
    Row("granian WSGI", "Flask on [granian](#granian)", SYNC, WITHIN_HEARTBEATS, on_head=200, says_goodbye=False),
    Row("granian ASGI", "FastAPI on [granian](#granian)", ASYNC, AT_ONCE, closes=False),
    Row(
        "UvicornWorker",
        "FastAPI on [gunicorn with UvicornWorker](#gunicorn-with-uvicornworker)",
        ASYNC,
        AT_ONCE,
        closes=False,
    ),
    Row(
        "hypercorn h2",
        "FastAPI on [hypercorn with HTTP/2](#hypercorn-with-http2)",
        ASYNC,
        AT_ONCE,
        closes=False,
        kind=Http2,
    ),
)

Check = Callable[[Row, Upstream, Program, str], float]
"""Holds a server to something: returns the seconds it measured, or raises. The text is part of its prompts."""


# --- the checks -------------------------------------------------------------------------------------------------------


def answers_head(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """HEAD is answered without asking the model."""
    prompt = f"cut/head {row}/{turn}"
    with closing(row.kind(program.port)) as response:
        assert response.ask(prompt, method="HEAD") == row.on_head
    assert prompt not in upstream.answers
    return 0.0


def ends_a_cut(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """Upstream is cut: one error frame, last, and a response that ends as HTTP says that it should."""
    reading = well(read(row.kind, program.port, f"cut/{row}/{turn}")).reading
    assert len(reading.payloads) == 4, reading
    assert '"truncated"' in reading.payloads[-1]
    assert reading.body.endswith(b"}\n\n")
    assert reading.body.count(b'"error"') == 1
    return 0.0


def is_prompt(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """An answer arrives whole, and event by event."""
    arrivals = well(read(row.kind, program.port, f"paced/{row}/{turn}"))
    assert (arrivals.reading.text, arrivals.reading.payloads[-1]) == ("".join(TOKENS), "[DONE]")
    with_token = [at for at, piece in arrivals.pieces if b'"content"' in piece]
    assert len(with_token) >= len(TOKENS) - 2, arrivals
    assert with_token[-1] - with_token[0] >= 1.0, arrivals
    return 0.0


def is_whole(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """So does a long one, at full speed."""
    reading = well(read(row.kind, program.port, f"large/{row}/{turn}")).reading
    assert reading.text == "".join(f"{n} " for n in range(5_000))
    assert reading.payloads[-1] == "[DONE]"
    return 0.0


def stays_alive(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """Upstream is silent for longer than the heartbeat, and no gap is. Returns the longest gap."""
    arrivals = well(read(row.kind, program.port, f"silence/{row}/{turn}"))
    assert arrivals.longest_gap < HEARTBEAT + SLACK, arrivals
    assert arrivals.reading.body.count(b":\n\n") >= 5, arrivals
    assert arrivals.reading.text == "".join(TOKENS)
    return arrivals.longest_gap


def releases(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """The reader leaves in silence, and upstream is released. Returns the longest of three times."""
    with ThreadPoolExecutor(TIMES) as pool:
        runs = [pool.submit(depart, row, upstream, program, f"{turn}/{n}") for n in range(TIMES)]
    longest = max(run.result() for run in runs)
    assert longest <= row.limit, f"{longest:.2f} s"
    return longest


def depart(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    prompt = f"leave/{row}/{turn}"
    with closing(row.kind(program.port)) as response:
        response.ask(prompt)
        while b"data: " not in response.read():
            pass
        left = time.monotonic()
        response.leave()
        released = released_by(upstream, prompt, left + PATIENCE)
    assert released is not None, f"not within {PATIENCE:.0f} s"
    return max(0.0, released - left)


def releases_a_stalled_reader(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """The reader stops reading, and leaves when the server can write no more, where the stream is closed then."""
    if not row.closes:
        return 0.0
    prompt = f"flood/{row}/{turn}"
    with stalled(row, program, prompt) as response:
        left = time.monotonic()
        response.leave()
        released = released_by(upstream, prompt, left + PATIENCE)
    assert released is not None, f"not within {PATIENCE:.0f} s"
    assert released - left <= 2 * WITHIN_HEARTBEATS, f"{released - left:.2f} s"
    return max(0.0, released - left)


def drops_a_stalled_reader(row: Row, upstream: Upstream, program: Program, turn: str) -> float:
    """The reader stops reading and stays, and the server ends the response, where it has a limit for that."""
    if row.drops_stalled:
        prompt = f"flood/{row}/stays/{turn}"
        with stalled(row, program, prompt):
            assert released_by(upstream, prompt, time.monotonic() + PATIENCE) is not None, (
                f"not within {PATIENCE:.0f} s"
            )
    return 0.0


@contextmanager
def stalled(row: Row, program: Program, prompt: str) -> Iterator[Http1 | Http2]:
    """Ask for more than any buffer takes, read the beginning, and wait until the server can write no more."""
    with closing(row.kind(program.port)) as response:
        response.ask(prompt)
        while b"data: " not in response.read():
            pass
        time.sleep(2.0)
        yield response


def well(arrivals: Arrivals) -> Arrivals:
    assert (arrivals.status, arrivals.cut) == (200, None), arrivals
    return arrivals


TOGETHER: tuple[tuple[Check, ...], ...] = (
    (ends_a_cut, answers_head),  # the first requests import and connect
    (is_prompt, stays_alive, releases),
    (is_whole,),  # this one, and the next ones, take the processor from those that keep time
    (releases_a_stalled_reader, drops_a_stalled_reader),
)
CHECKS = tuple(check for checks in TOGETHER for check in checks)

Outcome = float | Exception
Outcomes = dict[tuple[Row, Check], Outcome]


def check_all(upstream: Upstream, programs: dict[str, Program]) -> Outcomes:
    """Hold all servers to all checks at the same time; what fails is checked once more, with nothing beside it."""
    outcomes: Outcomes = {}
    for checks in TOGETHER:
        with ThreadPoolExecutor(len(ROWS) * len(checks)) as pool:
            runs = {
                (row, check): pool.submit(check, row, upstream, programs[row.stack], "first")
                for check in checks
                for row in ROWS
            }
        outcomes |= {key: outcome_of(run) for key, run in runs.items()}
    for (row, check), outcome in outcomes.items():
        if isinstance(outcome, Exception):
            print(f"once more: {row}, {check.__name__}: {outcome!r:.300}")
            with alone(), ThreadPoolExecutor(1) as pool:
                again = pool.submit(check, row, upstream, programs[row.stack], "again")
            outcomes[row, check] = outcome_of(again)
    return outcomes


def outcome_of(run: Future[float]) -> Outcome:
    error = run.exception()
    return error if isinstance(error, Exception) else run.result()


# --- SIGTERM ----------------------------------------------------------------------------------------------------------


@dataclass
class Goodbye:
    """What became of a stream that was open when its server got SIGTERM, and of the server."""

    arrivals: Arrivals
    exited: bool
    released: bool


def terminate_all(upstream: Upstream, programs: dict[str, Program]) -> dict[Row, Goodbye]:
    """Send SIGTERM to all servers at the same time, each with a stream open."""
    prompts = {row: f"leave/terminated/{row}" for row in ROWS}
    with ThreadPoolExecutor(len(ROWS)) as pool:
        reads = {row: pool.submit(read, row.kind, programs[row.stack].port, prompts[row]) for row in ROWS}
        until = time.monotonic() + PATIENCE
        while not all(upstream.answer(prompt).sent for prompt in prompts.values()):
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(1.0)  # until the token, or the heartbeat behind it, has reached the reader
        for row in ROWS:
            programs[row.stack].send(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        exited = {row: programs[row.stack].wait(until - time.monotonic()) is not None for row in ROWS}
        for program in programs.values():
            program.stop()
        released = {row: upstream.answer(prompts[row]).finished.wait(PATIENCE) for row in ROWS}
    return {row: Goodbye(reads[row].result(), exited[row], released[row]) for row in ROWS}


@contextmanager
def served(folder: Path) -> Iterator[tuple[Upstream, dict[str, Program]]]:
    """Run all servers of the page."""
    write_certificate(folder / "chat.pem", folder / "chat.key")
    with Upstream() as upstream, running(folder, upstream.url, tuple(row.stack for row in ROWS)) as programs:
        yield upstream, programs


# --- the table --------------------------------------------------------------------------------------------------------


def table(outcomes: Outcomes) -> str:
    rows = ["| set-up | the route returns | upstream is released after |", "| --- | --- | --- |"]
    rows += [f"| {row.set_up} | {row.way} | {told(outcomes[row, releases])} |" for row in ROWS]
    return "\n".join(rows) + "\n"


def told(outcome: Outcome) -> str:
    return f"{outcome:.1f} s" if isinstance(outcome, float) else repr(outcome)


def versions() -> str:
    names = ("Quart", "litestar", "sanic", "falcon", "tornado", "bottle", "Flask", "fastapi")
    more = ("cheroot", "pyuwsgi", "granian", "gunicorn", "uvicorn", "uvicorn-worker", "Hypercorn")
    return ", ".join(f"{name} {version(name)}" for name in (*names, *more))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (upstream, programs):
        outcomes = check_all(upstream, programs)
    print(table(outcomes))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(outcomes)}\n{versions()}.\n\n{END}{after}")


if __name__ == "__main__":
    main()

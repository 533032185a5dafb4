"""Real servers on the loopback, many streams at once: `python -m benchmarks.end_to_end`.

Throughput is wall time from the first request to the last byte; the processor time of the server stands beside it,
since it shows the same with less noise. Both are ratios to the bare pass-through of the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, perf_counter_ns, sleep

from . import machine
from .apps import TOKENS
from .compare import write_between_markers

STREAMS = 200
PACED_STREAMS = 20
"""400 tokens a second: where a server is saturated, latency is its queue, and shows nothing of what stands in it."""
STAMP = re.compile(rb"@(\d+)@")


@dataclass
class Server:
    """A server process; `kinds` are its routes by what they show."""

    name: str
    command: str
    kinds: dict[str, str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Server]:
        self.port = free_port()
        command = [sys.executable, "-m", *self.command.replace("{port}", str(self.port)).split()]
        self.process = subprocess.Popen(command, start_new_session=True)
        try:
            wait_for_port(self.port)
            yield self
        finally:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=20)

    def processor_seconds(self) -> float:
        """Return user and system time of the server's session, from /proc (Linux)."""
        assert self.process is not None
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid:  # the session, proc(5)
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


UVICORN = "uvicorn benchmarks.apps:fastapi_app --factory --port {port} --log-level error"
GUNICORN = "gunicorn benchmarks.apps:flask_app() -k gthread -b 127.0.0.1:{port} --log-level error"
ASGI_KINDS = {
    "bare": "bare pass-through",
    "arepair": "arepair, all defaults (heartbeat on)",
    "lean": 'arepair(account=False, invalid_json="keep")',
    "sse-starlette": "sse-starlette EventSourceResponse(ping=5)",
}
FASTAPI = Server("FastAPI + uvicorn, asyncio and h11", f"{UVICORN} --loop=asyncio --http=h11", ASGI_KINDS)
FASTAPI_UVLOOP = Server(
    "FastAPI + uvicorn, uvloop and httptools", f"{UVICORN} --loop=uvloop --http=httptools", ASGI_KINDS
)
FLASK = Server(
    "Flask + gunicorn gthread",
    f"{GUNICORN} --threads={STREAMS}",
    {
        "bare": "bare pass-through",
        "repair": "repair(heartbeat=None, timeouts=None)",
        "thread": "repair, all defaults (its thread on)",
    },
)
SERVERS = {"asyncio": FASTAPI, "uvloop": FASTAPI_UVLOOP, "flask": FLASK}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, seconds: float = 20.0) -> None:
    """Wait until something listens. Raises TimeoutError."""
    deadline = perf_counter() + seconds
    while perf_counter() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port} after {seconds} s")


# --- the client -------------------------------------------------------------------------------------------------


class Download(asyncio.Protocol):
    """Reads one response to its end as cheaply as Python can: by counting."""

    def __init__(self, path: str) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        self._tail = b""
        self.payloads = 0
        self.latencies: list[int] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = perf_counter_ns()
        self.payloads += (self._tail + data).count(b"data: ")
        self._tail = data[-5:]  # one byte less than what is counted
        self.latencies += [now - int(stamp) for stamp in STAMP.findall(data)]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def download(port: int, paths: list[str]) -> list[Download]:
    """Return all streams, opened at once and read to their ends."""
    loop = asyncio.get_running_loop()
    connect = [loop.create_connection(lambda path=path: Download(path), "127.0.0.1", port) for path in paths]  # type: ignore[misc]
    downloads = [protocol for _, protocol in await asyncio.gather(*connect)]
    await asyncio.wait_for(asyncio.gather(*(each.done for each in downloads)), timeout=120)
    return downloads


# --- measuring --------------------------------------------------------------------------------------------------


@dataclass
class Load:
    """What one kind of route took, round by round."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


async def one_load(server: Server, kind: str, load: Load) -> None:
    cpu, start = server.processor_seconds(), perf_counter()
    downloads = await download(server.port, [f"/{kind}"] * STREAMS)
    load.seconds.append(perf_counter() - start)
    load.processor.append(server.processor_seconds() - cpu)
    short = [each.payloads for each in downloads if each.payloads != TOKENS + 1]
    if short:
        raise AssertionError(f"{server.name} /{kind}: {len(short)} streams of {short[:3]} payloads, not {TOKENS + 1}")


async def throughput(server: Server, rounds: int) -> dict[str, Load]:
    """Return what each route took, loaded in turn `rounds` times after one round that is not counted."""
    await asyncio.wait_for(download(server.port, [f"/{kind}" for kind in server.kinds]), timeout=60)
    loads = {kind: Load() for kind in server.kinds}
    for number in range(rounds):
        for kind in list(loads)[:: 1 if number % 2 else -1]:
            await one_load(server, kind, loads[kind])
    return loads


async def latencies(server: Server) -> dict[str, list[float]]:
    """Return the microseconds from upstream's yield to the client of paced tokens, sent through both routes at once."""
    paths = [f"/paced/{kind}" for kind in ("bare", "arepair") * (PACED_STREAMS // 2)]
    downloads = await download(server.port, paths)
    return {
        kind: [ns / 1000 for each in downloads[at::2] for ns in each.latencies]
        for at, kind in enumerate(("bare", "arepair"))
    }


# --- printing ---------------------------------------------------------------------------------------------------


def throughput_table(server: Server, loads: dict[str, Load]) -> list[str]:
    """Return throughput and processor time beside the bare pass-through, best round against best round.

    The median of the ratios round by round stands in brackets: how far it is off says how busy the machine was.
    """
    bare = loads["bare"]
    lines = [f"| {server.name} | tokens a second | throughput, of bare | processor time, × bare |", "|---|--:|--:|--:|"]
    for kind, load in loads.items():
        rate = STREAMS * TOKENS / min(load.seconds)
        of_bare = min(bare.seconds) / min(load.seconds)
        by_round = statistics.median(b / mine for b, mine in zip(bare.seconds, load.seconds, strict=True))
        cpu = min(load.processor) / min(bare.processor)
        lines.append(f"| {server.kinds[kind]} | {rate:,.0f} | {of_bare:.2f} ({by_round:.2f}) | {cpu:.2f} |")
    return [*lines, ""]


def latency_lines(measured: dict[str, list[float]]) -> list[str]:
    """Return the latency that arepair adds, at the median and the 99th percentile."""
    bare, ours = measured["bare"], measured["arepair"]
    added = statistics.median(ours) - statistics.median(bare)
    tail = statistics.quantiles(ours, n=100)[98] - statistics.quantiles(bare, n=100)[98]
    return [
        f"Latency that `arepair` adds to a token, {PACED_STREAMS} paced streams at once, half of them bare: "
        f"{added:.0f} µs at the median (bare: {statistics.median(bare):.0f} µs), {tail:.0f} µs at the 99th percentile "
        f"({len(ours):,} tokens each).",
        "",
    ]


def run(servers: list[Server], rounds: int) -> list[str]:
    lines = []
    for server in servers:
        with server.running():
            lines += throughput_table(server, asyncio.run(throughput(server, rounds)))
            if "arepair" in server.kinds:
                lines += latency_lines(asyncio.run(latencies(server)))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.end_to_end", description=__doc__)
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"of {', '.join(SERVERS)}; none: all")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (9)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args()
    servers = [SERVERS[name] for name in options.servers or SERVERS]
    head = f"Output of `python -m benchmarks.end_to_end` on {machine.today_and_description()}; "
    head += f"{STREAMS} streams of {TOKENS} tokens at once, {options.rounds} interleaved rounds."
    text = "\n".join([head, "", *run(servers, options.rounds)])
    print(text)
    if options.write:
        write_between_markers(options.write, text, "end-to-end")


if __name__ == "__main__":
    main()

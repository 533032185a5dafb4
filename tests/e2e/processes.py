"""Programs under test: started on a free port, waited for, stopped with all their children."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path


def free_port() -> int:
    """Give a port of 127.0.0.1 that is kept for whoever listens with SO_REUSEADDR, as all servers here do.

    It stays bound, without a listener, for as long as this process lives: the kernel gives it to no other test that
    runs beside this one, and to none of the thousands of connections that they make.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()
    return port


def queued_bytes(ports: Collection[int]) -> int:
    """Give the bytes that the kernel holds, sent or received, for the connections to and from these ports.

    https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
    """
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if {int(address.partition(":")[2], 16) for address in (local, remote)} & set(ports):
            sent, received = queues.split(":")
            total += int(sent, 16) + int(received, 16)
    return total


class Program:
    """A child process in a process group of its own. A context manager; its output goes to a file."""

    def __init__(self, command: Sequence[str], port: int, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.port = port
        self.log = log
        self._env = {**os.environ, **(env or {})}

    def start(self) -> None:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env, start_new_session=True
            )

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Return once the port accepts; raises RuntimeError with the program's output where it does not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"{' '.join(self.command)} did not listen on port {self.port}:\n{self.output()}")

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def resident_bytes(self) -> int:
        """Give the resident memory of the whole process group."""
        pages = 0
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                group = status.read_text().rpartition(")")[2].split()[2]
                if int(group) == self._process.pid:
                    pages += int((status.parent / "statm").read_text().split()[1])
            except OSError:  # it ended while we looked
                continue
        return pages * os.sysconf("SC_PAGE_SIZE")

    def send(self, sign: int) -> None:
        """Send a signal to the program itself, as an operator does."""
        self._process.send_signal(sign)

    def wait(self, seconds: float) -> int | None:
        """Give its exit code, or None if it runs on."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ask the group to end, then make it."""
        for sign, seconds in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 60.0)):
            try:
                os.killpg(self._process.pid, sign)
                self._process.wait(seconds)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def __enter__(self) -> Program:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

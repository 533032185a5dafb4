"""The servers under test, each with the very application that its how-to page shows.

The fences marked `app=NAME` in flask.md, fastapi.md, django.md, aiohttp.md and clients.md are written out as modules;
those of tests/e2e/apps import them and add what only a test needs: other clients, and the same without `unbroken`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fences import ROOT, fences

from .processes import Program, free_port

PAGES = ROOT / "docs" / "how-to"
SYNC_CLIENTS = ("requests", "httpx", "httpx2", "urllib3")
ASYNC_CLIENTS = ("httpx", "httpx2", "aiohttp")


@dataclass(frozen=True)
class Stack:
    """A server with an application. `{port}` stands in the command for the port."""

    name: str
    arguments: str
    clients: tuple[str, ...]

    def program(self, folder: Path, upstream: str) -> Program:
        """Give the server, which will find the pages' applications in `folder` and its upstream at that URL."""
        port = free_port()
        env = {
            "UPSTREAM": upstream,
            "PYTHONPATH": f"{folder}:{ROOT}",
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "127.0.0.1",
            "VERDICTS": str(folder / f"{self.name.replace(' ', '-')}.verdicts"),
        }
        command = [sys.executable, "-m", *self.arguments.format(port=port).split()]
        return Program(command, port, folder / f"{self.name.replace(' ', '-')}.log", env)


FLASK = "tests.e2e.apps.flask_routes:app"
FASTAPI = "tests.e2e.apps.fastapi_routes:app"
WSGI = "tests.e2e.apps.django_wsgi_routes:application"
ASGI = "tests.e2e.apps.django_asgi_routes:application"
GUNICORN = "gunicorn --bind 127.0.0.1:{port} --graceful-timeout 1 --backlog 2048"

STACKS = {
    stack.name: stack
    for stack in (
        Stack("werkzeug", "flask --app tests.e2e.apps.flask_routes run --port {port}", SYNC_CLIENTS),
        Stack("gunicorn sync", f"{GUNICORN} --workers 16 --preload {FLASK}", SYNC_CLIENTS),
        Stack("gunicorn sync 4 s", f"{GUNICORN} --workers 2 --timeout 4 {FLASK}", SYNC_CLIENTS),
        Stack("gunicorn gthread", f"{GUNICORN} --worker-class gthread --threads 60 {FLASK}", SYNC_CLIENTS),
        Stack("gunicorn gevent", f"{GUNICORN} --worker-class gevent {FLASK}", SYNC_CLIENTS),
        Stack("waitress", f"waitress --listen 127.0.0.1:{{port}} --threads 40 {FLASK}", SYNC_CLIENTS),
        Stack("Django WSGI", f"{GUNICORN} --worker-class gthread --threads 60 {WSGI}", SYNC_CLIENTS),
        Stack("uvicorn", f"uvicorn --port {{port}} --log-level warning {FASTAPI}", ASYNC_CLIENTS),
        Stack("hypercorn", f"hypercorn --bind 127.0.0.1:{{port}} {FASTAPI}", ASYNC_CLIENTS),
        Stack("gunicorn asgi", f"{GUNICORN} --worker-class asgi {FASTAPI}", ASYNC_CLIENTS),
        Stack("Django ASGI", f"uvicorn --port {{port}} --log-level warning {ASGI}", ASYNC_CLIENTS),
        Stack("Django daphne", f"daphne -b 127.0.0.1 -p {{port}} {ASGI}", ASYNC_CLIENTS),
        Stack("aiohttp", "aiohttp.web -H 127.0.0.1 -P {port} tests.e2e.apps.aiohttp_routes:main", ASYNC_CLIENTS),
    )
}


def write_pages(folder: Path) -> None:
    """Write each application of the how-to pages as a module into `folder`."""
    applications: dict[str, str] = {}
    for page in sorted(PAGES.glob("*.md")):
        for fence in fences(page):
            if name := fence.options.get("app"):
                applications[name] = applications.get(name, "") + fence.text
    for name, text in applications.items():
        (folder / f"{name}.py").write_text(text)


@contextmanager
def running(folder: Path, upstream: str, names: tuple[str, ...]) -> Iterator[dict[str, Program]]:
    """Run these stacks, started together so that they are ready together."""
    write_pages(folder)
    programs = {name: STACKS[name].program(folder, upstream) for name in names}
    with ExitStack() as stack:
        for program in programs.values():
            program.start()
            stack.callback(program.stop)
        for program in programs.values():
            program.wait_until_ready()
        yield programs

"""The servers under test, each with the very application that its how-to page shows.

The fences marked `app=NAME` in flask.md, fastapi.md, django.md, aiohttp.md, servers.md, middleware.md, clients.md and
replay.md are written out as modules; those of tests/e2e/apps import them and add what only a test needs: other clients,
and the same without `unbroken`.
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
LEASE = 2.0
"""Seconds after which a producer of a replayed answer counts as lost."""


@dataclass(frozen=True)
class Stack:
    """A server with an application. In the command `{port}` stands for the port, `{folder}` for the test's."""

    name: str
    arguments: str
    clients: tuple[str, ...] = ()
    is_module: bool = True  # which Python runs; else a program that is installed beside it

    def program(self, folder: Path, upstream: str) -> Program:
        """Give the server, which will find the pages' applications in `folder` and its upstream at that URL."""
        port = free_port()
        env = {
            "UPSTREAM": upstream,
            "PYTHONPATH": f"{folder}:{ROOT}",
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "127.0.0.1",
            "VERDICTS": str(folder / f"{self.name.replace(' ', '-')}.verdicts"),
            "ANSWERS": str(folder / f"{self.name.replace(' ', '-')}.db"),
            "WORKER": str(folder / f"{self.name.replace(' ', '-')}.worker"),
            "LEASE": str(LEASE),
            "SECRET_KEY": "of all workers",
        }
        name, *arguments = self.arguments.format(port=port, folder=folder).split()
        command = [sys.executable, "-m", name] if self.is_module else [str(Path(sys.executable).parent / name)]
        return Program([*command, *arguments], port, folder / f"{self.name.replace(' ', '-')}.log", env)


FLASK = "tests.e2e.apps.flask_routes:app"
FASTAPI = "tests.e2e.apps.fastapi_routes:app"
WSGI = "tests.e2e.apps.django_wsgi_routes:application"
ASGI = "tests.e2e.apps.django_asgi_routes:application"
MIDDLEWARE = "tests.e2e.apps.middleware_"
GUNICORN_10 = "gunicorn --bind 127.0.0.1:{port} --graceful-timeout 10"
GUNICORN = "gunicorn --bind 127.0.0.1:{port} --graceful-timeout 1 --backlog 2048"

# servers.md. Where a server has a limit for silence, it is below the six seconds of the test.
SERVERS = tuple(
    Stack(name, arguments, is_module=not arguments.startswith("uwsgi"))
    for name, arguments in {
        "Quart": "hypercorn --workers 0 --bind 127.0.0.1:{port} tests.e2e.apps.quart_routes:app",
        "Litestar": "uvicorn --port {port} --log-level warning --timeout-graceful-shutdown 10 litestar_app:app",
        "Sanic": "sanic tests.e2e.apps.sanic_routes:app --port {port}",
        "Falcon": f"{GUNICORN_10} --worker-class gthread --threads 20 falcon_app:app",
        "Falcon ASGI": "uvicorn --port {port} --log-level warning --timeout-graceful-shutdown 10 falcon_asgi_app:app",
        "Tornado": "tornado_app {port}",
        "Bottle": f"{GUNICORN_10} --worker-class gthread --threads 20 bottle_app:app",
        "cheroot": "cheroot --bind 127.0.0.1:{port} --threads 20 --timeout 3 tests.e2e.apps.shutdown_wsgi:app",
        "uWSGI": "uwsgi --http 127.0.0.1:{port} --http-keepalive --http-auto-chunked --http-timeout 3 --master"
        f" --threads 20 --die-on-term --home {sys.prefix} --module flask_app:app",
        "granian ASGI": "granian --interface asgi --port {port} tests.e2e.apps.shutdown_asgi:app",
        "granian WSGI": "granian --interface wsgi --port {port} --blocking-threads 20 --workers-kill-timeout 2"
        " flask_app:app",
        "UvicornWorker": f"{GUNICORN_10} --timeout 3 --worker-class uvicorn_worker.UvicornWorker"
        " tests.e2e.apps.shutdown_asgi:app",
        "hypercorn h2": "hypercorn --workers 0 --bind 127.0.0.1:{port} --certfile {folder}/chat.pem"
        " --keyfile {folder}/chat.key tests.e2e.apps.shutdown_asgi:app",
    }.items()
)

# Routes that know nothing of us, behind the middleware (middleware.md).
BARE_WSGI = ("bare Flask", "bare Django WSGI")
BARE_ASGI = ("bare FastAPI", "bare Starlette", "bare Django ASGI")

STACKS = {
    stack.name: stack
    for stack in (
        *SERVERS,
        Stack("werkzeug", "flask --app tests.e2e.apps.flask_routes run --port {port}", SYNC_CLIENTS),
        Stack("gunicorn sync", f"{GUNICORN} --workers 16 --preload {FLASK}", SYNC_CLIENTS),
        Stack("gunicorn sync 4 s", f"{GUNICORN} --workers 2 --timeout 4 {FLASK}", SYNC_CLIENTS),
        Stack("gunicorn gthread", f"{GUNICORN} --worker-class gthread --threads 60 {FLASK}", SYNC_CLIENTS),
        Stack("gunicorn gevent", f"{GUNICORN} --worker-class gevent {FLASK}", SYNC_CLIENTS),
        Stack("waitress", f"waitress --listen 127.0.0.1:{{port}} --threads 40 {FLASK}", SYNC_CLIENTS),
        Stack("Django WSGI", f"{GUNICORN} --worker-class gthread --threads 60 {WSGI}", SYNC_CLIENTS),
        Stack("uvicorn", f"uvicorn --port {{port}} --log-level warning {FASTAPI}", ASYNC_CLIENTS),
        Stack("recipes", "uvicorn --port {port} --log-level warning tests.e2e.apps.recipe_routes:app"),
        Stack("trio", "hypercorn --workers 0 --worker-class trio --bind 127.0.0.1:{port} fastapi_app:app"),
        Stack("limited uvicorn", "uvicorn --port {port} --log-level warning tests.e2e.apps.limited_routes:app"),
        Stack("limited hypercorn", "hypercorn --workers 0 --bind 127.0.0.1:{port} tests.e2e.apps.limited_routes:app"),
        Stack("behind", "uvicorn --port {port} --log-level warning tests.e2e.apps.behind_routes:app"),
        Stack("hypercorn", f"hypercorn --bind 127.0.0.1:{{port}} {FASTAPI}", ASYNC_CLIENTS),
        Stack("gunicorn asgi", f"{GUNICORN} --worker-class asgi {FASTAPI}", ASYNC_CLIENTS),
        Stack("Django ASGI", f"uvicorn --port {{port}} --log-level warning {ASGI}", ASYNC_CLIENTS),
        Stack("Django daphne", f"daphne -b 127.0.0.1 -p {{port}} {ASGI}", ASYNC_CLIENTS),
        Stack(
            "shutdown uvicorn",
            "uvicorn --port {port} --timeout-graceful-shutdown 10 tests.e2e.apps.shutdown_asgi:app",
            (),
        ),
        Stack(
            "shutdown hypercorn", "hypercorn --workers 0 --bind 127.0.0.1:{port} tests.e2e.apps.shutdown_asgi:app", ()
        ),
        Stack(
            "shutdown gunicorn",
            "gunicorn --bind 127.0.0.1:{port} --graceful-timeout 10 --worker-class gthread --threads 8"
            " tests.e2e.apps.shutdown_wsgi:app",
            (),
        ),
        Stack(
            "replay gunicorn",
            f"{GUNICORN} --workers 2 --worker-class gthread --threads 20 tests.e2e.apps.replay_wsgi:app",
            (),
        ),
        Stack("replay uvicorn", "uvicorn --port {port} --workers 2 tests.e2e.apps.replay_asgi:app", ()),
        Stack("replay Django", f"{GUNICORN} --worker-class gthread --threads 20 replay_django:application", ()),
        Stack("replay Flask", "flask --app docs/examples/chat.py run --port {port}", ()),
        Stack("README Flask", f"{GUNICORN} --worker-class gthread --threads 20 readme_flask:app", ()),
        Stack("README FastAPI", "uvicorn --port {port} --log-level warning readme_fastapi:app", ()),
        Stack("aiohttp", "aiohttp.web -H 127.0.0.1 -P {port} tests.e2e.apps.aiohttp_routes:main", ASYNC_CLIENTS),
        Stack("bare Flask", f"{GUNICORN} --worker-class gthread --threads 60 {MIDDLEWARE}flask_routes:app", ()),
        Stack(
            "bare Django WSGI",
            f"{GUNICORN} --worker-class gthread --threads 60 {MIDDLEWARE}django_wsgi_routes:application",
            (),
        ),
        Stack("bare FastAPI", f"uvicorn --port {{port}} --log-level warning {MIDDLEWARE}fastapi_routes:app", ()),
        Stack("bare Starlette", f"hypercorn --bind 127.0.0.1:{{port}} {MIDDLEWARE}starlette_routes:app", ()),
        Stack(
            "bare Django ASGI",
            f"uvicorn --port {{port}} --log-level warning {MIDDLEWARE}django_asgi_routes:application",
            (),
        ),
    )
}


def write_pages(folder: Path) -> None:
    """Write each application of the how-to pages as a module into `folder`."""
    applications: dict[str, str] = {}
    for page in sorted(PAGES.glob("*.md")):
        for fence in fences(page):
            if name := fence.options.get("app"):
                applications[name] = applications.get(name, "") + fence.text
    for fence in fences(ROOT / "README.md"):
        if "@app.post" in fence.text:
            name = "readme_fastapi" if "FastAPI" in fence.text else "readme_flask"
            applications[name] = f'import os\n{fence.text}\nUPSTREAM = os.environ["UPSTREAM"]\n'
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

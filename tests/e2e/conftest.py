"""The end-to-end tests fail, and never skip, where something they need is missing; they say what to install."""

import importlib.util
from collections.abc import Generator

import pytest

from .alone import beside_others

NEEDED = (
    "aiohttp", "bottle", "brotli", "cheroot", "cryptography", "daphne", "django", "falcon", "fastapi", "flask",
    "gevent", "granian", "gunicorn", "h2", "httpx", "httpx2", "hypercorn", "litestar", "prometheus_client", "pyuwsgi",
    "quart", "redis", "requests", "sanic", "selenium", "sse_starlette", "tornado", "urllib3", "uvicorn",
    "uvicorn_worker", "waitress", "zstandard",
)  # fmt: skip

if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
    raise pytest.UsageError(f"tests/e2e needs {', '.join(missing)}: run `pip install -e '.[test,e2e]'`")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    with beside_others():
        return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep the tests of a file in one process, since they share servers, and the files in order: the last are short."""
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)

"""The end-to-end tests fail, and never skip, where something they need is missing; they say what to install."""

import importlib.util

import pytest

NEEDED = (
    "aiohttp", "cryptography", "daphne", "django", "fastapi", "flask", "gevent", "gunicorn", "httpx", "httpx2",
    "hypercorn", "requests", "selenium", "urllib3", "uvicorn", "waitress",
)  # fmt: skip

if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
    raise pytest.UsageError(f"tests/e2e needs {', '.join(missing)}: run `pip install -e '.[test,e2e]'`")

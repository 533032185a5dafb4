"""One line for a whole application: every response that is a stream is served as `repair` and `arepair` would.

`ASGIMiddleware` wraps an ASGI application (FastAPI, Starlette, Django under ASGI), `WSGIMiddleware` a WSGI application
(Flask, Django under WSGI).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .wsgi import WSGIMiddleware

if TYPE_CHECKING:
    from .asgi import ASGIMiddleware

__all__ = ["ASGIMiddleware", "WSGIMiddleware"]


def __getattr__(name: str) -> Any:
    if name != "ASGIMiddleware":  # which needs asyncio: a WSGI application never does
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .asgi import ASGIMiddleware

    return ASGIMiddleware


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

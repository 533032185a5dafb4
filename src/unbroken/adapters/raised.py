"""What an exception means that was raised while upstream was read: an answer, a broken connection, or a bug.

Exceptions are recognised by the package that their class, or one of its bases, comes from, so that no client need be
installed.
"""

from __future__ import annotations

from typing import Final

from ..answers import error_of_answer
from ..core.failure import Failure
from ..core.report import StreamError

# fmt: off
_OF_CONNECTIONS: Final = frozenset((
    # HTTP clients, and what they are made of
    "aiohttp", "curl_cffi", "grpc", "h11", "h2", "hpack", "http", "httpcore", "httpcore2", "httptools", "httpx",
    "httpx2", "httpx_sse", "niquests", "pycurl", "pyreqwest", "requests", "tornado", "treq", "urllib", "urllib3",
    "urllib3_future", "websockets", "wsproto",
    # sockets, loops, and encodings of a body
    "anyio", "asyncio", "concurrent", "eventlet", "gevent", "select", "socket", "ssl", "trio", "twisted",
    "_brotli", "_zstd", "backports", "brotli", "brotlicffi", "compression", "gzip", "zlib", "zstandard",
    # clients of providers
    "aiobotocore", "anthropic", "boto3", "botocore", "cohere", "google", "groq", "huggingface_hub", "litellm",
    "mistralai", "ollama", "openai", "replicate", "together",
))
# fmt: on
"""Packages whose exceptions are failures of a connection, or of the service at its other end."""
_OF_LOOPS: Final = frozenset(("anyio", "asyncio", "concurrent", "gevent", "trio"))
_OF_SERVERS: Final = frozenset(
    ("bottle", "django", "falcon", "fastapi", "flask", "litestar", "quart", "sanic", "starlette", "werkzeug")
)
"""Packages whose exceptions are answers of the application itself: their status is not upstream's."""
_MAX_CAUSES: Final = 8  # they may go in a circle


def error_for(error: Exception) -> StreamError | None:
    """Return the error that an exception stands for, which is its cause; None for a connection that failed.

    The exception of a client with a status from 400 on is upstream's answer. One that has nothing to do with a
    connection is a bug of the application, whose generator upstream may be: code `application-error`.
    """
    told = None if _is_answer_of_ours(error) else error_of_answer(error)
    if told is None and not isinstance(error, StreamError) and not _is_of_a_connection(error):
        told = StreamError(Failure("application-error", status_hint=500, error_type=type(error).__name__))
    if told is not None:
        told.__cause__ = error
    return told


def url_of(error: Exception) -> str | None:
    """Return the URL that was asked for, which exceptions of httpx and requests know, also of refused connections."""
    try:
        return str(error.request.url)  # type: ignore[attr-defined]
    except Exception:  # httpx raises `RuntimeError` where it does not know; another class may do anything
        return None


def _is_of_a_connection(error: BaseException) -> bool:
    """Whether the exception, one that it wraps, or one of its group comes from reading a connection."""
    found: list[BaseException] = [error]
    for one in found:  # grows as it is walked
        is_known = not _is_answer_of_ours(one) and not _packages_of(one).isdisjoint(_OF_CONNECTIONS)
        if isinstance(one, (OSError, EOFError, StreamError)) or is_known:
            return True
        if len(found) > _MAX_CAUSES:
            break
        inner = [one.__cause__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]
        # One that an application raises while it handles a failure; but what Python itself raises then is a bug of that
        # code, and loops raise exceptions of their own everywhere, to wait and to cancel.
        context = one.__context__
        if type(one).__module__ != "builtins" and context is not None and _packages_of(context).isdisjoint(_OF_LOOPS):
            inner.append(context)
        found += [it for it in inner if it is not None and it not in found]
    return False


def _is_answer_of_ours(error: BaseException) -> bool:
    is_of_aiohttp = any(kind.__module__.startswith("aiohttp.web") for kind in type(error).__mro__)
    return is_of_aiohttp or not _packages_of(error).isdisjoint(_OF_SERVERS)


def _packages_of(error: BaseException) -> set[str]:
    return {kind.__module__.partition(".")[0] for kind in type(error).__mro__}

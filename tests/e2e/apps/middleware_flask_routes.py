"""The middleware page's Flask application, with a route that raises and responses that must pass."""

from collections.abc import Iterator

from flask import Response
from middleware_flask_app import app

from . import bare

__all__ = ["app"]


@app.get("/raises")
def raises() -> Response:
    def chunks() -> Iterator[bytes]:
        yield bare.EVENT
        raise RuntimeError(bare.SECRET)

    return Response(chunks(), mimetype=bare.SSE)


@app.get("/json")
def plain() -> Response:
    return Response(bare.LINES, mimetype="application/json")


@app.get("/packed")
def packed() -> Response:
    return Response(bare.PACKED, mimetype=bare.NDJSON, headers={"Content-Encoding": "gzip"})

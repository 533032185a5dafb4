"""The Flask page's application, by each client, without `unbroken`, and with its reports kept."""

import requests
from flask import Response, request
from flask_app import UPSTREAM, app

from unbroken import SSE_HEADERS, Timeouts, repair

from . import naive, repaired


def post(prompt: str) -> requests.Response:
    return requests.post(UPSTREAM, json=naive.question(prompt), stream=True, timeout=(5, 300))


@app.get("/chat/naive/<client>")
def plain(client: str) -> Response:
    return Response(naive.SYNC[client](request.args["prompt"]), headers=naive.HEADERS)


@app.get("/chat/repaired/<client>")
def by(client: str) -> Response:
    return Response(repaired.stream(client, request.args["prompt"]), headers=SSE_HEADERS)


@app.get("/kept")
def kept() -> Response:
    prompt = request.args["prompt"]
    stream = repair(lambda: post(prompt), heartbeat=1.0, observers=[repaired.Verdicts(prompt)])
    return Response(stream, headers=SSE_HEADERS)


@app.get("/without-abort")
def without_abort() -> Response:
    upstream = post(request.args["prompt"])
    return Response(repair(upstream.iter_content(None), heartbeat=1.0), headers=SSE_HEADERS)


@app.get("/total")
def total() -> Response:
    prompt = request.args["prompt"]
    return Response(repair(lambda: post(prompt), heartbeat=1.0, timeouts=Timeouts(total=2.0)), headers=SSE_HEADERS)

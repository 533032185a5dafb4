"""A chat whose answers survive a reload, with its page. `flask --app docs/examples/chat.py run` serves it.

UPSTREAM names the model's server; without it a made-up model answers.
"""

import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import requests
from flask import Flask, Response, jsonify, request, send_file, session
from flask.typing import ResponseReturnValue

from unbroken import SSE_HEADERS
from unbroken.replay import ExpiredAnswer, InvalidId, MemoryStore, Replay, TrimmedAnswer, UnknownAnswer

UPSTREAM = os.environ.get("UPSTREAM")
PAGE = Path(__file__).with_name("chat.html").absolute()

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex()  # all workers need the same one
answers = Replay(MemoryStore())


def owned(id: str) -> str:
    """Return the name of the caller's answer: what somebody else started is unknown here, and so a 404."""
    return f"{session.setdefault('user', secrets.token_hex())}/{id}"


@app.get("/")
def page() -> ResponseReturnValue:
    owned("")  # the cookie comes with the page
    return send_file(PAGE)


@app.post("/chat/<id>")
def chat(id: str) -> ResponseReturnValue:
    question = {"model": "m", "stream": True, "messages": request.get_json()["messages"]}
    answers.start(owned(id), lambda attempt: ask(question), empty="error")
    return Response(answers.follow(owned(id), heartbeat=1.0), headers=SSE_HEADERS)


@app.get("/chat/<id>")
def resume(id: str) -> ResponseReturnValue:
    after = request.headers.get("Last-Event-ID", "")
    if answers.status(owned(id)).is_over(after):
        return "", 204  # an EventSource that has seen the end comes back no more
    return Response(answers.follow(owned(id), after, heartbeat=1.0), headers=SSE_HEADERS)


@app.delete("/chat/<id>")
def stop(id: str) -> ResponseReturnValue:
    answers.stop(owned(id))
    return "", 204


@app.get("/chat/<id>/status")
def status(id: str) -> ResponseReturnValue:
    known = answers.status(owned(id))
    return jsonify(state=known.state, verdict=known.verdict.value, last_id=known.last_id)


@app.errorhandler(UnknownAnswer)
def unknown(error: UnknownAnswer) -> ResponseReturnValue:
    return jsonify(error="unknown"), 404


@app.errorhandler(ExpiredAnswer)
def expired(error: ExpiredAnswer) -> ResponseReturnValue:
    return jsonify(error="expired"), 410


@app.errorhandler(TrimmedAnswer)
def trimmed(error: TrimmedAnswer) -> ResponseReturnValue:
    return jsonify(error="trimmed", after=error.after), 409


@app.errorhandler(InvalidId)
def invalid(error: InvalidId) -> ResponseReturnValue:
    return jsonify(error="invalid"), 400  # a Last-Event-ID that is none of ours, an id that is too long


def ask(question: dict) -> object:
    """Return the model's response, unread: what `repair` takes."""
    if UPSTREAM is None:
        return made_up(question["messages"][-1]["content"])
    return requests.post(UPSTREAM, json=question, stream=True, timeout=(5, 300))


def made_up(prompt: str) -> Iterator[bytes]:
    """Say something slowly, in the form of a model's server."""
    said = f"You said: {prompt}\n\nReload this page now, or open it in a second tab. " + (
        "This answer is produced by the server, whoever reads it. Every reader is a place in its log: one that comes "
        "back goes on behind the last event it has seen, and gets each one exactly once. Close the page, and it is "
        "written all the same; press Stop, and it ends for everybody, also while the model is silent.\n\n"
    )
    for word in (said + "That is all there is to it. " * 8).split(" "):
        time.sleep(0.08)
        yield frame({"content": word + " "})
    yield frame({}, "stop") + b"data: [DONE]\n\n"


def frame(delta: dict, finish: str | None = None) -> bytes:
    """Return one event of the model's."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()

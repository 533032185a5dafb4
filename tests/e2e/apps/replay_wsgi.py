"""docs/examples/chat.py with a store for several workers; each question leaves the process that took it in a file."""

import os
import sys
from pathlib import Path

from flask import Response, request

from unbroken.replay import Replay, SQLiteStore

sys.path.append(str(Path(__file__).parents[3] / "docs" / "examples"))

import chat

app = chat.app
answers = chat.answers = Replay(SQLiteStore(os.environ["ANSWERS"]), lease=float(os.environ["LEASE"]))


@app.before_request
def note_worker() -> None:
    if request.method == "POST":
        Path(os.environ["WORKER"]).write_text(str(os.getpid()))


@app.after_request
def tell_name(response: Response) -> Response:
    if request.method == "POST":
        response.headers["X-Name"] = chat.owned(request.view_args["id"])
    return response

"""What the client of AI SDK 4 reads of its lines: whole, cut, and with heartbeats between them."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.clients.table.runs import node_folder
from unbroken import StreamRepairer

DIALECT = "ai-sdk-data-v4"
READ = """
import { processDataStream } from "@ai-sdk/ui-utils";
const seen = { text: "", errors: [], calls: [], finish: null };
const chunks = JSON.parse(process.env.CHUNKS).map((chunk) => new TextEncoder().encode(chunk));
const stream = new ReadableStream({
  start(controller) { chunks.forEach((chunk) => controller.enqueue(chunk)); controller.close(); },
});
await processDataStream({
  stream,
  onTextPart: (text) => { seen.text += text; },
  onErrorPart: (error) => { seen.errors.push(error); },
  onToolCallPart: (call) => { seen.calls.push(call); },
  onFinishMessagePart: (finish) => { seen.finish = finish.finishReason; },
});
console.log(JSON.stringify(seen));
"""
BEGIN = 'f:{"messageId":"m1"}\n0:"Hel"\n0:"lo"\n'
END = '9:{"toolCallId":"c","toolName":"look","args":{"n":1}}\nd:{"finishReason":"stop"}\n'


def read_by_client(pieces: list[bytes]) -> dict[str, object]:
    """Return what the client sees of these writes."""
    folder, node = node_folder(), shutil.which("node")
    if folder is None or node is None:
        pytest.skip("the packages of tests/clients/table/package.json are not installed")
    told = subprocess.run(
        [node, "--input-type=module", "-e", READ],
        cwd=folder,
        env={"CHUNKS": json.dumps([piece.decode() for piece in pieces])},
        capture_output=True,
        text=True,
        check=True,
    )
    seen: dict[str, object] = json.loads(told.stdout)
    return seen


def written(data: str) -> list[bytes]:
    """Return what is written of this body, with a heartbeat before it and one in the middle."""
    repairer = StreamRepairer(heartbeat=1.0, dialect=DIALECT)
    repairer.next_deadline()
    pieces = [*repairer.feed(b"", 0.0), *repairer.on_deadline(1.0)]
    pieces += [*repairer.feed(data[:30].encode(), 1.5), *repairer.on_deadline(3.0)]
    pieces += [*repairer.feed(data[30:].encode(), 3.5), *repairer.close(4.0)]
    assert pieces.count(b"\n") == 2
    return pieces


def test_the_client_reads_an_answer_and_passes_over_our_heartbeats() -> None:
    seen = read_by_client(written(BEGIN + END))
    assert seen == {
        "text": "Hello",
        "errors": [],
        "calls": [{"toolCallId": "c", "toolName": "look", "args": {"n": 1}}],
        "finish": "stop",
    }


def test_the_client_is_told_our_error_once() -> None:
    seen = read_by_client(written(BEGIN + '0:"cut'))
    assert seen["text"] == "Hello"
    assert seen["errors"] == ["The stream ended before it was complete."]
    assert seen["finish"] is None

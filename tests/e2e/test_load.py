"""Many streams at once, cut, paused and failing at random: each ends in its right verdict, each byte accounted for."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .reader import Reading, leave, read
from .stacks import running
from .upstream import ENDINGS, Answer, Upstream

pytestmark = pytest.mark.e2e

VERDICTS = {
    "whole": "complete",
    "cut between events": "truncated",
    "cut inside an event": "truncated",
    "cut chunk": "failed",
    "reset": "failed",
    "error": "failed",
}
SECONDS = 90.0
HALF_CHUNK = 7  # bytes of a chunk that never came whole; a client may give or drop them


@pytest.fixture(autouse=True)
def many_sockets() -> Iterator[None]:
    """A thousand readers and a thousand upstreams live in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(("name", "count"), [("gunicorn gthread", 50), ("uvicorn", 1000)])
def test_every_stream_ends_in_the_right_verdict_with_every_byte_accounted_for(
    name: str, count: int, tmp_path: Path
) -> None:
    prompts = [f"random/{name} {n}" if n % 10 else f"leave/{name} {n}" for n in range(count)]
    with Upstream() as upstream, running(tmp_path, upstream.url, (name,)) as programs:
        readings = asyncio.run(read_all(programs[name].port, prompts))
        verdicts = wait_for_verdicts(tmp_path / f"{name.replace(' ', '-')}.verdicts", count)
        answers = upstream.answers
    assert Counter(len(reports) for reports in verdicts.values()) == {1: count}  # exactly one verdict each
    wrong = {
        prompt: problem
        for prompt in prompts
        if (problem := judge(answers[prompt], readings[prompt], verdicts[prompt][0]))
    }
    assert not wrong, f"{len(wrong)} of {count}: {list(wrong.items())[:5]}"
    assert {answer.kind for answer in answers.values()} == {*ENDINGS, ""}, "the seeds no longer reach every ending"


async def read_all(port: int, prompts: list[str]) -> dict[str, Reading | None]:
    async def one(prompt: str) -> Reading | None:
        return await leave(port, "/kept", prompt) if prompt.startswith("leave") else await read(port, "/kept", prompt)

    async with asyncio.timeout(SECONDS):
        return dict(zip(prompts, await asyncio.gather(*map(one, prompts)), strict=True))


def wait_for_verdicts(file: Path, count: int) -> dict[str, list[dict[str, Any]]]:
    """Wait for the last readers' departure to be noticed; give the reports by prompt."""
    until = time.monotonic() + 20.0
    while len(lines := file.read_text().splitlines() if file.exists() else []) < count:
        assert time.monotonic() < until, f"{count - len(lines)} of {count} streams have no verdict"
        time.sleep(0.1)
    verdicts: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        report = json.loads(line)
        verdicts.setdefault(report["prompt"], []).append(report)
    return verdicts


def judge(answer: Answer, reading: Reading | None, report: dict[str, Any]) -> str | None:
    """Say what is wrong with one stream, or None."""
    if reading is None:
        return None if report["verdict"] == "cancelled" else f"left: {report['verdict']}"
    facts = {
        "status": reading.status == 200,
        "clean end": reading.clean,
        "verdict": report["verdict"] == VERDICTS[answer.kind],
        "text": reading.text == answer.text == report["text"],
        "bytes out": report["bytes_out"] == len(reading.body),
        "bytes in": 0 <= report["bytes_in"] - answer.sent <= (HALF_CHUNK if answer.kind == "cut chunk" else 0),
        "events": report["events"] == len(reading.payloads) - (answer.kind not in ("whole", "error")),  # less ours
        "last frame": last_frame_is_right(answer.kind, reading.payloads),
        "untouched": answer.kind != "whole" or len(reading.without_heartbeats) == answer.sent,
    }
    broken = [name for name, holds in facts.items() if not holds]
    return f"{answer.kind}: {', '.join(broken)}; {report}; {reading.body[-300:]!r}" if broken else None


def last_frame_is_right(kind: str, payloads: list[str]) -> bool:
    """Whole answers end in `[DONE]`, all others in the one error frame there is."""
    errors = [payload for payload in payloads if payload.startswith('{"error"')]
    if kind == "whole":
        return payloads[-1] == "[DONE]" and not errors
    return errors == payloads[-1:] and "[DONE]" not in payloads

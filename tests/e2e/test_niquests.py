"""niquests, in a process and a folder of its own: what it needs, urllib3-future, takes the place of urllib3."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
SOURCES = Path(__file__).parents[2] / "src"

PROGRAM = r"""
import asyncio, time
import niquests
from unbroken import StreamError, Timeouts, Verdict, aiter_events, arepair, from_response, iter_events, repair
from unbroken.testing import Hold, ScriptedServer, chunked

TOKEN = b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def was_left(server, times):
    until = time.monotonic() + 5
    while server.clients_left < times:
        assert time.monotonic() < until, "the connection stays open"
        time.sleep(0.01)


def refuses(response):
    try:
        from_response(response)
    except ValueError as error:
        assert "was read or closed already" in str(error)
    else:
        raise AssertionError


def synchronous(url):
    response = niquests.get(url, stream=True)
    assert from_response(response).content_type == "text/event-stream"
    assert b"".join(repair(from_response(response))) == TOKEN + DONE
    refuses(response)
    assert b"".join(repair(from_response(niquests.get(url)))) == TOKEN + DONE


async def asynchronous(url):
    async with niquests.AsyncSession() as session:
        response = await session.get(url, stream=True)
        assert from_response(response).status == 200
        assert [event.data async for event in aiter_events(from_response(response))][-1] == "[DONE]"
        refuses(response)
        response = await session.get(url, stream=True)
        await response.content
        assert b"".join([chunk async for chunk in arepair(from_response(response))]) == TOKEN + DONE
        assert b"".join([chunk async for chunk in arepair(from_response(await session.get(url)))]) == TOKEN + DONE


async def leaves(server):
    async with niquests.AsyncSession() as session:
        for times, make in enumerate((arepair, aiter_events), 1):
            stream = make(from_response(await session.get(server.url, stream=True)))
            await anext(stream)
            await stream.aclose()
            await asyncio.to_thread(was_left, server, times)
        stream = aiter_events(from_response(await session.get(server.url, stream=True)), timeouts=Timeouts(idle=0.1))
        try:
            async for _ in stream:
                pass
        except StreamError as error:
            assert error.code == "idle-timeout"
        await asyncio.to_thread(was_left, server, 3)


with ScriptedServer(chunked([TOKEN, DONE])) as server:
    synchronous(server.url)
    asyncio.run(asynchronous(server.url))
with ScriptedServer(chunked([TOKEN, Hold()])) as server:
    stream = repair(from_response(niquests.get(server.url, stream=True)))
    next(stream)
    stream.close()
    was_left(server, 1)
with ScriptedServer(chunked([TOKEN, Hold()])) as server:
    asyncio.run(leaves(server))
with ScriptedServer(chunked([TOKEN], end=False)) as server:
    stream = repair(from_response(niquests.get(server.url, stream=True)))
    assert b"upstream-failed" in b"".join(stream)
    assert stream.report.verdict is Verdict.FAILED
print("read, cut and left")
"""


def test_niquests(tmp_path: Path):
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "--target", str(tmp_path), "niquests", "typing-extensions"], check=True, timeout=300)
    paths = os.pathsep.join([str(tmp_path), str(SOURCES)])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.stdout == "read, cut and left\n", done.stderr

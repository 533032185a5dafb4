"""Streams at the ends of processes: left open where the interpreter ends, and inherited by a fork."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.scripted import TOKEN
from unbroken.testing import Hold, ScriptedServer, chunked

LEFT = """
import sys
from unbroken import from_response, iter_events, repair

def requests(url):
    import requests
    return requests.get(url, stream=True)

def httpx(url):
    import httpx
    client = httpx.Client()
    return client.send(client.build_request("GET", url), stream=True)

def urllib3(url):
    import urllib3
    return urllib3.PoolManager().request("GET", url, preload_content=False)

def urllib(url):
    import urllib.request
    return urllib.request.urlopen(url)

def wrapped(stream):
    with stream:
        yield from stream

def http2(url):
    import httpx

    class Tokens(httpx.SyncByteStream):
        def __iter__(self):
            while True:
                yield b"data: 1\\n\\n"

    return httpx.Response(200, stream=Tokens(), extensions={"http_version": b"HTTP/2"})

left = []
for open_ in map(vars().get, sys.argv[2:]):
    left += [
        repair(from_response(open_(sys.argv[1]))),
        iter_events(from_response(open_(sys.argv[1])), timeouts=None),
        wrapped(repair(from_response(open_(sys.argv[1])))),
    ]
for stream in left:
    next(stream)
print(len(left), "are open")
"""

LEFT_ASYNC = """
import asyncio
from unbroken import aiter_events, arepair

def any_function(): ...

async def chunks():
    yield b"data: 1\\n\\n"
    await asyncio.Event().wait()

async def main():
    global left
    left = [make(chunks()) for make in (arepair, aiter_events)]
    for stream in left:
        await anext(stream)

asyncio.run(main())
print(len(left), "are open")
"""


def run(python: str | Path, code: str, *arguments: str) -> tuple[str, str]:
    folders = [str(Path(__file__).parents[1] / "src"), sysconfig.get_path("purelib")]
    # `-W ignore`: a client may complain of its own sockets. What a finalizer raises is printed all the same.
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60.0,  # an interpreter that imports three clients, on a machine that does other things too
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
    )
    return done.stdout, done.stderr


def pythons() -> list[Path]:
    """Return the other CPythons of this machine that pyenv has installed and that the library runs on."""
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return [it for minor in range(11, 15) for it in installed.glob(f"3.{minor}.*/bin/python")]


def test_a_stream_that_is_open_when_the_interpreter_ends_is_silent():
    with ScriptedServer(chunked([TOKEN, Hold()])) as server:
        clients = ("requests", "httpx", "urllib3", "urllib", "http2")
        assert run(sys.executable, LEFT, server.url, *clients) == ("15 are open\n", "")


def test_an_asynchronous_stream_that_is_open_when_the_interpreter_ends_is_silent():
    assert run(sys.executable, LEFT_ASYNC) == ("2 are open\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("client", ["requests", "httpx", "urllib3", "urllib"])
def test_it_is_silent_in_every_python(client):
    with ScriptedServer(chunked([TOKEN, Hold()])) as server:
        for python in pythons():
            assert run(python, LEFT, server.url, client) == ("3 are open\n", "")


FORKED = r"""
import asyncio, gc, http.client, os, socket, sys
from unbroken import Source, aiter_events, arepair, from_response, iter_events, repair

TOKEN = b'data: {"a":1}\n\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

def in_a_fork(do, streams):
    child = os.fork()
    if not child:
        status = 1
        try:
            do(streams)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, do

def drop(streams):
    streams.clear()
    gc.collect()

def close(streams):
    with streams[0]:
        pass
    assert list(streams[0]) == []

def aclose(streams):
    asyncio.run(streams[0].aclose())

def read(streams):
    try:
        list(streams[0])
    except RuntimeError as error:
        assert "belongs to the process that made it" in str(error)
    else:
        raise AssertionError

def aread(streams):
    try:
        asyncio.run(anext(streams[0]))
    except RuntimeError as error:
        assert "belongs to the process that made it" in str(error)
    else:
        raise AssertionError

def opened(make, **options):
    server, client = socket.socketpair()
    server.sendall(HEAD + TOKEN)
    response = http.client.HTTPResponse(client)
    response.begin()
    return server, [make(from_response(response), **options)]

for make, options, does in [
    (repair, {}, [drop, close, read]),
    (iter_events, {}, [drop, close, read]),
    (repair, {"timeouts": None, "heartbeat": None}, [drop, close]),
    (iter_events, {"timeouts": None}, [drop, close]),
]:
    for begun in (True, False):
        for do in does:
            server, streams = opened(make, **options)
            items = [next(streams[0])] if begun else []
            in_a_fork(do, streams)
            server.sendall(TOKEN)
            server.close()
            items += streams[0]
            assert streams[0].report.events == 2, (make, begun, do, items)
            assert streams[0].report.verdict.name == "ENDED"

for make in arepair, aiter_events:
    for begun in (True, False):
        for do in drop, aclose, aread:
            server, streams = opened(make)
            with asyncio.Runner() as runner:
                async def rest():
                    return [item async for item in streams[0]]

                if begun:
                    runner.run(anext(streams[0]))
                in_a_fork(do, streams)
                server.sendall(TOKEN)
                server.close()
                runner.run(rest())
            assert streams[0].report.events == 2, (make, begun, do)
            assert streams[0].report.verdict.name == "ENDED"
print("upstream stays open")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_that_leaves_a_stream_of_its_parent_leaves_upstream_open():
    assert run(sys.executable, FORKED) == ("upstream stays open\n", "")

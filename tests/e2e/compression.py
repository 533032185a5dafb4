"""What compression does to a stream of events: how many bytes leave, and when each event can be read.

    python -m tests.e2e.compression --write docs/how-to/proxies.md

Runs uvicorn, nginx (with Debian's brotli module), Caddy and Chromium, all of them real.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import statistics
import tempfile
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import brotli
import uvicorn
import zstandard
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import StreamingResponse
from starlette.routing import Mount, Route

from unbroken import SSE_HEADERS

from .browser import Browser
from .processes import Program, free_port
from .proxy import write_certificate
from .requirements import program

EVENTS = 40
PAUSE = 0.05
"""Seconds between two events."""
PROMPT = 3 * PAUSE
"""Seconds within which an event that is not held back can be read, on a machine that does other things too."""
WORDS = ("Compression", " looks", " for", " what", " came", " before", ",", " so", " it", " costs", " little", ".")
BEGIN, END = "<!-- compression: python -m tests.e2e.compression -->\n", "<!-- end of compression -->\n"


@dataclass(frozen=True)
class Seen:
    """What a reader saw of one stream: its encoding, the bytes of its body, and how late each event was."""

    encoding: str
    size: int
    delays: list[float]

    @property
    def is_prompt(self) -> bool:
        """Whether each event could be read before the next few were written."""
        return max(self.delays) < PROMPT

    @property
    def is_held_back(self) -> bool:
        """Whether the first event could be read when most of the others were written."""
        return self.delays[0] > EVENTS * PAUSE / 2


# What sends


async def events(*, lines: bool, long: bool) -> AsyncIterator[bytes]:
    """Write chunks as a model does, each with the time at which it was written; `long`: the first one is."""
    for number in range(EVENTS):
        delta = {"content": WORDS[number % len(WORDS)]}
        if long and not number:
            delta["reasoning"] = "Let me think of it. " * 20
        payload = json.dumps(
            {
                "id": "chatcmpl-BxQ2nK7Yd0pTgq5vM1sRzLwE3fUaC", "object": "chat.completion.chunk", "at": time.time(),
                "created": 1764450000, "model": "large-2026-08", "system_fingerprint": "fp_50cad350e4",
                "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}],
            }
        )  # fmt: skip
        yield (payload + "\n" if lines else f"data: {payload}\n\n").encode()
        await asyncio.sleep(PAUSE)


def endpoint(headers: dict[str, str], *, lines: bool = False, long: bool = False) -> Route:
    return Route("/", lambda request: StreamingResponse(events(lines=lines, long=long), headers=headers))


class _Brotli:
    """brotli's compressor under the names of zlib's."""

    def __init__(self) -> None:
        self._compressor = brotli.Compressor(mode=brotli.MODE_TEXT, quality=4)

    def compress(self, data: bytes) -> bytes:
        compressed: bytes = self._compressor.process(data)
        return compressed

    def flush(self, mode: int) -> bytes:
        rest: bytes = self._compressor.finish() if mode == zlib.Z_FINISH else self._compressor.flush()
        return rest


class _Zstd:
    """zstandard's compressor under the names of zlib's."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=3).compressobj()

    def compress(self, data: bytes) -> bytes:
        return self._compressor.compress(data)

    def flush(self, mode: int) -> bytes:
        ends = mode == zlib.Z_FINISH
        return self._compressor.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH if ends else zstandard.COMPRESSOBJ_FLUSH_BLOCK)


class _Unflushed:
    """gzip as most code calls it: what is written leaves when there is enough of it."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
        self.compress = self._compressor.compress

    def flush(self, mode: int) -> bytes:
        return self._compressor.flush(mode) if mode == zlib.Z_FINISH else b""


def application() -> Starlette:
    """Return one application with each way to send the stream under a path of its own."""
    compress: dict[str, Any] = {}
    source = Path(__file__).parents[2] / "docs" / "examples" / "compressed.py"
    exec(compile(source.read_bytes(), source, "exec"), compress)
    flushed: Any = compress["CompressStreams"]
    plain = Starlette(routes=[endpoint(SSE_HEADERS)])
    bare = {"content-type": "text/event-stream"}
    lines = {"content-type": "application/x-ndjson"}
    return Starlette(
        routes=[
            Mount("/plain", plain),
            Mount("/long", Starlette(routes=[endpoint(SSE_HEADERS, long=True)])),
            Mount("/bare", Starlette(routes=[endpoint(bare)])),
            Mount("/gzip", flushed(plain)),
            Mount("/br", flushed(plain, "br", _Brotli)),
            Mount("/zstd", flushed(plain, "zstd", _Zstd)),
            Mount("/unflushed", flushed(plain, "gzip", _Unflushed)),
            Mount("/starlette", GZipMiddleware(plain)),
            Mount("/starlette-lines", GZipMiddleware(Starlette(routes=[endpoint(lines, lines=True)]))),
        ]
    )


@contextmanager
def serving() -> Iterator[int]:
    """Serve the application; give its port."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(application(), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


NGINX = """\
daemon off;
pid nginx.pid;
error_log stderr warn;
{modules}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_http_version 1.1;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        listen 127.0.0.1:{clear};
        ssl_certificate chat.pem;
        ssl_certificate_key chat.key;
        gzip_types text/event-stream;
        brotli_types text/event-stream;
        location /gzip-unbuffered/ {{ gzip on; proxy_buffering off; proxy_pass http://127.0.0.1:{upstream}/bare/; }}
        location /gzip-buffered/ {{ gzip on; proxy_pass http://127.0.0.1:{upstream}/bare/; }}
        location /gzip-headers/ {{ gzip on; proxy_pass http://127.0.0.1:{upstream}/plain/; }}
        location /brotli-unbuffered/ {{ brotli on; proxy_buffering off; proxy_pass http://127.0.0.1:{upstream}/bare/; }}
        location / {{ proxy_buffering off; proxy_pass http://127.0.0.1:{upstream}/; }}
    }}
}}
"""

CADDY = """\
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    handle_path /encode/* {{
        encode zstd gzip
        reverse_proxy 127.0.0.1:{upstream} {{
            flush_interval -1
        }}
    }}
    handle_path /types/* {{
        encode zstd gzip {{
            match {{
                header Content-Type text/html*
                header Content-Type application/json*
            }}
        }}
        reverse_proxy 127.0.0.1:{upstream}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[tuple[int, int]]:
    """Run nginx; give its port for TLS, and one without."""
    port, clear = free_port(), free_port()
    write_certificate(folder / "chat.pem", folder / "chat.key")
    modules = "".join(
        f"load_module {path};\n" for path in Path("/usr/lib/nginx/modules").glob("ngx_http_brotli_filter*.so")
    )
    text = NGINX.format(port=port, clear=clear, upstream=upstream, modules=modules)
    if not modules:
        text = text.replace("brotli on;", "").replace("brotli_types text/event-stream;", "")
    (folder / "nginx.conf").write_text(text)
    with Program([program("nginx"), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"], clear, folder / "log"):
        yield port, clear


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[int]:
    """Run Caddy; give its port."""
    port = free_port()
    (folder / "Caddyfile").write_text(CADDY.format(port=port, upstream=upstream))
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with Program(command, port, folder / "log", env):
        yield port


# What reads


def _decoder(encoding: str) -> Callable[[bytes], bytes]:
    if encoding == "gzip":
        return zlib.decompressobj(31).decompress
    if encoding == "br":
        decoder = brotli.Decompressor()
        return lambda data: decoder.process(data)  # type: ignore[no-any-return]
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress
    return bytes


def read(url: str, accepts: str) -> Seen:
    """Read a stream as a client does that takes this encoding, from the bytes of its body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("GET", parts.path, headers={"Accept-Encoding": accepts})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    encoding = response.headers.get("content-encoding", "")
    decode, size, text, delays = _decoder(encoding), 0, b"", list[float]()
    while chunk := response.read1(65536):
        size += len(chunk)
        now = time.time()
        *whole, text = (text + decode(chunk)).split(b"\n")
        told = [json.loads(line.removeprefix(b"data: ")) for line in whole if line]
        delays += [now - payload["at"] for payload in told]
    connection.close()
    assert len(delays) == EVENTS
    return Seen(encoding, size, delays)


READ = """
const [path, done] = arguments;
(async () => {
  const response = await fetch(path);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const delays = [];
  let text = "";
  for (;;) {
    const {value, done: ended} = await reader.read();
    if (ended) break;
    const now = Date.now() / 1000;
    const lines = (text + value).split("\\n");
    text = lines.pop();
    for (const line of lines) if (line) delays.push(now - JSON.parse(line.slice(6)).at);
  }
  const entry = performance.getEntriesByName(new URL(path, location.href).href).pop();
  done([response.headers.get("content-encoding") ?? "", entry.encodedBodySize, delays]);
})().catch((error) => done(String(error)));
"""


WAYS: dict[str, tuple[str, str, str]] = {
    "uvicorn, not compressed": ("uvicorn", "/plain/", "gzip"),
    "Starlette's `GZipMiddleware`": ("uvicorn", "/starlette/", "gzip"),
    "Starlette's `GZipMiddleware`, NDJSON": ("uvicorn", "/starlette-lines/", "gzip"),
    "gzip without a flush": ("uvicorn", "/unflushed/", "gzip"),
    "`CompressStreams` below": ("uvicorn", "/gzip/", "gzip"),
    "the same with brotli": ("uvicorn", "/br/", "br"),
    "the same with zstd": ("uvicorn", "/zstd/", "zstd"),
    "nginx, `gzip on`": ("nginx", "/gzip-buffered/", "gzip"),
    "nginx, `gzip on`, `SSE_HEADERS`": ("nginx", "/gzip-headers/", "gzip"),
    "nginx, `gzip on`, `proxy_buffering off`": ("nginx", "/gzip-unbuffered/", "gzip"),
    "nginx, `brotli on`, `proxy_buffering off`": ("nginx", "/brotli-unbuffered/", "br"),
    "Caddy, `encode zstd gzip`": ("caddy", "/encode/plain/", "gzip"),
    "Caddy, `encode gzip`, a first event of 600 bytes": ("caddy", "/encode/long/", "gzip"),
    "Caddy, `encode zstd`, a first event of 600 bytes": ("caddy", "/encode/long/", "zstd"),
    "Caddy, `encode` of other types, the same": ("caddy", "/types/long/", "gzip"),
    "Chromium behind nginx, `gzip on`, `proxy_buffering off`": ("chromium", "/gzip-unbuffered/", ""),
    "Chromium behind nginx, `CompressStreams`": ("chromium", "/gzip/", ""),
    "Chromium behind nginx, the same with brotli": ("chromium", "/br/", ""),
    "Chromium behind nginx, the same with zstd": ("chromium", "/zstd/", ""),
}
"""Who sends to whom, at which path, and what the reader accepts; Chromium says that itself."""


class Measuring:
    """Runs what is needed. A context manager."""

    def __enter__(self) -> Measuring:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def _start(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="compression-")))
        folder.chmod(0o755)
        for name in ("nginx", "caddy", "chromium"):
            (folder / name).mkdir()
        self._ports = {"uvicorn": stack.enter_context(serving())}
        tls, self._ports["nginx"] = stack.enter_context(nginx(folder / "nginx", self._ports["uvicorn"]))
        self._ports["caddy"] = stack.enter_context(caddy(folder / "caddy", self._ports["uvicorn"]))
        self._origin = f"https://localhost:{tls}"
        self._browser = stack.enter_context(Browser(folder / "chromium"))

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self, name: str) -> Seen:
        """Read one stream; again where the machine was busy, which delays some events and not all."""
        for _ in range(3):
            seen = self._measure(*WAYS[name])
            if seen.is_prompt or seen.is_held_back:
                break
            time.sleep(1.0)
        return seen

    def _measure(self, sender: str, path: str, accepts: str) -> Seen:
        if sender == "chromium":
            told = self._browser.run(f"{self._origin}/plain/", READ, path)
            assert not isinstance(told, str), told
            return Seen(*told)
        return read(f"http://127.0.0.1:{self._ports[sender]}{path}", accepts)


def rows() -> Iterator[str]:
    """Give the table."""
    yield "| who sends | encoding | bytes of 40 events | an event can be read after |"
    yield "| --- | --- | --- | --- |"
    with Measuring() as measuring:
        for name in WAYS:
            seen = measuring.measure(name)
            late = f"{statistics.median(seen.delays) * 1000:.1f} ms"
            late = f"up to {max(seen.delays):.1f} s" if seen.is_held_back else late
            size = f"{seen.size:,}" if seen.size else "–"
            yield f"| {name} | {seen.encoding or 'none'} | {size} | {late} |"


def main() -> None:
    """Measure, and print the table or write it into a page."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.compression", description=__doc__)
    parser.add_argument("--write", type=Path, help="a page that has a place for the table")
    arguments = parser.parse_args()
    table = "\n".join(rows())
    if arguments.write is None:
        print(table)
        return
    text = arguments.write.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    arguments.write.write_text(f"{head}{BEGIN}\n{table}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()

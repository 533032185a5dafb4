"""HTTP for streams: response headers, and the body of a client's response as a source.

https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 (what a proxy must not forward)
No client is imported; responses are recognised by the names of their classes. In no client does closing a response from
another thread interrupt a blocked read; shutting its socket down does, so `abort` does that.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .adapters.source import Source, client_of
from .core.quantities import shown

if TYPE_CHECKING:
    from .clients import Body


class _Headers(dict[str, str]):
    """Headers that cannot be changed. They are a dict: Flask, Quart and Bottle take no other mapping for headers."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("these headers are everybody's and cannot be changed: change a copy, `{**SSE_HEADERS, ...}`")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[object, ...]:
        return dict, (dict(self),)  # a copy may be changed


SSE_HEADERS: Mapping[str, str] = _Headers(
    {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-cache, no-transform",
        "X-Accel-Buffering": "no",
        "X-Content-Type-Options": "nosniff",
    }
)
"""The headers of an SSE response: no cache, no proxy that buffers or compresses it, no browser that sniffs its type."""

NDJSON_HEADERS: Mapping[str, str] = _Headers({**SSE_HEADERS, "Content-Type": "application/x-ndjson"})
"""The same for NDJSON."""

FORWARDED: Final = (
    "content-encoding",
    "content-type",
    # which request this was
    "apim-request-id",
    "cf-ray",
    "mistral-correlation-id",
    "nvcf-reqid",
    "request-id",
    "x-amzn-requestid",
    "x-correlation-id",
    "x-generation-id",
    "x-kong-request-id",
    "x-ms-client-request-id",
    "x-ms-request-id",
    "x-request-id",
    # which trace it belongs to
    "traceparent",
    "traceresponse",
    "tracestate",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-debug-trace-id",
    "x-trace-id",
    # how much may be asked, and when again
    "anthropic-priority-*",
    "anthropic-ratelimit-*",
    "ratelimit",
    "ratelimit-*",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-*",
    "x-should-retry",
    # who answered, and how fast
    "openai-model",
    "openai-processing-ms",
    "openai-version",
)
"""The headers of upstream that `clean_headers` returns, in lower case; `*` is the rest of a name.

They inform the client: no browser, cache or proxy acts on them, and none names the account that was asked with.
`docs/reference.md` has the same list.
"""

_READ_SIZE: Final = 2**16
_PREFIXES: Final = tuple(name.removesuffix("*") for name in FORWARDED if name.endswith("*"))
# Upstream says what its body is, but not that it is a page or a script: browsers would run it.
_TEXT_TYPES: Final = frozenset({"text/event-stream", "text/plain"})
_JSON_TYPES: Final = ("json", "jsonl", "jsonlines", "json-lines", "json-seq")  # ends of names, under `application/`

_HOP_BY_HOP: Final = (
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
# RFC 9110: 8.6 for the length, 8.8 for the validators, 14.3 and 14.4 for ranges; RFC 9530 for the digests.
_OF_THE_BYTES: Final = (
    "accept-ranges",
    "content-digest",
    "content-length",
    "content-md5",
    "content-range",
    "digest",
    "etag",
    "last-modified",
    "repr-digest",
)
_REASONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_HOP_BY_HOP, "it is for one connection only (RFC 9110, 7.6.1), and your server sends its own"),
    **dict.fromkeys(_OF_THE_BYTES, "it describes the bytes that upstream sent, and a repaired body has others"),
    **dict.fromkeys(("set-cookie", "set-cookie2"), "several of them cannot be joined in one (RFC 9110, 5.3)"),
}
"""The headers that are never forwarded, and why."""
_DECODED: Final = "the body is decoded; pass decoded=False if your client does not decode it"

# RFC 9110, 5.6.2. The module `string` has these letters too, and takes 3 % of the time of `import unbroken`.
_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~").union(filter(str.isalnum, map(chr, range(128))))
_IN_VALUES: Final = frozenset("\t" + "".join(map(chr, [*range(0x20, 0x7F), *range(0x80, 0x100)])))  # 5.5


def clean_headers(
    headers: Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[str | bytes, str | bytes]],
    *,
    decoded: bool = True,
    also: Iterable[str] = (),
) -> dict[str, str]:
    """Return those of upstream's headers that may be forwarded with a repaired body: an allow-list, and `also`.

    The list is in docs/reference.md: content type, request and trace ids, rate limits, and what the provider tells of
    itself. All others are left out, since many command the browser or the proxy in front of your server, and upstream
    must not. `also` adds names of your own, in any case; what these hold is forwarded as it is.

    `Content-Type` is returned if it names SSE, JSON, JSON lines or plain text, which no browser runs, and
    `Content-Encoding` unless the client has `decoded` the body. What `Connection` names is for one hop, and left out
    (RFC 9110, 7.6.1). Repeated fields are joined with a comma (5.3), but of several content types the first is
    returned. A field whose value has a control character or one that a header cannot hold (5.5) is left out: a server
    would fail with a 500.

    Names keep their case, which differs between clients. To add `SSE_HEADERS` without sending `Content-Type` twice,
    write `{name.title(): value for name, value in clean_headers(...).items()} | SSE_HEADERS`.

    Raises `TypeError` for names and values that are not str or bytes (a repeated field is several pairs, not a list),
    and for an `also` that is not a collection of str; `ValueError` for a name in `also` that is not a token (5.1) or
    that must not be forwarded: of one hop, or about the bytes or the encoding of upstream's body, or `Set-Cookie`.
    """
    added = frozenset(_checked_name(name, decoded) for name in _names(also))
    fields = [(_text(name), _text(value)) for name, value in _pairs(headers)]
    nominated = {
        token.strip(" \t").lower()
        for name, value in fields
        if name.lower() == "connection"
        for token in value.split(",")
    }
    spellings: dict[str, str] = {}
    clean: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        if not _TOKEN.issuperset(name) or not _IN_VALUES.issuperset(value) or key in nominated:
            continue
        if key not in added and not _may_pass(key, value, decoded):
            continue
        spelling = spellings.setdefault(key, name)
        if spelling not in clean:
            clean[spelling] = value
        elif key != "content-type":  # browsers take the last of several
            clean[spelling] += f", {value}"
    return clean


def _may_pass(name: str, value: str, decoded: bool) -> bool:
    """Return whether upstream's header is on the list, and its value one that may pass."""
    if name == "content-type":
        return _is_harmless(value)
    if name == "content-encoding":
        return not decoded
    return name in FORWARDED or name.startswith(_PREFIXES)


def _is_harmless(content_type: str) -> bool:
    """Return whether no browser runs or renders a body of this type. In a list of types, the last one would count."""
    # Not the `media_type` of the sniffer, which is lenient: browsers guess the type of what they cannot read.
    essence = content_type.partition(";")[0].strip(" \t").lower()
    kind, _, subtype = essence.partition("/")
    is_json = kind == "application" and subtype.endswith(_JSON_TYPES) and _TOKEN.issuperset(subtype)
    return "," not in content_type and (is_json or essence in _TEXT_TYPES)


def _names(also: object) -> Iterable[object]:
    if isinstance(also, str | bytes) or not isinstance(also, Iterable):
        raise TypeError(
            f"clean_headers(also=...) takes a collection of names, not {shown(also)}; write also=('X-My-Header',)"
        )
    return also


def _checked_name(name: object, decoded: bool) -> str:
    """Return a name of the caller's in lower case. Raises `TypeError` or `ValueError` that names it and why."""
    if not isinstance(name, str):
        raise TypeError(f"clean_headers(also=...) takes names as str, not {shown(name)}")
    key = name.lower()
    problem = _REASONS.get(key)
    if not name or not _TOKEN.issuperset(name):
        problem = "it is not the name of a header (RFC 9110, 5.1)"
    elif name.endswith("*"):
        problem = "name each header; there are no patterns"
    elif key == "content-encoding" and decoded:
        problem = _DECODED
    if problem:
        raise ValueError(f"clean_headers(also=...) cannot add {shown(name)}: {problem}")
    return key


def _pairs(headers: Any) -> list[tuple[Any, Any]]:
    try:
        return [(name, value) for name, value in (headers.items() if hasattr(headers, "items") else headers)]
    except (TypeError, ValueError):
        raise TypeError("clean_headers() takes a mapping or pairs: [(name, value), ...]") from None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError(
            f"clean_headers() takes names and values as str or bytes, not {type(value).__name__}: "
            "give a repeated field as several pairs, [(name, value), ...]"
        )
    return value.strip(" \t")


def from_response(response: Any) -> Source:
    """Return the body of a streamed response as a source for `repair`, `iter_events` and their asynchronous twins.

    Takes responses of requests, httpx, httpx2, urllib3, urllib, aiohttp, niquests and curl_cffi, and the
    `StreamingBody` of botocore. Chunks come as they arrive, decoded where the client decodes; a body that the client
    has read and kept comes whole. `abort` is None over HTTP/2, where other responses share the socket. A response with
    a status of 400 or more is a failure with that status and its `Retry-After`: its chunks raise `StreamError`, and its
    body is read for the provider's words only.

    Raises `TypeError` for anything else, and `ValueError` for a body that was read or closed already and is not kept.
    """
    client = client_of(response)
    if client is None:
        from .clients import hint_for

        raise TypeError(f"from_response() takes {_TAKEN}, not {type(response).__name__}{hint_for(response)}")
    return _SOURCES[client](response)


_TAKEN: Final = (
    "a response of requests, httpx, httpx2, urllib3, urllib, aiohttp, niquests or curl_cffi, or a StreamingBody of "
    "botocore"
)


def _source(
    response: Any,
    chunks: Iterable[bytes] | AsyncIterable[bytes],
    find_socket: Callable[[], Any] | None,
    *,
    status: int,
    close: Callable[[], object],
) -> Source:
    if status >= 400:
        from .answers import arefused, refused

        chunks = refused(response, chunks) if isinstance(chunks, Iterable) else arefused(response, chunks)
    from .clients import shut_down

    return Source(
        chunks,
        content_type=response.headers.get("Content-Type"),
        abort=None if find_socket is None else lambda: shut_down(find_socket()),
        close=close,
        status=status,
        url=_url_of(response),
    )


def _url_of(response: Any) -> str | None:
    try:
        return str(response.url or "") or None
    except (AttributeError, RuntimeError):  # httpx raises the latter for a response that was made without a request
        return None


def _already_read(response: Any) -> ValueError:
    return ValueError(
        f"from_response() takes a body that is still to be read; that of this {type(response).__name__} was read or "
        "closed already, and is not kept: pass the response before anything reads or closes it"
    )


# requests and urllib3


def _from_requests(response: Any) -> Source:
    if isinstance(response._content, bytes):
        chunks: Iterator[bytes] = iter([response.content])
    elif response._content_consumed or _urllib3_is_spent(response.raw):
        raise _already_read(response)
    else:
        chunks = _urllib3_chunks(response.raw)
    return _source(
        response, chunks, lambda: _urllib3_socket(response.raw), status=response.status_code, close=response.close
    )


def _from_urllib3(response: Any) -> Source:
    if isinstance(getattr(response, "_body", None), bytes):  # read at once, unless `preload_content=False`
        chunks: Iterator[bytes] = iter([response.data])
    elif _urllib3_is_spent(response):
        raise _already_read(response)
    else:
        chunks = _urllib3_chunks(response)
    return _source(response, chunks, lambda: _urllib3_socket(response), status=response.status, close=response.close)


def _urllib3_is_spent(raw: Any) -> bool:
    """Return whether there is nothing left to read. Bytes may wait to be decoded although `raw` is closed."""
    return getattr(raw, "closed", False) and not len(getattr(raw, "_decoded_buffer", ()))


def _urllib3_chunks(raw: Any) -> Iterator[bytes]:
    """Yield what has arrived, decoded.

    `stream` and `iter_content` wait for a whole HTTP chunk or, without chunked coding, for the requested number of
    bytes, and lose what came before the connection broke.
    """
    if not any(kind.__module__.startswith("urllib3") for kind in type(raw).__mro__):  # a file, or vcrpy's recording
        yield from iter(lambda: getattr(raw, "read1", raw.read)(_READ_SIZE), b"")
        return
    if not hasattr(raw, "read1"):  # urllib3 before 2.1
        yield from raw.stream(_READ_SIZE if getattr(raw, "chunked", False) else 1, decode_content=True)
        return
    while chunk := raw.read1(_READ_SIZE, decode_content=True):
        yield chunk


def _urllib3_socket(raw: Any) -> Any:
    return _http_client_socket(getattr(raw, "_fp", None))


def _from_botocore(body: Any) -> Source:
    raw = body._raw_stream
    if client_of(raw) is not None:
        return from_response(raw)
    if raw.closed:
        raise _already_read(body)
    return Source(_urllib3_chunks(raw), close=raw.close)  # a file, as tests put it there


# niquests, on urllib3-future, whose synchronous half is as requests and urllib3 are; curl_cffi


def _from_niquests(response: Any) -> Source:
    from .clients import body_of_niquests

    is_async = any(kind.__name__ == "AsyncResponse" for kind in type(response).__mro__)
    return _from_body(response, body_of_niquests(response)) if is_async else _from_requests(response)


def _from_curl_cffi(response: Any) -> Source:
    from .clients import body_of_curl

    return _from_body(response, body_of_curl(response))


def _from_body(response: Any, body: Body | None) -> Source:
    if body is None:
        raise _already_read(response)
    source = _source(response, body.chunks, None, status=response.status_code, close=body.close)
    return source if body.abort is None else source.with_abort(body.abort)


# urllib, http.client


def _from_http_client(response: Any) -> Source:
    if response.isclosed() and response.headers.get("Content-Length") != "0":
        raise _already_read(response)
    chunks = _http_client_chunks(response)
    return _source(
        response, chunks, lambda: _http_client_socket(response), status=response.status, close=response.close
    )


def _http_client_chunks(response: Any) -> Iterator[bytes]:
    # None if chunked, or as long as the connection lasts; vcrpy's is the text of a header, and not of these bytes.
    left = response.length if isinstance(response.length, int) else None
    while left is None or left > 0:
        chunk = response.read1(_READ_SIZE if left is None else min(left, _READ_SIZE))
        if not chunk:
            break
        yield chunk
        if left is not None:
            left -= len(chunk)
    if left:
        from http.client import IncompleteRead

        raise IncompleteRead(b"", left)  # `read1` ends as if the body were complete


def _http_client_socket(response: Any) -> Any:
    """Return the socket under `fp`, or None: http.client drops `fp` with the last byte of a body."""
    return getattr(getattr(getattr(response, "fp", None), "raw", None), "_sock", None)


# httpx and httpx2


def _from_httpx(response: Any) -> Source:
    if not hasattr(response, "_content") and (response.is_stream_consumed or response.is_closed):
        raise _already_read(response)
    is_sync = hasattr(response.stream, "__iter__")
    # Where nothing is to be decoded, and nothing was read yet, the bytes are the same, for 0.2 µs less a chunk.
    is_plain = not hasattr(response, "_content") and "content-encoding" not in response.headers
    names = ("iter_raw", "aiter_raw") if is_plain else ("iter_bytes", "aiter_bytes")
    chunks = getattr(response, names[not is_sync])()
    is_shared = response.http_version == "HTTP/2"
    if is_shared:
        from .clients import over_http2

        chunks = over_http2(client_of(response) or "httpx", chunks)
    return _source(
        response,
        chunks,
        None if is_shared else lambda: _httpx_socket(response),
        status=response.status_code,
        close=response.close if is_sync else response.aclose,
    )


def _httpx_socket(response: Any) -> Any:
    network = None if response.is_closed else response.extensions.get("network_stream")
    return None if network is None else network.get_extra_info("socket")


# aiohttp


def _from_aiohttp(response: Any) -> Source:
    if isinstance(response._body, bytes):
        from .clients import kept

        chunks: AsyncIterable[bytes] = kept(response._body)
    elif _aiohttp_is_spent(response):
        raise _already_read(response)
    else:
        chunks = response.content.iter_any()
    return _source(response, chunks, lambda: _aiohttp_socket(response), status=response.status, close=response.close)


def _aiohttp_is_spent(response: Any) -> bool:
    """Return whether there is nothing left to read. `closed` alone is also true once the body has arrived."""
    content = response.content
    was_read = content.at_eof() and bool(getattr(content, "total_bytes", 0))
    return was_read or (response.closed and content.exception() is not None)


def _aiohttp_socket(response: Any) -> Any:
    transport = getattr(response.connection, "transport", None)
    return None if transport is None else transport.get_extra_info("socket")


_SOURCES: Final[Mapping[str, Callable[[Any], Source]]] = {
    "aiohttp": _from_aiohttp,
    "botocore": _from_botocore,
    "curl_cffi": _from_curl_cffi,
    "http": _from_http_client,
    "httpx": _from_httpx,
    "httpx2": _from_httpx,
    "niquests": _from_niquests,
    "requests": _from_requests,
    "urllib3": _from_urllib3,
    "urllib3_future": _from_urllib3,
}

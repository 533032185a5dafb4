"""Every client of `from_response`, as it is installed, against a server that fails in every way."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import trustme
import urllib3

from tests.clients.failing_server import (
    Act,
    FailingServer,
    answer,
    closed_port,
    cut,
    hang_up,
    reset,
    reset_after,
    whole,
)
from tests.scripted import LIMIT, Threads
from unbroken import (
    Attempt,
    RepairKind,
    Retry,
    StreamError,
    StreamReport,
    Timeouts,
    Verdict,
    aiter_events,
    aretrying,
    iter_events,
    repair,
    retrying,
)

SECONDS = 0.3
"""The clients' own read timeout."""
QUICK = Retry(max_retries=2, base=0.01, jitter=False)

Connect = Callable[[str, dict[str, str]], Any]


# The clients


def requests_client(raises: bool) -> Connect:
    @contextlib.contextmanager
    def connect(url: str, headers: dict[str, str]) -> Iterator[Any]:
        with requests.post(url, headers=headers, stream=True, timeout=SECONDS) as response:
            if raises:
                response.raise_for_status()
            yield response

    return connect


def urllib3_client(raises: bool) -> Connect:
    @contextlib.contextmanager
    def connect(url: str, headers: dict[str, str]) -> Iterator[Any]:
        with urllib3.PoolManager() as pool:
            yield pool.request(
                "POST", url, headers=headers, preload_content=False, timeout=SECONDS, retries=0 if raises else False
            )

    return connect


def urllib_client(raises: bool) -> Connect:
    def connect(url: str, headers: dict[str, str]) -> Any:
        return urllib.request.urlopen(urllib.request.Request(url, b"", headers), timeout=SECONDS)

    return connect


def httpx_client(module: Any) -> Callable[[bool], Connect]:
    def client(raises: bool) -> Connect:
        @contextlib.contextmanager
        def connect(url: str, headers: dict[str, str]) -> Iterator[Any]:
            with module.Client(timeout=SECONDS) as session, session.stream("POST", url, headers=headers) as response:
                if raises:
                    response.raise_for_status()
                yield response

        return connect

    return client


def async_httpx_client(module: Any) -> Callable[[bool], Connect]:
    def client(raises: bool) -> Connect:
        @contextlib.asynccontextmanager
        async def connect(url: str, headers: dict[str, str]) -> Any:
            async with (
                module.AsyncClient(timeout=SECONDS) as session,
                session.stream("POST", url, headers=headers) as response,
            ):
                if raises:
                    response.raise_for_status()
                yield response

        return connect

    return client


def aiohttp_client(raises: bool) -> Connect:
    @contextlib.asynccontextmanager
    async def connect(url: str, headers: dict[str, str]) -> Any:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SECONDS, sock_read=SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout, raise_for_status=raises) as session,
            session.post(url, headers=headers) as response,
        ):
            yield response

    return connect


SYNC: dict[str, Callable[[bool], Connect]] = {
    "requests": requests_client,
    "urllib3": urllib3_client,
    "urllib": urllib_client,
    "httpx": httpx_client(httpx),
    "httpx2": httpx_client(httpx2),
}
ASYNC: dict[str, Callable[[bool], Connect]] = {
    "httpx, async": async_httpx_client(httpx),
    "httpx2, async": async_httpx_client(httpx2),
    "aiohttp": aiohttp_client,
}
CLIENTS = {**SYNC, **ASYNC}
every_client = pytest.mark.parametrize("client", CLIENTS)


@dataclass
class Outcome:
    report: StreamReport
    events: list[str] = field(default_factory=list)
    error: StreamError | None = None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def delays(self) -> list[float]:
        return [attempt.delay for attempt in self.attempts[1:]]


def read(
    client: str,
    url: str | Callable[[Attempt], str],
    *,
    raises: bool = False,
    timeouts: Timeouts | None = None,
    **options: Any,
) -> Outcome:
    """Read events through a client until the end or the error."""
    connect = CLIENTS[client](raises)
    attempts = list[Attempt]()

    def opened(attempt: Attempt) -> Any:
        attempts.append(attempt)
        headers = {"Last-Event-ID": attempt.last_event_id} if attempt.last_event_id else {}
        return connect(url if isinstance(url, str) else url(attempt), headers)

    options = {"retry": QUICK} | options
    if client in SYNC:
        stream = iter_events(retrying(opened, **options), timeouts=timeouts)
        outcome = Outcome(stream.report, attempts=attempts)
        try:
            for event in stream:
                outcome.events.append(event.data)
        except StreamError as error:
            outcome.error = error
        return outcome

    async def main() -> Outcome:
        stream = aiter_events(aretrying(opened, **options), timeouts=timeouts)
        outcome = Outcome(stream.report, attempts=attempts)
        try:
            async for event in stream:
                outcome.events.append(event.data)
        except StreamError as error:
            outcome.error = error
        return outcome

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    Threads().join()


def event(number: int) -> bytes:
    return b"id: %d\ndata: event %d\n\n" % (number, number)


def chat(text: str, finish: str = "null") -> bytes:
    return (
        b'data: {"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"},'
        b'"finish_reason":%s}]}\n\n' % (text.encode(), finish.encode())
    )


EVENTS = [event(number) for number in range(1, 6)]
ALL = [f"event {number}" for number in range(1, 6)]
GOOD = whole(*EVENTS)
PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>hello</body></html>"


# Before anything was delivered

EARLY: dict[str, Act | str] = {
    "resets before the first byte": reset,
    "hangs up before the first byte": hang_up,
    "is cut before the first byte": cut(),
    "is cut in the first event": cut(EVENTS[0][:9]),
    "is reset in the first event": reset_after(EVENTS[0][:9]),
    "is unavailable": answer(b"503 Service Unavailable", b"<html>try later</html>"),
    "is a bad gateway": answer(b"502 Bad Gateway", b"<html>nginx</html>"),
    "limits requests": answer(b"429 Too Many Requests", b'{"error":{}}', b"Retry-After: 0"),
    "stalls before the head": "stall",
    "stalls in the first event": "stall",
}


@every_client
@pytest.mark.parametrize("way", EARLY)
@pytest.mark.parametrize("raises", [False, True], ids=["statuses are read", "statuses raise"])
def test_a_failure_before_the_first_event_is_followed_by_another_attempt(client: str, way: str, raises: bool) -> None:
    with FailingServer(hang_up) as server:
        act = EARLY[way]
        if isinstance(act, str):
            act = server.stall(EVENTS[0][:9]) if "event" in way else server.silence
        server.acts = [act, act, GOOD]
        outcome = read(client, server.url, raises=raises)
    assert outcome.events == ALL
    assert outcome.error is None
    assert (len(outcome.attempts), len(server.requests), outcome.report.retries) == (3, 3, 2)
    assert outcome.delays == [0.01, 0.02]


@every_client
def test_a_refused_connection_is_followed_by_another_attempt(client: str) -> None:
    with FailingServer(GOOD) as server:
        nowhere = f"http://127.0.0.1:{closed_port()}/"
        outcome = read(client, lambda attempt: server.url if attempt.number == 3 else nowhere)
    assert outcome.events == ALL
    assert outcome.delays == [0.01, 0.02]


@every_client
@pytest.mark.parametrize("raises", [False, True], ids=["statuses are read", "statuses raise"])
def test_a_rate_limit_is_given_the_time_that_it_asks_for(client: str, raises: bool) -> None:
    limits = [
        answer(b"429 Too Many Requests", b"", b"Retry-After: 1"),
        answer(
            b"429 Too Many Requests",
            b"",
            b"Date: Sat, 21 Nov 2026 02:00:00 GMT",
            b"Retry-After: Sat, 21 Nov 2026 02:00:01 GMT",
        ),
    ]
    with FailingServer(*limits, GOOD) as server:
        outcome = read(client, server.url, raises=raises)
    assert outcome.delays == [1.0, 1.0]
    assert outcome.events == ALL
    assert server.times[1] - server.times[0] >= 1.0
    assert server.times[2] - server.times[1] >= 1.0


@every_client
@pytest.mark.parametrize("raises", [False, True], ids=["statuses are read", "statuses raise"])
def test_a_bad_key_is_told_at_once(client: str, raises: bool) -> None:
    refusal = answer(b"401 Unauthorized", b'{"error":{"message":"sk-secret is no key"}}')
    with FailingServer(refusal, GOOD) as server:
        outcome = read(client, server.url, raises=raises)
    assert len(server.requests) == 1
    assert outcome.events == []
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.status_hint, outcome.error.safe_to_retry) == ("authentication", 401, True)
    assert "secret" not in f"{outcome.error} {outcome.error.public_message}"


@every_client
def test_a_page_of_html_is_told_at_once(client: str) -> None:
    with FailingServer(answer(b"200 OK", PAGE, b"Content-Type: text/html"), GOOD) as server:
        outcome = read(client, server.url)
    assert len(server.requests) == 1
    assert outcome.events == []
    assert outcome.error is not None
    assert outcome.error.code == "not-a-stream"


@every_client
def test_what_fails_every_time_is_told_in_the_end(client: str) -> None:
    unavailable = answer(b"503 Service Unavailable", b"", b"Retry-After: 0")
    with FailingServer(unavailable) as server:
        outcome = read(client, server.url)
    assert len(server.requests) == 3
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.status_hint) == ("overloaded", 503)
    assert (outcome.error.retry_count, outcome.error.retry_after) == (2, 0.0)


# A bad certificate


@pytest.fixture(scope="module")
def unknown_authority() -> Iterator[str]:
    """Serve TLS with a certificate that nobody trusts; give the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with FailingServer(GOOD, tls=context) as server:
        yield server.url.replace("http:", "https:")


@every_client
def test_a_certificate_that_nobody_trusts_is_told_at_once(client: str, unknown_authority: str) -> None:
    outcome = read(client, unknown_authority)
    assert len(outcome.attempts) == 1
    assert outcome.error is not None
    assert outcome.error.code == "upstream-failed"


# After something was delivered

LATE: dict[str, Callable[[FailingServer, list[bytes]], Act]] = {
    "is cut between events": lambda server, frames: cut(*frames),
    "is cut in an event": lambda server, frames: cut(*frames, b"id: 99\nda"),
    "is reset between events": lambda server, frames: reset_after(*frames),
    "is reset in an event": lambda server, frames: reset_after(*frames, b"id: 99\nda"),
    "stalls": lambda server, frames: server.stall(*frames),
}


@every_client
@pytest.mark.parametrize("way", LATE)
def test_a_failure_after_content_is_one_error_and_never_retried(client: str, way: str) -> None:
    with FailingServer(hang_up) as server:
        server.acts = [LATE[way](server, [chat("Hel"), chat("lo")]), GOOD]
        outcome = read(client, server.url)
    assert len(server.requests) == 1
    assert outcome.report.text == "Hello"
    assert len(outcome.events) == 2
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.safe_to_retry) == ("upstream-failed", False)
    assert (outcome.error.tokens_received, outcome.error.retry_count) == (2, 0)


@pytest.mark.parametrize("client", SYNC)
def test_a_failure_after_content_is_one_frame_the_last(client: str) -> None:
    with FailingServer(cut(chat("Hel"), b'data: {"i'), GOOD) as server:
        source = retrying(lambda attempt: SYNC[client](False)(server.url, {}), retry=QUICK)
        body = b"".join(repair(source, heartbeat=None))
    assert body.startswith(chat("Hel"))
    assert body.count(b"unbroken_error") == 1
    assert body.endswith(b'"upstream-failed"}}\n\n')
    assert len(server.requests) == 1


@every_client
@pytest.mark.parametrize("way", LATE)
@pytest.mark.parametrize("server_repeats", [False, True], ids=["the server goes on", "the server begins anew"])
def test_a_broken_stream_goes_on_without_loss_or_repetition(client: str, way: str, server_repeats: bool) -> None:
    with FailingServer(hang_up) as server:
        first, second = (0, 0) if server_repeats else (2, 4)
        server.acts = [
            LATE[way](server, EVENTS[:2]),
            LATE[way](server, EVENTS[first:4]),
            whole(*EVENTS[second:]),
        ]
        outcome = read(client, server.url, resume=True)
    assert outcome.events == ALL
    assert outcome.error is None
    assert server.headers("last-event-id") == ["", "2", "4"]
    assert outcome.report.repairs[RepairKind.REPEATED_EVENT] == (6 if server_repeats else 0)
    assert outcome.report.events == 5


@every_client
def test_partial_tokens_are_counted_once(client: str) -> None:
    frames = [b"id: %d\n" % number + chat(text) for number, text in enumerate("abc")]
    end = [b"id: 3\n" + chat("d", '"stop"'), b"id: 4\ndata: [DONE]\n\n"]
    with FailingServer(cut(*frames[:2]), cut(*frames), whole(*frames, *end)) as server:
        outcome = read(client, server.url, resume=True)
    assert outcome.report.text == "abcd"
    assert outcome.report.tokens_received == 4
    assert outcome.report.verdict is Verdict.COMPLETE
    assert len(outcome.events) == 5


# Our own clocks, where the client has none


@every_client
def test_a_stall_that_only_we_notice_is_given_up_for_another_attempt(
    client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "SECONDS", LIMIT)
    with FailingServer(hang_up) as server:
        server.acts = [server.stall(b": hello\n\n"), GOOD]
        outcome = read(client, server.url, timeouts=Timeouts(silence=0.3))
        assert outcome.events == ALL
        assert outcome.report.retries == 1
        assert threading.active_count() < 20


@pytest.mark.parametrize("client", SYNC)
def test_a_thread_reads_every_attempt_as_the_caller_would(client: str) -> None:
    with FailingServer(reset, cut(*EVENTS[:2], b"id: 3\nda"), whole(*EVENTS)) as server:
        outcome = read(client, server.url, resume=True, timeouts=Timeouts(silence=LIMIT))
    assert outcome.events == ALL
    assert outcome.report.repairs[RepairKind.REPEATED_EVENT] == 2

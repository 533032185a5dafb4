"""The WSGI middleware, driven as a server drives an application: PEP 3333."""

import contextvars
import gc
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import flask
import pytest

from tests.scripted import DONE, LIMIT, TOKEN, Threads
from unbroken import FlightRecorder, Observer, StreamReport, Verdict
from unbroken.middleware import WSGIMiddleware
from unbroken.middleware import wsgi as module
from unbroken.testing.routes import RouteContract
from unbroken.testing.sources import Upstream

EVENT = b"data: a\n\n"
BROKEN = b"data: \xff\n\r\n: x"
SSE = {"Content-Type": "text/event-stream"}
OFF: dict[str, Any] = {"heartbeat": None, "timeouts": None}  # read in the server's thread


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    Threads().join()


class Verdicts(Observer):
    """Keeps the verdicts of streams that ended."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def ended(self, report: StreamReport) -> None:
        self.verdicts.append(report.verdict)


class Result:
    """An iterable that an application returns, which notes who reads and closes it."""

    def __init__(self, *chunks: Any) -> None:
        self.chunks = chunks
        self.read_by: set[threading.Thread] = set()
        self.closed_by: list[threading.Thread] = []

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.read_by.add(threading.current_thread())
            if isinstance(chunk, Exception):
                raise chunk
            if isinstance(chunk, bytes):
                yield chunk
            else:
                chunk()

    def close(self) -> None:
        self.closed_by.append(threading.current_thread())


def app_of(result: Any, headers: dict[str, str] = SSE, status: str = "200 OK") -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, list(headers.items()))
        return result

    return app


class Server:
    """Serves one request as a server does, and keeps what it would write."""

    def __init__(self, app: Any, *, path: str = "/", method: str = "GET", chunks: int | None = None) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.written: list[bytes] = []
        self.begun = False
        environ = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "SERVER_NAME": "a", "SERVER_PORT": "80",
            "wsgi.file_wrapper": FileWrapper,
        }  # fmt: skip
        self.result: Any = app(environ, self.start_response)
        try:
            if chunks != 0:
                for data in self.result:
                    assert self.status, "a chunk came before the start"
                    self.begun = True
                    self.written.append(data)
                    if len(self.written) == chunks:
                        break
        finally:
            if (close := getattr(self.result, "close", None)) is not None:
                close()

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info and self.begun:
            raise exc_info[1]
        assert exc_info or not self.status, "started twice"
        self.status, self.headers = status, dict(headers)
        return self.write

    def write(self, data: bytes) -> None:
        self.begun = True
        self.written.append(data)

    @property
    def body(self) -> bytes:
        return b"".join(self.written)


# --- what is served ---


def test_a_stream_is_served_with_its_status_and_headers_and_those_that_it_lacks() -> None:
    headers = {**SSE, "Content-Length": "9", "ETag": "x", "X-Mine": "1", "cache-control": "no-store"}
    server = Server(WSGIMiddleware(app_of([TOKEN[:-1], TOKEN, DONE], headers, "201 Created"), **OFF))
    assert server.status == "201 Created"
    assert server.headers == {
        "Content-Type": "text/event-stream",
        "X-Mine": "1",
        "cache-control": "no-store",
        "X-Accel-Buffering": "no",
        "X-Content-Type-Options": "nosniff",
    }
    assert server.body == TOKEN + TOKEN + DONE


UNTOUCHED = {
    "JSON": ("200 OK", {"Content-Type": "application/json"}),
    "no type": ("200 OK", {}),
    "an error": ("429 Too Many Requests", SSE),
    "no status": ("", SSE),
    "a part": ("206 Partial Content", SSE),
    "compressed": ("200 OK", {**SSE, "Content-Encoding": "zstd"}),
}


@pytest.mark.parametrize(("status", "headers"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_other_responses_pass_untouched_and_uncopied(status: str, headers: dict[str, str]) -> None:
    given = list(headers.items())
    chunks = [BROKEN, b"", BROKEN]

    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, given)
        return chunks

    seen: list[Any] = []
    result = WSGIMiddleware(app)({"REQUEST_METHOD": "GET"}, lambda *start: seen.extend(start))
    assert result is chunks
    assert seen[0] == status
    assert seen[1] is given


def test_what_is_compressed_is_told_once_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = WSGIMiddleware(app_of([b"\x1f\x8b"], {**SSE, "Content-Encoding": "gzip"}))
    assert [Server(app).body for _ in range(3)] == [b"\x1f\x8b"] * 3
    assert len(caplog.records) == 1
    assert "compressed" in caplog.text


def test_a_file_that_the_server_sends_by_itself_passes(tmp_path: Any) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with (tmp_path / "a").open("rb") as file:
        wrapped = FileWrapper(file)
        assert Server(WSGIMiddleware(app_of(wrapped, {"Content-Type": "image/png"}))).result is wrapped


def test_the_body_of_another_response_is_read_and_closed_by_the_server() -> None:
    result = Result(b"a", b"b")
    assert Server(WSGIMiddleware(app_of(result, {}))).written == [b"a", b"b"]
    assert result.read_by == {threading.current_thread()}
    assert result.closed_by == [threading.current_thread()]


def test_a_response_to_head_reaches_the_server_as_it_is() -> None:
    result = Result()
    assert Server(WSGIMiddleware(app_of(result)), method="HEAD").result is result


# --- start_response ---


def test_an_application_that_starts_with_its_first_chunk_is_served() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [*SSE.items(), ("Content-Length", "2")])
        yield TOKEN[:-1]
        yield TOKEN + DONE

    for options in ({}, OFF):
        server = Server(WSGIMiddleware(app, **options))
        assert server.body == TOKEN + TOKEN + DONE
        assert "Content-Length" not in server.headers


@pytest.mark.parametrize("headers", [SSE, {}])
def test_an_application_that_starts_late_and_sends_nothing_has_an_empty_body(headers: dict[str, str]) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", list(headers.items()))
        yield from ()

    server = Server(WSGIMiddleware(app, **OFF))
    assert (server.status, server.body) == ("200 OK", b"")


def test_another_late_application_passes() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield from (BROKEN, b"", BROKEN)

    assert Server(WSGIMiddleware(app)).written == [BROKEN, b"", BROKEN]


def test_a_late_application_that_is_never_read_is_closed() -> None:
    result = Result(b"a")
    Server(WSGIMiddleware(lambda environ, start_response: result), chunks=0)
    assert len(result.closed_by) == 1


def test_a_late_application_that_fails_before_its_start_raises() -> None:
    with pytest.raises(RuntimeError, match="mine"):
        Server(WSGIMiddleware(lambda environ, start_response: Result(RuntimeError("mine"))))


def test_what_is_written_by_write_passes_untouched_and_at_once() -> None:
    seen: list[bytes] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [*SSE.items(), ("Content-Length", "27")])
        for _ in range(2):
            write(BROKEN)
            seen.append(b"".join(server.written))
        return [EVENT]

    server = Server.__new__(Server)
    server.__init__(WSGIMiddleware(app))  # type: ignore[misc]
    assert seen == [BROKEN, BROKEN * 2]
    assert server.body == BROKEN * 2 + EVENT
    assert server.headers == {**SSE, "Content-Length": "27"}


def test_an_error_after_the_first_write_is_raised_where_it_is_told() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(SSE.items()))(BROKEN)
        with pytest.raises(RuntimeError, match="mine"):
            start_response("200 OK", list(SSE.items()), (RuntimeError, RuntimeError("mine"), None))
        return []

    assert Server(WSGIMiddleware(app)).body == BROKEN


def test_an_error_may_replace_a_start_whose_body_has_not_begun() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(SSE.items()))
        raised = (RuntimeError, RuntimeError(), None)
        start_response("500 Oops", [("Content-Type", "text/plain")], exc_info=raised)
        return [BROKEN]

    server = Server(WSGIMiddleware(app))
    assert (server.status, server.headers, server.body) == ("500 Oops", {"Content-Type": "text/plain"}, BROKEN)


def test_a_stream_may_replace_an_error_whose_body_has_not_begun() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("500 Oops", [("Content-Type", "text/plain")])
        start_response("200 OK", list(SSE.items()), (RuntimeError, RuntimeError(), None))
        return [EVENT]

    server = Server(WSGIMiddleware(app))
    assert (server.status, server.body) == ("200 OK", EVENT)


def test_an_error_after_the_body_has_begun_is_one_frame() -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", list(SSE.items()))
        yield TOKEN
        start_response("500 Oops", [], (RuntimeError, RuntimeError("s3cret"), None))
        yield BROKEN

    server = Server(WSGIMiddleware(app, **OFF))
    assert server.status == "200 OK"
    assert server.body.startswith(TOKEN + b'data: {"error"')
    assert b"s3cret" not in server.body


def test_a_second_start_without_an_error_is_refused_by_the_server() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", list(SSE.items()))
        start_response("200 OK", list(SSE.items()))
        return []

    with pytest.raises(AssertionError, match="started twice"):
        Server(WSGIMiddleware(app))


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_the_validator_of_the_standard_library_finds_no_fault(status: str) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "text/event-stream")])
        return [EVENT]

    outer: Any = validator(WSGIMiddleware(validator(app), **OFF))
    environ: dict[str, Any] = {}
    from wsgiref.util import setup_testing_defaults

    setup_testing_defaults(environ)
    environ["wsgi.version"] = (1, 0)
    environ["QUERY_STRING"] = ""
    result = outer(environ, lambda status, headers, exc_info=None: lambda data: None)
    assert b"".join(result) == EVENT
    result.close()


# --- how it ends ---


def test_an_exception_in_a_stream_is_one_frame_and_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    seen = Verdicts()
    server = Server(WSGIMiddleware(app_of(Result(TOKEN, RuntimeError("s3cret"))), observers=[seen]))
    frame = server.body.removeprefix(TOKEN)
    assert frame.startswith(b'data: {"error"')
    assert frame.count(b"data: ") == 1
    assert b"s3cret" not in frame
    assert seen.verdicts == [Verdict.FAILED]
    logged = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert "RuntimeError" in logged.getMessage()
    assert "in __iter__" in str(logged.exc_text)  # the traceback


def test_an_exception_before_the_response_passes() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        Server(WSGIMiddleware(app))


def test_text_is_refused_as_by_a_server() -> None:
    with pytest.raises(TypeError, match="bytes, not str"):
        Server(WSGIMiddleware(app_of(["data: a\n\n"]), **OFF))


def test_a_cut_is_one_frame() -> None:
    assert b'"truncated"' in Server(WSGIMiddleware(app_of([TOKEN]))).body


@pytest.mark.parametrize("chunks", [None, 1, 0])
def test_the_body_is_read_in_a_thread_and_closed_once_in_the_servers(chunks: int | None) -> None:
    result, seen = Result(EVENT, EVENT), Verdicts()
    Server(WSGIMiddleware(app_of(result), observers=[seen]), chunks=chunks)
    assert threading.current_thread() not in result.read_by
    assert result.closed_by == [threading.current_thread()]
    assert seen.verdicts == [Verdict.ENDED if chunks is None else Verdict.CANCELLED]


def test_a_server_may_close_twice() -> None:
    result = Result(EVENT)
    Server(WSGIMiddleware(app_of(result))).result.close()
    assert len(result.closed_by) == 1


def test_a_body_that_is_being_read_is_closed_when_that_read_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.001)
    go_on = threading.Event()
    result = Result(EVENT, lambda: go_on.wait(LIMIT), EVENT)
    seen = Verdicts()
    Server(WSGIMiddleware(app_of(result), observers=[seen]), chunks=1)
    assert seen.verdicts == [Verdict.CANCELLED]
    assert not result.closed_by
    go_on.set()
    Threads().join()
    assert len(result.closed_by) == 1


def test_what_closing_raises_is_the_servers_to_log() -> None:
    result = Result(EVENT)
    result.close = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ZeroDivisionError):
        Server(WSGIMiddleware(app_of(result)))


def test_after_the_end_mark_the_application_may_save_the_answer() -> None:
    saved = threading.Event()
    result = Result(TOKEN, DONE, saved.set)
    assert Server(WSGIMiddleware(app_of(result))).body == TOKEN + DONE
    assert saved.is_set()


# --- what the application sees ---

VARIABLE = contextvars.ContextVar("VARIABLE", default="")


@pytest.mark.parametrize("headers", [SSE, {}])
@pytest.mark.parametrize("chunks", [None, 1, 0])
def test_call_body_and_close_run_in_one_context(headers: dict[str, str], chunks: int | None) -> None:
    reset: list[str] = []

    class Entered:
        """Enters a context variable when the application is called, and leaves it at the end."""

        def __init__(self) -> None:
            assert VARIABLE.get() == "of the server"
            self.token = VARIABLE.set("of the application")

        def __iter__(self) -> Iterator[bytes]:
            assert VARIABLE.get() == "of the application"
            inner = VARIABLE.set("of the body")
            yield EVENT
            yield VARIABLE.get().join(("data: ", "\n\n")).encode()
            VARIABLE.reset(inner)

        def close(self) -> None:
            VARIABLE.set("")
            VARIABLE.reset(self.token)
            reset.append(VARIABLE.get())

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(headers.items()))
        return Entered()

    token = VARIABLE.set("of the server")
    try:
        server = Server(WSGIMiddleware(app), chunks=chunks)
        assert VARIABLE.get() == "of the server"
    finally:
        VARIABLE.reset(token)
    assert reset == ["of the server"]
    if chunks is None:
        assert server.body == EVENT + b"data: of the body\n\n"


def flask_app(chunks: Callable[[], Iterable[bytes]], **options: Any) -> flask.Flask:
    app = flask.Flask("tests")

    @app.get("/")
    def route() -> flask.Response:
        return flask.Response(chunks(), mimetype="text/event-stream")

    app.wsgi_app = WSGIMiddleware(app.wsgi_app, **options)  # type: ignore[method-assign]
    return app


@pytest.mark.parametrize("leaves", [False, True])
def test_the_context_of_flask_lasts_as_long_as_the_stream(leaves: bool) -> None:
    torn_down: list[str] = []

    def chunks() -> Iterator[bytes]:
        for _ in range(2):
            yield f"data: {flask.request.args['q']} {flask.g.user}\n\n".encode()

    def with_context() -> Iterable[bytes]:
        flask.g.user = "me"
        return flask.stream_with_context(chunks())

    app = flask_app(with_context)
    app.teardown_appcontext(lambda error: torn_down.append(repr(error)))
    response = app.test_client().get("/?q=x", buffered=False)
    if leaves:
        assert next(response.iter_encoded()).startswith(b"data: x me\n\n")
        response.close()
    else:
        assert response.data == b"data: x me\n\n" * 2
        response.close()
    assert torn_down
    assert not flask.has_app_context()
    assert not flask.has_request_context()


class StreamWithContext(RouteContract):
    """A route of Flask that knows nothing of us. Nothing can interrupt a generator that waits in another thread."""

    heartbeat = 0.2
    test_upstream_is_released_when_the_client_leaves_in_silence = None  # type: ignore[assignment]

    def app(self, upstream: Upstream) -> Any:
        return flask_app(lambda: flask.stream_with_context(upstream.chunks()), heartbeat=self.heartbeat)


@pytest.mark.slow
class TestABareRoute(StreamWithContext):
    pass


# --- options ---


PATHS: dict[str, Any] = {"/": None, "/chat": {}, "/chät": {"comments": "drop"}}


@pytest.mark.parametrize(("path", "body"), [
    ("/", b": x\n" + EVENT + b":"), ("/chat", b": x\n" + EVENT), ("/chät/a", EVENT),
])  # fmt: skip
def test_the_longest_beginning_of_a_path_has_the_options(path: str, body: bytes) -> None:
    app = WSGIMiddleware(app_of([b": x\n" + EVENT + b":"]), paths=PATHS, **OFF)
    assert Server(app, path=path.encode().decode("latin-1")).body == body


@pytest.mark.parametrize(("options", "error", "text"), [
    ({"heartbeet": 5}, TypeError, r"WSGIMiddleware\(\) takes no argument 'heartbeet'"),
    ({"heartbeet": 5}, TypeError, r"it takes (?!.*send_timeout).* pace, paths, provider"),
    ({"exclude": ["/x"]}, TypeError, r"'exclude' \(did you mean paths=\{'/x': None\}\?\)"),
    ({"heartbeat": 0}, ValueError, "heartbeat must be"),
    ({"paths": {"chat": {}}}, ValueError, "begin with '/'"),
    ({"observers": [FlightRecorder()]}, TypeError, "one stream"),
])  # fmt: skip
def test_wrong_options_are_refused_when_the_application_starts(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        WSGIMiddleware(app_of([]), **options)

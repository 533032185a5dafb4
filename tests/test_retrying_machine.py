"""A stream over `retrying`, step by step, against a model of what docs/design.md promises in "Another attempt".

The machine plays an upstream that numbers its events, well or badly, and breaks anywhere. After each step it compares
an event engine and a repairer, both fed through the connections of `retrying`, with a model of a page. At the end the
four functions read the same script, and must have seen the same.
"""

from __future__ import annotations

import functools
import http.client
import itertools
import json
import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests import laws
from tests.attempts import Attempts, Part, status_error
from tests.scripted import Clock, warp
from unbroken import (
    Attempt,
    Event,
    Observer,
    Repair,
    RepairKind,
    Retry,
    StreamError,
    StreamRepairer,
    StreamReport,
    Timeouts,
    Verdict,
    aiter_events,
    arepair,
    aretrying,
    iter_events,
    repair,
    retrying,
)
from unbroken.adapters.raised import error_for
from unbroken.core.engine import Engine, EventEngine
from unbroken.core.failure import ERROR_TYPE
from unbroken.retry.succession import Succession

TIMEOUTS = Timeouts(first=50.5, idle=20.5, silence=30.5, total=120.75)
"""All on the grid of a quarter of a second, and no two that can run out at once."""


# --- what upstream has to say -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One event of the answer. `kind`: "text", "finish" or "done" of a chat, or "record" of no dialect."""

    kind: str
    text: str = ""
    id: str | None = None
    retry: int | None = None  # milliseconds
    has_ping: bool = False  # a comment before it

    @property
    def data(self) -> str:
        if self.kind == "done":
            return "[DONE]"
        if self.kind == "record":
            return json.dumps({"n": 1, "t": self.text}, ensure_ascii=False)
        delta, reason = ({"content": self.text}, None) if self.kind == "text" else ({}, "stop")
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return json.dumps({"id": "a", "object": "chat.completion.chunk", "choices": [choice]}, ensure_ascii=False)

    def frame(self, line_end: str) -> bytes:
        fields = [("id", self.id), ("retry", self.retry), ("data", self.data)]
        lines = [f"{name}: {value}" for name, value in fields if value is not None]
        if self.has_ping:
            lines = [": ping", "", *lines]
        return "".join(line + line_end for line in [*lines, ""]).encode()


@dataclass
class Body:
    """What one connection sends: its bytes, and after how many of them each event is whole."""

    framing: str
    data: bytes
    ends: list[tuple[int, Said]]
    sent: int = 0

    def pass_on(self, count: int) -> tuple[bytes, list[Said]]:
        """Send so many bytes; return them, and the events that they complete."""
        begin, self.sent = self.sent, self.sent + count
        whole = [said for end, said in self.ends if begin < end <= self.sent]
        return self.data[begin : self.sent], whole

    @property
    def begun(self) -> tuple[Said | None, bytes]:
        """The event that was cut, and what came of it; what stands between events is nothing."""
        past = [end for end, _ in self.ends if end <= self.sent]
        rest = self.data[max(past, default=0) : self.sent]
        if self.framing == "array" and self.sent > 1:
            rest = rest.lstrip(b"[,\n]")
        following = next((said for end, said in self.ends if end > self.sent), None)
        return following, re.sub(rb"\A[\r\n]*(:[^\r\n]*[\r\n]*)?", b"", rest)


def body_of(framing: str, answer: list[Said]) -> Body:
    """Spell a part of the answer. Lines and arrays have no place for ids, nor for a sentinel."""
    if framing in ("\n", "\r\n"):
        frames = [said.frame(framing) for said in answer]
        ends = [end - (framing == "\r\n") for end in itertools.accumulate(map(len, frames))]
        return Body("sse", b"".join(frames), list(zip(ends, answer, strict=True)))
    kept = [Said(said.kind, said.text) for said in answer if said.kind != "done"]
    lead, separator, end = ("[", ",\n", "]") if framing == "array" else ("", "\n", "\n")
    data, ends = lead.encode(), list[int]()
    for at, said in enumerate(kept):
        data += (separator.encode() if at else b"") + said.data.encode()
        ends.append(len(data) + (framing == "ndjson"))
    return Body(framing, data + end.encode() if kept else b"", list(zip(ends, kept, strict=True)))


def page(status: int | None) -> bytes:
    """Return a page of HTML up to where it is known for one."""
    return f"<!doctype html><title>{status or 'Sign in'} <body".encode()


FAILURES: dict[str, tuple[Any, bool, float | None]] = {
    "reset": (ConnectionResetError, True, None),
    "cut short": (lambda: http.client.IncompleteRead(b""), True, None),
    "error of the program": (lambda: KeyError("oops"), False, None),
    "503": (lambda: status_error(503), True, None),
    "429, in 3 seconds": (lambda: status_error(429, Retry_After="3"), True, 3.0),
    "429, in an hour": (lambda: status_error(429, Retry_After="3600"), True, 3600.0),
    "404": (lambda: status_error(404), False, None),
}
"""What may go wrong: the exception, whether it is worth another attempt, and the wait that it asks for."""


PAGES = {"a page": None, "a page, 503": 503, "a page, 404": 404}


# --- what must come of it ---------------------------------------------------------------------------------------------


@dataclass
class Model:
    """What the documentation promises for the steps so far."""

    policy: Retry
    resume: bool
    initial: str
    named: bool
    now: float
    delivered: list[Said] = field(default_factory=list)
    repairs: Counter[RepairKind] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)
    asked_after: list[str] = field(default_factory=list)
    verdict: Verdict = Verdict.OPEN
    code: str | None = None
    retry: int | None = None
    # ids
    known: set[str] = field(default_factory=set)  # of earlier connections
    brought: list[str] = field(default_factory=list)  # by this one
    last: str | None = None
    last_event_id: str = ""
    until: str | None = None

    def __post_init__(self) -> None:
        self.last_event_id = self.initial
        self.is_known = self.named
        self.started = self.silent_since = self.begun = self.now
        self.content_at: float | None = None

    # Events

    def take(self, chunk: bytes, whole: list[Said]) -> None:
        self.silent_since = self.now if chunk else self.silent_since
        for said in whole:
            if self.verdict is not Verdict.OPEN:
                self.repairs[RepairKind.AFTER_DONE] += 1
            elif self._repeats(said.id):
                self.repairs[RepairKind.REPEATED_EVENT] += 1
            else:
                self._deliver(said)

    def _repeats(self, id: str | None) -> bool:
        """Dropped because of its id and for no other reason, up to the last delivered one."""
        if not self.resume or self.until is None or not id or id not in self.known | {self.initial}:
            return False
        if id == self.until:
            self.until = None
        return True

    def _deliver(self, said: Said) -> None:
        self.delivered.append(said)
        self.is_known |= said.kind in ("text", "finish")
        if said.kind == "text":
            self.content_at = self.now
        if said.id is not None:
            self.last, self.last_event_id = said.id or None, said.id
            self.brought.append(said.id)
        if said.retry is not None:
            self.retry = said.retry
        if said.kind == "done" and self.is_known:
            self.verdict = Verdict.COMPLETE

    # Ends

    def drop_tail(self, body: Body | None) -> bool:
        """Drop what was half read; return whether there was any."""
        said, rest = body.begun if body is not None else (None, b"")
        if not rest:
            return False
        self.repairs[RepairKind.UNFINISHED_TAIL] += 1
        if said is not None and said.retry is not None and b"retry: %d\n" % said.retry in rest.replace(b"\r", b"\n"):
            self.retry = said.retry  # WHATWG: it holds from its line on
        return True

    def end(self, body: Body | None) -> None:
        """A clean end. A last event that is whole but for its blank line, or line end, counts."""
        said, rest = body.begun if body is not None else (None, b"")
        if said is not None and said.data.encode() in rest:
            if body is not None and body.framing == "sse":
                self.repairs[RepairKind.UNTERMINATED_EVENT] += 1
            self.take(b"", [said])
            was_cut = False
        else:
            was_cut = self.drop_tail(body)
        was_cut |= body is not None and body.framing == "array" and 0 < body.sent < len(body.data)
        if self.verdict is not Verdict.OPEN:
            return
        if not self.is_known:
            self.verdict = Verdict.TRUNCATED if was_cut else Verdict.ENDED
        elif not was_cut and self._is_finished():
            self.verdict = Verdict.COMPLETE
        elif not (was_cut or self.delivered or self.initial):
            self.fail("empty", worth=True)
        else:
            self.fail("truncated", worth=True, verdict=Verdict.TRUNCATED)

    def _is_finished(self) -> bool:
        kinds = [said.kind for said in self.delivered if said.kind in ("text", "finish")]
        return bool(kinds) and kinds[-1] == "finish"

    def fail(self, code: str, *, worth: bool, asked: float | None = None, verdict: Verdict = Verdict.FAILED) -> None:
        """Another attempt, or the end."""
        if asked is None and self.retry is not None:
            asked = self.retry / 1000
        may = not self.delivered or (self.resume and self.last is not None)
        made = len(self.delays)
        if may and worth and made < self.policy.max_retries and (asked or 0) <= self.policy.max_retry_after:
            self.delays.append(max(min(self.policy.base * 2**made, self.policy.max_delay), asked or 0))
            self.asked_after.append(self.last_event_id)
            self._reopen()
        else:
            self.verdict, self.code = verdict, code

    def _reopen(self) -> None:
        self.begun = self.silent_since = self.now + self.delays[-1]
        self.known |= {*self.brought} - {""}
        self.brought, self.until = [], self.last

    # Time

    @property
    def clock(self) -> tuple[float, str]:
        """The clock that runs out first, and when."""
        clocks = [(self.silent_since + TIMEOUTS.silence, "silence"), (self.started + TIMEOUTS.total, "total")]  # type: ignore[operator]
        if self.is_known and self.content_at is None:
            clocks.append((self.begun + TIMEOUTS.first, "first"))  # type: ignore[operator]
        elif self.is_known:
            clocks.append((max(self.begun, self.content_at or 0.0) + TIMEOUTS.idle, "idle"))  # type: ignore[operator]
        return min(clocks)

    def wait(self, seconds: float) -> bool:
        """Let time pass in which upstream sends nothing; return whether a clock ran out."""
        due, _ = self.clock
        if due > self.now + seconds:
            self.now += seconds
            return False
        self.now = due
        return True


# --- the core, fed through the connections of `retrying` --------------------------------------------------------------


class Ends(Observer):
    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def ended(self, report: StreamReport) -> None:
        self.verdicts.append(report.verdict)


class Face:
    """One engine and its source, driven as an adapter does; time passes only where the machine says so."""

    def __init__(self, engine: type[Engine[Any]], clock: Clock, options: dict[str, Any], **told: Any) -> None:
        self.clock = clock
        self.ends = Ends()
        self.repairs: list[Repair] = []
        self.items: list[Any] = []
        self.parts: list[Part | None] = []
        self.retried: list[Attempt] = []
        self.engine = engine(**options, on_repair=self.repairs.append, observers=[self.ends])
        source = retrying(self._connect, **told, on_retry=self.retried.append)
        if options.get("last_event_id"):
            assert source.begin is not None
            source = source.begin(options["last_event_id"])
        delivered = self.engine.remember_ids() if source.resumes else None
        self.succession = Succession(source, self.engine.report, delivered)
        self.engine.renew = self.succession
        self.chunks = iter(source.chunks)  # type: ignore[call-overload]
        self.engine.resume(clock.now)

    def _connect(self, attempt: Attempt) -> Iterator[bytes]:
        if isinstance(self.parts[0], Exception) and not isinstance(self.parts[0], KeyError):
            raise self.parts.pop(0)  # type: ignore[misc]  # before the head
        return self._send()

    def _send(self) -> Iterator[bytes]:
        while (part := self.parts.pop(0)) is not None:
            if isinstance(part, Exception):
                raise part
            assert isinstance(part, bytes)
            yield part

    def take(self, part: Part | None) -> float | None:
        """Let upstream send, raise, or end; return the delay if another connection takes over."""
        self.parts.append(part)
        try:
            chunk = next(self.chunks)
        except StopIteration:
            self.items += self.engine.close(self.clock.now)
        except Exception as error:
            self.items += self.engine.fail(error_for(error) or error, self.clock.now)
        else:
            self.items += self.engine.feed(chunk, self.clock.now)
        return self._follow()

    def on_deadline(self) -> float | None:
        self.items += self.engine.on_deadline(self.clock.now)
        return self._follow()

    def _follow(self) -> float | None:
        following, self.succession.following = self.succession.following, None
        if following is None:
            return None
        self.chunks.close()
        self.chunks = iter(following.chunks)  # type: ignore[call-overload]
        return following.delay


LONGEST = 16
"""Events of an answer."""
answers = st.one_of(
    st.lists(st.sampled_from(["a", "ha", "你好"]), min_size=1, max_size=LONGEST - 2).map(
        lambda texts: [*(Said("text", text) for text in texts), Said("finish"), Said("done")]
    ),
    st.lists(st.sampled_from(["a", "ha", "你好"]).map(lambda text: Said("record", text)), min_size=2, max_size=LONGEST),
)
own_ids = st.just([f"e{number}" for number in range(LONGEST)])
bad_ids = st.lists(st.sampled_from(["1", "2", "3", "4", "1", "2", "3", None, ""]), min_size=LONGEST, max_size=LONGEST)
retries = st.lists(st.sampled_from([*[None] * 50, *[2000] * 6, 70_000]), min_size=LONGEST, max_size=LONGEST)
policies = st.builds(
    Retry,
    max_retries=st.sampled_from([*[20] * 8, 3, 1, 0]),
    base=st.sampled_from([0.0, 1.0]),
    max_delay=st.sampled_from([2.0, 8.0]),
    jitter=st.just(False),
)
beginnings = st.sampled_from([0, 0, -1, -2, -4, None, None, 1])
"""Where a server begins: so many events after the one that was asked for, or with the first (None)."""
framings = st.sampled_from([*["\n"] * 12, *["\r\n"] * 6, "ndjson", "array"])


def step(may: Callable[[Any], bool], **drawn: Any) -> Callable[[Any], Any]:
    """A rule for while the stream is open; once it has ended whatever is tried comes too late."""

    def decorate(act: Callable[..., None]) -> Any:
        @precondition(lambda self: not self.is_open() or may(self))
        @rule(**drawn)
        @functools.wraps(act)
        def stepped(self: Any, *given: Any, **named: Any) -> None:
            if self.is_open():
                act(self, *given, **named)
            else:
                self.come_late()

        return stepped

    return decorate


class RetryingMachine(RuleBasedStateMachine):
    """Upstream sends, breaks, falls silent, ends and is opened again; the consumer may leave."""

    @initialize(
        answer=answers,
        ids=own_ids | bad_ids,
        retries=retries,
        pings=st.lists(st.sampled_from([False, False, False, True]), min_size=LONGEST, max_size=LONGEST),
        policy=policies,
        resume=st.sampled_from([True, True, True, True, False]),
        named=st.booleans(),
        initial=st.sampled_from(["", "", "e1", "2"]),
        is_hasty=st.sampled_from([False, False, False, False, True]),
    )
    def begin(
        self,
        answer: list[Said],
        ids: list[str | None],
        retries: list[int | None],
        pings: list[bool],
        policy: Retry,
        resume: bool,
        named: bool,
        initial: str,
        is_hasty: bool,
    ) -> None:
        self.is_hasty = is_hasty
        self.answer = [
            Said(said.kind, said.text, id, retry, ping)
            for said, id, retry, ping in zip(answer, ids, retries, pings, strict=False)
        ]
        self.numbers_well = ids[0] == "e0"
        self.start = next((at + 1 for at, said in enumerate(self.answer) if initial and said.id == initial), 0)
        self.options: dict[str, Any] = {"timeouts": TIMEOUTS}
        if named and answer[-1].kind == "done":
            self.options["dialect"] = "openai-chat"
        if initial:
            self.options["last_event_id"] = initial
        self.told: dict[str, Any] = {"retry": policy, "resume": resume}
        self.clock = Clock()
        self.model = Model(policy, resume, initial, "dialect" in self.options, self.clock.now)
        self.body: Body | None = None
        self.scripts: list[list[Part]] = [[]]
        self.bases = [0]
        self.is_silent = self.is_late = False
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(threading.Event, "wait", _wait)
        self.faces = [Face(engine, self.clock, self.options, **self.told) for engine in (EventEngine, StreamRepairer)]

    def teardown(self) -> None:
        try:
            if hasattr(self, "faces"):
                if self.is_open():
                    self.cancel()
                self.replay()
        finally:
            if hasattr(self, "patch"):
                self.patch.undo()

    def is_open(self) -> bool:
        return self.model.verdict is Verdict.OPEN

    def may_be_over(self) -> bool:
        """Whether what mostly ends a stream may come: in most runs not before upstream was opened a few times."""
        return self.is_open() and (self.is_hasty or (len(self.scripts) > 3 and bool(self.model.delivered)))

    # Upstream

    @step(
        lambda self: self.is_open() and self.body is None, begins=beginnings, framing=framings, events=st.integers(0, 4)
    )
    def answer_request(self, begins: int | None, framing: str, events: int) -> None:
        """Send the first events. A server that keeps the contract begins as asked, or earlier."""
        asked = [at for at, said in enumerate(self.answer) if said.id and said.id == self.model.last_event_id]
        following = asked[-1] + 1 if asked else 0
        begin = 0 if begins is None else max(0, following + begins)
        self.body = body_of(framing, self.answer[begin:])
        # Earlier ids than the one to start from are not known.
        self.numbers_well &= self.start <= begin <= following and self.body.framing == "sse"
        if events and self.body.data:
            self.send_events(events)

    @step(
        lambda self: self.is_open() and self.body is None,
        connections=st.lists(
            st.tuples(beginnings, framings, st.integers(1, 4), st.integers(0, 60)), min_size=1, max_size=3
        ),
    )
    def break_again_and_again(self, connections: list[tuple[int | None, str, int, int]]) -> None:
        """Send some events and some bytes, and break, several times: what makes upstream send again what it has."""
        for begins, framing, events, more in connections:
            if self.is_open():
                self.answer_request(begins, framing, events)
            if more and self.may_send():
                self.send(more)
            if self.is_open():
                self._fail("reset")

    def may_send(self) -> bool:
        return self.is_open() and self.body is not None and self.body.sent < len(self.body.data)

    @step(may_send, count=st.integers(1, 400))
    def send(self, count: int) -> None:
        """Send some bytes, often to the middle of a character, a line or an event."""
        assert self.body is not None
        self._send(1 + (count - 1) % (len(self.body.data) - self.body.sent))

    @step(may_send, events=st.integers(1, 3))
    def send_events(self, events: int) -> None:
        """Send to the end of an event."""
        assert self.body is not None
        ends = [end for end, _ in self.body.ends if end > self.body.sent]
        self._send((ends[min(events, len(ends)) - 1] if ends else len(self.body.data)) - self.body.sent)

    def _send(self, count: int) -> None:
        assert self.body is not None
        chunk, whole = self.body.pass_on(count)
        self._step(chunk, lambda: self.model.take(chunk, whole))

    @step(lambda self: self.is_open(), name=st.sampled_from(["reset", "cut short", "503"]))
    def fail(self, name: str) -> None:
        """Break: before the head, between events, or anywhere in one."""
        self._fail(name)

    @step(may_be_over, how=st.sampled_from(["the consumer leaves", *FAILURES, *PAGES]))
    def come_to_an_end(self, how: str) -> None:
        """Do what mostly ends a stream; one rule, so that most streams go on."""
        if how == "the consumer leaves":
            self.cancel()
        elif how in FAILURES:
            self._fail(how)
        elif self.body is None or not self.body.sent:
            self.answer_with_a_page(PAGES[how])

    def _fail(self, name: str) -> None:
        make, worth, asked = FAILURES[name]
        code = {"404": "not-found", "503": "overloaded", "error of the program": "application-error"}.get(
            name, "rate-limited" if "429" in name else None
        )

        def broke() -> None:
            self.model.drop_tail(self.body)
            self.model.fail(code or "upstream-failed", worth=worth, asked=asked)

        self._step(make(), broke)

    def may_end(self) -> bool:
        """Whether a clean end is modelled: not of a body of which nothing could be read, nor in the sentinel."""
        if not self.may_be_over() and not (self.is_open() and self.model.is_known):
            return False
        if self.body is None:
            return True
        said, rest = self.body.begun
        if rest and (not self.model.delivered or (self.body.framing == "array" and self.body.sent == 1)):
            return False
        if self.body.framing == "array" and self.body.sent and not self.model.delivered:
            return False
        return not (said is not None and said.kind == "done" and b"data: [" in rest and b"[DONE]" not in rest)

    @step(may_end)
    def end(self) -> None:
        """End without an error, maybe early."""
        self._step(None, lambda: self.model.end(self.body))

    def answer_with_a_page(self, status: int | None) -> None:
        """Send HTML in place of a stream."""

        def refused() -> None:
            self.model.silent_since = self.model.now
            self.model.repairs[RepairKind.NOT_A_STREAM] += 1
            self.model.fail("not-a-stream", worth=status in (503, 429))

        self._step(page(status), refused)

    @step(lambda self: self.is_open(), seconds=st.sampled_from([1, 5, 15, 22, 40]))
    def wait(self, seconds: int) -> None:
        """Send nothing for a while."""
        self.scripts[-1].append(float(seconds))
        self._wait(float(seconds))

    def _wait(self, seconds: float) -> None:
        _, clock = self.model.clock
        if not self.model.wait(seconds):
            assert all((face.engine.next_deadline() or math.inf) > self.model.now for face in self.faces)
            self.clock.now = self.model.now
            return
        self.is_silent = True
        assert all(face.engine.next_deadline() == self.model.now for face in self.faces)
        self.clock.now = self.model.now
        self.model.drop_tail(self.body)
        delays = [face.on_deadline() for face in self.faces]
        self.model.fail(f"{clock}-timeout", worth=clock != "total")
        self._follow(delays)

    # The consumer

    def cancel(self) -> None:
        """Leave."""
        for face in self.faces:
            face.engine.cancel(self.clock.now)
        self.model.verdict = Verdict.CANCELLED

    def come_late(self) -> None:
        """After the end nothing leaves, whatever comes."""
        now = self.clock.now + 1000.0
        self.is_late = True
        for face in self.faces:
            assert face.engine.next_deadline() is None
            assert not face.engine.feed(Said("record", "late").frame("\n"), now)
            assert not face.engine.fail(ConnectionResetError(), now)
            assert not face.engine.close(now)
            assert not face.engine.on_deadline(now)
            face.engine.cancel(now)

    # Steps

    def _step(self, part: Part | None, expected: Callable[[], object]) -> None:
        """Let upstream do one thing, and the model say what must come of it."""
        if part is not None:
            self.scripts[-1].append(part)
        delays = [face.take(part) for face in self.faces]
        expected()
        self._follow(delays)

    def _follow(self, delays: list[float | None]) -> None:
        assert delays[0] == delays[1]
        if delays[0] is None:
            return
        assert delays[0] == self.model.delays[-1]
        self.body = None
        self.scripts.append([])
        self.bases.append(self.faces[0].engine.report.bytes_in)
        self._wait(delays[0])  # before it is opened

    # What must hold

    @invariant()
    def nothing_differs_from_the_model(self) -> None:
        model = self.model
        events, frames = self.faces
        assert [item.data for item in events.items] == [said.data for said in model.delivered]
        for face in self.faces:
            report = face.engine.report
            assert face.engine.finished == (model.verdict is not Verdict.OPEN)
            assert face.ends.verdicts == [model.verdict] * face.engine.finished
            assert report.verdict is model.verdict
            assert report.retries == len(model.delays)
            assert report.last_event_id == model.last_event_id
            assert self.is_late or Counter(report.repairs) == model.repairs
            assert report.text == "".join(said.text for said in model.delivered if said.kind == "text")
            assert [attempt.number for attempt in face.retried] == [*range(2, 2 + report.retries)]
            assert [attempt.delay for attempt in face.retried] == model.delays
            assert [attempt.last_event_id for attempt in face.retried] == model.asked_after
            self.check_error(face)
            self.check_offsets(face)
        assert events.repairs == frames.repairs
        self.check_nothing_lost_or_doubled()

    def check_error(self, face: Face) -> None:
        error = face.engine.error
        reported = self.model.code is not None and (self.model.verdict is not Verdict.ENDED)
        assert (error is not None) == reported
        if error is not None:
            assert error.code == self.model.code
            assert error.retry_count == len(self.model.delays)
            heard = [said for said in self.model.delivered if said.kind == "text" or not self.model.is_known]
            assert error.safe_to_retry == (not heard)

    def check_offsets(self, face: Face) -> None:
        """Repairs name bytes of their own connection, in the order in which these came."""
        offsets = [found.offset for found in face.repairs]
        assert offsets == sorted(offsets)
        for found in face.repairs:
            assert 0 <= found.offset <= found.offset + found.length <= face.engine.report.bytes_in
            assert not [base for base in self.bases if found.offset < base < found.offset + found.length]

    def check_nothing_lost_or_doubled(self) -> None:
        """Where the server keeps its part, what was delivered is a beginning of the answer, each event once."""
        if not self.numbers_well or not self.told["resume"]:
            return
        rest = self.answer[self.start :]
        assert self.model.delivered == rest[: len(self.model.delivered)]
        if self.model.verdict is Verdict.COMPLETE:
            assert [said for said in rest[len(self.model.delivered) :] if said.kind != "done"] == []

    # The four functions

    def replay(self) -> None:
        for face in self.faces:
            face.chunks.close()
        if not self.is_silent:
            self._compare(self._read(iter_events), "events")
            self._compare(self._read(repair), "bytes")
        for read, name in ((aiter_events, "events"), (arepair, "bytes")):
            self._compare(warp(lambda clock, read=read: self._aread(read, clock), Clock()), name)
        self.check_wire()

    def _read(self, read: Any) -> tuple[Any, ...]:
        attempts = Attempts([*self.scripts], clock=Clock())
        heartbeat = {"heartbeat": None} if read is repair else {}
        options = {**self.options, **heartbeat, "timeouts": None}
        retried = list[Attempt]()
        stream = read(retrying(attempts.connect, **self.told, on_retry=retried.append), **options)
        items, raised = list[Any](), None
        try:
            while not self._has_left(items, stream.report):
                items.append(next(stream))
        except StopIteration:
            pass
        except StreamError as error:
            raised = error
        stream.close()
        return items, raised, stream.report, retried

    async def _aread(self, read: Any, clock: Clock) -> tuple[Any, ...]:
        attempts = Attempts([*self.scripts], clock=clock)
        options = {**self.options, **({"heartbeat": None} if read is arepair else {})}
        retried = list[Attempt]()
        stream = read(aretrying(attempts.aconnect, **self.told, on_retry=retried.append), **options)
        items, raised = list[Any](), None
        try:
            while not self._has_left(items, stream.report):
                items.append(await anext(stream))
        except StopAsyncIteration:
            pass
        except StreamError as error:
            raised = error
        await stream.aclose()
        return items, raised, stream.report, retried

    def _has_left(self, items: list[Any], report: StreamReport) -> bool:
        """Whether a consumer that leaves has what the machine's had; a piece of bytes is not always an event."""
        had = report.events if items and isinstance(items[0], bytes) else len(items)
        return self.model.verdict is Verdict.CANCELLED and had >= len(self.model.delivered)

    def _compare(self, outcome: tuple[Any, ...], form: str) -> None:
        items, raised, report, retried = outcome
        model = self.model
        assert report.verdict is model.verdict
        assert (report.error.code if report.error else None) == model.code
        assert bool(raised) == (form == "events" and model.code is not None)
        if form == "events":
            assert [item.data for item in items] == [said.data for said in model.delivered]
        elif model.verdict is not Verdict.CANCELLED:
            assert b"".join(items) == b"".join(self.faces[1].items)
        if model.verdict is not Verdict.CANCELLED:  # it left before another attempt, or after
            assert [attempt.delay for attempt in retried] == model.delays
            assert [attempt.last_event_id for attempt in retried] == model.asked_after
            assert Counter(report.repairs) == model.repairs

    def check_wire(self) -> None:
        """A reader that repairs nothing finds the same events in the bytes, and after them at most one error."""
        frames = self.faces[1].items
        ours = [frame for frame in frames if ERROR_TYPE.encode() in frame]
        others = [frame for frame in frames if frame not in ours]
        # An array that has ended has no place for an error.
        assert len(ours) == (self.model.code is not None and not b"".join(others).endswith(b"]"))
        assert not ours or ours[0] is frames[-1]
        items, _ = laws.read(others, repairs=())
        read = [item.data for item in items if isinstance(item, Event)]
        assert read == [said.data for said in self.model.delivered]


def _wait(event: threading.Event, timeout: float | None = None) -> bool:
    """Wait no time: the machine lets it pass."""
    return event.is_set()


TestRetrying = RetryingMachine.TestCase
TestRetrying.settings = settings(max_examples=max(100, settings.default.max_examples // 2), stateful_step_count=30)

"""Which dialects there are: registered, named, asked in their order, and found by a payload, a URL or a framing."""

from collections.abc import Iterator
from typing import Any

import pytest

from unbroken import Delta, Dialect, EventClass, Format, Reading, Verdict, declare, iter_events, register
from unbroken.core.events import Event
from unbroken.core.registry import (
    BUILT_IN,
    CONVERTERS,
    REGISTRY,
    built_in,
    dialect_at,
    dialect_in,
    dialect_named,
    dialect_names,
    recognise,
    recognise_prose,
    would_fail,
)


class Stories(Dialect):
    name = "stories"

    @classmethod
    def recognises(cls, event: str, payload: object) -> bool:
        return event == "story"

    def read(self, event: str, payload: Any) -> Reading:
        if event == "the-end":
            return Reading(EventClass.TERMINAL)
        return Reading(EventClass.CONTENT, (Delta(text=payload["line"]),))


STORY = b'event: story\ndata: {"line": "Once"}\n\nevent: the-end\ndata: {}\n\n'


@pytest.fixture
def registered() -> Iterator[type[Dialect]]:
    yield register(Stories)
    del REGISTRY[Stories.name]


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "an instance": (Stories(), TypeError, r"not an instance: register\(Stories\)"),
    "a name": ("stories", TypeError, "a subclass of Dialect, as declare.. returns one, not 'stories'"),
    "another class": (int, TypeError, "not the class int"),
    "no name": (type("Nameless", (Dialect,), {}), TypeError, r"register\(Nameless\): the class needs a name"),
    "a name of ours": (type("Mine", (Stories,), {"name": "openai-chat"}), ValueError, "'openai-chat' is a dialect of"),
    "a shelved name": (declare("dify", text="x"), ValueError, "'dify' is a dialect of unbroken; choose another name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_registered_is_refused_at_once(case: str) -> None:
    wrong, kind, says = REFUSED[case]
    before = dict(REGISTRY)
    with pytest.raises(kind, match=says):
        register(wrong)
    assert before == REGISTRY


@pytest.mark.parametrize("name", ["openai-chat", "dify"])
def test_a_subclass_takes_the_place_of_a_dialect_of_ours(name: str) -> None:
    before, ours = dict(REGISTRY), dialect_named(name)
    try:
        mine = register(type("Mine", (ours,), {"__doc__": "The same."}))
        assert dialect_named(name) is mine
        other = register(type("Other", (ours,), {}))  # as a module that is reloaded does
        assert dialect_named(name) is other
    finally:
        REGISTRY.clear()
        REGISTRY.update(before)


def test_a_registered_dialect_is_recognised(registered: type[Dialect]) -> None:
    stream = iter_events([STORY])
    list(stream)
    assert (stream.report.dialect, stream.report.text) == ("stories", "Once")


def test_a_registered_dialect_can_be_named(registered: type[Dialect]) -> None:
    stream = iter_events([STORY], dialect="stories")
    list(stream)
    assert stream.report.verdict is Verdict.COMPLETE


def test_the_dialects_of_this_library_are_asked_in_a_fixed_order() -> None:
    assert list(REGISTRY) == [
        *("openai-chat", "openai-completions", "openai-responses", "codex", "anthropic", "gemini", "ollama"),
        *("cohere", "tgi", "vocabulary", "text"),
    ]


def test_every_conversion_leads_to_a_dialect_that_is_known() -> None:
    assert CONVERTERS.keys() <= REGISTRY.keys()


def test_a_dialect_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="openai-chat"):
        iter_events([], dialect="klingon")


def test_a_name_leads_to_a_dialect_of_ours_whether_it_is_loaded_or_not() -> None:
    assert {*BUILT_IN} < {*dialect_names()}
    for name in ("openai-chat", "dify"):
        assert dialect_named(name).name == name
        assert built_in(name) is dialect_named(name)
    assert built_in("stories") is None
    with pytest.raises(KeyError, match="stories"):
        dialect_named("stories")


def test_a_payload_leads_to_a_new_dialect_and_an_event_of_prose_too() -> None:
    payload = {"type": "start-step"}
    found, other = recognise("message", payload), recognise("message", payload)
    assert found is not None
    assert (found.name, found is other) == ("ai-sdk-ui", False)
    assert recognise("message", {"type": "note"}) is None
    prose = recognise_prose(Event("Hel", "output", "1690212292:0"))
    assert prose is not None
    assert prose.name == "replicate"
    assert recognise_prose(Event("Hel", "token", "")) is None


def test_a_first_payload_fails_a_stream_as_its_dialect_reads_it() -> None:
    assert would_fail(None, {"type": "error", "errorText": "no"})
    assert not would_fail(None, {"type": "start-step"})
    assert not would_fail(None, {"error": {}})
    named = dialect_named("dify")()
    assert would_fail(named, {"event": "error", "status": 400, "code": "x", "message": "no"})
    assert not would_fail(dialect_named("text")(), {"error": {"message": "no"}})


def test_a_framing_leads_to_the_dialect_that_alone_comes_in_it() -> None:
    found = dialect_in(Format.CODED_LINES)
    assert found is not None
    assert found.framing is Format.CODED_LINES
    assert [dialect_in(format) for format in Format if format is not Format.CODED_LINES] == [None] * 3


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai-chat"),
        ("https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21", "openai-chat"),
        ("http://localhost:8000/v1/completions/", "openai-completions"),
        ("/v1/responses", "openai-responses"),
        ("https://api.anthropic.com/v1/messages?beta=true", "anthropic"),
        ("https://x/v1/models/claude:streamRawPredict", "anthropic"),
        ("https://x/v1beta/models/gemini-pro:streamGenerateContent?alt=sse#x", "gemini"),
        ("http://localhost:11434/api/chat", "ollama"),
        ("http://localhost:11434/api/generate", "ollama"),
        ("https://api.cohere.com/v2/chat", "cohere"),
        ("http://tgi/generate_stream", "tgi"),
        ("https://x/v1/chat", "cohere"),
        ("https://x/messages/5", None),
        ("https://x/?next=/v1/messages", None),
        ("https://x", None),
        ("", None),
    ],
)
def test_the_url_that_was_asked_for_tells_a_dialect_by_the_longest_end_of_its_path(
    url: str, dialect: str | None
) -> None:
    found = dialect_at(url)
    assert (None if found is None else found.name) == dialect

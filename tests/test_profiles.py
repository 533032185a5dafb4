"""Settings per provider: the profiles they make, and the errors for wrong ones."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbroken import (
    Conversion,
    Format,
    Pace,
    RepairKind,
    Retry,
    StreamRepairer,
    Timeouts,
    aiter_events,
    arepair,
    iter_events,
    repair,
)
from unbroken.core.options import DEFAULTS, WRITING
from unbroken.profiles import OPTIONS, Profile, Profiles

EXAMPLE = Path(__file__).parent.parent / "docs" / "examples" / "profiles.toml"


def proxy(**tables: Any) -> Profiles:
    return Profiles.from_mapping({"proxy": tables})


def test_the_worked_file_gives_each_provider_its_time() -> None:
    profiles = Profiles.from_toml(EXAMPLE)
    seconds = {
        "gemini": 180,
        "groq": 60,
        "nvidia": 120,
        "mistral": 90,
        "openrouter": 90,
        "siliconflow": 60,
        "cerebras": 60,
    }
    assert {name: profile.timeouts.first for name, profile in profiles.items()} == seconds
    assert {name: profile.timeouts.silence for name, profile in profiles.items()} == seconds


def test_a_profile_is_the_keyword_arguments_of_repair_and_a_retry() -> None:
    profile = proxy(
        timeouts={"gemini": 180.0},
        retry={"max_retries": 4, "backoff_base": 0.5, "max_backoff": 8.0, "max_retry_after": 30, "jitter": False},
        streaming={"buffer_size": 8192, "chunk_timeout": 30, "keep_alive_timeout": 15.0, "max_event_bytes": 4096},
    )["gemini"]
    assert dict(profile) == {
        "provider": "gemini",
        "timeouts": Timeouts(first=180.0, idle=30.0, silence=180.0, total=None),
        "heartbeat": 15.0,
        "max_event_bytes": 4096,
    }
    assert profile.retry == Retry(max_retries=4, base=0.5, max_delay=8.0, max_retry_after=30.0, jitter=False)
    assert profile.buffer_size == 8192


def test_repair_and_its_async_and_reading_forms_take_a_profile() -> None:
    profile = proxy(timeouts={"gemini": 180})["gemini"]
    body = [b"data: 1\n\n"]
    stream = repair(body, **profile)
    assert b"".join(stream) == body[0]
    assert stream.report.provider == "gemini"
    assert [event.data for event in iter_events(body, **profile.reading)] == ["1"]

    async def read() -> tuple[list[bytes], list[str]]:
        return [item async for item in arepair(body, **profile)], [
            event.data async for event in aiter_events(body, **profile.reading)
        ]

    assert asyncio.run(read()) == (body, ["1"])


def test_what_is_not_set_is_the_default_of_repair() -> None:
    stream_defaults = {name: it.default for name, it in inspect.signature(repair).parameters.items()}
    profile = proxy(timeouts={"gemini": {}})["gemini"]
    for name in ("timeouts", "heartbeat", "max_event_bytes"):
        assert profile[name] == stream_defaults[name]
    assert profile.retry == Retry()
    assert profile.buffer_size is None


def test_without_settings_there_are_no_providers_and_the_defaults_hold() -> None:
    for settings in ({}, {"proxy": {}}):
        profiles = Profiles.from_mapping(settings)
        assert list(profiles) == []
        assert profiles.default.timeouts == Timeouts()
        assert profiles.default.provider is None


def test_a_provider_without_a_time_of_its_own_gets_the_default() -> None:
    profiles = proxy(timeouts={"default": 100, "groq": 60}, streaming={"chunk_timeout": 20})
    assert list(profiles) == ["groq"]
    assert profiles.get("other", profiles.default).timeouts == Timeouts(first=100.0, idle=20.0, silence=100.0)


def test_the_default_takes_the_name_of_the_provider_that_has_none() -> None:
    profiles = proxy(timeouts={"default": 100, "groq": 60})
    profile = profiles.get("other", profiles.default)
    assert profile.provider == profile["provider"] == "other"
    assert repair([], **profile).report.provider == "other"
    assert iter_events([], **profile.reading).report.provider == "other"
    assert profiles.get("groq", profiles.default) == profiles["groq"]
    assert profiles.get("other", profiles["groq"]) == profiles["groq"]
    assert profiles.get("other") is None
    assert profiles.get("other", 1) == 1
    assert profiles.default.provider is None


def test_a_profile_without_a_provider_leaves_that_to_the_caller() -> None:
    default = proxy(timeouts={"groq": 60}).default
    assert repair([], provider="other", **default).report.provider == "other"
    assert "provider" not in default
    assert len(default) == len(list(default)) == 3


def test_a_file_with_other_tables_is_refused_with_the_way_to_pass_the_one() -> None:
    settings = {"database": {}, "proxy": {"timeouts": {"groq": 60}}}
    with pytest.raises(
        ValueError, match=r"no key 'database'; .* Profiles\.from_mapping\(\{'proxy': settings\['proxy'\]\}\)"
    ):
        Profiles.from_mapping(settings)
    assert list(Profiles.from_mapping({"proxy": settings["proxy"]})) == ["groq"]


def test_each_clock_can_be_set_by_name() -> None:
    profiles = proxy(timeouts={"gemini": {"first": 200, "total": 900.0}}, streaming={"chunk_timeout": 20})
    assert profiles["gemini"].timeouts == Timeouts(first=200.0, idle=20.0, silence=300.0, total=900.0)


def test_a_clock_by_name_goes_before_the_chunk_timeout_of_all() -> None:
    profiles = proxy(timeouts={"gemini": {"idle": 50}}, streaming={"chunk_timeout": 20})
    assert profiles["gemini"].timeouts.idle == 50.0


def test_false_turns_a_time_off() -> None:
    profile = proxy(timeouts={"gemini": False}, streaming={"chunk_timeout": False, "keep_alive_timeout": False})[
        "gemini"
    ]
    assert profile.timeouts == Timeouts(first=None, idle=None, silence=None, total=None)
    assert profile.heartbeat is None


def test_a_table_of_a_providers_name_holds_for_that_provider() -> None:
    profiles = proxy(
        timeouts={"gemini": 180, "groq": 60},
        retry={"max_retries": 1, "backoff_base": 2.0, "gemini": {"max_retries": 5}},
        streaming={"keep_alive_timeout": 10, "groq": {"keep_alive_timeout": 3}},
    )
    assert (profiles["gemini"].retry.max_retries, profiles["groq"].retry.max_retries) == (5, 1)
    assert (profiles["gemini"].retry.base, profiles["groq"].retry.base) == (2.0, 2.0)
    assert (profiles["gemini"].heartbeat, profiles["groq"].heartbeat, profiles.default.heartbeat) == (10.0, 3.0, 10.0)


SAID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a pace by name": ({"pace": "words"}, {"pace": Pace("words")}),
    "a pace": ({"pace": {"by": "lines", "max_delay": 2, "rate": 5.0}}, {"pace": Pace("lines", 2, 5.0)}),
    "a conversion by name": ({"convert": "openai-chat"}, {"convert": "openai-chat"}),
    "a conversion": (
        {"convert": {"id": "c1", "model": "acme/fast", "errors": "openai"}},
        {"convert": Conversion(id="c1", model="acme/fast", errors="openai")},
    ),
    "heartbeats that are events": ({"heartbeat_as": "event"}, {"heartbeat_as": "event"}),
    "heartbeats of a name": ({"heartbeat_bytes": "blank-line"}, {"heartbeat_bytes": b"\n"}),
    "errors": ({"errors": "mask", "empty": "error"}, {"errors": "mask", "empty": "error"}),
    "framings": ({"format": "ndjson", "to": "sse"}, {"format": Format.NDJSON, "to": Format.SSE}),
    "repairs": ({"repairs": ["stray-line"]}, {"repairs": frozenset((RepairKind.STRAY_LINE,))}),
    "no repairs": ({"repairs": []}, {"repairs": frozenset()}),
    "the rest": (
        {"comments": "drop", "invalid_json": "keep", "account": False, "content_type": "text/plain"},
        {"comments": "drop", "invalid_json": "keep", "account": False, "content_type": "text/plain"},
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_options_of_repair_are_said_under_their_own_names(name: str) -> None:
    given, told = SAID[name]
    profiles = proxy(timeouts={"a": 60, "b": 60}, streaming={"a": given})
    assert {key: value for key, value in profiles["a"].items() if key in given} == told
    assert {*profiles["b"]} == {*profiles["a"]} - {*given}
    assert {*profiles["a"].reading} == {*profiles["b"].reading} | ({*given} - {*WRITING})
    assert len({profiles["a"], proxy(timeouts={"a": 60}, streaming={"a": given})["a"]}) == 1


def test_each_option_of_repair_can_be_said_or_is_of_one_stream() -> None:
    ours = {"timeouts", "heartbeat", "max_event_bytes", "dialect", "provider"}
    of_one_stream = {"last_event_id", "request_id", "observers", "on_repair", "count_tokens"}
    assert {*DEFAULTS} == ours | of_one_stream | {*OPTIONS}


def test_a_stream_is_converted_as_its_profile_says() -> None:
    profiles = proxy(timeouts={"a": 60}, streaming={"a": {"convert": {"model": "acme/fast"}}})
    line = b'{"model":"m","message":{"role":"assistant","content":"Hi"},"done":false}\n{"model":"m","done":true}\n'
    assert b'"model": "acme/fast"' in b"".join(repair([line], **profiles["a"]))
    assert next(iter(iter_events([line], **profiles["a"].reading))).data in line.decode()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "the table": ({"prxy": {}}, "'prxy'; did you mean 'proxy'"),
    "a table inside": ({"proxy": {"timeout": {}}}, "proxy has no key 'timeout'; did you mean 'timeouts'"),
    "a clock": (
        {"proxy": {"timeouts": {"a": {"frist": 1}}}},
        "proxy.timeouts.a has no key 'frist'; did you mean 'first'",
    ),
    "a retry key": ({"proxy": {"retry": {"max_retires": 1}}}, "'max_retires'; did you mean 'max_retries'"),
    "a streaming key": ({"proxy": {"streaming": {"chunktimeout": 1}}}, "did you mean 'chunk_timeout'"),
    "a key like none": ({"proxy": {"streaming": {"x": 1}}}, "'x'; known are 'buffer_size', 'chunk_timeout'"),
    "a provider": (
        {"proxy": {"timeouts": {"gemini": 1}, "retry": {"gemni": {}}}},
        "proxy.retry has no key 'gemni'; did you mean 'gemini'",
    ),
    "a provider's key": (
        {"proxy": {"timeouts": {"a": 1}, "retry": {"a": {"max_backof": 1}}}},
        "proxy.retry.a has no key 'max_backof'; did you mean 'max_backoff'",
    ),
    "a key of capitals": ({"proxy": {"retry": {"MAX_RETRIES": 1}}}, "did you mean 'max_retries'"),
    "no mapping": ({"proxy": 3}, "proxy must be a table"),
    "a provider without a timeout": (
        {"proxy": {"retry": {"openai": {"max_retries": 1}}}},
        "proxy.retry has no key 'openai'; providers are named under proxy.timeouts",
    ),
    "a provider without a timeout beside others": (
        {"proxy": {"timeouts": {"gemini": 1}, "streaming": {"openai": {"buffer_size": 1}}}},
        "proxy.streaming has no key 'openai'; known are 'gemini'; providers are named under proxy.timeouts",
    ),
    "no table": ({"proxy": {"retry": 3}}, "proxy.retry must be a table"),
    "a table for a figure": ({"proxy": {"retry": {"max_retries": {}}}}, "proxy.retry.max_retries"),
    "text for seconds": ({"proxy": {"timeouts": {"a": "180"}}}, "proxy.timeouts.a"),
    "true for seconds": ({"proxy": {"timeouts": {"a": True}}}, "proxy.timeouts.a"),
    "no seconds": ({"proxy": {"timeouts": {"a": 0}}}, "proxy.timeouts.a"),
    "negative seconds": ({"proxy": {"streaming": {"chunk_timeout": -1}}}, "proxy.streaming.chunk_timeout"),
    "endless seconds": ({"proxy": {"timeouts": {"a": float("inf")}}}, "proxy.timeouts.a"),
    "nan seconds": ({"proxy": {"timeouts": {"a": {"idle": float("nan")}}}}, "proxy.timeouts.a.idle"),
    "a negative delay": ({"proxy": {"retry": {"backoff_base": -1}}}, "proxy.retry.backoff_base"),
    "false for a delay": ({"proxy": {"retry": {"max_backoff": False}}}, "proxy.retry.max_backoff"),
    "half a retry": ({"proxy": {"retry": {"max_retries": 1.5}}}, "proxy.retry.max_retries"),
    "a number for a flag": ({"proxy": {"retry": {"jitter": 1}}}, "proxy.retry.jitter"),
    "no event fits": ({"proxy": {"streaming": {"max_event_bytes": 10}}}, "proxy.streaming.max_event_bytes"),
    "more seconds than a float holds": ({"proxy": {"timeouts": {"a": 10**400}}}, "proxy.timeouts.a must be finite"),
    "more seconds by name": ({"proxy": {"timeouts": {"a": {"idle": 10**400}}}}, "proxy.timeouts.a.idle must be finite"),
    "a delay beyond every float": ({"proxy": {"retry": {"backoff_base": 10**400}}}, "proxy.retry.backoff_base must be"),
    "a count beyond every sequence": ({"proxy": {"retry": {"max_retries": 2**63}}}, "proxy.retry.max_retries must be"),
    "more digits than are printed": ({"proxy": {"timeouts": {"a": -(1 << 20_000)}}}, "proxy.timeouts.a must be finite"),
    "digits for a flag": ({"proxy": {"retry": {"jitter": 1 << 20_000}}}, "proxy.retry.jitter must be true or false"),
    "digits for a table": ({"proxy": 1 << 20_000}, "proxy must be a table, not an integer of"),
    "a number for a name": ({"proxy": {"timeouts": {1: 2}}}, "proxy.timeouts has a key that is no text: 1"),
    "digits for a name": ({"proxy": {1 << 20_000: 2}}, "proxy has a key that is no text: an integer of"),
    "a long key": (
        {"proxy": {"retry": {"max_retries" * 100_000: 2}}},
        "proxy.retry has no key 'max_retriesmax_retries",
    ),
    "a provider of two lines": ({"proxy": {"timeouts": {"a\nb": "x"}}}, r"proxy.timeouts.'a\nb' takes seconds"),
    "no dialect": ({"proxy": {"streaming": {"dialect": "prv"}}}, "proxy.streaming.dialect: no dialect is named 'prv'"),
    "no dialect for a provider": (
        {"proxy": {"timeouts": {"a b": 1}, "streaming": {"dialect": "cohere", "a b": {"dialect": "prv"}}}},
        "proxy.streaming.'a b'.dialect: no dialect is named 'prv'",
    ),
    "no pace": ({"proxy": {"streaming": {"pace": "letters"}}}, "proxy.streaming.pace: pace='letters' is not known"),
    "a key of a pace": ({"proxy": {"streaming": {"pace": {"bye": 1}}}}, "proxy.streaming.pace has no key 'bye'; did"),
    "no words for a pace": (
        {"proxy": {"streaming": {"pace": {"max_delay": -1}}}},
        "proxy.streaming.pace: Pace(max_delay=...)",
    ),
    "no conversion": ({"proxy": {"streaming": {"convert": "ollama"}}}, "proxy.streaming.convert='ollama' is not known"),
    "a model of a conversion": (
        {"proxy": {"timeouts": {"a": 1}, "streaming": {"a": {"convert": {"model": ""}}}}},
        "proxy.streaming.a.convert: model must have 1 to",
    ),
    "no repair": (
        {"proxy": {"streaming": {"repairs": ["stray-lin"]}}},
        "proxy.streaming.repairs: no repair is named 'stray-lin'; did you mean 'stray-line'?",
    ),
    "one repair": ({"proxy": {"streaming": {"repairs": "stray-line"}}}, "proxy.streaming.repairs must be a list of"),
    "no framing": ({"proxy": {"streaming": {"to": "json-array"}}}, 'proxy.streaming.to: to="json-array" is not a'),
    "no policy": ({"proxy": {"streaming": {"errors": "hide"}}}, "proxy.streaming.errors='hide' is not known"),
    "a number for an account": ({"proxy": {"streaming": {"account": 1}}}, "proxy.streaming.account must be true or"),
    "half a byte": ({"proxy": {"streaming": {"buffer_size": 0.5}}}, "proxy.streaming.buffer_size"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_refused_by_name(name: str) -> None:
    settings, message = WRONG[name]
    with pytest.raises((ValueError, TypeError)) as raised:
        Profiles.from_mapping(settings)
    assert message in str(raised.value)


NUMBERS = st.sampled_from([10**400, -(10**400), 2**1024, 2**63, 0, 1, 5, 1024, True, False, 0.001, 1e308, 60.0])
WORDS = st.sampled_from(["words", "openai-chat", "event", "mask", "drop", "ndjson", "comment-line", "stray-line", "by"])
SCALARS = (
    WORDS | NUMBERS | st.integers() | st.floats() | st.text(max_size=5) | st.none() | st.binary(max_size=3) | st.dates()
)
PLACES = [
    *(f"timeouts.gemini{clock}" for clock in ("", ".first", ".idle", ".silence", ".total")),
    "timeouts.default",
    *(
        f"{table}{key}"
        for table in ("retry.", "retry.gemini.")
        for key in ("max_retries", "backoff_base", "max_backoff", "max_retry_after", "jitter")
    ),
    *(
        f"{table}{key}"
        for table in ("streaming.", "streaming.gemini.")
        for key in ("buffer_size", "chunk_timeout", "keep_alive_timeout", "max_event_bytes", *OPTIONS)
    ),
    *("timeouts", "retry", "retry.gemini", "streaming", "streaming.gemini"),
]
KEYS = st.sampled_from(sorted({"proxy", *(key for place in PLACES for key in place.split("."))}))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def refusal(settings: Any) -> str | None:
    """Return the message with which settings are refused, or None. No other error is caught.

    Settings that are taken are used: what a profile holds, `repair` and `Retry` must take.
    """
    try:
        profiles = Profiles.from_mapping(settings)
    except (ValueError, TypeError) as error:
        return str(error)
    for profile in (*profiles.values(), profiles.default):
        with repair([b'data: {"a":1}\n\n'], **{**profile, "timeouts": None, "heartbeat": None}) as stream:
            assert list(stream)
        StreamRepairer(**profile)
        profile.retry.delay(0)
    return None


@pytest.mark.parametrize("place", PLACES)
@given(value=VALUES)
def test_any_value_in_any_place_is_taken_or_refused_by_its_key(place: str, value: Any) -> None:
    settings: Any = value
    for key in reversed(place.split(".")):
        settings = {key: settings}
    settings.setdefault("timeouts", {"gemini": 60})
    message = refusal({"proxy": settings})
    assert message is None or message.startswith(f"proxy.{place}")


@given(VALUES | st.dictionaries(KEYS, st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES))))
def test_any_settings_are_taken_or_refused_by_a_key(settings: Any) -> None:
    message = refusal(settings)
    assert message is None or message.startswith(("proxy", "the top level", "the settings"))


def test_a_file_with_any_number_is_taken_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "numbers.toml"
    for number in ("1" * 400, "1" * 5000, "0x" + "f" * 5000, "-0b" + "1" * 2000, "1e999", "nan", "-inf", "[" * 5000):
        path.write_text(f"[proxy.timeouts]\ngemini = {number.removeprefix('-')}\n")
        with pytest.raises((ValueError, TypeError)):
            Profiles.from_toml(path)


def test_settings_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(TypeError, match="table"):
        Profiles.from_mapping([])  # type: ignore[arg-type]
    for path in (3, None, {}):
        with pytest.raises(TypeError, match=r"Profiles.from_toml\(path\) takes the path of a file, not "):
            Profiles.from_toml(path)  # type: ignore[arg-type]


def test_a_provider_that_is_not_there_is_refused_with_the_nearest() -> None:
    profiles = proxy(timeouts={"gemini": 180})
    with pytest.raises(KeyError, match="did you mean 'gemini'"):
        profiles["gemnii"]
    assert "gemnii" not in profiles
    assert profiles.get("gemnii") is None


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("[proxy")
    with pytest.raises(ValueError):
        Profiles.from_toml(path)
    with pytest.raises(OSError):
        Profiles.from_toml(tmp_path / "absent.toml")


def test_profiles_are_values() -> None:
    one, other = proxy(timeouts={"a": 1}), proxy(timeouts={"a": 1})
    assert one["a"] == other["a"]
    assert isinstance(one["a"], Profile)
    assert len({one["a"], other["a"]}) == 1
    assert len(one["a"]) == 4

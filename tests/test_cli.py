"""The command: exit codes, what goes to which stream, frames through a pipe at once, and a terminal that stays calm.

The live runs of docs/how-to/diagnose.md are here.
"""

from __future__ import annotations

import io
import json
import os
import pty
import queue
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import unbroken
from unbroken.cli import inspect, main
from unbroken.cli.terminal import fit, visible
from unbroken.cli.timeline import Rows, page
from unbroken.cli.watchdog import SilenceWatchdog
from unbroken.core.registry import dialect_names
from unbroken.inspection.facts import Facts, Row
from unbroken.observe.recorder import FlightRecorder

CHUNK = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
STOP = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
WHOLE = CHUNK + STOP + DONE
LIMIT = 20.0

Captured = pytest.CaptureFixture[bytes]

FIELDS = ["verdict", "error", "timeout", "format", "dialect", "provider", "duration", "chunks", "bytes", "repairs"]
SCALARS = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        -1,
        0.5,
        1e9,
        10**12,
        float("inf"),
        float("nan"),
        "",
        "x",
        "\x1b[2J",
        "failed",
        "truncated",
        "e30=",
    ]
)

# A shell's background job ignores Ctrl-C, and so would what it starts.
COMMAND = (
    "import signal, sys; from unbroken.cli import main; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
)


def saved(folder: Path, body: bytes) -> str:
    path = folder / "saved.sse"
    path.write_bytes(body)
    return str(path)


@contextmanager
def started(*arguments: str, stdout: int = subprocess.PIPE, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command with a pipe as its input, and end it when the context ends."""
    command = [sys.executable, "-c", COMMAND, *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        bufsize=0,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(fd: int, wanted: bytes) -> bytes:
    """Read until these bytes have come, or fail after the time limit."""
    got, until = b"", time.monotonic() + LIMIT
    while wanted not in got:
        ready, _, _ = select.select([fd], [], [], max(until - time.monotonic(), 0))
        assert ready, f"only {got!r} came"
        got += os.read(fd, 65536)
    return got


EXIT_CODES = {
    "a whole answer": (WHOLE, [], 0),
    "an unknown dialect that ends cleanly": (b'data: {"a":1}\n\n', [], 0),
    "a mended answer": (CHUNK[:-1] + STOP + DONE, [], 0),
    "a mended answer, strictly": (CHUNK[:-1] + STOP + DONE, ["--strict"], 1),
    "a whole answer, strictly": (WHOLE, ["--strict"], 0),
    "an answer that was cut": (CHUNK, [], 3),
    "a page": (b"<html><title>504 Gateway Time-out</title></html>", [], 3),
    "an error inside": (CHUNK + b'data: {"error":{"message":"boom"}}\n\n', ["--strict"], 3),
    "nothing at all": (b"", [], 3),
    "nothing at all, quietly": (b"", ["-q"], 3),
    "heartbeats only": (b": ping\n\n" * 3, [], 3),
    "an id and no event": (b"id: 1\n\n", [], 3),
    "an array without elements": (b"[]", ["--format", "json-array"], 0),
    "a damaged stream that is not to be mended": (CHUNK[:-1] + STOP + DONE, ["--no-repairs", "--strict"], 0),
}


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_exit_code_says_how_the_stream_ended(name: str, tmp_path: Path, capsysbinary: Captured) -> None:
    body, options, code = EXIT_CODES[name]
    assert main(["repair", *options, saved(tmp_path, body)]) == code


@pytest.mark.parametrize(
    "arguments",
    [[], ["mend"], ["repair", "--to", "json-array"], ["repair", "--format", "xml"], ["repair", "--dialect", "klingon"]],
    ids=" ".join,
)
def test_wrong_arguments_exit_with_2_and_a_usage_line(arguments: list[str], capsysbinary: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsysbinary.readouterr().err.startswith(b"usage: unbroken")


@pytest.mark.parametrize("command", ["repair", "inspect"])
def test_a_file_that_cannot_be_read_exits_with_2_and_one_line(command: str, capsysbinary: Captured) -> None:
    assert main([command, "no-such\x1bfile"]) == 2
    assert capsysbinary.readouterr() == (b"", b"unbroken: cannot read 'no-such\\x1bfile': No such file or directory\n")


ACME = """
[dialects.acme]
recognised_by = "[kind=piece][run:text]"
kind = "kind"
text = {piece = "words"}
ends = "end"

[dialects.unseen]
text = "w"

[proxy.timeouts]
acme = 60.0

[proxy.streaming]
max_event_bytes = 2048
pace = "words"

[proxy.streaming.acme]
dialect = "acme"
convert = {model = "acme/fast"}
errors = "mask"
"""
PIECE = b'data: {"kind": "piece", "run": "r", "words": "Hi"}\n\n'
ENDED = PIECE + b'data: {"kind": "end"}\n\n'


@pytest.fixture
def acme(tmp_path: Path) -> str:
    path = tmp_path / "acme.toml"
    path.write_text(ACME)
    return str(path)


@pytest.mark.parametrize("command", ["repair", "inspect"])
def test_a_dialect_of_a_profile_file_is_recognised_or_named(
    command: str, acme: str, tmp_path: Path, capsysbinary: Captured
) -> None:
    known = list(dialect_names())
    for arguments, body, code in (
        ((), ENDED, 0),
        ((), PIECE, 3),
        (("--dialect", "acme"), ENDED, 0),
        (("--provider", "acme"), ENDED, 0),
        (("--dialect", "unseen"), b'data: {"w": "Hi"}\n\n', 3),
    ):
        assert main([command, "--profile", acme, *arguments, "--json", saved(tmp_path, body)]) == code
        out, err = capsysbinary.readouterr()
        told = json.loads((err if command == "repair" else out).splitlines()[-1])
        report = told if command == "repair" else told["report"]
        assert report["dialect"] == ("unseen" if "unseen" in arguments else "acme")
    assert list(dialect_names()) == known
    assert main([command, saved(tmp_path, ENDED)]) == 0
    assert b"acme" not in capsysbinary.readouterr().err


def test_settings_of_a_provider_hold_unless_the_command_says_otherwise(
    acme: str, tmp_path: Path, capsysbinary: Captured
) -> None:
    given = ["repair", "-q", "--profile", acme, "--provider", "acme"]
    assert main([*given, saved(tmp_path, ENDED)]) == 0
    assert b'"model": "acme/fast"' in capsysbinary.readouterr().out
    assert main([*given, "--convert", "openai-chat", saved(tmp_path, ENDED)]) == 0
    assert b"acme/fast" not in capsysbinary.readouterr().out
    large = PIECE.replace(b"Hi", b"x" * 3000) + ENDED
    assert main(["repair", "--profile", acme, saved(tmp_path, large)]) == 4
    assert b"oversized-event" in capsysbinary.readouterr().err


def test_a_profile_file_that_is_wrong_exits_with_2_and_one_line(
    acme: str, tmp_path: Path, capsysbinary: Captured
) -> None:
    body = saved(tmp_path, ENDED)
    for name, text, words in (
        ("none.toml", None, b"unbroken: cannot read '"),
        ("wrong.toml", "[dialects.a]\ntxt = 'w'", b"dialects.a has no key 'txt'; did you mean text?"),
        ("broken.toml", "[dialects", b"unbroken: cannot use '"),
    ):
        path = tmp_path / name
        if text is not None:
            path.write_text(text)
        assert main(["inspect", "--profile", str(path), body]) == 2
        err = capsysbinary.readouterr().err
        assert err.count(b"\n") == 1
        assert words in err
    for option, name, words in (
        ("--dialect", "acmee", b"did you mean acme?"),
        ("--provider", "acmee", b"did you mean acme?"),
        ("--provider", "zzz", b"known are: acme"),
    ):
        with pytest.raises(SystemExit) as caught:
            main(["repair", "--profile", acme, option, name, body])
        assert caught.value.code == 2
        assert words in capsysbinary.readouterr().err
    alone = tmp_path / "alone.toml"
    alone.write_text("[dialects.zeta]\ntext = 'w'\n[dialects.\"z\\u001b\"]\ntext = 'w'\n")
    for name, fix in (
        (
            "zeta",
            b'zeta is a dialect and no provider; write --dialect zeta, .* dialect = "zeta" under .*streaming.zeta',
        ),
        ("z\x1b", rb"'z\\x1b' is a dialect and no provider"),
    ):
        for command in ("repair", "inspect"):
            with pytest.raises(SystemExit):
                main([command, "--profile", str(alone), "--provider", name, body])
            told = capsysbinary.readouterr().err
            assert re.search(fix, told.replace(b"\n", b" "))
            assert b"\x1b" not in told


NAMED_BADLY = re.sub(r'acme(?=[\]" ])"?', r'"ac\\u001b\\nme"', ACME.replace('= "acme"', "= acme "))
"""The same with a name that holds what a terminal obeys."""


def test_no_name_of_a_profile_file_controls_the_terminal(tmp_path: Path, capsysbinary: Captured) -> None:
    profile = tmp_path / "hostile.toml"
    profile.write_text(NAMED_BADLY)
    escaped = rb"'ac\x1b\nme'"
    for option, name, words in (
        ("--dialect", "acmee", b"did you mean " + escaped + b"?"),
        ("--provider", "acmee", b"did you mean " + escaped + b"?"),
        ("--provider", "zzz", b"known are: " + escaped),
    ):
        with pytest.raises(SystemExit):
            main(["repair", "--profile", str(profile), option, name, saved(tmp_path, ENDED)])
        err = capsysbinary.readouterr().err
        assert b"\x1b" not in err
        assert err.endswith(words + b"\n")
    for command in ("repair", "inspect"):
        for body in (ENDED, PIECE):
            main([command, "--profile", str(profile), saved(tmp_path, body)])
            told = b"".join(capsysbinary.readouterr())
            assert escaped in told
            assert b"\x1b" not in told
            assert b"\nme" not in told


def test_the_report_says_what_was_mended_and_how_the_stream_ended(tmp_path: Path, capsysbinary: Captured) -> None:
    main(["repair", saved(tmp_path, CHUNK[:-1] + STOP + DONE)])
    out, err = capsysbinary.readouterr()
    assert out == WHOLE
    assert err.decode().splitlines() == [
        f"sse, openai-chat: 3 events, {len(WHOLE) - 1} bytes in, {len(WHOLE)} bytes out",
        f"mended: missing-blank-line (once at byte {len(CHUNK) - 1})",
        "verdict: complete",
    ]


def test_the_report_says_that_nothing_came_and_no_word_twice(tmp_path: Path, capsysbinary: Captured) -> None:
    for body, verdict in {
        b"": "ended: not one event came; the input is empty",
        b": ping\n\n": "ended: not one event came",
        CHUNK: "truncated: The stream ended before it was complete. (tokens=1)",
        WHOLE: "complete",
    }.items():
        main(["repair", saved(tmp_path, body)])
        assert capsysbinary.readouterr().err.decode().splitlines()[-1] == f"verdict: {verdict}"


def test_json_writes_the_report_as_one_object_on_one_line(tmp_path: Path, capsysbinary: Captured) -> None:
    main(["repair", "--json", saved(tmp_path, CHUNK)])
    (line,) = capsysbinary.readouterr().err.splitlines()
    report = json.loads(line)
    assert (report["verdict"], report["error"]["code"], report["text"]) == ("truncated", "truncated", "hi")


def test_quiet_writes_no_report(tmp_path: Path, capsysbinary: Captured) -> None:
    main(["repair", "--quiet", saved(tmp_path, WHOLE)])
    assert capsysbinary.readouterr() == (WHOLE, b"")


def test_to_changes_the_framing_and_format_names_it(tmp_path: Path, capsysbinary: Captured) -> None:
    main(["repair", "-q", "--to", "ndjson", saved(tmp_path, b'data: {"a":1}\n\n')])
    assert capsysbinary.readouterr().out == b'{"a":1}\n'
    main(["repair", "-q", "--format", "ndjson", "--to", "sse", saved(tmp_path, b'[1]\n{"a":1}\n')])
    assert capsysbinary.readouterr().out == b'data: [1]\n\ndata: {"a":1}\n\n'


@pytest.mark.parametrize("arguments", [["--help"], ["repair", "--help"], ["inspect", "--help"], ["demo", "--help"]])
def test_help_exits_with_0_and_names_every_command_or_option(arguments: list[str], capsysbinary: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    help = capsysbinary.readouterr().out
    wanted = {1: [b"repair", b"inspect", b"demo", b"exit codes:"], 2: [b"usage: unbroken " + arguments[0].encode()]}
    assert all(word in help for word in wanted[len(arguments)])


def test_each_frame_leaves_through_a_pipe_while_the_input_is_still_open() -> None:
    with started("repair") as process:
        assert process.stdin
        assert process.stdout
        for frame in (CHUNK, STOP):
            process.stdin.write(frame)
            assert read_until(process.stdout.fileno(), frame) == frame


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    read_end, write_end = os.pipe()
    with started("repair", "-q", stdout=write_end) as process:
        os.close(write_end)
        assert process.stdin
        process.stdin.write(CHUNK)
        read_until(read_end, CHUNK)
        os.close(read_end)
        _, err = process.communicate(CHUNK * 10, timeout=LIMIT)
        assert (process.returncode, err) == (0, b"")


NO_SPACE = b"unbroken: cannot write to standard output: No space left on device\n"
STREAMS: dict[str, tuple[str, bytes, bytes | None]] = {
    "repair": ("<&-", b"unbroken: cannot read '-': standard input is closed\n", b""),
    "inspect": ("<&-", b"unbroken: cannot read '-': standard input is closed\n", b""),
    "repair -q FILE": (">&-", b"unbroken: cannot write: standard output is closed\n", b""),
    "inspect FILE": (">&-", b"unbroken: cannot write: standard output is closed\n", b""),
    "repair --quiet FILE": (">/dev/full", NO_SPACE, b""),
    "inspect --strict FILE": (">/dev/full", NO_SPACE, b""),
    "inspect --json FILE": (">/dev/full", NO_SPACE, b""),
    "inspect --html /dev/full FILE": ("", b"unbroken: cannot write '/dev/full': No space left on device\n", None),
    "demo --port 0": (">/dev/full", NO_SPACE, b""),
    "--help": (">/dev/full", NO_SPACE, b""),
    "repair FILE": ("2>/dev/full", b"", WHOLE),
    "repair no-such-file": ("2>/dev/full", b"", b""),
}


def in_a_shell(command: str, redirection: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-c", COMMAND, *command.replace("FILE", saved(folder, WHOLE)).split()]
    line = f"{shlex.join(words)} {redirection}"
    # What is flushed cannot fail at the exit of the interpreter.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        line, shell=True, capture_output=True, timeout=LIMIT, stdin=subprocess.DEVNULL, env=environment
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("command", STREAMS)
def test_standard_streams_that_are_closed_or_full_exit_with_2_and_one_line(command: str, tmp_path: Path) -> None:
    redirection, said, written = STREAMS[command]
    found = in_a_shell(command, redirection, tmp_path)
    assert (found.returncode, found.stderr) == (2, said)
    assert written is None or found.stdout == written


def test_a_report_that_nobody_wants_does_not_go_to_standard_output(tmp_path: Path) -> None:
    found = in_a_shell("repair FILE", "2>&-", tmp_path)
    assert (found.returncode, found.stdout) == (0, WHOLE)


def test_input_that_cannot_be_read_on_is_an_error(tmp_path: Path, capsysbinary: Captured) -> None:
    assert main(["repair", str(tmp_path)]) == 2
    assert main(["inspect", "/proc/self/mem"]) == 2
    assert capsysbinary.readouterr().err.endswith(b"unbroken: cannot read '/proc/self/mem': Input/output error\n")


@pytest.mark.parametrize("command", ["repair", "inspect"])
def test_a_terminal_is_shown_control_characters_as_escapes(command: str) -> None:
    hostile = b"data: \x1b]0;owned\x07 \xc2\x9b2J\n\n"
    ours, theirs = pty.openpty()
    try:
        with started(command, stdout=theirs, TERM="xterm", NO_COLOR="1") as process:
            assert process.stdin
            process.stdin.write(hostile)
            shown = read_until(ours, rb"\x9b2J")
        assert rb"\x1b]0;owned\x07" in shown
        assert not {b"\x1b", b"\x07", "\x9b".encode()} & {shown[i : i + n] for n in (1, 2) for i in range(len(shown))}
    finally:
        os.close(ours)
        os.close(theirs)


HARMFUL = [
    *map(chr, (0, 8, 13, 27, 0x7F, 0x9B, 0x61C, 0x200E, 0x2028, 0x202A, 0x202E, 0x2066, 0x2069, 0xFEFF, 0xFFFE, 0xFFFF))
]


@pytest.mark.parametrize("character", [*HARMFUL, "\ufdd0", "\U0001fffe", "\U0010ffff"], ids=ascii)
def test_repair_shows_a_terminal_nothing_that_drives_or_turns_it(character: str) -> None:
    assert visible(f"a{character}b") == f"a{character.encode('unicode_escape').decode()}b"


def test_repair_shows_a_terminal_prose_as_it_is() -> None:
    prose = "data: ✅ grün\t中文\u3000\xa0👨\u200d👩 שלום \ufffd\n\n"
    assert visible(prose) == prose


@pytest.mark.parametrize("command", ["repair", "inspect"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_letters_that_the_encoding_of_a_terminal_lacks_are_shown_as_escapes(command: str, encoding: str) -> None:
    ours, theirs = pty.openpty()
    try:
        with started(command, stdout=theirs, PYTHONIOENCODING=encoding, NO_COLOR="1") as process:
            assert process.stdin
            process.stdin.write('data: {"a":"ā✅"}\n\n'.encode())
            assert rb"\u0101\u2705" in read_until(ours, rb"\u2705")
    finally:
        os.close(ours)
        os.close(theirs)


# inspect


def test_inspect_prints_each_event_while_the_input_is_still_open() -> None:
    with started("inspect") as process:
        assert process.stdin
        assert process.stdout
        for number, frame in ((b"    1 ", CHUNK), (b"    2 ", STOP)):
            process.stdin.write(frame)
            read_until(process.stdout.fileno(), number)


def test_inspect_ends_with_the_diagnosis_and_its_evidence(tmp_path: Path, capsysbinary: Captured) -> None:
    assert main(["inspect", saved(tmp_path, CHUNK[:-1] + STOP + DONE)]) == 0
    out = capsysbinary.readouterr().out.decode()
    assert "openai-chat: 3 events, 0 comments" in out
    assert f"[missing-blank-line] 1 time, first at byte {len(CHUNK) - 1}" in out
    assert "\x1b" not in out
    assert main(["inspect", saved(tmp_path, WHOLE)]) == 0
    assert "Nothing is wrong with this stream." in capsysbinary.readouterr().out.decode()


@pytest.mark.parametrize(
    ("body", "options", "code"),
    [
        (WHOLE, ["--strict"], 0),
        (CHUNK[:-1] + STOP + DONE, ["--strict"], 1),
        (CHUNK, [], 3),
        (b"", [], 3),
        (b": ping\n\n", [], 3),
        (b"HTTP/1.1 200 OK\r\n\r\n", [], 3),
        (b"HTTP/1.1 204 No Content\r\n\r\n", [], 0),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", [], 3),
        (b"HTTP/1.1 500 Oops\r\n\r\n" + WHOLE, [], 3),
        (b"[]", [], 0),
    ],
)
def test_inspect_exits_by_how_the_stream_ended(
    body: bytes, options: list[str], code: int, tmp_path: Path, capsysbinary: Captured
) -> None:
    assert main(["inspect", *options, saved(tmp_path, body)]) == code


def test_inspect_json_is_one_object_per_line_and_the_diagnosis_last(tmp_path: Path, capsysbinary: Captured) -> None:
    main(["inspect", "--json", saved(tmp_path, CHUNK)])
    *rows, last = map(json.loads, capsysbinary.readouterr().out.splitlines())
    assert [row["kind"] for row in rows] == ["content", "end"]
    assert last["findings"][0]["slug"] == "nothing-after-first-event"
    assert last["report"]["verdict"] == "truncated"
    assert last["clients"][0]["evidence"] == "no terminator"


def test_inspect_json_holds_each_payload_whole(tmp_path: Path, capsysbinary: Captured) -> None:
    long = "中文 words \x1b[31m" * 1000
    payload = json.dumps({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": long}}]})
    main(["inspect", "--json", saved(tmp_path, f"data: {payload}\n\n".encode() + STOP + DONE)])
    out = capsysbinary.readouterr().out.decode()
    first, *_ = map(json.loads, out.splitlines())
    assert (first["data"], first["text"]) == (payload, long.replace("\x1b", "\\x1b"))
    assert out.isascii()


def test_through_a_pipe_rows_are_not_cut(tmp_path: Path, capsysbinary: Captured) -> None:
    main(["inspect", saved(tmp_path, CHUNK.replace(b"hi", b"word " * 1000) + STOP + DONE)])
    assert capsysbinary.readouterr().out.splitlines()[0].count(b"word") == 1000


def test_the_diagnosis_is_wrapped_to_the_terminal_and_holds_all_that_upstream_said(tmp_path: Path) -> None:
    said = "Provider disconnected at 10.0.0.7 " + "and so on " * 30
    body = CHUNK + b'data: {"error":{"message":"%s"}}\n\n' % said.encode()
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    try:
        with started("inspect", stdout=theirs, TERM="xterm", NO_COLOR="1", COLUMNS="") as process:
            assert process.stdin
            process.stdin.write(body)
            process.stdin.close()
            shown = read_until(ours, b'on "').decode()
            process.stdin = None
    finally:
        os.close(ours)
        os.close(theirs)
    assert max(map(len, shown.splitlines())) <= 60
    assert said.strip() in " ".join(shown.split())


@pytest.mark.parametrize(
    ("environment", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_inspect_colours_on_a_terminal_only_and_never_against_no_color(
    environment: dict[str, str], colored: bool
) -> None:
    ours, theirs = pty.openpty()
    try:
        with started("inspect", stdout=theirs, **{"TERM": "xterm", "NO_COLOR": "", **environment}) as process:
            assert process.stdin
            process.stdin.write(CHUNK)
            assert (b"\x1b[32m" in read_until(ours, b"hi")) == colored
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("columns", "wanted"), [(80, "0 B  missing-blank-line  byte"), (200, "missing-blank-line         0 B  byte")]
)
def test_rows_fit_the_terminal(columns: int, wanted: str) -> None:
    long = CHUNK.replace(b'"hi"', ('"' + "中文 words " * 20 + '"').encode())
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    try:
        with started("inspect", stdout=theirs, TERM="xterm", NO_COLOR="1", COLUMNS="") as process:
            assert process.stdin
            process.stdin.write(long + long[:-1] + WHOLE)
            lines = read_until(ours, b"[DONE]").decode().splitlines()
    finally:
        os.close(ours)
        os.close(theirs)
    rows = [line for line in lines if " content " in line or " repair " in line]
    taken = [len(row) + sum(character in "中文" for character in row) for row in rows]
    assert len(rows) == 4
    assert max(taken) <= columns
    assert max(taken) > columns - 2
    assert any(wanted in line for line in lines)


@pytest.mark.parametrize("columns", [40, 50, 59])
def test_on_a_narrow_terminal_a_repair_is_wrapped_and_not_cut(columns: int) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    try:
        with started("inspect", stdout=theirs, TERM="xterm", NO_COLOR="1", COLUMNS="") as process:
            assert process.stdin
            process.stdin.write(CHUNK[:-1] + WHOLE)
            lines = read_until(ours, b"terminal").decode().splitlines()
    finally:
        os.close(ours)
        os.close(theirs)
    assert max(map(len, lines)) <= columns
    shown = " ".join(" ".join(lines).split())
    assert "missing-blank-line byte" in shown
    assert "…" not in shown.partition("missing-blank-line")[2][:20]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("中文", 4, "中文"),
        ("中文x", 4, "中…"),
        ("a中文", 4, "a中…"),
        ("e\u0301e\u0301", 2, "e\u0301e\u0301"),
        ("e\u0301e\u0301e", 2, "e\u0301…"),
        ("中", 1, "…"),
        ("", 1, ""),
    ],
    ids=ascii,
)
def test_a_line_is_cut_at_the_columns_that_it_takes(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


def test_a_silence_is_reported_while_it_lasts_and_at_each_doubling() -> None:
    reported: list[float] = []
    watchdog = SilenceWatchdog(reported.append, after=10.0, now=100.0)
    assert (watchdog.report_if_due(100.0), reported) == (10.0, [])
    assert (watchdog.report_if_due(110.0), reported) == (10.0, [10.0])
    assert (watchdog.report_if_due(115.0), reported) == (5.0, [10.0])
    assert (watchdog.report_if_due(121.0), reported) == (19.0, [10.0, 21.0])
    assert (watchdog.report_if_due(300.0), reported) == (120.0, [10.0, 21.0, 200.0])
    watchdog.reset(305.0)
    assert (watchdog.report_if_due(306.0), reported) == (9.0, [10.0, 21.0, 200.0])
    assert (watchdog.report_if_due(316.0), reported) == (9.0, [10.0, 21.0, 200.0, 11.0])


def test_a_silence_is_reported_from_a_thread_of_its_own_until_the_watchdog_stops() -> None:
    reported: queue.SimpleQueue[float] = queue.SimpleQueue()
    with SilenceWatchdog(reported.put, after=0.001, now=time.monotonic()):
        assert 0 < reported.get(timeout=LIMIT) < reported.get(timeout=LIMIT)
        (watching,) = [thread for thread in threading.enumerate() if thread.name == "unbroken-watchdog"]
    watching.join(LIMIT)
    assert not watching.is_alive()


def test_inspect_reports_a_silence_beside_its_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    reported = threading.Event()

    class Stderr(io.StringIO):
        def write(self, text: str) -> int:
            written = super().write(text)
            if "still waiting" in text:
                reported.set()
            return written

    def send() -> None:
        reported.wait(LIMIT)
        os.write(writing, WHOLE)
        os.close(writing)

    monkeypatch.setattr(inspect, "STALL", 0.001)
    monkeypatch.setattr(sys, "stderr", stderr := Stderr())
    threading.Thread(target=send).start()
    with open(reading, "rb", buffering=0) as stdin:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin))
        assert main(["inspect", "--json"]) == 0
    assert stderr.getvalue().startswith("unbroken: no byte for 0 s, still waiting")
    assert [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()][-2:] == ["end", "diagnosis"]


def test_ctrl_c_ends_inspect_with_a_diagnosis_of_what_came_so_far() -> None:
    with started("inspect") as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(CHUNK)
        read_until(process.stdout.fileno(), b"hi")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
        assert b"stopped watching" in out
        assert b"You stopped watching while the answer was not complete." in out
        assert b"Nothing is wrong with this stream" not in out
        assert (process.returncode, err) == (130, b"")


def test_ctrl_c_while_the_command_loads_ends_it_quietly() -> None:
    code = (
        "import signal, sys; from unbroken.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'http.server': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "sys.exit(main(['demo', '--port', '0']))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=LIMIT)
    assert (found.returncode, found.stdout, found.stderr) == (130, b"", b"")


def test_inspect_reads_a_flight_record(tmp_path: Path, capsysbinary: Captured) -> None:
    list(unbroken.repair([CHUNK], observers=[FlightRecorder(folder=tmp_path)], heartbeat=None, timeouts=None))
    (path,) = tmp_path.iterdir()
    assert main(["inspect", str(path)]) == 3
    assert b"[missing-terminator] the flight record" in capsysbinary.readouterr().out
    path.write_text('{"flight": 1}\n{"at": -1}\n')
    assert main(["inspect", str(path)]) == 2
    assert capsysbinary.readouterr().err.endswith(b"no flight record: KeyError\n")


def flights(folder: Path) -> list[str]:
    """Record a stream that was cut, and one that failed."""
    for body in ([CHUNK], [b"<html><title>504 Gateway Time-out</title>"]):
        list(unbroken.repair(body, observers=[FlightRecorder(folder=folder)], heartbeat=None, timeouts=None))
    return sorted(map(str, folder.iterdir()))


def test_of_several_files_inspect_gives_one_diagnosis_after_another(tmp_path: Path, capsysbinary: Captured) -> None:
    names = flights(tmp_path)
    assert main(["inspect", *names]) == 3
    out = capsysbinary.readouterr().out.decode()
    assert [out.count(f"==> {name} <==\n") for name in names] == [1, 1]
    assert out.index(names[0]) < out.index("PROBLEM") < out.index(names[1]) < out.rindex("PROBLEM")
    assert "[missing-terminator]" in out
    assert "[not-a-stream]" in out
    assert len(out.splitlines()) == 12
    main(["inspect", "--json", *names])
    found = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert [(it["kind"], it["file"]) for it in found] == [("diagnosis", name) for name in names]


def test_the_exit_code_of_several_files_is_the_highest_of_theirs(tmp_path: Path, capsysbinary: Captured) -> None:
    whole = saved(tmp_path, WHOLE)
    assert main(["inspect", "--strict", whole, whole]) == 0
    assert main(["inspect", whole, "no-such-file", whole]) == 2
    out, err = capsysbinary.readouterr()
    assert (out.count(b"Nothing is wrong"), err.count(b"cannot read")) == (4, 1)
    assert main(["inspect", *flights(tmp_path / "new"), whole]) == 3


def test_a_page_shows_one_file(tmp_path: Path, capsysbinary: Captured) -> None:
    page = tmp_path / "page.html"
    assert main(["inspect", "--html", str(page), *[saved(tmp_path, WHOLE)] * 2]) == 2
    assert capsysbinary.readouterr().err == b"unbroken: --html writes the page of one FILE to another file\n"
    assert not page.exists()


def test_inspect_reads_no_more_of_a_record_than_one_may_hold(
    tmp_path: Path, capsysbinary: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect, "MAX_FLIGHT", 1000)
    assert main(["inspect", saved(tmp_path, b'{"flight": 1, "provider": "%s"}' % (b"x" * 900))]) == 3
    assert main(["inspect", saved(tmp_path, b'{"flight": 1, "provider": "%s"}' % (b"x" * 1000))]) == 2
    assert b"a flight record of more than 1,000 bytes" in capsysbinary.readouterr().err


@given(
    head=st.dictionaries(st.sampled_from(FIELDS), st.recursive(SCALARS, st.lists, max_leaves=3)),
    chunks=st.lists(
        st.dictionaries(st.sampled_from(["at", "length", "class", "repairs", "data"]), SCALARS), max_size=3
    ),
)
def test_no_flight_record_ends_inspect_with_a_traceback(head: dict[str, Any], chunks: list[dict[str, Any]]) -> None:
    record = "\n".join(map(json.dumps, [{"flight": 1, **head}, *({"at": 0.1, "length": 3, **it} for it in chunks)]))
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        assert main(["inspect", saved(Path(folder), record.encode())]) in (0, 2, 3)


GREEN_AND_BROWN = ("#1a7f37", "#9a5b00")  # content, repairs
HOSTILE = b"<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_the_page_holds_what_upstream_said_as_text_only(tmp_path: Path, capsysbinary: Captured) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/" + HOSTILE + b"\r\nContent-Encoding: " + HOSTILE + b"\r\n\r\n"
    body = b"event: " + HOSTILE + b"\ndata: " + HOSTILE + b"\n\n: " + HOSTILE + b"\n\ndata: \x1b[31m\xe2\x80\xae\n\n"
    page = tmp_path / "page.html"
    main(["inspect", "--html", str(page), saved(tmp_path, head + body)])
    html = page.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in html
    seen = Tags()
    seen.feed(html)
    assert not seen.found & {"script", "img", "link", "iframe", "object", "embed", "base", "form", "a"}
    assert not seen.attributes & {"src", "href", "onerror", "onload"}
    assert not {"\x1b", "\u202e"} & set(html)
    assert "default-src 'none'" in html


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


NASTY = [
    "\x1b]0;owned\x07",
    "\x1b[31m",
    "\r",
    "\x9b2J",
    "\x85",
    "\x00",
    "\u202e",
    "\x0b",
    "é",
    " ",
    "=",
    "/",
    ",",
    "gzip",
    "1",
]
NAMES = [
    "Content-Type",
    "Content-Encoding",
    "Content-Length",
    "Connection",
    "Keep-Alive",
    "Transfer-Encoding",
    "\x1b[2J",
]
VALUES = st.lists(st.sampled_from([*NASTY, "text/plain", "charset", "text/html"]), max_size=6).map("".join)
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@given(
    status=st.sampled_from(["1.1 200 OK", "2 200", "1.1 502 \x1b[31m", "1.1 200 \x9b2J"]),
    fields=st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4),
    body=st.sampled_from(
        [b"data: \xc3\xa9\n\n", b'{"a":1}\n', WHOLE, b"<html>", b"\x1f\x8b\x08\x00", b"\x1b[2J\n\n", b""]
    ),
)
@example(
    status="1.1 200 OK", fields=[("Content-Type", "text/plain\x1b]0;owned\x07\x1b[31m")], body=b"data: \xc3\xa9\n\n"
)
@example(status="1.1 200 OK", fields=[("Content-Type", "a/b;charset=\x1b[2J")], body=b"data: \xc3\xa9\n\n")
def test_no_line_of_inspect_holds_a_control_character_whatever_the_head_says(
    status: str, fields: list[tuple[str, str]], body: bytes
) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1", "replace")
    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()) as shown:
        page = Path(folder) / "page.html"
        main(
            [
                "inspect",
                "--html",
                str(page),
                saved(Path(folder), f"HTTP/{status}\r\n".encode("latin-1") + head + b"\r\n" + body),
            ]
        )
        assert not CONTROLS.search(shown.getvalue())
        assert not CONTROLS.search(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("no/page.html", "cannot write '{}': No such file"),
        (".", "cannot write '{}': Is a directory"),
        ("-", "to another file"),
    ],
)
def test_a_page_that_cannot_be_written_exits_with_2_before_anything_is_read(
    page: str, said: str, tmp_path: Path, capsysbinary: Captured
) -> None:
    path = page if page == "-" else str(tmp_path / page)
    assert main(["inspect", "--html", path, saved(tmp_path, WHOLE)]) == 2
    out, err = capsysbinary.readouterr()
    assert (out, err.startswith(b"unbroken: ")) == (b"", True)
    assert said.format(path) in err.decode()


@pytest.mark.parametrize("body", [WHOLE, b"<!doctype html><title>504 Gateway Time-out</title>", b"\0"])
def test_a_file_other_than_our_page_is_not_overwritten(body: bytes, capsysbinary: Captured, tmp_path: Path) -> None:
    name = saved(tmp_path, body)
    for files in ([], [name]):
        assert main(["inspect", "--html", name, *files]) == 2
        assert b"would overwrite" in capsysbinary.readouterr().err
    assert Path(name).read_bytes() == body


@pytest.mark.slow
def test_the_page_of_a_long_stream_shows_its_beginning_its_end_and_what_is_rare_between() -> None:
    count, rows = 30_000, Rows()
    facts = Facts(True, unbroken.StreamReport(), ended=float(count))
    for number in range(count):
        kind = "repair" if number == 15_001 else "content"
        rows.add(Row(kind, float(number), 1.0, number, size=10, text=f"t{number}."))
    html = page(rows, facts, [], [])
    shown = [number for number in range(count) if f">t{number}.<" in html]
    assert shown == [*range(500), *range(count - 500, count)]
    assert '<td colspan="7">29,000 more</td>' in html
    bars = {
        color: {int(x) for x in re.findall(rf'<path d="M(\d+) [^>]*stroke="{color}"', html)}
        for color in GREEN_AND_BROWN
    }
    green, brown = bars.values()
    assert brown == {500}
    assert set(range(2, 998)) <= green
    drawn = list(rows.drawn())
    assert [index for index, _ in drawn] == sorted(row.number or 0 for _, row in drawn)
    assert len(drawn) <= 1000 + 4000 + 1


def test_a_page_of_ours_is_written_anew(capsysbinary: Captured, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    for body, count in ((CHUNK * 3, "3 events"), (WHOLE, "3 events"), (CHUNK, "1 event")):
        main(["inspect", "--html", str(page), saved(tmp_path, body)])
        assert page.read_text(encoding="utf-8").count("<html") == 1
        assert count in page.read_text(encoding="utf-8")
    assert main(["inspect", "--html", os.devnull, saved(tmp_path, WHOLE)]) == 0

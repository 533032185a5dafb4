"""`unbroken inspect`: prints what arrives, as it arrives, and a diagnosis at the end."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from ..core.events import Format
from ..inspection.clients import Breakage, breakages
from ..inspection.diagnosis import Finding, diagnose, headline, summary
from ..inspection.facts import Facts, Row, printable
from ..inspection.inspector import STALL, Inspector, inspect_record
from ..observe.recorder import FlightError, read_flight
from . import settings
from .exits import FAILED, INTERRUPTED, MISUSE, WELL, exit_code
from .source import CommandError, Input
from .terminal import fit, print_error, wrap
from .timeline import Rows, is_page, page
from .watchdog import SilenceWatchdog

DESCRIPTION = """Read a stream, print each event as it comes, and say at the end what went wrong, in plain words and
with the evidence. A response head before the body (curl -i) and flight records are read too.

  curl -sNi https://example.com/stream | unbroken inspect
  unbroken inspect --html report.html saved.sse
"""
_WIDE: Final = 110  # columns that all fields need
_FLIGHT: Final = b'{"flight":'
MAX_FLIGHT: Final = 64 * 2**20
"""The most bytes of a flight record that are read."""
_COLORS: Final = {
    "problem": "31;1", "repair": "33", "stall": "35;1", "comment": "2", "liveness": "2", "content": "32",
    "error": "31;1", "note": "36", "terminal": "34",
}  # fmt: skip


def add_command(commands: Any, *, epilog: str) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "inspect",
        help="inspect a stream, and say what is wrong with it",
        description=DESCRIPTION,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="the stream; - is standard input. Of several, their diagnoses only, one after another",
    )
    parser.add_argument(
        "--format", choices=[format.value for format in Format], help="the framing; sniffed unless given"
    )
    settings.add_arguments(parser)
    parser.add_argument(
        "--content-type", metavar="TYPE", help="as the response had it, where its head is not in the file"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 if the diagnosis names any problem")
    parser.add_argument("--json", action="store_true", help="write one JSON object per row, the diagnosis last")
    parser.add_argument(
        "--html", metavar="PAGE", help="also write a page with a timeline to this file, a new one or such a page"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code, for several files the highest."""
    names = arguments.files or ["-"]
    if arguments.html:
        _check_page(arguments.html, names)
    code = 0
    for name in names:
        output = _Output(name, brief=len(names) > 1, as_json=arguments.json, colored=_wants_color())
        with settings.settings_of(arguments, writes=False) as options:
            code = max(code, _inspect_file(name, output, arguments, options))
        if code == INTERRUPTED:
            break
    return code


def _check_page(path: str, names: list[str]) -> None:
    """Raise `CommandError`, before anything is read, if the page cannot be written or would replace another file."""
    if path == "-" or len(names) > 1:
        raise CommandError("--html writes the page of one FILE to another file")
    try:
        with open(path, "ab") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return
        with open(path, "rb") as file:
            if not is_page(file.read(1000)):
                raise CommandError(f"--html {path!r} would overwrite a file that is not a page of this command")
    except OSError as error:
        raise CommandError.with_file("write", path, error) from error


def _inspect_file(name: str, output: _Output, arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    try:
        with Input(name) as source:
            return _inspect(source, output, arguments, options)
    except FlightError as error:
        failure = CommandError(f"cannot read {name!r}: {error}")
    except CommandError as error:
        failure = error
    print_error(failure)
    return MISUSE


def _inspect(source: Input, output: _Output, arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    given = {"format": arguments.format, "content_type": arguments.content_type}
    options.update({key: value for key, value in given.items() if value is not None})
    began, first, interrupted = time.monotonic(), b"", False
    with SilenceWatchdog(_report_silence, after=STALL, now=began) as watchdog:
        try:
            first = source.read()
        except KeyboardInterrupt:
            interrupted = True
        if first.startswith(_FLIGHT):
            facts, rows = inspect_record(*read_flight(_record(first, source).splitlines()))
            output.show(rows)
        else:
            inspector = Inspector(timed=source.is_live, **options)
            inspector.start(began, time.time())
            interrupted = interrupted or _read_to_end(inspector, first, source, output, watchdog)
            output.show(inspector.close(time.monotonic(), stopped=interrupted))
            facts = inspector.facts
    problems, broken = diagnose(facts), breakages(facts)
    output.conclude(facts, problems, broken)
    if arguments.html:
        _write_page(arguments.html, page(output.rows, facts, problems, broken))
    return INTERRUPTED if interrupted else _exit_code(facts, problems, strict=arguments.strict)


def _write_page(path: str, html: str) -> None:
    try:
        Path(path).write_text(html, encoding="utf-8")
    except OSError as error:
        raise CommandError.with_file("write", path, error) from error


def _record(first: bytes, source: Input) -> bytes:
    """Return a whole flight record. Raises `FlightError` if it is longer than `MAX_FLIGHT`."""
    record = bytearray(first)
    while len(record) <= MAX_FLIGHT and (chunk := source.read()):
        record += chunk
    if len(record) > MAX_FLIGHT:
        raise FlightError(f"a flight record of more than {MAX_FLIGHT:,} bytes")
    return bytes(record)


def _exit_code(facts: Facts, findings: list[Finding], *, strict: bool) -> int:
    if facts.is_bodiless:
        return WELL
    if facts.refused:
        return FAILED
    return exit_code(facts.report, is_faulty=strict and any(finding.level == "problem" for finding in findings))


def _read_to_end(inspector: Inspector, first: bytes, source: Input, output: _Output, watchdog: SilenceWatchdog) -> bool:
    """Read to the end or to Ctrl-C, and return whether it was Ctrl-C: a hanging stream is diagnosed too."""
    try:
        chunk = first
        while chunk:
            now = time.monotonic()
            watchdog.reset(now)
            output.show(inspector.feed(chunk, now))
            chunk = source.read()
    except KeyboardInterrupt:
        return True
    return False


def _report_silence(seconds: float) -> None:
    """Report a silence while it lasts, to standard error, since rows may be JSON."""
    print_error(f"no byte for {seconds:.0f} s, still waiting; Ctrl-C gives the diagnosis")


def _columns() -> int | None:
    """Return the columns of the terminal, or None if the output goes elsewhere and is not cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _wants_color() -> bool:
    """Whether to color the output: only on a terminal, and by https://no-color.org."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class _Output:
    """Writes rows and the diagnosis, as text or as JSON, and keeps rows for the page.

    If `brief`, rows are left out and each diagnosis is headed by the name of its file.
    """

    def __init__(self, name: str, *, brief: bool, as_json: bool, colored: bool) -> None:
        self._name = name
        self._brief = brief
        self._as_json = as_json
        self._colored = colored
        self.rows = Rows()

    def show(self, rows: Iterable[Row]) -> None:
        """Write rows."""
        width = _columns()
        for row in rows:
            self.rows.add(row)
            if not self._brief:
                print(json.dumps(row.as_dict()) if self._as_json else self._line(row, width))
        sys.stdout.flush()

    def _line(self, row: Row, width: int | None) -> str:
        at = "" if row.at is None else f"{row.at:8.3f}s {f'+{row.gap or 0:.3f}s':>9} "
        size = "" if row.size is None else f"{row.size:,} B"
        # Names are rare: on a narrow terminal, a column for them would leave little room for the content.
        named = f"{row.name:<20} {size:>9}  " if width is None or width >= _WIDE else f"{size:>9}  {_spaced(row.name)}"
        line = f"{row.number or '':>5} {at} {row.kind:<10} {named}{row.text}".rstrip()
        if width is not None:  # of a repair each word counts, and none is upstream's
            line = wrap(line, width) if row.kind == "repair" else fit(line, width)
        stall = (
            f"\n{' ' * 6}{self._paint('stall', f'^ {row.gap:.1f} s without a byte before this')}" if row.stall else ""
        )
        return self._paint(row.kind, line) + stall

    def _paint(self, kind: str, text: str) -> str:
        return f"\x1b[{_COLORS[kind]}m{text}\x1b[0m" if self._colored and kind in _COLORS else text

    def conclude(self, facts: Facts, findings: list[Finding], broken: list[Breakage]) -> None:
        """Write the diagnosis."""
        if self._as_json:
            print(json.dumps({**diagnosis(facts, findings, broken), "file": self._name}))
        else:
            width = _columns()
            for kind, line in self._report(facts, findings, broken):
                print(self._paint(kind, line if width is None else wrap(line, width)))

    def _report(self, facts: Facts, findings: list[Finding], broken: list[Breakage]) -> Iterator[tuple[str, str]]:
        """Yield the lines of the diagnosis, each with the kind by which it is coloured, "" for none."""
        for line in ("", *([f"==> {printable(self._name)} <=="] if self._brief else []), summary(facts), ""):
            yield "", line
        if says := headline(facts, findings):
            yield "", says
        for finding in findings:
            yield finding.level, f"{finding.level.upper():<8}{finding.says}"
            yield "", f"        [{finding.slug}] {finding.evidence}".rstrip()
        if broken:
            yield "", ""
            yield "", "Clients that would break on these bytes:"
        for breakage in broken:
            yield "", f"  {breakage.clients}: {breakage.how}"
            yield "", f"        {breakage.evidence}"


def _spaced(name: str) -> str:
    return f"{name}  " if name else ""


def diagnosis(facts: Facts, findings: list[Finding], broken: list[Breakage]) -> dict[str, Any]:
    """Return the last JSON line: the diagnosis, the clients that would fail, and the stream's report."""
    return {
        "kind": "diagnosis",
        "summary": summary(facts),
        "findings": [finding.as_dict() for finding in findings],
        "clients": [breakage.as_dict() for breakage in broken],
        "report": facts.report.as_dict(),
    }

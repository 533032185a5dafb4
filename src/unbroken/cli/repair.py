"""`unbroken repair`: writes the repaired stream to standard output as it arrives, and a report to standard error."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from ..core.events import Format
from ..core.quantities import safe_name
from ..core.registry import CONVERTERS
from ..core.repairer import StreamRepairer
from ..core.repairs import RepairKind
from ..core.report import StreamReport, Verdict
from . import settings
from .exits import exit_code, is_empty
from .source import Input
from .terminal import print_stderr, write_safely

DESCRIPTION = """Read a stream from FILE or standard input and write the mended stream to standard output, each frame
as soon as it is whole. A report goes to standard error.

  curl -sN https://example.com/stream | unbroken repair
  unbroken repair --to ndjson saved.sse > saved.ndjson
"""


def add_command(commands: Any, *, epilog: str) -> None:
    """Add the command and its options to the parser."""
    parser = commands.add_parser(
        "repair",
        help="mend a stream",
        description=DESCRIPTION,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="the stream; - is standard input")
    parser.add_argument(
        "--format", choices=[format.value for format in Format], help="the framing of the input; sniffed unless given"
    )
    settings.add_arguments(parser)
    parser.add_argument("--to", choices=["sse", "ndjson"], help="the framing of the output; kept unless given")
    parser.add_argument("--convert", choices=list(CONVERTERS), help="the dialect of the output; kept unless given")
    parser.add_argument("--no-repairs", action="store_true", help="the standard's reading and nothing else")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if anything had to be mended")
    parser.add_argument("--json", action="store_true", help="write the report as one JSON object")
    parser.add_argument("-q", "--quiet", action="store_true", help="write no report")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    given = {"format": arguments.format, "to": arguments.to, "convert": arguments.convert}
    with settings.settings_of(arguments, writes=True) as options:
        options.update({name: value for name, value in given.items() if value is not None})
        if arguments.no_repairs:
            options["repairs"] = ()
        repairer = StreamRepairer(**options)
        with Input(arguments.file) as source:
            _pump(repairer, source)
    report = repairer.report
    if not arguments.quiet:
        print_stderr(json.dumps(report.as_dict()) if arguments.json else describe(report))
    return exit_code(report, is_faulty=arguments.strict and bool(report.repairs))


def _pump(repairer: StreamRepairer, source: Input) -> None:
    while chunk := source.read():
        write_safely(repairer.feed(chunk, time.monotonic()))
        if repairer.finished:
            break
    write_safely(repairer.close(time.monotonic()))


def describe(report: StreamReport) -> str:
    """Return a few lines on what arrived, what was repaired and how it ended, without any text of upstream."""
    format = report.format.value if report.format else "unknown format"
    dialect = f", {safe_name(report.dialect)}" if report.dialect else ""
    lines = [
        f"{format}{dialect}: {count(report.events, 'event')}, {report.bytes_in} bytes in, {report.bytes_out} bytes out"
    ]
    lines += [f"mended: {kind.value} ({_times(report, kind)})" for kind in report.repairs]
    if report.respellings:
        spellings = ", ".join(f"{name} ({count})" for name, count in sorted(report.respellings.items()))
        lines.append(f"re-spelt: {spellings}")
    lines.append(f"verdict: {report.verdict.value}{_cause(report)}")
    return "\n".join(lines)


def _cause(report: StreamReport) -> str:
    """Return what explains the verdict, behind a colon; "" for a stream that ended well."""
    if report.error is not None:
        # A code that is the verdict's own word is not said twice.
        return f": {str(report.error).removeprefix(f'{report.verdict.value}: ')}"
    if report.verdict is Verdict.DAMAGED:
        return ": the terminator came, but the answer has a hole"
    if is_empty(report):
        return ": not one event came" + ("; the input is empty" if report.bytes_in == 0 else "")
    return ""


def _times(report: StreamReport, kind: RepairKind) -> str:
    first = next((repair.offset for repair in report.first_repairs if repair.kind is kind), None)
    at = "" if first is None else f" at byte {first}"
    count = report.repairs[kind]
    return f"first{at}, {count} times" if count > 1 else f"once{at}"


def count(number: int, thing: str) -> str:
    """Return a number with its noun: "1 event", "2 events"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"

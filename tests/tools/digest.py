"""What one tree of this project makes of drawn streams, one digest a stream; run by `tests.tools.differential`.

    python digest.py --tree FOLDER --draws FILE [--part 0/2] [--facts NAME,NAME] [--only 3,17] [--fast-path off]

`--only` prints the whole outcome of these streams, field by field, as JSON. Only public names of `unbroken`
are used here: the trees that are compared may have nothing else in common. Every clock is the number of the chunk.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import unbroken

WRITING = ("to", "convert", "heartbeat", "heartbeat_bytes")
TIMES = frozenset({"duration", "first_byte", "first_event", "first_content", "longest_gap", "longest_pause"})
NOTED_WITH_THEIR_LINE = frozenset({"repairs", "first_repairs", "respellings", "invalid_utf8"})
FAST_PATH = "unbroken.core.fast_path"

Outcome = dict[str, Any]
"""What happened, by field; plain values whose `repr` is the same in every tree."""


def outcome(chunks: Sequence[bytes], options: dict[str, Any], facts: frozenset[str] | None = None) -> Outcome:
    """Return all that the public API shows of a stream; `facts` names the report's facts to look at, None for all."""
    reading = {name: value for name, value in options.items() if name not in WRITING}
    there: Outcome = {}
    for name, run, chosen in (
        ("StreamRepairer", _repaired, options),
        ("StreamRepairer.fail", _failed, options),
        ("EventReader", _read, reading),
        ("iter_events", _iterated, reading),
        ("repair", _written, options),
    ):
        kept: Outcome = {}
        try:
            run(chunks, _Chosen(chosen, kept), kept, facts)
        except Exception as error:  # whatever it is, the other tree must raise it too
            kept["raised"] = _spelt_error(error)
        there |= {f"{name}: {field}": value for field, value in kept.items()}
    return there


class _Chosen(dict[str, Any]):
    """Options as they are drawn, made into those of the library; repairs and what an observer is told are kept."""

    def __init__(self, options: dict[str, Any], kept: Outcome) -> None:
        super().__init__(options)
        kept["repairs"] = []
        self["on_repair"] = lambda repair: kept["repairs"].append(_spelt(repair))
        if "repairs" in self:
            self["repairs"] = frozenset(map(unbroken.RepairKind, self["repairs"]))
        if self.pop("watched", False):
            self["observers"] = [_Watch(kept)]
        if self.pop("counted", False):
            self["count_tokens"] = len


class _Watch(unbroken.Observer):
    """Keeps what each hook is shown; a line may be repaired before its frame is whole, or with it."""

    def __init__(self, kept: Outcome) -> None:
        self._kept = {hook: kept.setdefault(f"observed {hook}", []) for hook in ("received", "content", "repaired")}
        self._ended = kept.setdefault("observed end", [])

    def received(self, report: unbroken.StreamReport, chunk: bytes, at: float) -> None:
        self._kept["received"].append(len(chunk))

    def content(self, report: unbroken.StreamReport, gap: float) -> None:
        self._kept["content"].append(round(gap))

    def repaired(self, repair: unbroken.Repair) -> None:
        self._kept["repaired"].append(_spelt(repair))

    def ended(self, report: unbroken.StreamReport) -> None:
        self._ended.append(report.verdict.value)


def _repaired(chunks: Sequence[bytes], options: _Chosen, kept: Outcome, facts: frozenset[str] | None) -> None:
    repairer = unbroken.StreamRepairer(**options)
    kept["chunks"] = written = []
    for number, chunk in enumerate(chunks):
        written.append(b"".join([*_due(repairer, float(number)), *repairer.feed(chunk, float(number))]))
    written.append(b"".join(repairer.close(float(len(chunks)))))
    kept["output"] = b"".join(written)
    _report(repairer.report, kept, facts)


def _due(repairer: unbroken.StreamRepairer, now: float) -> Iterator[bytes]:
    """Give what is written because of the time alone."""
    while (deadline := repairer.next_deadline()) is not None and deadline <= now:
        yield from repairer.on_deadline(deadline)


def _failed(chunks: Sequence[bytes], options: _Chosen, kept: Outcome, facts: frozenset[str] | None) -> None:
    """Upstream raises behind a quarter, two, three, or all of the chunks."""
    repairer = unbroken.StreamRepairer(**options)
    quarters = 1 + sum(map(len, chunks)) % 4
    arrived = chunks[: len(chunks) * quarters // 4]
    kept["chunks"] = [b"".join(repairer.feed(chunk, 0.0)) for chunk in arrived]
    kept["chunks"].append(b"".join(repairer.fail(OSError("upstream"), 0.0)))
    _report(repairer.report, kept, facts)


def _read(chunks: Sequence[bytes], options: _Chosen, kept: Outcome, facts: frozenset[str] | None) -> None:
    """The report is looked at in four places, since it is live."""
    reader = unbroken.EventReader(**options)
    kept["items"], kept["places"], kept["live"] = items, places, live = [], [], []
    looks = {len(chunks) * quarter // 4 for quarter in range(1, 4)}

    def keep(number: int, found: Sequence[Any]) -> None:
        items.extend(map(_spelt, found))
        # A repair may be noted later, with the line that it is in: nobody waits for it.
        places.extend(number for item in found if not isinstance(item, unbroken.Repair))

    for number, chunk in enumerate(chunks):
        keep(number, reader.feed(chunk))
        if number in looks:
            live.append(_facts(reader.report, facts, TIMES | NOTED_WITH_THEIR_LINE))
    keep(len(chunks), reader.close())
    _report(reader.report, kept, facts)


def _iterated(chunks: Sequence[bytes], options: _Chosen, kept: Outcome, facts: frozenset[str] | None) -> None:
    source = _Source(chunks)
    stream = unbroken.iter_events(source, timeouts=None, **options)
    _consume(stream, source, kept, lambda item: kept["items"].append((source.taken, _spelt(item))))
    _report(stream.report, kept, facts, TIMES)


def _written(chunks: Sequence[bytes], options: _Chosen, kept: Outcome, facts: frozenset[str] | None) -> None:
    source, places = _Source(chunks), {}
    options["heartbeat"] = None  # it would go by the time of day
    stream = unbroken.repair(source, timeouts=None, **options)
    _consume(stream, source, kept, lambda item: places.setdefault(source.taken, []).append(item))
    # Which frames leave together is nobody's business; which chunk they leave with is.
    kept["items"] = [(place, b"".join(items)) for place, items in places.items()]
    _report(stream.report, kept, facts, TIMES)


class _Source:
    """An iterator of chunks that counts how many were taken."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = iter(chunks)
        self.taken = 0

    def __iter__(self) -> _Source:
        return self

    def __next__(self) -> bytes:
        self.taken += 1
        return next(self._chunks)


def _consume(stream: Any, source: _Source, kept: Outcome, keep: Callable[[Any], object]) -> None:
    kept["items"], kept["raised"] = [], None
    try:
        for item in stream:
            keep(item)
    except unbroken.StreamError as error:
        kept["raised"] = (_spelt_error(error), source.taken)


def _spelt(item: Any) -> tuple[Any, ...]:
    match item:
        case unbroken.Event():
            return "event", item.data, item.event, item.id, item.retry
        case unbroken.Comment():
            return "comment", item.text
        case unbroken.Repair():
            return "repair", item.kind.value, item.offset, item.length
        case _:
            return type(item).__name__, repr(item)


def _spelt_error(error: Exception) -> tuple[Any, ...]:
    if not isinstance(error, unbroken.StreamError):
        return type(error).__name__, str(error)
    failure, cause = error.failure, error.__cause__
    told = (failure.code, failure.status_hint, failure.retry_after, failure.error_type, failure.detail)
    return "StreamError", str(error), told, error.safe_to_retry, error.tokens_received, cause and type(cause).__name__


def _report(report: Any, kept: Outcome, facts: frozenset[str] | None, but: frozenset[str] = frozenset()) -> None:
    kept["error"] = report.error and _spelt_error(report.error)
    kept |= {f"report.{name}": value for name, value in _facts(report, facts, but).items()}


def _facts(report: Any, facts: frozenset[str] | None, but: frozenset[str]) -> Outcome:
    there = report.as_dict()
    return {name: _ordered(there[name]) for name in sorted(facts or there) if name not in but}


def _ordered(value: Any) -> Any:
    """Give a dictionary in the order of its keys: which fact was counted first is nobody's business."""
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def digest(there: Outcome) -> str:
    """Return a digest of an outcome."""
    return hashlib.blake2b(repr(there).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def switch_fast_path_off() -> None:
    """Switch it off for this process. Raises `SystemExit` where the tree has no such switch."""
    try:
        module = import_module(FAST_PATH)
    except ModuleNotFoundError:
        sys.exit(f"--fast-path off: this tree has no module {FAST_PATH}, so its fast path cannot be switched off")
    if not isinstance(getattr(module, "enabled", None), bool):
        sys.exit(f"--fast-path off: {FAST_PATH}.enabled is not there or no bool, so nothing can be switched off")
    module.enabled = False  # type: ignore[attr-defined]


def main() -> None:
    """Print a digest a line; without draws, the names of the report's facts as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tree", type=Path, required=True)
    arguments.add_argument("--draws", type=Path)
    arguments.add_argument("--part", default="0/1")
    arguments.add_argument("--facts")
    arguments.add_argument("--only")
    arguments.add_argument("--fast-path", choices=("on", "off"), default="on")
    told = arguments.parse_args()
    imported = Path(str(unbroken.__file__)).resolve()
    if not imported.is_relative_to(told.tree.resolve()):
        sys.exit(f"unbroken was imported from {imported}, not from {told.tree}")
    if told.fast_path == "off":
        switch_fast_path_off()
    logging.getLogger("unbroken").setLevel(logging.CRITICAL + 1)
    if told.draws is None:
        print(json.dumps(sorted(unbroken.StreamReport().as_dict())))
        return
    facts = frozenset(told.facts.split(",")) if told.facts else None
    draws = pickle.loads(told.draws.read_bytes())
    if told.only:
        chosen = [outcome(*draws[int(place)][1:], facts) for place in told.only.split(",")]
        print(json.dumps([{field: _shown(value) for field, value in there.items()} for there in chosen]))
        return
    part, of = map(int, told.part.split("/"))
    for _, chunks, options in draws[part::of]:
        print(digest(outcome(chunks, options, facts)))


def _shown(value: Any) -> Any:
    return [*map(repr, value)] if isinstance(value, list) else repr(value)


if __name__ == "__main__":
    main()

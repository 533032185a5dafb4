"""The flight recorder: the last chunks before a stream failed, without their content.

A ring buffer of when chunks came, how long they were and what they completed, at a few hundred bytes of memory per
chunk. `unbroken inspect` reads a record, and `unbroken.testing.flights` makes a script of it.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from ..core.account import Account
from ..core.naming import by_name
from ..core.observer import Observer
from ..core.quantities import check_count
from ..core.report import StreamReport, Verdict

VERSION: Final = 1
MAX_FILES: Final = 100
"""Records that are kept in a folder; the oldest are deleted first."""
_FINISHED: Final = ".jsonl"
_UNFINISHED: Final = ".part"
_ABANDONED: Final = 3600 * 10**9
"""Nanoseconds after which an unfinished file is taken for one of a saver that was killed."""
_ATTEMPTS: Final = 10
"""How often a file is written if somebody deletes the folder meanwhile."""
_Mark = tuple[float, int, int, int, int, int]  # when, how long, and four counts as they stood before it
_WORDS: Final = ("verdict", "error", "timeout", "format", "dialect", "provider", "request_id")
_FAILED: Final = (Verdict.FAILED, Verdict.TRUNCATED, Verdict.DAMAGED)


class _NoAccount:
    """The count for a stream that keeps no account: from the first content on, every event counts as content."""

    def __init__(self, report: StreamReport) -> None:
        self._report = report

    @property
    def content_events(self) -> int:
        return self._report.events if self._report.content_emitted else 0


@by_name
class FlightRecorder(Observer):
    """Records one stream, and keeps the record if it fails: in `report.flight`, and as a new file in `folder`.

    `chunks` is how many of the last chunks are recorded. `content` is how many of the last bytes are kept, the oldest
    chunk cut to its tail; with 0 the record holds no words of upstream's. Each stream needs a recorder of its own.
    Raises `TypeError` or `ValueError` unless `chunks` is a whole number from 1 on, and `content` from 0 on.
    """

    _cannot_raise = frozenset({"received"})
    # Slots: a chunk then costs a fifth less.
    __slots__ = (
        "_account", "_folder", "_kept", "_limit", "_note", "_received", "_repairs", "_report", "_ring", "_with_content",
    )  # fmt: skip

    def __init__(self, *, chunks: int = 256, content: int = 0, folder: str | os.PathLike[str] | None = None) -> None:
        self._ring: deque[_Mark] = deque(maxlen=check_count("FlightRecorder(chunks=...)", chunks, least=1))
        self._note = self._ring.append
        self._limit = check_count("FlightRecorder(content=...)", content, unit=" of bytes")
        self._with_content: deque[tuple[int, bytes]] = deque()  # number of the chunk, and its bytes
        self._received = 0  # counted where content is kept
        self._kept = 0
        self._folder = folder
        self._repairs = 0
        self._report = StreamReport()
        self._account: Account | _NoAccount = _NoAccount(self._report)

    def started(self, report: StreamReport) -> None:
        """Begin a new record."""
        self._ring.clear()
        self._with_content.clear()
        self._report = report
        report.comments += 0  # an attribute of the instance is read three times as fast as a default of the class
        self._account = report.account or _NoAccount(report)
        self._received = self._kept = self._repairs = 0

    def received(self, report: StreamReport, chunk: bytes, at: float) -> None:
        """Record a chunk, and the counts before it."""
        # A hook for content would double the cost; the account counts content anyway.
        self._note((at, len(chunk), report.events, report.comments, self._account.content_events, self._repairs))
        if self._limit:
            self._keep(chunk)

    def _keep(self, chunk: bytes) -> None:
        """Keep the content of a chunk, and drop the oldest that are not needed to reach the limit."""
        self._received += 1
        if not chunk:
            return
        kept = chunk[-self._limit :]
        self._with_content.append((self._received, kept))
        self._kept += len(kept)
        while self._kept - len(self._with_content[0][1]) >= self._limit:
            self._kept -= len(self._with_content.popleft()[1])

    def repaired(self, repair: Any) -> None:
        """Count a repair in the newest chunk."""
        self._repairs += 1

    def ended(self, report: StreamReport) -> None:
        """Keep the record if the stream failed, was cut, or has a hole."""
        if report.verdict in _FAILED:
            report.flight = self.lines()
            if self._folder is not None:
                self.save(self._folder)

    def lines(self) -> list[dict[str, Any]]:
        """Return the record, ready for JSON: one line about the stream, then one per chunk, oldest first."""
        report = self._report
        head = {
            "flight": VERSION,
            "verdict": report.verdict.value,
            "error": report.error.code if report.error else None,
            "timeout": report.timeout,
            "format": report.format.value if report.format else None,
            "dialect": report.dialect,
            "provider": report.provider,
            "request_id": report.request_id,
            "duration": report.duration,
            "chunks": report.chunks_in,
            "bytes": report.bytes_in,
            "repairs": {kind.value: count for kind, count in report.repairs.items()},
        }
        now = (0.0, 0, report.events, report.comments, self._account.content_events, self._repairs)
        kept = self._kept_bytes()
        numbered = enumerate(pairwise([*self._ring, now]), self._received - len(self._ring) + 1)
        return [head, *(_line(mark, later, kept.get(number, b"")) for number, (mark, later) in numbered)]

    def _kept_bytes(self) -> dict[int, bytes]:
        """Return the kept bytes by the number of their chunk; of the oldest one, what is within the limit."""
        kept = dict(self._with_content)
        excess = self._kept - self._limit
        if excess > 0:
            oldest, data = self._with_content[0]
            kept[oldest] = data[excess:]
        return kept

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the record as JSON lines to a new file in a folder, and return its path. Raises `OSError`.

        The folder is made if it is missing, and its oldest records beyond `MAX_FILES` are deleted. Any number of
        threads and processes may save into one folder. The file appears when it is whole; if so many newer records are
        saved at the same time, it may be gone again when this returns.
        """
        text = "".join(json.dumps(line) + "\n" for line in self.lines())
        path = _write_new(folder, text)
        _delete_oldest(path.parent)
        return path


def _line(mark: _Mark, later: _Mark, data: bytes) -> dict[str, Any]:
    at, length, events, comments, content, repairs = mark
    line = {
        "at": round(at, 6),
        "length": length,
        "class": _class(later[2] - events, later[3] - comments, later[4] - content),
        "events": later[2] - events,
        "repairs": later[5] - repairs,
    }
    name = "data" if len(data) == length else "tail"
    return line | ({name: base64.b64encode(data).decode()} if data else {})


def _class(events: float, comments: float, content: float) -> str:
    if content:
        return "content"
    if events:
        return "event"
    return "comment" if comments else "part"


# Files. Others may save, and delete, in the same folder between any two steps.


def _write_new(folder: str | os.PathLike[str], text: str) -> Path:
    """Write a new file into a folder, which is made if it is missing, and return its path. Raises `OSError`."""
    for _ in range(_ATTEMPTS - 1):
        # Somebody deleted the folder, or a folder above it; `makedirs` reports that as a file in its place, too.
        with suppress(FileNotFoundError, FileExistsError):
            return _write_into(folder, text)
    return _write_into(folder, text)


def _write_into(folder: str | os.PathLike[str], text: str) -> Path:
    os.makedirs(folder, exist_ok=True)
    # The time makes names sort by age, also where a file system keeps coarse times, and prevents that two savers rename
    # to the same name: `mkstemp` knows of the unfinished files only.
    handle, unfinished = tempfile.mkstemp(prefix=f"flight-{time.time_ns():x}-", suffix=_UNFINISHED, dir=folder)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        path = Path(unfinished).with_suffix(_FINISHED)
        os.replace(unfinished, path)
    except BaseException:
        _delete(unfinished)
        raise
    return path


def _delete_oldest(folder: Path) -> None:
    """Delete the oldest records beyond `MAX_FILES`, and what savers left that were killed.

    Every saver does so after its own file is there. The last of them sees all files, so the limit holds in the end; and
    all of them agree which files are the newest, so no one deletes these.
    """
    found = sorted(_files(folder), reverse=True)
    finished = [path for _, path in found if path.endswith(_FINISHED)]
    abandoned = [path for age, path in found if path.endswith(_UNFINISHED) and age < found[0][0] - _ABANDONED]
    for path in (*finished[MAX_FILES:], *abandoned):
        _delete(path)


def _files(folder: Path) -> Iterator[tuple[int, str]]:
    """Yield the time of the last change, in nanoseconds, and the path of each record, finished or not."""
    with suppress(FileNotFoundError, PermissionError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("flight-") and entry.name.endswith((_FINISHED, _UNFINISHED)):
                with suppress(FileNotFoundError):
                    if entry.is_file(follow_symlinks=False):
                        yield entry.stat(follow_symlinks=False).st_mtime_ns, entry.path


def _delete(path: str) -> None:
    """Delete a file unless it is gone, or not ours to delete: of another user, or open in a program on Windows."""
    with suppress(FileNotFoundError, PermissionError):
        os.unlink(path)


class FlightError(ValueError):
    """What was read is not a flight record."""


def read_flight(lines: Iterable[str | bytes]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the facts of the stream and its chunks, from the lines of a record. Raises `FlightError` for other lines.

    The `data` of a chunk is its bytes, b"" unless all of them were kept; `tail` is what was kept of it otherwise.
    """
    try:
        head, *chunks = [json.loads(line) for line in lines if line.strip()]
        return _checked_head(head), [_checked_chunk(chunk) for chunk in chunks]
    except FlightError:
        raise
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FlightError(f"no flight record: {type(error).__name__}") from error


def _checked_head(line: dict[str, Any]) -> dict[str, Any]:
    if line["flight"] != VERSION:
        raise FlightError(f"a flight record of version {str(line['flight'])[:20]!r}; this is {VERSION}")
    if not all(isinstance(line.get(name), str | None) for name in _WORDS):
        raise TypeError("not a string")
    return line


def _checked_chunk(line: dict[str, Any]) -> dict[str, Any]:
    at, length, repairs = line["at"], line["length"], line.get("repairs", 0)
    if type(length) is not int or type(repairs) is not int:
        raise TypeError("not a count")
    if not 0 <= at < 1e9 or not 0 <= length < 1e12 or not 0 <= repairs < 1e12:
        raise ValueError("out of range")
    kind = line.get("class") if line.get("class") in ("content", "event", "comment") else "part"
    data, tail = (base64.b64decode(line.get(name, "")) for name in ("data", "tail"))
    return {"at": float(at), "length": length, "class": kind, "repairs": repairs, "data": data, "tail": tail}

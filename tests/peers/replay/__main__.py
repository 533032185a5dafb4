"""The page of faults and what becomes of answers, written anew: `python -m tests.peers.replay [--only TITLE]`.

It needs redis-server, and Node.js with npm. Each case has a Redis and processes of its own; some run at the same time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.fences import ROOT
from tests.peers.replay.cases import CASES, ROUNDS, found
from tests.peers.replay.rivals import OURS, RIVALS, Rival

PAGE = ROOT / "docs" / "replay-compared.md"
PATIENCE = 35
AT_ONCE = 3
Findings = Mapping[tuple[str, str], str]

HEAD = f"""\
# Replay compared

What becomes of an answer under the same faults, with [`unbroken.replay`](how-to/replay.md) and with other libraries
that keep an answer when its reader leaves. Each cell is what a run found, in two processes that share a Redis
(redis-server, one for each case) or a file; "beside" is the reader in the producing process, "elsewhere" one in the
other process, and one finding stands for both. The bytes compared are those of the events' data.

| word | |
| --- | --- |
| exact | each reader has all events once, in order |
| all | the whole answer, as if nothing had happened |
| told | the reader sees that the answer failed: an error event, or an exception |
| clean end | the answer just ends, without its terminator, as if it were whole |
| hang | nothing came for {PATIENCE} seconds |
| – | there is no such call, or it does not apply: no Redis, no second process |
| † | left to whoever calls it |

"""
TAIL = f"""
- A library may be meant for less: npm's `resumable-stream` and its port ask Redis for one `INCR` and one `SUBSCRIBE`
  where nobody resumes, and keep an answer no longer than it runs; `unbroken` writes all of it.
- Each is called as its README says, by a module of its own in `tests/peers/replay/`. npm's looks each second whether a
  producer has finished (`doneWatchdogIntervalMs`), in a process that goes on where nobody handles a rejection or an
  error: Node.js alone would end it. The port is handed both ends of its Redis, since `redis_url=` raises `TypeError` in
  this version. `assistant-stream` has no stop: `delete` is called. Of agno its event streams run (`ttl_seconds=9`,
  `block_ms=1000`), without its server. `unbroken` has `lease=2`, which is how late a lost producer is told.
- Both processes start ten answers twice, all at one moment; what is raced for can go well, so the cell is what
  {ROUNDS} runs found together.

This page is written by `python -m tests.peers.replay`, in five minutes. The tests run all but agno, more briefly, and
compare.
"""


def findings(
    rivals: Iterable[Rival],
    patience: float,
    rounds: int = ROUNDS,
    faults: Iterable[str] = tuple(CASES),
    at_once: int = AT_ONCE,
) -> dict[tuple[str, str], str]:
    """Run faults for each library; return what was found, by title and fault."""
    asked = [(rival, fault) for rival in rivals for fault in faults]

    def run(one: tuple[Rival, str]) -> str:
        began = time.monotonic()
        rival, fault = one
        result = found(rival, fault, patience, rounds)
        print(f"{rival.title:32} {fault:38} {result}  ({time.monotonic() - began:.1f} s)", flush=True)
        return result

    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(run, asked))
    return {(rival.title, fault): result for (rival, fault), result in zip(asked, results, strict=True)}


def table(rivals: Iterable[Rival], results: Findings) -> str:
    """Draw the table: a row for each library, a column for each fault."""
    rows = [["", *CASES], ["---"] * (len(CASES) + 1)]
    rows += [[rival.title, *(results[rival.title, fault] for fault in CASES)] for rival in rivals]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def page(rivals: Iterable[Rival], results: Findings) -> str:
    """Write the whole page."""
    return HEAD + table(rivals, results) + TAIL


def told(text: str) -> dict[tuple[str, str], str]:
    """Return what a page tells, by title and fault."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    (begin,) = [number for number, row in enumerate(rows) if row[1:] == list(CASES)]
    return {(row[0], fault): cell for row in rows[begin + 2 :] for fault, cell in zip(CASES, row[1:], strict=True)}


def main() -> None:
    """Run all libraries and write the page, or some and write nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.peers.replay", description=__doc__)
    parser.add_argument("--only", metavar="TITLE", help="run the libraries whose titles begin so, and write no page")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds without anything that are a hang")
    options = parser.parse_args()
    rivals = [rival for rival in (*OURS, *RIVALS) if rival.title.startswith(options.only or "")]
    results = findings(rivals, options.patience)
    if not options.only:
        PAGE.write_text(page(rivals, results), encoding="utf-8")


if __name__ == "__main__":
    main()

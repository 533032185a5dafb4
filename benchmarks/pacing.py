"""What `pace=` makes of a stream: gaps between writes, and µs per event. `python -m benchmarks.pacing`.

The gaps are those of a scripted stream on a clock of its own, the same on every machine: tokens every 8 to 40 ms, and
after each 600 ms of them a network that delivers the next 400 ms of tokens at once. The cost is processor time on this
machine, paced and unpaced passes in turn, every event a chunk of its own. `--write docs/how-to/pace.md` puts what is
printed into that page.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from time import process_time

from unbroken import Pace, StreamRepairer

from .compare import print_and_write
from .payloads import DONE, SEED, WORDS, tokens
from .workloads import openai_blocks, openai_payload

TOKENS = 2000
EVENTS = 5000
ROUNDS = 15
PACES: dict[str, Pace | None] = {
    "as it comes": None,
    "words": Pace("words"),
    "words, rate 20": Pace("words", rate=20.0),
    "lines": Pace("lines"),
    "sentences": Pace("sentences"),
    "sentences, rate 4": Pace("sentences", max_delay=2.0, rate=4.0),
}


def pieces() -> list[str]:
    """Return tokens: words with the blank before them, every third in two pieces, with full stops and line ends."""
    said = []
    for number, word in enumerate(tokens(TOKENS * 3 // 4, WORDS)):
        text = word + ("." if number % 14 == 13 else "") + ("\n" if number % 84 == 83 else "")
        said += [text] if number % 3 else [text[:3], text[3:]]
    return list(filter(None, said))[:TOKENS]


def arrivals() -> list[tuple[float, bytes]]:
    """Return when each token arrives, and its frame."""
    rng, said, script = random.Random(SEED), 0.0, []
    for token in pieces():
        said += rng.uniform(0.008, 0.040)
        late = said % 1.0
        at = said if late < 0.6 else said - late + 1.0  # what comes in the last 400 ms of a second comes at its end
        script.append((at, f"data: {openai_payload(token)}\n\n".encode()))
    return script


def written(pace: Pace | None) -> Iterator[tuple[float, int]]:
    """Yield when frames leave, and how many characters of text they hold."""
    repairer, text = StreamRepairer(pace=pace), 0
    reader = StreamRepairer(repairs=(), format="sse")

    def read(frames: list[bytes]) -> int:
        nonlocal text
        for frame in frames:
            reader.feed(frame, 0.0)
        before, text = text, len(reader.report.text)
        return text - before

    repairer.resume(0.0)
    for at, chunk in arrivals():
        while (due := repairer.next_deadline()) is not None and due <= at:
            if frames := repairer.on_deadline(due):
                yield due, read(frames)
        if frames := repairer.feed(chunk, at):
            yield at, read(frames)
    if frames := repairer.close(at):
        yield at, read(frames)


def gaps_of(pace: Pace | None) -> list[float]:
    """Return the number of writes, and of gaps and of characters a write the median, 90 % and the most."""
    writes = list(written(pace))
    times = sorted({at for at, _ in writes})
    sizes = sorted(sum(count for when, count in writes if when == at) for at in times)
    gaps = sorted(after - before for before, after in pairwise(times))
    return [
        len(times), *(1000 * gap for gap in (median(gaps), gaps[len(gaps) * 9 // 10], gaps[-1])),
        median(sizes), sizes[len(sizes) * 9 // 10], sizes[-1],
    ]  # fmt: skip


def seconds(pace: Pace | None, chunks: list[bytes]) -> float:
    """Return the processor time of one stream."""
    repairer = StreamRepairer(pace=pace)
    start = process_time()
    for number, chunk in enumerate(chunks):
        repairer.feed(chunk, number * 0.02)
    repairer.close(EVENTS * 0.02)
    return process_time() - start


def print_tables() -> None:
    """Print both tables."""
    print(f"{'scripted stream':20}{'gaps between writes, ms':>31}{'characters a write':>26}")
    names = ("writes", "median", "90 %", "most", "median", "90 %", "most")
    print(f"{f'{TOKENS} tokens':20}" + "".join(f"{name:>8}" for name in names))
    for name, pace in PACES.items():
        print(f"{name:20}" + "".join(f"{figure:8.0f}" for figure in gaps_of(pace)))
    chunks = [*openai_blocks(EVENTS), DONE]
    times: dict[str, list[float]] = {name: [] for name in PACES}
    for _ in range(ROUNDS):
        for name, pace in PACES.items():
            times[name].append(seconds(pace, chunks))
    print(f"\nµs per event, {ROUNDS} rounds of {EVENTS} events, one a chunk")
    for name, figures in times.items():
        print(f"{name:20}{median(figures) / EVENTS * 1e6:8.1f}")


def main() -> None:
    """Print the tables, and write them where `--write PAGE` says."""
    print_and_write("pacing", print_tables, "Print the tables, and write them where `--write PAGE` says.")


if __name__ == "__main__":
    main()

"""The fast path is an optimisation: off or on, the same bytes leave with the same chunk, and the same is reported.

`python -m tests.tools.differential --fast-path off` asks the same of as many streams as one likes.
"""

from random import Random

import pytest

from unbroken.core import fast_path

from . import alike, captures
from .tools.differential import Draw, draw
from .tools.digest import outcome

# One in eight of the recorded streams every day.
RECORDED = [
    entry["file"] if place % 8 == 0 else pytest.param(entry["file"], marks=pytest.mark.slow)
    for place, entry in enumerate(captures.manifest())
]


def check_equal(chunks: list[bytes], options: dict[str, object]) -> None:
    outcomes = []
    for enabled in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fast_path, "enabled", enabled)
            outcomes.append(outcome(chunks, options))
    assert outcomes[0] == outcomes[1]


@pytest.fixture(scope="module")
def draws() -> list[Draw]:
    return draw(400, 1)


@pytest.mark.parametrize("part", [0, 1, *(pytest.param(part, marks=pytest.mark.slow) for part in range(2, 8))])
def test_drawn_streams(draws: list[Draw], part: int) -> None:
    for _, chunks, options in draws[part::8]:
        check_equal(chunks, options)


@captures.needs_captures
@pytest.mark.parametrize("file", RECORDED)
def test_recorded_streams(file: str) -> None:
    data = captures.body(file)
    for chunks in (alike.by_block(data), alike.in_pieces(data, 2**16), alike.in_pieces(data, 97)):
        check_equal(chunks, {})


@captures.needs_captures
@pytest.mark.parametrize("options", [options for options in alike.OPTIONS if options], ids=repr)
def test_recorded_streams_with_other_options(options: dict[str, object]) -> None:
    files = Random(repr(options)).sample([entry["file"] for entry in captures.manifest()], 4)
    for file in files:
        check_equal(alike.by_block(captures.body(file)), options)

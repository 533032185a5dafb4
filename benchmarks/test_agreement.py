"""Every peer, at its installed version, reads the same events as the plain reference wherever it is timed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from . import readers
from .readers import PEERS, Reader
from .v8 import V8, NoV8Error
from .workloads import FORMATS, Workload, build

CASES = [(peer, name) for peer in PEERS for name, format_ in FORMATS.items() if format_ in peer.formats]


def small(name: str) -> Workload:
    workload = build(name, 0.01 if name.startswith("g") else 0.05)
    if workload is None:
        pytest.skip("the recorded streams are not on this machine")
    return workload


@pytest.mark.parametrize(("peer", "name"), CASES, ids=lambda it: it if isinstance(it, str) else it.open.__name__)
def test_a_peer_reads_the_same_events(peer: Reader, name: str) -> None:
    workload = small(name)
    for chunks in workload.streams:
        assert readers.values(peer.payloads(chunks)) == readers.reference(workload.format, chunks)


@pytest.fixture(scope="module")
def v8() -> Iterator[V8]:
    try:
        process = V8()
    except NoV8Error as error:
        pytest.skip(str(error))
    with process:
        yield process


@pytest.mark.parametrize("name", [name for name, format_ in FORMATS.items() if format_ == "sse"])
def test_v8_reads_the_same_events(v8: V8, name: str) -> None:
    workload = small(name)
    digest, count = hashlib.sha256(), 0
    for chunks in workload.streams:
        for text in readers.YARDSTICK.payloads([b"".join(chunks).replace(b"\r\n", b"\n")]):
            digest.update(f"{text}\n".encode())
            count += 1
    v8.load(workload)
    assert v8.payloads() == (count, digest.hexdigest())

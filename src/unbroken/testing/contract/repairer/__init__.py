"""The repair contract: subclass it in a pytest file to test a repairer of streams against the laws.

The tests are grouped by what they ask; none needs a fixture.
"""

from __future__ import annotations

from .again import AgainTests
from .clocks import ClockTests
from .connections import ConnectionTests
from .content import ContentTests
from .incremental import IncrementalTests
from .law import Law
from .obeying import ObeyingTests
from .observing import ObserverTests
from .pacing import PacingTests
from .resources import ResourceTests
from .sameness import SamenessTests
from .sentinel import SentinelTests
from .telling import TellingTests
from .under_test import ChunkReader, Clocked

__all__ = ["Clocked", "Law", "ChunkReader", "RepairContract"]


class RepairContract(
    ObserverTests,
    IncrementalTests,
    SamenessTests,
    AgainTests,
    ContentTests,
    SentinelTests,
    TellingTests,
    ObeyingTests,
    ClockTests,
    PacingTests,
    ConnectionTests,
    ResourceTests,
):
    """The tests of a repairer of streams. Subclass it as `Test...` and define `repair`.

    `repair(chunks, options)` takes an iterable of bytes and a dict of options, and returns or yields what is written.
    `options` is a strategy that draws such dicts; by default there are none. Each further method that a subclass
    defines switches tests on: `facts` what the report says, `events` a reader's events, `variants` other ways to run
    the same repairer, `clocked` heartbeats and timeouts, and with `paces` text that is held, `watched` what observers
    are told, `reading` a reader that takes chunks, `reconnecting` connections that break, `bounded` memory,
    `ends_at_sentinel` what follows `[DONE]`. `does_not_claim` takes `Claim.LINEAR_TIME`, `Claim.BOUNDED_MEMORY` and
    `Claim.RETRY`; `framings` is what it reads, `("sse",)` for a proxy of event streams. `cases` and `timed_cases` are
    tables of known output, for a repairer that promises the same repairs as `unbroken`.
    """

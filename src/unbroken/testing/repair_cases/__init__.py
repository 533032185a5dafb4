"""Streams with faults, and what a repairer writes for each of them and reports, to the byte: tables without Hypothesis.

Each case should be read whole, frame by frame and byte by byte.
"""

from __future__ import annotations

from typing import Final

from . import (
    accounts,
    alike,
    answers,
    blocks,
    bodies,
    calls,
    comments,
    ends,
    events,
    fields,
    finishes,
    heartbeats,
    invalid,
    joined_frames,
    paces,
    payloads,
    renewals,
    resumes,
    sentinels,
    sizes,
    slots,
    spellings,
    strictness,
    timeouts,
    wholes,
)
from .case import RepairCase as RepairCase
from .options import REFUSED_OPTIONS as REFUSED_OPTIONS
from .options import TAKEN_OPTIONS as TAKEN_OPTIONS
from .timed import TimedCase as TimedCase

REPAIR_CASES: Final[tuple[RepairCase, ...]] = (
    *bodies.CASES,
    *events.CASES,
    *blocks.CASES,
    *fields.CASES,
    *comments.CASES,
    *payloads.CASES,
    *invalid.CASES,
    *sentinels.CASES,
    *ends.CASES,
    *sizes.CASES,
    *strictness.CASES,
    *accounts.CASES,
    *wholes.CASES,
    *calls.CASES,
    *answers.CASES,
    *alike.CASES,
    *slots.CASES,
    *spellings.CASES,
)
"""Streams as a server sends them, to their clean end."""

TIMED_CASES: Final[tuple[TimedCase, ...]] = (
    *heartbeats.CASES,
    *timeouts.CASES,
    *finishes.CASES,
    *renewals.CASES,
    *resumes.CASES,
    *paces.CASES,
    *joined_frames.CASES,
)
"""Streams on a clock: heartbeats, timeouts, failures of the connection, a consumer that leaves."""

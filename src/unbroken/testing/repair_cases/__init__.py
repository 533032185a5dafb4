"""Streams with faults, and what a repairer writes for each of them and reports, to the byte: tables without Hypothesis.

Each case should be read whole, frame by frame and byte by byte.
"""

from __future__ import annotations

from typing import Final

from . import (
    accounts,
    alike,
    answers,
    attempts,
    beginnings,
    blocks,
    bodies,
    calls,
    coded_lines,
    comments,
    completions,
    conversions,
    counting,
    drifts,
    early_errors,
    ends,
    error_lines,
    events,
    fields,
    finishes,
    heartbeats,
    indexes,
    indexes_left,
    invalid,
    joined_frames,
    limits,
    lines,
    lone_errors,
    masks,
    nothing,
    nulls,
    paces,
    pages,
    parts,
    payloads,
    raw_lines,
    renewals,
    resumes,
    sentinels,
    sizes,
    slots,
    spellings,
    strictness,
    swallowed,
    tails,
    timeouts,
    wholes,
    without_data,
)
from .arguments import REFUSED_ARGUMENTS as REFUSED_ARGUMENTS
from .arguments import TAKEN_ARGUMENTS as TAKEN_ARGUMENTS
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
    *limits.CASES,
    *strictness.CASES,
    *swallowed.CASES,
    *accounts.CASES,
    *wholes.CASES,
    *calls.CASES,
    *answers.CASES,
    *alike.CASES,
    *error_lines.CASES,
    *lines.CASES,
    *nulls.CASES,
    *without_data.CASES,
    *pages.CASES,
    *parts.CASES,
    *raw_lines.CASES,
    *tails.CASES,
    *coded_lines.CASES,
    *completions.CASES,
    *conversions.CASES,
    *lone_errors.CASES,
    *early_errors.CASES,
    *masks.CASES,
    *nothing.CASES,
    *indexes.CASES,
    *indexes_left.CASES,
    *drifts.CASES,
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
    *beginnings.CASES,
    *attempts.CASES,
    *counting.CASES,
)
"""Streams on a clock: heartbeats, timeouts, failures of the connection, a consumer that leaves."""

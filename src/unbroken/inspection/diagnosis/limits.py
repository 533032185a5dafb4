"""Streams that were cut at a limit of a server or proxy.

The limits are defaults in the field, each from the documentation of the product.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..facts import Facts
from ..inspector import STALL
from .finding import Finding, problem

IDLE_LIMITS: Final = (
    (30.0, "CloudFront, and Heroku until the first byte"),
    (55.0, "Heroku's router"),
    (60.0, "nginx proxy_read_timeout, AWS ALB, Fly.io"),
    (100.0, "Cloudflare, as older accounts have it"),
    (120.0, "Cloudflare, client-side proxies such as Clash"),
    (230.0, "Azure App Service"),
    (240.0, "Azure Load Balancer and Container Apps"),
    (300.0, "Envoy stream_idle_timeout, Codex CLI"),
)
"""Default idle limits: seconds of silence after which these close a connection."""
TOTAL_LIMITS: Final = (
    (15.0, "Envoy's route timeout"),
    (30.0, "gunicorn's sync worker, Google Cloud's load balancers"),
    (300.0, "Cloud Run"),
    (900.0, "Railway"),
)
"""Default total limits: seconds after which these end a response, even if bytes are flowing."""
_EARLY, _LATE = (
    0.5,
    2.0,
)  # how far before or after a limit the end may be: a worker with a timeout of 3 s was stopped at 3.7 s


def cut_at_limit(facts: Facts) -> Iterator[Finding]:
    """The stream ended early, as long after its last byte or its start as a well-known limit allows."""
    if not facts.timed or not facts.may_be_cut or facts.ended is None or facts.report.timeout:
        return
    silent = facts.ended - (facts.last_byte or 0.0)
    near = _nearest(silent, IDLE_LIMITS)
    if near is not None:
        limit, whose = near
        yield from problem(
            "cut-at-idle-limit",
            f"It was cut after {limit:g} s of silence, the idle limit of {whose}. "
            "Write a heartbeat, or raise that limit.",
            f"the last byte came {silent:.1f} s before the end",
        )
        return
    near = _nearest(facts.ended, TOTAL_LIMITS)
    if near is not None and facts.cut_short and silent < STALL:
        limit, whose = near
        yield from problem(
            "cut-at-total-limit",
            f"It was cut {limit:g} s after its start while bytes were flowing, the total limit of {whose}. "
            "No heartbeat helps: raise the limit, or use another worker class.",
            f"it ended after {facts.ended:.1f} s",
        )


def _nearest(seconds: float, limits: tuple[tuple[float, str], ...]) -> tuple[float, str] | None:
    return next((limit for limit in limits if limit[0] - _EARLY <= seconds <= limit[0] + _LATE), None)

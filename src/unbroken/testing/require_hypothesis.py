"""The names used of Hypothesis, or an error that says how to install it."""

from __future__ import annotations

try:
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings
    from hypothesis import strategies as st
    from hypothesis.errors import HypothesisException, Unsatisfiable
    from hypothesis.strategies import DrawFn, SearchStrategy
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "this part of unbroken.testing needs Hypothesis: pip install 'unbroken[testing]'", name=missing.name
    ) from missing

__all__ = [
    "DrawFn",
    "HealthCheck",
    "HypothesisException",
    "Phase",
    "SearchStrategy",
    "Unsatisfiable",
    "Verbosity",
    "given",
    "settings",
    "st",
]

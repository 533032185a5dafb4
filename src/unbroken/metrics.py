"""The documented path of `unbroken.observe.metrics`."""

from .observe.metrics import BUCKETS, MAX_GAPS, MAX_LABEL, MAX_PROVIDERS, Collector, Histogram

__all__ = ["BUCKETS", "MAX_GAPS", "MAX_LABEL", "MAX_PROVIDERS", "Collector", "Histogram"]

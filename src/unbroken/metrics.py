"""The path by which `unbroken.observe.metrics` was documented before `unbroken.Collector` was flat."""

from .observe.metrics import BUCKETS, MAX_GAPS, MAX_LABEL, MAX_PROVIDERS, Collector, Histogram

__all__ = ["BUCKETS", "MAX_GAPS", "MAX_LABEL", "MAX_PROVIDERS", "Collector", "Histogram"]

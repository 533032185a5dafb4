"""The path by which `unbroken.observe.recorder` was documented before `unbroken.FlightRecorder` was flat."""

from .observe.recorder import MAX_FILES, VERSION, FlightError, FlightRecorder, read_flight

__all__ = ["MAX_FILES", "VERSION", "FlightError", "FlightRecorder", "read_flight"]

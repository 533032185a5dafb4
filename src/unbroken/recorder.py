"""The documented path of `unbroken.observe.recorder`."""

from .observe.recorder import MAX_FILES, VERSION, FlightError, FlightRecorder, read_flight

__all__ = ["MAX_FILES", "VERSION", "FlightError", "FlightRecorder", "read_flight"]

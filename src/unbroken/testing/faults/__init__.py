"""The faults seen in real streams, by name: how each is planted in a healthy stream, and the correct result.

There is one for each row of `docs/repairs.md`, named as its `RepairKind`, and one for each way in which a transport
fails. `fault.examples` works without Hypothesis; `unbroken.testing.strategies.broken` plants them anywhere.
"""

from __future__ import annotations

from .in_bytes import FAULTS, Fault, plant
from .in_transport import TRANSPORT_FAULTS, Outcome, TransportFault
from .streams import BrokenStream, Healthy

__all__ = ["FAULTS", "TRANSPORT_FAULTS", "BrokenStream", "Fault", "Healthy", "Outcome", "TransportFault", "plant"]

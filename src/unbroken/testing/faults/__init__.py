"""The faults of the field, each by name: how it is planted in a healthy stream, and what is right to make of it.

One for each row of `docs/repairs.md`, with the name of its `RepairKind`, and one for each way in which a transport
fails. `fault.examples` needs no Hypothesis; `unbroken.testing.strategies.broken` plants them anywhere.
"""

from __future__ import annotations

from .in_bytes import FAULTS, Fault, plant
from .in_transport import TRANSPORT_FAULTS, Outcome, TransportFault
from .streams import BrokenStream, Healthy

__all__ = ["FAULTS", "TRANSPORT_FAULTS", "BrokenStream", "Fault", "Healthy", "Outcome", "TransportFault", "plant"]

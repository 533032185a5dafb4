"""What an observer does not override is not called."""

from __future__ import annotations

from unbroken import Observer, Repair, RepairKind, StreamReport
from unbroken.core.observer import hooks


def test_an_observer_does_nothing_until_a_method_is_overridden() -> None:
    observer = Observer()
    observer.started(StreamReport())
    observer.repaired(Repair(RepairKind.STRAY_LINE, 0, 1))
    observer.ended(StreamReport())


def test_only_what_an_observer_overrides_is_called() -> None:
    class Counting(Observer):
        def repaired(self, repair: Repair) -> None:
            pass

    observers = [Observer(), counting := Counting()]
    assert hooks(observers, "repaired") == (counting.repaired,)
    assert hooks(observers, "received") == ()

"""What units said last, in this process's memory: signs of life are written together, news at once.

A crash loses a few seconds of them; units say it again (architecture §5).
"""

from collections.abc import Mapping
from datetime import datetime

from telecare.wire import edge
from telecare.wire.ids import UnitId


class Presence:
    def __init__(self) -> None:
        self._heard: dict[UnitId, edge.UnitStatus] = {}
        self._unwritten: dict[UnitId, datetime] = {}

    def remember(self, said: Mapping[UnitId, edge.UnitStatus]) -> None:
        """What is stored of them: after a restart the same words are no news."""
        for unit, status in said.items():
            self._heard.setdefault(unit, _without_stamp(status))

    def is_sign_of_life(self, unit: UnitId, status: edge.UnitStatus, now: datetime) -> bool:
        """True when it says what it said before, however long ago; it is then written with the
        others.
        """
        before = self._heard.get(unit)
        self._heard[unit] = said = _without_stamp(status)
        if before != said:
            self._unwritten.pop(unit, None)
            return False
        self._unwritten[unit] = now
        return True

    def forget(self, unit: UnitId) -> None:
        """Its next word is news: the last one was not stored."""
        self._heard.pop(unit, None)

    def take_unwritten(self) -> Mapping[UnitId, datetime]:
        taken, self._unwritten = self._unwritten, {}
        return taken


def _without_stamp(status: edge.UnitStatus) -> edge.UnitStatus:
    """What a home unit's status tells anybody: not how far its own clock has come."""
    stamp = status.stamp.model_copy(update={"monotonic_ms": 0})
    return status.model_copy(update={"stamp": stamp, "waiting": 0})

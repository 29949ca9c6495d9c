"""What units said last of their own clocks, in memory: echoes for leases, never truth.

A process that has just started knows nothing and renews nothing until the unit's next second.
"""

import time
from dataclasses import dataclass

from telecare.devices.model import Unit
from telecare.devices.outgoing import Addressee, to_unit
from telecare.runtime.broker import Publish
from telecare.wire import edge, topics
from telecare.wire.ids import CallId

FRESH_S = 3.0
"""An echo older than this renews nothing: it would be past its lease on arrival."""
SILENT_S = 5.0


@dataclass(slots=True)
class Heard:
    unit: Unit
    stamp: edge.Stamp
    at: float
    """time.monotonic() of hearing it."""
    is_lost: bool = False


class Liveness:
    def __init__(self) -> None:
        self._heard: dict[CallId, Heard] = {}

    def hear(self, call_id: CallId, unit: Unit, stamp: edge.Stamp) -> bool:
        """Remember the newest; True when the unit was not known, or given up as lost."""
        before = self._heard.get(call_id)
        is_same_boot = before is not None and before.stamp.boot == stamp.boot
        if is_same_boot and before and stamp.monotonic_ms < before.stamp.monotonic_ms:
            return False
        self._heard[call_id] = Heard(unit, stamp, time.monotonic())
        return before is None or before.is_lost

    def stamp_of(self, call_id: CallId) -> edge.Stamp | None:
        heard = self._heard.get(call_id)
        return heard.stamp if heard and time.monotonic() - heard.at < FRESH_S else None

    def renewal(self, call_id: CallId) -> Publish | None:
        """The message that renews a unit's lease; None when it holds no such call or is silent."""
        heard = self._heard.get(call_id)
        if heard is None or time.monotonic() - heard.at >= FRESH_S:
            return None
        message = edge.Renewal(call_id=call_id, echo=heard.stamp, lease_ms=edge.LEASE_MS)
        addressee = Addressee(heard.unit.id, heard.unit.mac_key)
        return to_unit(addressee, topics.Down.CALL, message, qos=0)

    def silent(self, live: set[CallId]) -> list[tuple[CallId, Unit]]:
        """Calls whose unit fell silent, each named once. Forgets what is neither in `live` nor
        heard of just now: a home that is made ready is opened by what it said last.
        """
        now = time.monotonic()
        self._heard = {
            call: heard
            for call, heard in self._heard.items()
            if call in live or now - heard.at < FRESH_S
        }
        lost = [
            (call, heard)
            for call, heard in self._heard.items()
            if call in live and not heard.is_lost and now - heard.at >= SILENT_S
        ]
        for _, heard in lost:
            heard.is_lost = True
        return [(call, heard.unit) for call, heard in lost]

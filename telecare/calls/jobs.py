"""Each second: renew leases, and notice home units that fell silent in a call."""

from collections.abc import Callable

from telecare.calls.liveness import Liveness
from telecare.calls.service import Calls
from telecare.runtime.broker import Publish


class Leases:
    def __init__(
        self, calls: Calls, liveness: Liveness, publish: Callable[[Publish], None]
    ) -> None:
        self._calls = calls
        self._liveness = liveness
        self._publish = publish

    async def renew(self) -> None:
        """One statement, then one QoS 0 message per unit; pages are told through the feed."""
        renewed = await self._calls.renew_leases()
        for lease in renewed:
            message = self._liveness.renewal(lease.call_id)
            if message is not None:
                self._publish(message)
        live = {lease.call_id for lease in renewed}
        for call_id, unit in self._liveness.silent(live):
            await self._calls.lost(unit, call_id)

"""What became of the last day's alarms: what one reads when a shift begins."""

from collections.abc import Sequence
from datetime import timedelta

from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, require, units_seen
from telecare.alarms import recent_store as store
from telecare.alarms.recent_store import Over
from telecare.audit.actions import Action
from telecare.audit.model import actor_text
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database

WITHIN = timedelta(hours=24)


class RecentAlarms:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, session: StaffSession) -> Sequence[Over]:
        """Of her unit and those it covers now. A read of the list, recorded once in 15 min.

        Raises NotPermitted.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.WORK, Action.LIST_READ)
            units = await units_seen(db, session, now)
            found = await store.over(db, units, now - WITHIN)
            named = {one.resident_id: one.resident_name for one in found}
            await list_read(db, session, "alarms", units, named, now)
        return found

"""Tonight's rounds, as whoever carries them out needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, require, units_seen
from telecare.audit.actions import Action
from telecare.audit.model import actor_text
from telecare.nightchecks import tonight_store as store
from telecare.nightchecks.agreement import night_begins, night_of
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database


@dataclass(frozen=True, slots=True)
class Night:
    """`checks` by their time; `rounds`: the rounds' ids in the order of the night."""

    night: date
    rounds: Sequence[store.Round]
    checks: Sequence[store.Listed]


class Tonight:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, session: StaffSession) -> Night:
        """Of her unit and those it covers now. A read of the list, recorded once in 15 min.

        Raises NotPermitted.
        """
        now = self._clock.now()
        night = night_of(now)
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.LOOK, Action.LIST_READ)
            units = await units_seen(db, session, now)
            begins, ends = night_begins(night), night_begins(night + timedelta(days=1))
            checks = await store.checks(db, units, begins, ends)
            rounds = await store.rounds(db, units, night)
            named = {one.check.resident_id: one.resident_name for one in checks}
            await list_read(db, session, "night", units, named, now)
        return Night(night, rounds, checks)

    async def missed(
        self, session: StaffSession, rounds: Sequence[UUID]
    ) -> Mapping[UUID, Sequence[store.Missed]]:
        """The checks of these rounds whose time passed without anybody, in her units. A read of
        the list, recorded once in 15 min. Raises NotPermitted.
        """
        now = self._clock.now()
        units = session.staff.units_of(Permission.LEAD)
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.LEAD, Action.LIST_READ)
            found = await store.missed(db, units, rounds)
            named = {one.resident_id: one.resident_name for one in found}
            await list_read(db, session, "missed_checks", units, named, now)
        return {id_: [one for one in found if one.round_id == id_] for id_ in rounds}


def is_last_night(valid_until: datetime | None, starts_at: datetime) -> bool:
    """Her yes ends before the same time tomorrow."""
    return valid_until is not None and valid_until <= starts_at + timedelta(days=1)

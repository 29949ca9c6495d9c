"""Tonight's rounds, as whoever carries them out needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.errors import NotOnShift
from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, require, units_seen
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text, refused
from telecare.nightchecks import store as check_store
from telecare.nightchecks import tonight_store as store
from telecare.nightchecks.agreement import night_begins, night_of
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database
from telecare.runtime.errors import NotFound
from telecare.wire.errors import Code
from telecare.wire.ids import CheckId


@dataclass(frozen=True, slots=True)
class Night:
    """`checks` by their time; `rounds`: the rounds' ids in the order of the night."""

    night: date
    rounds: Sequence[store.Round]
    checks: Sequence[store.Listed]
    is_private: bool
    """She has said so in this shift."""


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
            shift = await access_store.hold_shift(db, session.staff.id)
            is_private = shift is not None and await check_store.is_private(db, shift.id)
            await list_read(db, session, "night", units, named, now)
        return Night(night, rounds, checks, is_private)

    async def of_check(self, session: StaffSession, check_id: CheckId) -> store.Listed:
        """What she who looks there now needs to know; the look is its record. Raises NotFound."""
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            found = await store.of_check(db, check_id, session.staff.id)
        if found is None:
            raise NotFound
        return found

    async def say_private(self, session: StaffSession) -> None:
        """She sits where nobody else sees her screen; once for each shift.

        Raises NotPermitted, NotOnShift.
        """
        now, tried = self._clock.now(), Action.ROOM_PRIVATE
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.LOOK, tried)
            shift = await access_store.hold_shift(db, session.staff.id)
            if shift is None:
                raise NotOnShift(Kept(refused(Code.NOT_ON_SHIFT, tried, session.actor, (), {})))
            if await check_store.say_private(db, shift.id, now):
                what: Document = {"shift_id": str(shift.id)}
                await append(db, Record(tried, session.actor, (), what))

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

"""Driftstörning, declared by somebody: the round becomes a list to ring and drive by.

What nobody has begun goes to its substitute at once, and what comes later when its time comes: by
telephone first where that is agreed. A look that is under way goes on.
"""

from collections.abc import Sequence
from datetime import datetime

from telecare.access.model import Permission, StaffSession
from telecare.access.service import (
    React,
    on_shift_for,
    require,
    stays,
    unit_topic,
    units_seen,
)
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.nightchecks import disturbance_store, store
from telecare.nightchecks.service import move
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import CareUnitId, new_row_id


class Disturbances:
    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    async def declare(self, session: StaffSession, reason: str) -> None:
        """In her unit and those it covers now; where one lasts already nothing changes.

        Raises NotPermitted, NotOnShift.
        """
        now, tried = self._clock.now(), Action.DISTURBANCE_DECLARED
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            units = await self._units(db, session, tried, now)
            begun = [unit for unit in units if await self._begin(db, session, unit, reason, now)]
            if not begun:
                return
            for check in await store.hold_due(db, begun):
                after = check.go_without("disturbance", now)
                await move(db, check, after, session.actor, now, self._react)
            await _record(db, session, tried, begun, {"reason": reason})

    async def end(self, session: StaffSession) -> None:
        """The cameras are used again, by what has not begun. Raises NotPermitted, NotOnShift."""
        now, tried = self._clock.now(), Action.DISTURBANCE_ENDED
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            units = await self._units(db, session, tried, now)
            ended = await disturbance_store.end(db, units, session.staff.id, now)
            if ended:
                await _record(db, session, tried, ended, {})

    async def _begin(
        self, db: Transaction, session: StaffSession, unit: CareUnitId, reason: str, now: datetime
    ) -> bool:
        return await disturbance_store.begin(
            db, new_row_id(now), unit, reason, session.staff.id, now
        )

    async def _units(
        self, db: Transaction, session: StaffSession, tried: Action, now: datetime
    ) -> Sequence[CareUnitId]:
        """Whoever leads the unit, or carries out its round."""
        await stays(db, session, tried, now)
        if not session.staff.may_in(Permission.LEAD, session.staff.works_in):
            require(db, session, Permission.LOOK, tried)
            await on_shift_for(db, session, session.staff.works_in, tried, (), now=now)
        return await units_seen(db, session, now)


def may_declare(session: StaffSession) -> bool:
    staff = session.staff
    return staff.may(Permission.LOOK) or staff.may_in(Permission.LEAD, staff.works_in)


async def _record(
    db: Transaction, session: StaffSession, action: Action, units: Sequence[CareUnitId],
    more: Document,
) -> None:  # fmt: skip
    for unit in units:
        db.changed(unit_topic(unit))
    what: Document = {"units": [str(unit) for unit in sorted(units)], **more}
    await append(db, Record(action, session.actor, what=what))

"""Who really receives alarms: a page counts only while it answers, with its sound on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from telecare.access.model import Permission, StaffSession
from telecare.access.service import unit_topic
from telecare.alarms import receiving_store as store
from telecare.audit.model import actor_text
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import CareUnitId, StaffId

COUNTS_FOR = timedelta(seconds=20)
"""A page says so every ten seconds: one may be lost."""


class Receiving:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def heard(self, session: StaffSession, *, has_sound: bool) -> None:
        """A console is there. It receives when its sound is on and she, on shift, takes alarms
        ("Börja passet": she chose them, or nothing); a second window of hers without sound takes
        nothing from the first.
        """
        now = self._clock.now()
        staff = session.staff
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            may = staff.may(Permission.ALARM)
            may_receive = may and await store.takes_alarms(db, staff.id)
            before = await store.ready_at(db, session.id)
            await store.keep(
                db, session.id, staff.id, staff.works_in, heard_at=now,
                ready_at=now if has_sound else before, may_receive=may_receive,
            )  # fmt: skip
            did = before is not None and now - before < COUNTS_FOR
            if did != (may_receive and (has_sound or did)):
                db.changed(unit_topic(staff.works_in))


async def receivers(db: Transaction, unit: CareUnitId, now: datetime) -> Sequence[str]:
    """The names of those who receive this unit's alarms now, as they may be shown."""
    local = now.astimezone(STOCKHOLM).time()
    return list(dict.fromkeys(await store.ready_for(db, unit, now - COUNTS_FOR, local=local)))


async def last_heard(db: Transaction, staff_id: StaffId) -> datetime | None:
    """When any of her consoles was there last."""
    return await store.last_heard(db, staff_id)

"""A deviation is opened by what happened, in its transaction; the same thing makes only one."""

from collections.abc import Sequence

from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, require, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record, SystemActor, actor_text
from telecare.deviations import store
from telecare.deviations.model import Opening
from telecare.people.model import Resident
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import new_row_id

REACTION = SystemActor("reaction")


class Deviations:
    """What went wrong in her units, for whoever leads them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, session: StaffSession) -> Sequence[store.Listed]:
        """Newest first. Raises NotPermitted."""
        now = self._clock.now()
        units = session.staff.units_of(Permission.LEAD)
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.LEAD, Action.LIST_READ)
            found = await store.listed(db, units)
            named = {one.resident_id: one.resident_name for one in found if one.resident_id}
            await list_read(db, session, "deviations", units, named, now)
        return found


async def open_deviation(db: Transaction, opening: Opening, resident: Resident | None) -> None:
    """`resident` None: it is about several, or nobody."""
    id_ = new_row_id(opening.at)
    if not await store.add(db, id_, opening, resident.id if resident else None):
        return
    db.changed(unit_topic(opening.unit_id))
    what = {
        "about_id": str(opening.about_id),
        "deviation_id": str(id_),
        "kind": opening.kind,
        "unit_id": str(opening.unit_id),
    }
    await append(
        db, Record(Action.DEVIATION_OPENED, REACTION, [resident.person] if resident else [], what)
    )

"""A deviation is opened by what happened, in its transaction; the same thing makes only one."""

from telecare.access.service import unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record, SystemActor
from telecare.deviations import store
from telecare.deviations.model import Opening
from telecare.people.model import Resident
from telecare.runtime.db import Transaction
from telecare.wire.ids import new_row_id

REACTION = SystemActor("reaction")


async def open_deviation(db: Transaction, opening: Opening, resident: Resident) -> None:
    id_ = new_row_id(opening.at)
    if not await store.add(db, id_, opening, resident.id):
        return
    db.changed(unit_topic(opening.unit_id))
    what = {
        "about_id": str(opening.about_id),
        "deviation_id": str(id_),
        "kind": opening.kind,
        "unit_id": str(opening.unit_id),
    }
    await append(db, Record(Action.DEVIATION_OPENED, REACTION, [resident.person], what))

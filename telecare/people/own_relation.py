"""What an own relation does: planning avoids it, opening asks why, a call for help is never
hindered by it.
"""

from datetime import datetime, timedelta

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import Kept
from telecare.audit.format import Document
from telecare.audit.model import refused
from telecare.people import relations_store as store
from telecare.people.model import Resident
from telecare.runtime.db import Transaction
from telecare.runtime.errors import Refusal
from telecare.wire.errors import Code
from telecare.wire.ids import StaffId

REASON_HOLDS = timedelta(minutes=15)


class ReasonNeeded(Refusal):
    """She has stated a relation to this person: why does she need to? Then she may."""

    status = 409
    code = Code.REASON_NEEDED


class OwnRelation(Refusal):
    """The one who was chosen is related to this person: choose somebody else."""

    status = 409
    code = Code.OWN_RELATION


async def reason_for(
    db: Transaction, session: StaffSession, resident: Resident, tried: Action, now: datetime
) -> Document:
    """What the record of `tried` says of her relation and her reason; empty without a relation.

    Raises ReasonNeeded (recorded) unless she has said why within a quarter of an hour.
    """
    staff_id = session.staff.id
    kind = await store.kind_of(db, staff_id, resident.id)
    if kind is None:
        return {}
    reason = await store.reason_given(db, staff_id, resident.id, now - REASON_HOLDS)
    if reason is None:
        record = refused(
            Code.REASON_NEEDED, tried, session.actor, [resident.person], {"relation": kind}
        )
        raise ReasonNeeded(Kept(record))
    return {"reason": reason, "relation": kind}


async def relation_of(db: Transaction, staff_id: StaffId, resident: Resident) -> Document:
    """For what is never hindered: the relation stands in the record."""
    kind = await store.kind_of(db, staff_id, resident.id)
    return {} if kind is None else {"relation": kind}


async def unrelated(
    db: Transaction, session: StaffSession, chosen: StaffId, resident: Resident, tried: Action
) -> None:
    """Raises OwnRelation (recorded) when `chosen` has stated a relation to the resident."""
    if await store.kind_of(db, chosen, resident.id) is None:
        return
    what = {"chosen_staff_id": str(chosen)}
    record = refused(Code.OWN_RELATION, tried, session.actor, [resident.person], what)
    raise OwnRelation(Kept(record))

"""A live call keeps its person's shift open; it is ended, never handed over."""

from collections.abc import Sequence
from datetime import datetime

from telecare.access.holding import Held, Holding
from telecare.calls import store
from telecare.people.service import known
from telecare.runtime.db import Transaction
from telecare.wire.ids import StaffId


async def held_by(db: Transaction, staff_id: StaffId, now: datetime) -> Sequence[Held]:
    del now
    live = await store.live_of_staff(db, staff_id)
    call = await store.by_id(db, live) if live is not None else None
    if call is None:
        return []
    resident = await known(db, call.resident_id)
    return [Held("call", call.id, call.unit_id, resident.person, call.created_at)]


HOLDING = Holding("call", held_by, hand_to=None)

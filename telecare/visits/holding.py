"""A visit that waits for its person keeps her shift open, and can go to somebody else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from telecare.access import store as access_store
from telecare.access.errors import NoLongerHeld
from telecare.access.holding import Handing, Held, Holding
from telecare.access.service import React, end_assignments, unit_topic
from telecare.people.service import resident_topic
from telecare.runtime.db import Transaction
from telecare.visits import store
from telecare.visits.model import ASSIGNED_AFTER
from telecare.wire.ids import AssignmentId, StaffId, VisitId, new_row_id

HELD_FOR = timedelta(hours=24)
"""An older one has been with the coordinator and the head since yesterday."""


async def held_by(db: Transaction, staff_id: StaffId, now: datetime) -> Sequence[Held]:
    return await store.held_by(db, staff_id, now - HELD_FOR)


def holding(react: React) -> Holding:
    async def hand_to(db: Transaction, handing: Handing) -> None:
        visit_id = VisitId(handing.about_id)
        # Assignment before call before visit: the order in which a call is opened.
        await end_assignments(db, "visit", visit_id, handing.at, react)
        visit = await store.hold(db, visit_id)
        held = await held_by(db, handing.giver, handing.at)
        if visit is None or visit.id not in {one.id for one in held}:
            raise NoLongerHeld
        await store.save(db, replace(visit, staff_id=handing.to, taken_over=True))
        db.changed(unit_topic(visit.unit_id))
        db.changed(resident_topic(visit.resident_id))
        if handing.to is not None:
            await access_store.assign(
                db,
                AssignmentId(new_row_id(handing.at)),
                staff_id=handing.to,
                resident_id=visit.resident_id,
                source="visit",
                source_id=visit.id,
                valid_from=handing.at,
                valid_until=max(visit.starts_at, handing.at) + ASSIGNED_AFTER,
            )

    return Holding("visit", held_by, hand_to)

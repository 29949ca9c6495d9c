"""A home visit that she has accepted keeps her shift open, and can go to somebody else."""

from telecare.access.errors import NoLongerHeld
from telecare.access.holding import Handing, Holding
from telecare.access.service import React, end_assignments, unit_topic
from telecare.dispatches import store
from telecare.dispatches.service import assign_to
from telecare.runtime.db import Transaction
from telecare.wire.ids import DispatchId


def holding(react: React) -> Holding:
    async def hand_to(db: Transaction, handing: Handing) -> None:
        dispatch = await store.hold(db, DispatchId(handing.about_id))
        if dispatch is None or dispatch.accepted_by != handing.giver or dispatch.state == "done":
            raise NoLongerHeld
        await end_assignments(db, "dispatch", dispatch.id, handing.at, react)
        await store.give(db, dispatch.id, handing.to, handing.at)
        if handing.to is not None:
            await assign_to(db, dispatch, handing.to, handing.at)
        db.changed(unit_topic(dispatch.unit_id))

    return Holding("dispatch", lambda db, staff_id, _: store.held_by(db, staff_id), hand_to)

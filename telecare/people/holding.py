"""A follow-up that she has taken keeps her shift open, and can go to somebody else."""

from telecare.access.errors import NoLongerHeld
from telecare.access.holding import Handing, Holding
from telecare.access.service import React, end_assignments, unit_topic
from telecare.people import store
from telecare.people.service import assign_to
from telecare.runtime.db import Transaction
from telecare.wire.ids import FollowUpId


def holding(react: React) -> Holding:
    async def hand_to(db: Transaction, handing: Handing) -> None:
        follow_up = await store.hold_follow_up(db, FollowUpId(handing.about_id))
        if follow_up is None or follow_up.taken_by != handing.giver:
            raise NoLongerHeld
        await end_assignments(db, "follow_up", follow_up.id, handing.at, react)
        await store.give_follow_up(db, follow_up.id, handing.to, handing.at)
        if handing.to is not None:
            await assign_to(db, follow_up, handing.to, handing.at)
        db.changed(unit_topic(follow_up.unit_id))

    return Holding("follow_up", lambda db, staff, _: store.follow_ups_held_by(db, staff), hand_to)

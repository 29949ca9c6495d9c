"""An alarm that she has taken keeps her shift open, and can go to somebody else."""

from telecare.access.errors import NoLongerHeld
from telecare.access.holding import Handing, Holding
from telecare.alarms import store
from telecare.alarms.service import Alarms
from telecare.runtime.db import Transaction
from telecare.wire.ids import AlarmId


def holding(alarms: Alarms) -> Holding:
    async def hand_to(db: Transaction, handing: Handing) -> None:
        alarm_id = AlarmId(handing.about_id)
        if not await alarms.hand_to(db, alarm_id, handing.giver, handing.to, handing.at):
            raise NoLongerHeld

    return Holding("alarm", lambda db, staff_id, _: store.held_by(db, staff_id), hand_to)

"""Timers and people reach for the same thing at the same moment."""

import asyncio
from datetime import timedelta

from telecare.runtime.timers import Timers, cancel_timers, set_timer
from telecare.visits import store as visit_store

KIND = "visit.missed"


async def test_a_timer_gives_way_to_somebody_who_cancels_it_and_nobody_fails(made, world):
    ingrid = await world.resident()
    maria = await world.staff(assigned=(ingrid,))
    visit = await world.visit(maria, ingrid)
    taken, fired = asyncio.Event(), []

    async def missed(db, due, now):
        taken.set()
        await visit_store.hold(db, due.subject)
        fired.append(due.subject)

    timers = Timers(made.database, made.clock, {KIND: missed})
    async with world.begun() as db:
        await cancel_timers(db, [KIND], visit)
        await set_timer(db, KIND, visit, world.now - timedelta(days=3650))

    async with asyncio.timeout(10), asyncio.TaskGroup() as group, world.begun() as db:
        await visit_store.hold(db, visit)
        group.create_task(timers.run_due(), name="timers")
        await taken.wait()
        await cancel_timers(db, [KIND], visit)

    assert fired == []
    left = await world.rows("select 1 from timer where subject = $1 and kind = $2", visit, KIND)
    assert left == []

"""Timers and people reach for the same thing at the same moment."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from telecare.runtime.timers import PUT_OFF, Timers, cancel_timers, set_timer
from telecare.visits import store as visit_store

KIND = "visit.missed"


async def test_a_timer_that_cannot_be_carried_out_hinders_no_other_and_is_tried_again(
    made, world, clock
):
    fired = []

    async def impossible(db, due, now):
        await db.execute("select 1 / 0")

    async def possible(db, due, now):
        fired.append(due.subject)

    first, second = uuid4(), uuid4()
    handlers = {"test.impossible": impossible, "test.possible": possible}
    timers = Timers(made.database, made.clock, handlers, batch=2)
    async with world.begun() as db:
        await set_timer(db, "test.impossible", first, world.now - timedelta(days=3660))
        await set_timer(db, "test.possible", second, world.now - timedelta(days=3650))

    await timers.run_due()

    assert fired == [second]
    left = await world.rows("select due_at from timer where subject = $1", first)
    assert [row["due_at"] for row in left] == [world.now + PUT_OFF]
    await world.rows("delete from timer where subject = $1", first)


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

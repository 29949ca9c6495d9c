"""How long somebody stays signed in: 16 hours, and never cut in what she has begun."""

import pytest

from telecare.access.errors import SignInNeeded
from tests.world import TOKENS


@pytest.fixture
async def maria(world):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", on_shift=True)
    visit = await world.visit(maria, ingrid, minutes=15 * 60 + 55)
    return maria, visit, await world.tv(ingrid)


async def test_sixteen_hours_end_a_session(made, maria, clock):
    session, _, _ = maria

    clock.forward(hours=16)

    with pytest.raises(SignInNeeded):
        await made.access.session(TOKENS[session.id])


async def test_a_call_and_the_outcome_it_waits_for_keep_her_signed_in(made, maria, clock):
    session, visit, tv = maria
    clock.forward(hours=15, minutes=55)
    call_id = await made.visits.ring(session, visit)
    await made.calls.answer(tv, call_id)
    await made.calls.report(session, call_id, "first_frame")

    clock.forward(minutes=10)
    assert (await made.access.session(TOKENS[session.id])).id == session.id
    await made.calls.hang_up(session, call_id)
    clock.forward(minutes=9)
    assert (await made.access.session(TOKENS[session.id])).id == session.id
    clock.forward(minutes=1)
    with pytest.raises(SignInNeeded):
        await made.access.session(TOKENS[session.id])

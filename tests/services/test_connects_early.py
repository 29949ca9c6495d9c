"""While it rings, staff and the home's only unit may make their connection; nobody else may."""

from dataclasses import dataclass, field

import pytest

from telecare.access.model import StaffSession
from telecare.calls.model import CallEnded
from telecare.calls.turn import TurnServer
from telecare.consent.model import Purpose
from telecare.devices.model import Unit
from telecare.people.model import Resident
from telecare.runtime.errors import NotFound
from telecare.wire.ids import CallId

SIGNALS = "select to_party, kind, body from call_signal where call_id = $1"


@dataclass
class Ringing:
    call_id: CallId
    ingrid: Resident
    maria: StaffSession
    unit: Unit
    sent: list = field(default_factory=list)

    def offers(self):
        found = [effect for effect in self.sent if b'"kind":"offer"' in effect.payload]
        self.sent.clear()
        return found


@pytest.fixture
async def ringing(world, made, database):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", assigned=(ingrid,))
    unit = await world.home_unit(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)
    call = Ringing(call_id, ingrid, maria, unit)
    database.dispatch = call.sent.append
    return call


@pytest.fixture
def turn(made):
    made.calls.turn = TurnServer(("turn:turn.example:3478",), "secret")


async def offer(made, ringing):
    await made.calls.signal(ringing.maria, ringing.call_id, generation=1, kind="offer", body="v=0")


async def test_the_offer_reaches_the_unit_while_it_rings_and_its_answer_the_page(
    made, world, ringing
):
    await offer(made, ringing)
    await made.calls.signal(
        ringing.unit, ringing.call_id, generation=1, kind="answer", body="v=0 answer"
    )

    assert len(ringing.offers()) == 1
    rows = await world.rows(SIGNALS, ringing.call_id)
    assert [tuple(row.values()) for row in rows] == [("staff", "answer", "v=0 answer")]


async def test_the_record_of_the_ring_names_who_may_connect(world, ringing):
    rung = [r for r in await world.records() if r["event"] == "call.rung"]

    assert str(ringing.unit.endpoint_id) in str(rung[-1]["what"])


async def test_nothing_is_open_yet(world, made, ringing):
    await offer(made, ringing)

    leases = await world.rows("select 1 from call_lease where call_id = $1", ringing.call_id)
    call = (await world.rows("select * from call where id = $1", ringing.call_id))[0]
    assert leases == []
    assert (call["state"], call["home_picture"], call["home_sound"]) == ("ringing", False, False)
    assert all(b'"opened"' not in effect.payload for effect in ringing.sent)


async def test_each_offer_to_a_unit_brings_credentials_of_its_own(turn, world, made, ringing):
    await world.rows("update tenant set relay_only = true where id = $1", world.tenant)

    await offer(made, ringing)

    payload = ringing.offers()[0].payload
    assert b"turn:turn.example:3478" in payload
    assert b'"relay_only":true' in payload


async def test_a_television_in_the_same_home_is_no_end_while_it_rings(world, made, ringing):
    tv = await world.tv(ringing.ingrid)

    with pytest.raises(NotFound):
        await made.calls.signal(tv, ringing.call_id, generation=1, kind="answer", body="v=0")


async def test_another_units_word_is_not_heard(world, other_world, made, ringing):
    for place in (world, other_world):
        olof = await place.resident("Olof")
        stranger = await place.home_unit(olof)
        with pytest.raises(NotFound):
            await made.calls.signal(
                stranger, ringing.call_id, generation=1, kind="answer", body="v=0"
            )


@pytest.mark.parametrize("how", ["withdrawn", "declined", "cancelled"])
async def test_nobody_connects_any_more_once_it_has_come_to_nothing(world, made, ringing, how):
    if how == "withdrawn":
        tv = await world.tv(ringing.ingrid)
        await made.consents.withdraw_at_home(tv, Purpose.VIDEO_VISIT)
    elif how == "declined":
        await made.calls.decline(ringing.unit, ringing.call_id)
    else:
        await made.calls.hang_up(ringing.maria, ringing.call_id)

    with pytest.raises(CallEnded):
        await offer(made, ringing)
    with pytest.raises(NotFound):
        await made.calls.signal(
            ringing.unit, ringing.call_id, generation=1, kind="answer", body="v=0"
        )


async def test_where_only_a_television_can_answer_nothing_connects_early(world, made):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", assigned=(ingrid,))
    await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)

    with pytest.raises(CallEnded):
        await made.calls.signal(maria, call_id, generation=1, kind="offer", body="v=0")


async def test_where_two_units_could_answer_nothing_connects_early(world, made):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", assigned=(ingrid,))
    for _ in range(2):
        await world.home_unit(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)

    with pytest.raises(CallEnded):
        await made.calls.signal(maria, call_id, generation=1, kind="offer", body="v=0")


async def test_staff_are_told_and_given_paths_and_the_television_is_not(
    turn, client, world, ringing
):
    tv = await world.tv(ringing.ingrid)
    async with client.page(ringing.maria) as page, client.page(tv) as screen:
        await page.say(type="join", call_id=str(ringing.call_id), after=0)
        told = await page.until("call", state="ringing")
        at_home = await screen.until("call", state="ringing")

    assert told["connects_early"] is True
    assert told["ice_servers"][0]["urls"] == ["turn:turn.example:3478"]
    assert (at_home["connects_early"], at_home["ice_servers"]) == (False, [])

"""While it rings the connection may be made; picture, sound and text wait for the server's word."""

import asyncio
from uuid import uuid4

import pytest
from outsider import Staff

from telecare.wire.edge import CameraTurned, StopRinging, UnitAnswered, UnitHungUp, UnitSdp
from telecare.wire.homes import Pressed
from telecare.wire.topics import Down

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]


@pytest.fixture
async def staff():
    watching = Staff()
    yield watching
    await watching.leave()


async def becomes(staff, state: str) -> None:
    async with asyncio.timeout(30):
        while staff.peer.connectionState != state:
            await asyncio.sleep(0.02)


async def test_home_connects_while_it_rings_and_shows_nothing_before_it_is_open(
    server, homes, staff
):
    home = await homes(when_it_rings=Pressed(key="answer", after_s=4))
    call_id = uuid4()
    server.ring(call_id)
    await staff.call(server, call_id)
    await becomes(staff, "connected")
    # Said again each two seconds: it has waited in that state.
    answer = await server.hears(UnitAnswered, call_id=call_id, count=2)

    assert (staff.frames, staff.sounds) == (0, 0)
    assert home.stamps() == []
    assert server.all(CameraTurned) == []

    server.open(answer)
    async with server.renewing(call_id):
        await staff.sees(10)
        await staff.hears_sound(10)
        server.hang_up(call_id)
    assert len(server.all(UnitSdp)) == 1


@pytest.mark.parametrize("how", ["declined", "stopped"])
async def test_home_lets_go_of_the_connection_when_the_call_comes_to_nothing(
    server, homes, staff, how
):
    key = "decline" if how == "declined" else "nothing"
    await homes(when_it_rings=Pressed(key=key, after_s=4))
    call_id = uuid4()
    server.ring(call_id)
    await staff.call(server, call_id)
    await becomes(staff, "connected")
    if how == "stopped":
        server.say(Down.CALL, StopRinging(call_id=call_id, reason="answered"))

    await becomes(staff, "closed")

    assert staff.frames == 0
    assert server.all(CameraTurned) == []


async def test_a_media_process_that_dies_while_it_rings_costs_no_call(server, homes, staff):
    home = await homes(when_it_rings=Pressed(key="answer", after_s=4))
    call_id = uuid4()
    server.ring(call_id)
    await staff.call(server, call_id)
    await becomes(staff, "connected")
    home.kill_media()
    answer = await server.hears(UnitAnswered, call_id=call_id)
    server.open(answer)

    async with server.renewing(call_id):
        await server.hears(UnitSdp, call_id=call_id, count=2)
        await server.camera_turned(on=True)
        server.hang_up(call_id)
    assert server.all(UnitHungUp) == []

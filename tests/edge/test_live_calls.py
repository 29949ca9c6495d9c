"""Whole calls: a simulated home, a real broker, a real media process, and staff who watch."""

from uuid import uuid4

import pytest
from outsider import Staff, monotonic_ms

from edge.identity import from_text
from telecare.wire.edge import CameraTurned, UnitAnswered, UnitReport, UnitStatus, signed_text

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]


@pytest.fixture
async def staff():
    watching = Staff()
    yield watching
    await watching.leave()


async def talk(server, staff, **opened):
    """Ring, be answered, open, connect: the call that is now open."""
    call_id = uuid4()
    server.ring(call_id)
    answer = await server.hears(UnitAnswered, call_id=call_id)
    server.open(answer, **opened)
    await staff.call(server, call_id)
    return call_id


async def test_staff_see_and_hear_a_home_that_answers(server, homes, staff, identity):
    await homes()

    call_id = await talk(server, staff)
    async with server.renewing(call_id):
        await staff.sees(20)
        await staff.hears_sound(20)
        server.hang_up(call_id)
        off = await server.camera_turned(on=False)

    on = server.all(CameraTurned, on=True)[0]
    assert (on.number, off.number, off.reason) == (1, 2, "hang_up")
    assert staff.sizes == {(640, 480)}
    for record in (on, off):
        key = identity.signing_key.public_key()
        key.verify(from_text(record.signature), signed_text(identity.unit, record))
    await server.hears(UnitReport, what="first_frame")
    await server.hears(UnitReport, what="stopped")
    assert (await server.hears(UnitStatus, cameras={"room": "off"})).online

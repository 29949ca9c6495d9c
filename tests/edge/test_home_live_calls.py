"""Whole calls: a simulated home, a real broker, a real media process, and staff who watch."""

import asyncio
import json
import sqlite3
from uuid import uuid4

import pytest
from outsider import Staff, monotonic_ms

from edge.identity import from_text
from telecare.wire.edge import (
    CameraTurned,
    Offer,
    Ring,
    UnitAlive,
    UnitAnswered,
    UnitCallsIn,
    UnitHungUp,
    UnitReport,
    UnitSdp,
    UnitStatus,
    UnitWiped,
    Wipe,
    signed_text,
)
from telecare.wire.homes import CallsIn
from telecare.wire.topics import Down, down

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


def offer_bytes(call_id, n: int, sdp: str) -> bytes:
    """An offer that our own model would not let out."""
    return json.dumps({"kind": "offer", "call_id": str(call_id), "n": n, "sdp": sdp}).encode()


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


async def test_a_unit_that_is_closed_in_a_call_closes_its_camera_before_it_forgets(
    server, homes, staff, identity
):
    home = await homes()
    call_id = await talk(server, staff)
    async with server.renewing(call_id):
        await staff.sees(10)

        server.say(Down.CONFIG, Wipe())
        await server.hears(UnitWiped)

    assert [stamp["on"] for stamp in home.stamps()] == [True, False]
    async with asyncio.timeout(10):
        while (identity.folder / "mac.key").exists():
            await asyncio.sleep(0.02)


async def test_camera_goes_dark_three_seconds_after_the_last_renewal(server, homes, staff, gaps):
    home = await homes()
    call_id = await talk(server, staff)

    async with server.renewing(call_id) as last_lapse:
        await staff.sees(30)
    off = await server.camera_turned(on=False)

    closed_at_ms = home.stamps()[-1]["at_ms"]
    late_ms = closed_at_ms - last_lapse[0]
    assert off.reason == "lease"
    assert not home.stamps()[-1]["on"]
    gaps.note(f"closed {late_ms} ms after the lease ended")
    assert late_ms <= 50 + gaps.largest_ms
    assert staff.last_frame_ms <= last_lapse[0] + 100 + gaps.largest_ms
    await server.hears(UnitReport, what="dark")


async def test_picture_returns_with_a_new_record_when_the_lease_is_renewed(server, homes, staff):
    await homes()
    call_id = await talk(server, staff)
    async with server.renewing(call_id):
        await staff.sees(20)
    await server.camera_turned(on=False)

    async with server.renewing(call_id):
        await staff.sees(20)
        again = await server.camera_turned(on=True, count=2)
        server.hang_up(call_id)
        await server.camera_turned(on=False, count=2)

    assert again.number == 3
    assert [record.on for record in server.all(CameraTurned)] == [True, False, True, False]


async def test_frozen_agent_leaves_the_camera_dark_by_itself(server, homes, staff, gaps):
    home = await homes()
    call_id = await talk(server, staff)
    async with server.renewing(call_id):
        await staff.sees(20)
        home.freeze()
        frozen_at_ms = monotonic_ms()
        await asyncio.to_thread(home.wait_until_dark)

    closed_at_ms = home.stamps()[-1]["at_ms"]
    gaps.note(f"dark {closed_at_ms - frozen_at_ms} ms after the agent froze")
    assert closed_at_ms - frozen_at_ms <= 3_000 + 50 + gaps.largest_ms
    assert staff.last_frame_ms <= closed_at_ms + 100 + gaps.largest_ms


async def test_camera_goes_dark_when_nobody_watches_any_more(server, homes, staff):
    await homes()
    call_id = await talk(server, staff)

    async with server.renewing(call_id):
        await staff.sees(20)
        staff.fall_silent()
        off = await server.camera_turned(on=False)

    assert off.reason == "viewer_silent"


async def test_call_ends_at_its_longest_time_whatever_is_renewed(server, homes, staff):
    await homes()
    call_id = uuid4()
    server.ring(call_id)
    await server.hears(UnitAnswered, call_id=call_id)
    await staff.call(server, call_id)  # connected: the two seconds are the call's own

    server.open(server.newest_alive, max_s=2)
    async with server.renewing(call_id):
        off = await server.camera_turned(on=False)
        await server.hears(UnitReport, what="stopped")

    assert off.reason == "must_end"


async def test_old_renewal_played_again_opens_nothing(server, homes, staff):
    home = await homes()
    call_id = await talk(server, staff)
    async with server.renewing(call_id):
        await staff.sees(20)
    await server.camera_turned(on=False)
    dark = len(home.stamps())

    for topic, properties, payload in list(server.sent_bytes):
        server.say_raw(topic, properties, payload)
    old = server.newest_alive.model_copy(
        update={"stamp": server.newest_alive.stamp.model_copy(update={"monotonic_ms": 0})}
    )
    server.open(old)
    heard = len(server.all(UnitAlive))
    await server.hears(UnitAlive, count=heard + 2)

    assert len(home.stamps()) == dark
    assert len(server.all(CameraTurned)) == 2


async def test_message_with_a_wrong_seal_rings_nowhere(server, homes):
    home = await homes()
    stranger = uuid4()
    ring = Ring(call_id=stranger, caller="X", from_unit="X", language="sv", ring_s=30)

    topic = down(server.unit, Down.CALL)
    for properties in ([], [("c", "99999999999999999"), ("m", "x")]):
        server.say_raw(topic, properties, ring.model_dump_json().encode())
    genuine = uuid4()
    server.ring(genuine)
    await server.hears(UnitAnswered, call_id=genuine)

    assert server.all(UnitAlive, call_id=stranger) == []
    assert home.stamps() == []


async def test_call_without_picture_sends_sound_only(server, homes, staff):
    home = await homes()

    call_id = await talk(server, staff, sends_picture=False)
    async with server.renewing(call_id):
        await staff.hears_sound(50)

    assert staff.frames == 0
    assert home.stamps() == []
    assert server.all(CameraTurned) == []


async def test_offer_of_a_megabyte_is_refused_and_the_next_one_is_answered(server, homes, staff):
    await homes()
    call_id = uuid4()
    server.ring(call_id)
    server.open(await server.hears(UnitAnswered, call_id=call_id))

    async with server.renewing(call_id):
        server.say(Down.SIGNAL, offer_bytes(call_id, 1, "v=0\r\n" + "a" * 60_000))
        server.say(Down.SIGNAL, Offer(call_id=call_id, n=2, sdp="m=audio nonsense\r\n"))
        await staff.call(server, call_id, n=3)
        await staff.sees(5)

    assert [sdp.n for sdp in server.all(UnitSdp)] == [3]


async def test_new_offer_replaces_the_connection(server, homes, staff):
    await homes()
    call_id = await talk(server, staff)
    second = Staff()

    async with server.renewing(call_id):
        await staff.sees(10)
        await second.call(server, call_id, n=2)
        await second.sees(20)

    assert len(server.all(CameraTurned, on=True)) == 1
    await second.leave()


async def test_restarted_home_says_what_it_left_open(server, homes, staff):
    home = await homes()
    call_id = await talk(server, staff)
    async with server.renewing(call_id):
        await staff.sees(10)
        await server.camera_turned(on=True)
        home.kill()

    await homes()
    off = await server.camera_turned(on=False)

    assert (off.number, off.reason, off.seconds) == (2, "start", None)


async def test_camera_stays_closed_when_its_record_cannot_be_written(server, homes, staff):
    home = await homes()
    call_id = uuid4()
    server.ring(call_id)
    answer = await server.hears(UnitAnswered, call_id=call_id)
    outbox = sqlite3.connect(home.folder / "outbox.sqlite", isolation_level=None)
    outbox.execute("create trigger full before insert on event begin select raise(fail, ''); end")

    server.open(answer)
    await staff.call(server, call_id)
    async with server.renewing(call_id):
        await staff.hears_sound(50)

    outbox.close()
    assert staff.frames == 0
    assert home.stamps() == []
    assert (await server.hears(UnitStatus, cameras={"room": "fault"})).online


async def test_her_own_call_is_opened_when_staff_answer(server, homes, staff):
    await homes(calls_in=CallsIn(after_s=0))
    press = (await server.hears(UnitCallsIn)).press
    call_id = uuid4()

    server.ring(call_id, press=press)
    await server.hears(UnitAnswered, call_id=call_id)
    server.open(await server.hears(UnitAlive, call_id=call_id, count=2))
    await staff.call(server, call_id)
    async with server.renewing(call_id):
        await staff.sees(10)

    assert {call.press for call in server.all(UnitCallsIn)} == {press}


async def test_call_ends_on_record_when_its_media_process_dies(server, homes, staff):
    home = await homes()
    call_id = await talk(server, staff)

    async with server.renewing(call_id):
        await staff.sees(10)
        home.kill_media()
        off = await server.camera_turned(on=False)
    await server.hears(UnitHungUp, call_id=call_id)
    again = uuid4()
    server.ring(again)
    server.open(await server.hears(UnitAnswered, call_id=again))
    await server.camera_turned(on=True, count=2)

    assert off.reason == "fault"


async def test_home_that_is_switched_off_in_mid_call_closes_its_camera_first(server, homes, staff):
    home = await homes()
    call_id = await talk(server, staff)

    async with server.renewing(call_id):
        await staff.sees(10)
        home.process.terminate()
        assert await asyncio.to_thread(home.process.wait, 10) == 0

    assert not home.stamps()[-1]["on"]
    assert not (await server.hears(UnitStatus, online=False)).online


async def test_lines_of_the_home_name_nobody(server, homes, capfd):
    await homes()
    call_id = uuid4()
    server.ring(call_id, caller="Canary Karlsson")
    server.open(await server.hears(UnitAnswered, call_id=call_id))
    server.say(Down.SIGNAL, Offer(call_id=call_id, n=1, sdp="m=audio canary-sdp\r\n"))
    await server.camera_turned(on=True)
    server.hang_up(call_id)
    await server.camera_turned(on=False)

    said = "".join(capfd.readouterr())

    assert "anary" not in said

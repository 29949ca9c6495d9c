"""The unit's line to the server: replay, receipts, goodbye and falls."""

import asyncio
import sys
from uuid import uuid4

from conftest import ROOT
from outsider import Server

from edge.clock import HomeClock, wall_clock
from edge.homes import OUTBOX_FILE
from edge.outbox import Lane, Outbox
from edge.records import CameraRecords
from telecare.wire.edge import (
    AlarmRaised,
    CameraTurned,
    SensorChanged,
    UnitCallsIn,
    UnitDeclined,
    UnitStatus,
)
from telecare.wire.homes import Pressed


async def store_camera_records(identity, count: int) -> None:
    """As if the unit had been in calls while nobody listened."""
    with Outbox(identity.folder / OUTBOX_FILE, now=wall_clock) as outbox:
        records = CameraRecords(
            outbox, identity, camera="room", clock=HomeClock(), stored=lambda: None
        )
        for _ in range(count):
            await records.turned_on(uuid4(), "room")
            await records.turned_off(uuid4(), "room", reason="call", seconds=1)


async def test_stored_events_arrive_once_each_and_in_order(server, homes, identity):
    await store_camera_records(identity, 150)

    await homes()
    await server.hears(CameraTurned, count=300)
    await server.hears(UnitStatus, waiting=0)

    assert [record.number for record in server.all(CameraTurned)] == list(range(1, 301))
    assert len({record.boot for record in server.all(CameraTurned)}) == 1


async def test_events_without_receipt_come_again_when_the_server_says_hello(
    server, homes, identity
):
    await store_camera_records(identity, 2)
    server.receipts = False
    await homes()
    await server.hears(CameraTurned, count=4)

    server.receipts = True
    server.hello()
    await server.hears(CameraTurned, count=8)
    await server.hears(UnitStatus, waiting=0)

    seqs = [record.seq for record in server.all(CameraTurned)]
    assert seqs == [1, 2, 3, 4, 1, 2, 3, 4]


async def test_killed_home_sends_the_same_events_after_its_restart(server, homes, identity):
    await store_camera_records(identity, 2)
    server.receipts = False
    home = await homes()
    await server.hears(CameraTurned, count=4)

    home.kill()
    await homes()
    await server.hears(CameraTurned, count=8)

    keys = [(record.boot, record.seq) for record in server.all(CameraTurned)]
    assert keys[:4] == keys[4:]
    assert server.refused == 0


async def test_killed_home_is_said_to_be_offline_by_its_sealed_will(server, homes):
    home = await homes()
    await server.hears(UnitStatus, online=True)

    home.kill()

    assert not (await server.hears(UnitStatus, online=False)).online
    assert server.refused == 0


async def test_home_that_is_switched_off_says_goodbye(server, homes):
    home = await homes()
    await server.hears(UnitStatus, online=True)

    home.process.terminate()

    await server.hears(UnitStatus, online=False)
    assert await asyncio.to_thread(home.process.wait, 10) == 0


async def test_home_connects_again_after_the_broker_was_lost(broker, server, homes, identity):
    await homes()
    await server.hears(UnitStatus, online=True)

    broker.stop()
    broker.start()
    later = Server(broker.port, identity.unit, identity.mac_key)
    await later.start()

    await later.hears(UnitStatus, online=True)
    later.stop()


async def test_person_who_declines_is_not_asked_again(server, homes):
    await homes(when_it_rings=Pressed(key="decline", after_s=0))
    call_id = uuid4()

    server.ring(call_id)
    await server.hears(UnitDeclined, call_id=call_id)
    server.ring(call_id)
    other = uuid4()
    server.ring(other)
    await server.hears(UnitDeclined, call_id=other)

    assert len(server.all(UnitDeclined, call_id=call_id)) == 1


async def test_words_on_standard_input_are_keys_and_buttons(server, identity):
    unit = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge", "run", "--state", str(identity.folder),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await server.hears(UnitStatus, online=True)

        unit.stdin.write(b"nonsense\nbutton wrist living room\ndoor_opens\ncall_home_care\n")
        alarm = await server.hears(AlarmRaised)
        door = await server.hears(SensorChanged)
        await server.hears(UnitCallsIn)
    finally:
        unit.terminate()
        await unit.wait()
    assert (alarm.device, alarm.place, door.device) == ("wrist", "living room", "door")


async def test_alarm_waits_in_front_of_everything_else(tmp_path):
    with Outbox(tmp_path / "o", now=wall_clock) as outbox:
        for lane in (Lane.VITAL, Lane.ALARM):
            await asyncio.wrap_future(outbox.put(lane, lambda _place: b"x"))

        first = (await asyncio.wrap_future(outbox.waiting(1)))[0]

    assert first.lane is Lane.ALARM

"""A unit that is closed forgets everything, at once or when it next hears of it."""

import asyncio

from test_home_line import store_camera_records

from telecare.wire.edge import CameraTurned, UnitStatus, UnitWiped, Wipe
from telecare.wire.topics import Down

KEPT = {"signing.key", "mac.key", "unit.json", "outbox.sqlite"}


def left(identity) -> set[str]:
    return {path.name for path in identity.folder.iterdir()} - {"camera-stamps.jsonl"}


async def gone(identity) -> None:
    async with asyncio.timeout(10):
        while left(identity):
            await asyncio.sleep(0.02)


async def test_a_closed_unit_says_so_and_leaves_no_key_and_no_event(server, homes, identity):
    server.receipts = False
    await store_camera_records(identity, 3)
    await homes()
    await server.hears(CameraTurned, count=6)
    assert left(identity) >= KEPT

    server.say(Down.CONFIG, Wipe())

    await server.hears(UnitWiped)
    await server.hears(UnitStatus, online=False)
    await gone(identity)


async def test_only_the_server_can_wipe_it(server, homes, identity):
    await homes()
    await server.hears(UnitStatus, online=True)
    topic = f"tc/1/{identity.unit}/down/config"

    server.say_raw(topic, [], Wipe().model_dump_json().encode())
    server.say_raw(topic, [("seal", "0" * 64)], Wipe().model_dump_json().encode())
    server.hello()
    await server.hears(UnitStatus, count=2)

    assert left(identity) >= KEPT
    assert server.all(UnitWiped) == []

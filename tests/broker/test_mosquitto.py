"""A home comes in with its certificate and reaches its own topics; nobody else does."""

import asyncio
import sys
import time
from datetime import UTC, datetime

from telecare.access.model import Role
from telecare.devices.authority import Authority
from telecare.devices.certificates import LOOK_INTERVAL, LOOK_LIMIT, Revocations
from telecare.runtime.broker import Publish, displace
from telecare.runtime.tasks import every, running
from tests.broker.conftest import LONG_AGO, PATIENCE_S


async def test_a_home_says_its_own_and_hears_its_own(gate, server):
    ingrid = gate.unit()

    assert await ingrid.publish(ingrid.topic("alarm"), "help") == 0
    await server.until_heard("help")
    async with ingrid.listening("tc/1/+/down/+", "tc/1/all/+") as listener:
        server.broker.publish(Publish(ingrid.topic("receipt", "down"), b"mine"))
        server.broker.publish(Publish("tc/1/u-else/down/receipt", b"theirs"))
        server.broker.publish(Publish("tc/1/all/hello", b"all"))
        said = [await heard(listener), await heard(listener)]

    assert said == ["mine", "all"]


async def heard(process):
    """The next message; lines of `-d` begin with its own words."""
    async with asyncio.timeout(PATIENCE_S):
        while line := (await process.stdout.readline()).decode():
            if line.startswith("tc/1/"):
                return line.split()[1]
    return None


async def test_nobody_says_anything_in_anothers_name(gate, server):
    ingrid, thief = gate.unit(), gate.unit()

    await thief.publish(ingrid.topic("alarm"), "forged")
    await thief.publish("tc/1/all/hello", "forged")
    await thief.publish(ingrid.topic("config", "down"), "forged")
    await thief.publish(thief.topic("alarm"), "own")
    await server.until_heard("own")

    assert server.heard == [(thief.topic("alarm"), "own")]


async def test_nobody_leaves_a_will_in_anothers_name(gate, server):
    ingrid, thief = gate.unit(), gate.unit()
    for topic in (ingrid.topic("status"), thief.topic("status")):
        will = ("--will-topic", topic, "--will-payload", topic)
        async with thief.listening(thief.topic("call", "down"), more=will) as dying:
            dying.kill()

    await server.until_heard(thief.topic("status"))

    assert [topic for topic, _ in server.heard] == [thief.topic("status")]


async def test_nobody_hears_what_another_is_told(gate, server):
    ingrid, thief = gate.unit(), gate.unit()

    async with thief.listening("#", "tc/1/#", ingrid.topic("#", "down")) as listener:
        server.broker.publish(Publish(ingrid.topic("call", "down"), b"secret"))
        await ingrid.publish(ingrid.topic("alarm"), "secret")
        await server.until_heard("secret")
        server.broker.publish(Publish("tc/1/all/hello", b"all"))

        assert await heard(listener) == "all"


async def test_a_shared_subscription_steals_nothing_from_the_server(gate, server):
    ingrid, thief = gate.unit(), gate.unit()

    async with thief.listening("$share/server/tc/1/+/up/alarm", "tc/1/all/hello") as listener:
        for n in range(5):
            await ingrid.publish(ingrid.topic("alarm"), f"alarm {n}")
        await server.until_heard("alarm 4")
        server.broker.publish(Publish("tc/1/all/hello", b"all"))

        assert await heard(listener) == "all"
    assert len(server.heard) == 5


async def test_nobody_takes_anothers_place(gate, server):
    ingrid, thief = gate.unit(), gate.unit()

    async with ingrid.listening(ingrid.topic("call", "down"), more=("-i", ingrid.id)) as listener:
        assert await thief.publish(thief.topic("event"), "in", "-i", ingrid.id) == 0
        await server.until_heard("in")
        server.broker.publish(Publish(ingrid.topic("call", "down"), b"still"))

        assert await heard(listener) == "still"


async def test_without_a_good_certificate_of_ours_there_is_no_way_in(gate, server, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    others = Authority.make(elsewhere, datetime.now(UTC))
    ingrid = gate.unit()

    for stranger in (
        gate.unit(others, name=ingrid.id),
        gate.unit(at=datetime.now(UTC) - LONG_AGO, name=ingrid.id),
    ):
        assert await stranger.publish(stranger.topic("alarm"), "in") != 0
    await ingrid.publish(ingrid.topic("alarm"), "own")
    await server.until_heard("own")

    assert len(server.heard) == 1


async def test_a_homes_certificate_does_not_open_the_servers_rights(gate, server):
    ingrid, thief = gate.unit(), gate.unit()
    thief.gate = gate
    arguments = thief._arguments("-t", ingrid.topic("config", "down"), "-m", "forged", "-q", "1")
    at_servers_door = [
        str(gate.doors.server_port) if one == str(gate.doors.unit_port) else one
        for one in arguments
    ]

    async with ingrid.listening(ingrid.topic("config", "down")) as listener:
        process = await asyncio.create_subprocess_exec("mosquitto_pub", *at_servers_door)
        await process.wait()
        server.broker.publish(Publish(ingrid.topic("config", "down"), b"true"))

        assert await heard(listener) == "true"


async def test_a_flood_from_one_home_holds_up_no_alarm_of_another(gate, server):
    ingrid, loud = gate.unit(), gate.unit()
    flood = "\n".join(["x" * 1000] * 20_000).encode()

    async with loud.running("pub", "-t", loud.topic("event"), "-l", "-q", "0") as process:
        process.stdin.write(flood)
        await asyncio.sleep(0)
        begun = time.monotonic()
        assert await ingrid.publish(ingrid.topic("alarm"), "help") == 0
        await server.until_heard("help")

    assert time.monotonic() - begun < PATIENCE_S


async def test_a_closed_home_is_out_within_a_second_and_stays_out(
    gate, server, world, made, database, clock
):
    """P7. What is measured begins with the commit and ends with its connection."""
    ingrid = await world.resident("Ingrid")
    home = await world.home_unit(ingrid)
    unit = gate.unit(name=home.id)
    await world.superuser.execute(
        "insert into unit_certificate values ($1, $2, $3, '', $4, $5)",
        world.tenant, home.id, f"{unit.serial:x}", world.now, world.now + LONG_AGO,
    )  # fmt: skip
    karin = await world.staff("Karin", role=Role.ENHETSCHEF)

    async def displaced(client_id):
        gate.reload()  # here: deploy's path unit
        await displace(gate.server_url, gate.tls, client_id)

    revocations = Revocations(database, clock, gate.authority, gate.revoked_file, displaced)
    looking = every(LOOK_INTERVAL, revocations.look, limit=LOOK_LIMIT)
    async with unit.connected() as line, running(revocations=looking):
        await made.devices.close(karin, ingrid.id, home.endpoint_id)
        closed_at = time.monotonic()
        async with asyncio.timeout(PATIENCE_S):
            while await line.read(4096):
                pass
        took_s = time.monotonic() - closed_at
        assert await unit.publish(unit.topic("alarm"), "again") != 0

    sys.stdout.write(f"\nout of the broker: {took_s:.2f} s\n")
    assert took_s <= 1.0

"""The server is killed while a unit of others' making sends: nothing is lost, nothing doubled."""

import asyncio
import os
import random
import socket
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from siadc09.message import parse_frame

from telecare.access.model import Role
from telecare.alarms.alarm_units import Details, Settings
from tests.ports import port_beside_the_flows
from tests.receivers.test_dc09 import sent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

KEY = bytes(range(16))
ALARMS = 120
KILLS = 6
ANSWER_S = 2.0


@pytest.fixture
async def unit_of_ingrid(world, made):
    eva = await world.staff("Eva", role=Role.SAMORDNARE)
    ingrid = await world.resident("Ingrid")
    await made.alarm_units.register(eva, Details(ingrid.id, "dc09", "1234", Settings(key=KEY)))


@pytest.fixture
async def begin(world, config):
    """`telecare serve` with a receiver; its process, and the receiver's port."""
    [row] = await world.rows("select slug from tenant where id = $1", world.tenant)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "TELECARE_DATABASE_URL": config.database_url,
        "TELECARE_MQTT_URL": config.mqtt_url,
        "TELECARE_PUBLIC_URL": config.public_url,
        "TELECARE_PERSON_KEY_FILE": config.person_key_file,
        "TELECARE_RECEIVERS": f"{row['slug']}=dc09+tcp://127.0.0.1:{port}",
    }

    @asynccontextmanager
    async def begun():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "telecare", "serve", "--port", str(port_beside_the_flows()),
            env=environment, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield process, port
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return begun


async def until_acknowledged(port, seq, *, kill=None):
    """As a unit does: the same alarm on new connections until its ACK comes. True: `kill` was
    called between sending and answer.
    """
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)  # the unit's own pause
            continue
        try:
            writer.write(sent(data=b"#1234|NMA%02d" % (seq % 100), key=KEY, seq=seq, at=now()))
            await writer.drain()
            if kill is not None:
                await asyncio.sleep(random.uniform(0, 0.03))  # noqa: S311 - seeded
                kill()
                return
            async with asyncio.timeout(ANSWER_S):
                answer = parse_frame(await reader.readuntil(b"\r"), keys=KEY)
            if (answer.idtoken, answer.seq) == ("ACK", seq):
                return
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            continue
        finally:
            writer.transport.abort()


def now():
    return datetime.now(UTC)


async def test_every_alarm_is_stored_once_whenever_the_server_is_killed(
    world, begin, unit_of_ingrid
):
    random.seed(7)
    seqs = iter(range(1, ALARMS + 1))

    for _ in range(KILLS):
        async with begin() as (process, port):
            for _ in range(ALARMS // KILLS - 1):
                await until_acknowledged(port, next(seqs))
            torn = next(seqs)
            await until_acknowledged(port, torn, kill=process.kill)
            await process.wait()
        async with begin() as (_, port):
            await until_acknowledged(port, torn)

    rows = await world.rows(
        "select m.reference, count(*) as times from alarm a join alarm_unit_message m "
        "on m.tenant_id = a.tenant_id and m.alarm_id = a.id where a.tenant_id = $1 group by 1",
        world.tenant,
    )
    assert sorted(row["times"] for row in rows) == [1] * ALARMS
    stored = await world.rows("select 1 from alarm where tenant_id = $1", world.tenant)
    assert len(stored) == ALARMS

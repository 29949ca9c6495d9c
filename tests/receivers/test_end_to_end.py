"""Units of others' making, a real database: answered when it has it, and in it once."""

import asyncio
import contextlib
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from siadc09.message import parse_frame

from telecare.access.model import Role
from telecare.alarms.alarm_units import Details, Settings
from telecare.alarms.listening import MunicipalityUnknown, receivers_of
from telecare.alarms.receivers import sip
from telecare.app import sealer_of
from telecare.runtime.config import ConfigMissing
from telecare.runtime.db import open_database
from tests.receivers.conftest import HERE, datagrams
from tests.receivers.test_dc09 import sent
from tests.receivers.test_dc09_receiver import line
from tests.receivers.test_scaip_receiver import message
from tests.receivers.test_sipp import SIPP, passed, sipp

__all__ = ["sipp"]

KEY = bytes(range(16))
ALARMS = "select source, state from alarm where tenant_id = $1"
MESSAGES = "select account from alarm_unit_message where tenant_id = $1"


class Cable:
    """Between the receivers and PostgreSQL; it can be pulled out."""

    def __init__(self, to, folder):
        self._to = to
        self.folder = folder
        self._name = folder / ".s.PGSQL.5432"
        self._server = None
        self._ends = set()

    async def put_in(self):
        self._server = await asyncio.start_unix_server(self._connected, self._name)

    async def pull_out(self):
        self._server.close()
        self._name.unlink(missing_ok=True)
        for end in list(self._ends):
            end.transport.abort()

    async def _connected(self, reader, writer):
        far_reader, far_writer = await asyncio.open_unix_connection(self._to)
        ends = {writer, far_writer}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, far_writer))
                group.create_task(self._copy(far_reader, writer))
        finally:
            self._ends -= ends

    async def _copy(self, reader, writer):
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()


@pytest.fixture
async def cable(config, tmp_path_factory):
    folder = Path(parse_qs(urlsplit(config.database_url).query)["host"][0])
    cable = Cable(folder / ".s.PGSQL.5432", tmp_path_factory.mktemp("pg"))
    await cable.put_in()
    yield cable
    await cable.pull_out()


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def register(world, made, ingrid):
    eva = await world.staff("Eva", role=Role.SAMORDNARE)

    async def registered(protocol, account, **proof):
        await made.alarm_units.register(
            eva, Details(ingrid.id, protocol, account, Settings(**proof))
        )

    return registered


@pytest.fixture
async def slug(world):
    [row] = await world.rows("select slug from tenant where id = $1", world.tenant)
    return row["slug"]


@pytest.fixture
async def open_receivers(config, slug, clock, errands, cable):
    """As `telecare serve` opens them, on the cable; their ports in the order they are told."""

    @asynccontextmanager
    async def opened():
        told = config.model_copy(
            update={
                "receivers": tuple(
                    f"{slug}={scheme}://127.0.0.1:0"
                    for scheme in ("scaip+udp", "scaip+tcp", "dc09+tcp")
                ),
                "exchanges": (f"{slug}=sip:larm@vaxel.example",),
            }
        )
        url = config.role_url("app").replace(
            parse_qs(urlsplit(config.database_url).query)["host"][0], str(cable.folder)
        )
        async with open_database(url, size=3) as database:
            receivers = await receivers_of(told, database, clock, sealer_of(config), errands)
            async with receivers.scaip.open() as (udp, tcp), receivers.dc09.open() as (dc09,):
                yield {"udp": udp, "tcp": tcp, "dc09": dc09, "receivers": receivers}

    return opened


@pytest.fixture
async def ports(open_receivers):
    async with open_receivers() as ports:
        yield ports


@pytest.fixture
def press(clock):
    """What a DC-09 unit sends, sealed, at this time."""
    return lambda seq=7: sent(key=KEY, seq=seq, at=clock.now())


needs_sipp = pytest.mark.skipif(SIPP is None, reason="sip-tester is not installed")


@needs_sipp
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_an_alarm_from_a_sip_of_others_making_is_the_residents(
    ports, world, register, sipp, transport
):
    await register("scaip", "700123", networks=HERE)

    passed(await sipp("alarm", ports[transport], "u1" if transport == "udp" else "t1"))

    rows = await world.rows(ALARMS, world.tenant)
    assert [(row["source"], row["state"]) for row in rows] == [("scaip", "new")]


@needs_sipp
async def test_a_password_from_the_register_lets_its_unit_in(ports, world, register, sipp):
    await register("scaip", "700123", password="hemlig", reply="in_200")  # noqa: S106

    passed(await sipp("digest", ports["udp"]))

    assert len(await world.rows(ALARMS, world.tenant)) == 1


async def test_a_sealed_alarm_is_acknowledged_when_the_database_has_it(
    ports, world, register, press
):
    await register("dc09", "1234", key=KEY)
    async with line(ports["dc09"]) as unit:
        unit.send(press())
        answer = parse_frame(await unit.receive(), keys=KEY)

    assert (answer.idtoken, answer.seq) == ("ACK", 7)
    assert [row["source"] for row in await world.rows(ALARMS, world.tenant)] == ["dc09"]


async def test_nobody_is_told_that_it_is_stored_while_the_database_is_out_of_reach(
    ports, world, register, cable, press
):
    await register("scaip", "700123", networks=HERE)
    await register("dc09", "1234", key=KEY)
    receivers = ports["receivers"]
    alarm = message(branch="z9hG4bKout")
    await cable.pull_out()

    async with datagrams(ports["udp"]) as phone, line(ports["dc09"]) as panel:
        phone.send(alarm)
        panel.send(press())
        async with asyncio.timeout(10):
            while not (receivers.scaip.counts.untreated and receivers.dc09.counts.untreated):
                await asyncio.sleep(0)
            with pytest.raises(asyncio.IncompleteReadError):
                await panel.receive()
        assert not phone.has_more
        assert await world.rows(ALARMS, world.tenant) == []

        await cable.put_in()
        phone.send(alarm)
        answer = sip.read_datagram(await phone.receive())
    async with line(ports["dc09"]) as panel:
        panel.send(press())
        assert parse_frame(await panel.receive(), keys=KEY).idtoken == "ACK"

    assert answer.status == 200
    assert len(await world.rows(ALARMS, world.tenant)) == 2


async def test_what_was_stored_before_a_restart_is_not_stored_again(
    open_receivers, world, register, press
):
    await register("scaip", "700123", networks=HERE)
    await register("dc09", "1234", key=KEY)

    for branch in ("z9hG4bKone", "z9hG4bKtwo"):
        async with (
            open_receivers() as ports,
            datagrams(ports["udp"]) as phone,
            line(ports["dc09"]) as panel,
        ):
            phone.send(message(branch=branch))
            assert sip.read_datagram(await phone.receive()).status == 200
            panel.send(press())
            assert parse_frame(await panel.receive(), keys=KEY).idtoken == "ACK"

    assert len(await world.rows(ALARMS, world.tenant)) == 2


async def test_an_unknown_units_alarm_is_kept_and_it_is_told_to_try_another_receiver(
    ports, world, clock
):
    async with datagrams(ports["udp"]) as phone, line(ports["dc09"]) as panel:
        phone.send(message(account="31007"))
        await phone.receive()
        mrs = sip.read_datagram(await phone.receive())
        panel.send(sent(at=clock.now()))
        duh = parse_frame(await panel.receive())

    assert b"<snu>5</snu>" in mrs.body
    assert duh.idtoken == "DUH"
    assert await world.rows(ALARMS, world.tenant) == []
    assert {row["account"] for row in await world.rows(MESSAGES, world.tenant)} >= {"31007"}


async def test_a_receiver_of_no_municipality_is_not_opened(config, database, clock, errands):
    told = config.model_copy(update={"receivers": ("nowhere=scaip+udp://127.0.0.1:0",)})

    with pytest.raises(MunicipalityUnknown):
        await receivers_of(told, database, clock, sealer_of(config), errands)


async def test_a_receiver_without_a_key_for_its_units_secrets_is_not_opened(
    config, database, clock, errands, slug
):
    told = config.model_copy(update={"receivers": (f"{slug}=dc09+udp://127.0.0.1:0",)})

    with pytest.raises(ConfigMissing):
        await receivers_of(told, database, clock, None, errands)


async def test_without_receivers_nothing_is_opened(config, database, clock, errands):
    receivers = await receivers_of(config, database, clock, None, errands)

    assert (receivers.scaip, receivers.dc09) == (None, None)
    await receivers.run()

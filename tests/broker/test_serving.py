"""The whole server behind Mosquitto, and a home's own line to it: enrolled, heard, answered."""

import asyncio
from uuid import uuid4

import pytest

from edge import homes, identity
from edge.link import Link
from edge.media_process import Standby
from telecare.access.model import Role
from telecare.app import serving
from telecare.devices.service import make_unit_code
from telecare.runtime.clock import SystemClock
from telecare.runtime.tasks import running
from telecare.wire.edge import UP_ALARM, AlarmRaised, Receipt, Stamp, UnitStatus
from telecare.wire.homes import HomeScript
from telecare.wire.topics import Down, Up
from tests.broker.conftest import PATIENCE_S, Unit
from tests.ports import port_beside_the_flows
from tests.world import World

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def care(gate, config):
    """`telecare serve`, as docs/start.md has it for real homes; its address, and what it serves."""
    port = port_beside_the_flows()
    url = f"http://localhost:{port}"
    told = config.model_copy(
        update={
            "public_url": url,
            "mqtt_url": gate.server_url,
            "broker_url_for_units": f"mqtts://127.0.0.1:{gate.doors.unit_port}",
            "broker_ca_dir": str(gate.folder / "server"),
            "broker_revoked_file": str(gate.revoked_file),
        }
    )
    async with serving(told, SystemClock(), host="127.0.0.1", port=port) as made:
        yield url, made


@pytest.fixture
async def living(care, embedded):
    async with World.found(care[1], embedded.postgres.url("postgres")) as world:
        yield world


async def status():
    stamp = Stamp(boot=uuid4(), monotonic_ms=1)
    return UnitStatus(online=False, stamp=stamp, version="1").model_dump_json().encode()


class Line:
    """A home's line, of the home's own making."""

    def __init__(self, enrolled, will):
        self._number = 1
        self.boot = uuid4()
        self.link = Link(enrolled, reserve=self._reserve, will=lambda: will, came_up=lambda _: None)

    async def _reserve(self, count):
        first, self._number = self._number, self._number + count
        return first

    def press(self, now):
        event = AlarmRaised(
            boot=self.boot, seq=1, occurred_at=now, device="armband", trigger="button"
        )
        assert UP_ALARM.validate_json(event.model_dump_json())
        return self.link.send(Up.ALARM, event.model_dump_json().encode())

    async def receipt(self):
        async with asyncio.timeout(PATIENCE_S):
            while (received := await self.link.received.get()).lane is not Down.RECEIPT:
                pass
        return Receipt.model_validate_json(received.payload)


async def closed_and_listed(gate, closing):
    """Until the broker has been told that the list has changed."""
    listed = gate.revoked_file.read_bytes()
    await closing
    async with asyncio.timeout(PATIENCE_S):
        while gate.revoked_file.read_bytes() == listed:
            await asyncio.sleep(0)
    gate.reload()


async def test_a_home_enrols_comes_in_by_certificate_is_receipted_and_is_put_out(
    care, living, gate, tmp_path
):
    url, made = care
    ingrid = await living.resident("Ingrid")
    async with living.begun() as db:
        code = await make_unit_code(db, ingrid, "Teven", living.now)

    enrolled = await identity.enrol(tmp_path / "home", server_url=url, code=code)
    line = Line(enrolled, await status())
    async with running(link=line.link.run()):
        async with asyncio.timeout(PATIENCE_S):
            await line.link.connected.wait()
        assert line.press(living.now)
        receipt = await line.receipt()
        [unit] = (await made.devices.units([enrolled.unit])).values()
        karin = await living.staff("Karin", role=Role.ENHETSCHEF)
        await closed_and_listed(gate, made.devices.close(karin, ingrid.id, unit.endpoint_id))
        async with asyncio.timeout(PATIENCE_S):
            while line.link.connected.is_set():
                await asyncio.sleep(0)

    outside = Unit(gate, enrolled.unit, tmp_path / "home", serial=0)
    assert await outside.publish(outside.topic("alarm"), "again") != 0
    assert (receipt.boot, receipt.seqs) == (line.boot, [1])
    rows = await living.rows("select state from alarm where tenant_id = $1", living.tenant)
    assert [row["state"] for row in rows] == ["new"]


async def test_a_home_that_was_closed_while_it_was_away_is_not_let_in_and_empties_itself(
    care, living, gate, tmp_path
):
    url, made = care
    ingrid = await living.resident("Ingrid")
    async with living.begun() as db:
        code = await make_unit_code(db, ingrid, "Teven", living.now)
    folder = tmp_path / "home"
    enrolled = await identity.enrol(folder, server_url=url, code=code)
    [unit] = (await made.devices.units([enrolled.unit])).values()
    karin = await living.staff("Karin", role=Role.ENHETSCHEF)
    await closed_and_listed(gate, made.devices.close(karin, ingrid.id, unit.endpoint_id))
    outside, came_in = Unit(gate, enrolled.unit, folder, serial=0), []
    async with asyncio.timeout(PATIENCE_S):
        while await outside.publish(outside.topic("alarm"), "until it is refused") == 0:
            pass

    async with asyncio.timeout(PATIENCE_S):
        script = HomeScript(state_dir=str(folder), server_url=url, camera="none")
        await homes.simulate_home(script, Standby(), came_in.append)

    assert came_in == []
    assert list(folder.iterdir()) == []
    assert "unit.wiped" in await living.events()

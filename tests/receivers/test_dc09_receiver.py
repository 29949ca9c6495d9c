"""A DC-09 unit gets its ACK when its alarm is stored; its messages come from siadc09."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from siadc09.message import parse_frame
from siadc09.util import crc

from telecare.alarms.receivers import dc09
from telecare.alarms.receivers.arrived import Profile
from telecare.alarms.receivers.dc09_receiver import Dc09Receiver
from telecare.alarms.receivers.doubted import PROOF_WITHIN_S
from telecare.alarms.receivers.limits import Limits
from telecare.alarms.receivers.ports import Port
from telecare.alarms.receivers.shares import Allowance
from tests.receivers.conftest import HERE, datagrams
from tests.receivers.test_dc09 import KEYS, NOW, sent


class Wall:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time


class Receiving:
    def __init__(self, receiver, endpoints):
        self.receiver = receiver
        self.tcp, self.udp = endpoints


@pytest.fixture
async def open_dc09(register, seconds, errands):
    register.profiles["1234"] = Profile(networks=HERE)

    @asynccontextmanager
    async def opened(**limits):
        receiver = Dc09Receiver(
            [Port("north", "tcp", "127.0.0.1", 0), Port("north", "udp", "127.0.0.1", 0)],
            register,
            errands=errands,
            clock=Wall(),
            seconds=seconds,
            limits=Limits(**limits),
        )
        async with receiver.open() as endpoints:
            yield Receiving(receiver, endpoints)

    return opened


@pytest.fixture
async def receiving(open_dc09):
    async with open_dc09() as receiving:
        yield receiving


class Line:
    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    def send(self, data):
        self._writer.write(data)

    async def receive(self):
        async with asyncio.timeout(10):
            return await self._reader.readuntil(b"\r")


@asynccontextmanager
async def line(to):
    reader, writer = await asyncio.open_connection(*to)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


@pytest.fixture(params=["tcp", "udp"])
async def unit(receiving, request):
    opened = line if request.param == "tcp" else datagrams
    async with opened(getattr(receiving, request.param)) as unit:
        yield unit


async def told(unit, key=None):
    return parse_frame(await unit.receive(), keys=key)


async def test_an_alarm_is_acknowledged_when_it_is_stored(receiving, unit, register):
    register.commits.clear()
    unit.send(sent(seq=41))
    await register.until(lambda: register.asked)
    assert register.arrived == []

    register.commits.set()
    answer = await told(unit)

    assert (answer.idtoken, answer.seq) == ("ACK", 41)
    [arrived] = register.arrived
    assert (arrived.kind, arrived.is_proven, arrived.claim.account) == ("alarm", True, "1234")


@pytest.mark.parametrize("key", KEYS)
async def test_a_sealed_alarm_is_acknowledged_sealed(receiving, unit, register, key):
    register.profiles["1234"] = Profile(key=key)
    unit.send(sent(key=key))

    answer = await told(unit, key)

    assert (answer.idtoken, answer.encrypted, answer.timestamp) == ("ACK", True, NOW)
    assert [arrived.is_proven for arrived in register.arrived] == [True]


async def test_the_same_alarm_is_acknowledged_again_and_stored_once(receiving, unit, register):
    for late in (0, 5):
        unit.send(sent(at=NOW + timedelta(seconds=late)))
        assert (await told(unit)).idtoken == "ACK"

    assert len(register.arrived) == 1
    assert receiving.receiver.counts.repeated == 1


async def test_while_the_database_is_out_of_reach_nothing_is_answered(receiving, register):
    register.is_reachable = False
    async with line(receiving.tcp) as unit:
        unit.send(sent())
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await unit.receive()

    register.is_reachable = True
    async with line(receiving.tcp) as unit:
        unit.send(sent())
        assert (await told(unit)).idtoken == "ACK"
    assert len(register.arrived) == 1


async def test_frames_cut_and_joined_are_each_stored(receiving, register):
    frames = b"".join(sent(seq=n, data=b"#1234|NMA%02d" % n) for n in range(9))
    async with line(receiving.tcp) as unit:
        for at in range(0, len(frames), 50):
            unit.send(frames[at : at + 50])
            await asyncio.sleep(0)
        answers = {(await told(unit)).seq for _ in range(9)}

    assert answers == set(range(9))
    assert len(register.arrived) == 9


async def test_a_frame_hurt_on_its_way_is_not_answered(receiving, unit, register):
    unit.send(sent(seq=1).replace(b"MA01", b"MA02"))
    unit.send(sent(seq=2))

    assert (await told(unit)).seq == 2
    assert len(register.arrived) == register.asked == 1


async def test_a_unit_nobody_knows_is_heard_and_told_that_it_was_not_treated(
    receiving, unit, register
):
    register.profiles.clear()
    unit.send(sent())

    assert (await told(unit)).idtoken == "DUH"
    assert [arrived.is_proven for arrived in register.arrived] == [False]


async def test_what_is_not_sealed_proves_no_unit_with_a_key(receiving, unit, register):
    register.profiles["1234"] = Profile(networks=HERE, key=KEYS[0])
    unit.send(sent())

    assert (await told(unit)).idtoken == "DUH"
    assert [arrived.is_proven for arrived in register.arrived] == [False]


async def test_a_wrong_key_is_kept_and_told(receiving, unit, register):
    register.profiles["1234"] = Profile(key=KEYS[0])
    unit.send(sent(key=b"another key, 16!"))

    assert b'"NAK"' in await unit.receive()
    assert [(r.reason, r.account) for r in register.refused] == [("dc09_key_wrong", "1234")]


async def test_a_sealed_message_without_its_time_is_taken_for_a_wrong_key(
    receiving, unit, register
):
    register.profiles["1234"] = Profile(key=KEYS[0])
    unit.send(dc09._framed(f'"*SIA-DCS"0001L0#1234[{dc09.seal("|NMA01]", KEYS[0])}'))

    assert b'"NAK"' in await unit.receive()
    assert register.arrived == []


async def test_a_unit_with_a_wrong_clock_hears_the_time_and_is_believed_then(
    receiving, unit, register, seconds
):
    unit.send(sent(at=NOW - timedelta(hours=1)))
    assert b'"NAK"0000R0L0A0[]_12:00:00,11-23-2026' in await unit.receive()
    assert register.arrived == []

    unit.send(sent())

    assert (await told(unit)).idtoken == "ACK"
    seconds.pass_(PROOF_WITHIN_S)
    receiving.receiver.tick()
    unit.send(sent(seq=8))
    await unit.receive()
    assert [arrived.is_proven for arrived in register.arrived] == [True, True]
    assert register.received == 2


async def test_a_unit_that_does_not_learn_the_time_is_heard_as_unproven(
    receiving, unit, register, seconds
):
    unit.send(sent(at=NOW - timedelta(hours=1)))
    await unit.receive()
    register.is_reachable = False
    seconds.pass_(PROOF_WITHIN_S)
    receiving.receiver.tick()
    await register.until(lambda: register.failures)

    register.is_reachable = True
    seconds.pass_(PROOF_WITHIN_S)
    receiving.receiver.tick()
    await register.until(lambda: register.arrived)

    assert [(a.kind, a.is_proven) for a in register.arrived] == [("alarm", False)]


async def test_a_flood_of_one_account_stops_no_other_from_the_same_address(open_dc09, register):
    register.profiles["1235"] = Profile(networks=HERE)
    async with open_dc09(alarms=Allowance(5, 0)) as receiving, line(receiving.tcp) as unit:
        for n in range(30):
            unit.send(sent(seq=n))
        other = sent(seq=99)[9:-1].replace(b"#1234[", b"#1235[")
        from_other = b"\n%04X0%03X%s\r" % (crc(other), len(other), other)
        unit.send(from_other)
        answers = [await told(unit) for _ in range(6)]

    assert [answer.account.acct for answer in answers] == [0x1234] * 5 + [0x1235]

"""A unit is answered when its alarm is stored, once for each time it asks, and never before."""

import asyncio
import re
import ssl
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import pytest

from telecare.alarms.receivers import sip, sip_digest
from telecare.alarms.receivers.arrived import Profile
from telecare.alarms.receivers.doubted import PROOF_WITHIN_S
from telecare.alarms.receivers.ports import HALF_READ_S, NoCertificate, Port, Ports
from telecare.alarms.receivers.scaip_receiver import SIP
from telecare.alarms.receivers.shares import Allowance, Shares
from tests.receivers.conftest import HERE, datagrams
from tests.receivers.test_scaip import alarm

PASSWORD = "hemlig"
BRANCH = iter(range(10**6))


def message(body=None, *, branch=None, account="700123", transport="UDP", more="", **tags):
    body = alarm(**{"cid": account, **tags}) if body is None else body
    branch = branch or f"z9hG4bKt{next(BRANCH)}"
    return (
        f"MESSAGE sip:alarm@larm.example SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} 127.0.0.1:5070;branch={branch};rport\r\n"
        f"From: <sip:{account}@larm.example>;tag=9\r\n"
        f"To: <sip:alarm@larm.example>\r\n"
        f"Call-ID: call-{branch}\r\n"
        f"CSeq: 1 MESSAGE\r\n"
        f"{more}"
        f"Content-Type: application/scaip+xml\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"\r\n"
    ).encode() + body


def ok(request):
    """The unit's 200 to a request of ours."""
    return sip.write(sip.answer(request, 200, tag="u", source=("127.0.0.1", 1)))


@pytest.fixture
async def unit(rig):
    async with datagrams(rig.udp) as unit:
        yield unit


async def told(unit):
    return sip.read_datagram(await unit.receive())


class Line:
    """A unit's connection."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self._frames, self._got = sip.Frames(), []

    async def told(self):
        async with asyncio.timeout(10):
            while not self._got:
                piece = await self.reader.read(4096)
                assert piece, "hung up"
                self._got += [m for m in self._frames.feed(piece) if m is not None]
        return self._got.pop(0)

    async def hung_up(self):
        async with asyncio.timeout(10):
            try:
                while await self.reader.read(4096):
                    pass
            except ConnectionError:
                pass


@asynccontextmanager
async def line(to, **tls):
    reader, writer = await asyncio.open_connection(*to, **tls)
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


async def test_an_alarm_is_stored_then_answered_then_told_whom_to_call(rig, unit, register):
    register.commits.clear()
    unit.send(message(branch="z9hG4bKone"))
    await register.until(lambda: register.asked)
    assert not unit.has_more

    register.commits.set()
    answer, mrs = await told(unit), await told(unit)

    assert (answer.status, answer.body) == (200, b"")
    assert "received=127.0.0.1" in answer.headers.get("via")
    assert mrs.method == "MESSAGE"
    assert mrs.headers.get("content-type") == "application/scaip+xml"
    assert b"<ref>aB3</ref><snu>0</snu><mre>1</mre>" in mrs.body
    [arrived] = register.arrived
    assert (arrived.kind, arrived.is_proven, arrived.claim.account) == ("alarm", True, "700123")
    assert (arrived.claim.receiver, arrived.claim.domain) == ("north", "larm.example")
    assert arrived.claim.source == ip_address("127.0.0.1")


async def left(rig):
    """A message has been left without an answer."""
    async with asyncio.timeout(10):
        while not rig.receiver.counts.untreated:
            await asyncio.sleep(0)


async def test_a_retransmission_is_answered_the_same_and_stored_once(rig, unit, register):
    sent = message(branch="z9hG4bKtwice")
    unit.send(sent)
    first = await unit.receive()
    mrs = await told(unit)
    unit.send(ok(mrs))

    unit.send(sent)

    assert await unit.receive() == first
    assert len(register.arrived) == register.asked == 1


async def test_a_retransmission_while_it_is_being_stored_is_not_answered_twice(rig, unit, register):
    register.commits.clear()
    sent = message()
    for _ in range(3):
        unit.send(sent)
    await register.until(lambda: register.asked)

    register.commits.set()

    assert (await told(unit)).status == 200
    assert (await told(unit)).method == "MESSAGE"
    unit.send(options())
    assert (await told(unit)).headers.get("cseq") == "1 OPTIONS"
    assert register.asked == 1


async def test_the_same_alarm_sent_anew_is_answered_again_and_stored_once(rig, unit, register):
    bodies = []
    for _ in range(2):
        unit.send(message())
        await told(unit)
        mrs = await told(unit)
        unit.send(ok(mrs))
        bodies.append(mrs.body)

    assert bodies[0] == bodies[1]
    assert len(register.arrived) == 1
    assert rig.receiver.counts.repeated == 1


async def test_while_the_database_is_out_of_reach_nothing_is_answered(rig, unit, register):
    register.is_reachable = False
    sent = message()
    unit.send(sent)
    await left(rig)
    assert not unit.has_more

    register.is_reachable = True
    unit.send(sent)

    assert (await told(unit)).status == 200
    assert len(register.arrived) == 1


async def test_a_connection_ends_when_what_came_on_it_cannot_be_stored(rig, register):
    register.is_reachable = False
    async with line(rig.tcp) as unit:
        unit.writer.write(message(transport="TCP"))

        await unit.hung_up()

    assert register.arrived == []


async def test_our_answer_is_sent_again_until_the_unit_has_it(rig, unit, seconds):
    unit.send(message())
    await told(unit)
    first = await unit.receive()

    for after in (0.5, 1.0, 2.0, 4.0, 4.0):
        seconds.pass_(after)
        rig.receiver.tick()
        assert await unit.receive() == first
    unit.send(ok(sip.read_datagram(first)))
    unit.send(options())
    await told(unit)
    seconds.pass_(4.0)
    rig.receiver.tick()
    unit.send(options())

    assert (await told(unit)).headers.get("cseq") == "1 OPTIONS"
    assert not unit.has_more


async def test_a_unit_whose_profile_says_so_is_answered_in_the_200(rig, unit, register):
    register.profiles["700123"] = Profile(networks=HERE, scaip_reply="in_200")
    unit.send(message())

    answer = await told(unit)

    assert b"<snu>0</snu>" in answer.body
    assert answer.headers.get("content-type") == "application/scaip+xml"
    unit.send(options())
    assert (await told(unit)).headers.get("cseq") == "1 OPTIONS"


async def test_a_unit_nobody_knows_is_heard_and_told_that_it_was_not_treated(rig, unit, register):
    unit.send(message(account="5551"))

    assert (await told(unit)).status == 200
    assert b"<snu>5</snu>" in (await told(unit)).body
    assert [(a.claim.account, a.is_proven) for a in register.arrived] == [("5551", False)]


@pytest.mark.parametrize(
    ("profile", "sender"),
    [
        (Profile(networks=(ip_network("192.0.2.0/24"),)), "700123"),
        (Profile(), "700123"),
        (Profile(networks=HERE), "700124"),
    ],
)
async def test_a_unit_is_known_by_its_network_and_its_name(rig, unit, register, profile, sender):
    register.profiles["700123"] = profile
    unit.send(message(account=sender, body=alarm()))

    await told(unit)

    assert b"<snu>5</snu>" in (await told(unit)).body
    assert [arrived.is_proven for arrived in register.arrived] == [False]


async def test_a_unit_without_rport_is_answered_where_it_says_it_listens(rig, unit):
    async with datagrams(rig.udp) as listening:
        sent = message().replace(b";rport", b"")
        unit.send(sent.replace(b"127.0.0.1:5070", b"127.0.0.1:%d" % listening.here[1]))

        assert (await told(listening)).status == 200
        assert (await told(listening)).method == "MESSAGE"
    assert not unit.has_more


# --- password ---


def authorization(challenge, *, password=PASSWORD, user="700123", algorithm=None):
    asked = challenge.headers.get("www-authenticate")
    nonce = re.search('nonce="([^"]+)"', asked)[1]
    algorithm = algorithm or re.search("algorithm=([^,]+)", asked)[1]
    given = sip_digest.Credentials(
        user, "telecare", nonce, "sip:alarm@larm.example", "", algorithm, "auth", "00000001", "c"
    )
    response = sip_digest.response(given, method="MESSAGE", password=password)
    return (
        f'Authorization: Digest username="{user}", realm="telecare", nonce="{nonce}", '
        f'uri="{given.uri}", response="{response}", algorithm={algorithm}, qop=auth, nc=00000001, '
        f'cnonce="c"\r\n'
    )


@pytest.fixture
def secret_unit(register):
    register.profiles["700123"] = Profile(password=PASSWORD)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_a_unit_with_a_password_is_asked_for_it(rig, unit, register, algorithm):
    register.profiles["700123"] = Profile(password=PASSWORD, digest=algorithm)
    unit.send(message())
    challenge = await told(unit)
    assert challenge.status == 401
    assert f"algorithm={algorithm}," in challenge.headers.get("www-authenticate")
    assert register.arrived == []

    unit.send(message(more=authorization(challenge)))

    assert (await told(unit)).status == 200
    assert [arrived.is_proven for arrived in register.arrived] == [True]


async def test_an_overheard_answer_lets_no_other_message_in(rig, unit, register, secret_unit):
    unit.send(message())
    overheard = authorization(await told(unit))

    unit.send(message(did="other", more=overheard))

    again = await told(unit)
    assert again.status == 401
    assert "stale=true" in again.headers.get("www-authenticate")
    assert register.arrived == []


async def test_an_old_nonce_is_renewed(rig, unit, seconds, register, secret_unit):
    unit.send(message())
    old = authorization(await told(unit))
    seconds.pass_(sip_digest.NONCE_GOOD_FOR_S)

    unit.send(message(more=old))
    challenge = await told(unit)
    unit.send(message(more=authorization(challenge)))

    assert "stale=true" in challenge.headers.get("www-authenticate")
    assert (await told(unit)).status == 200


@pytest.mark.parametrize(
    "wrong", [{"password": "fel"}, {"user": "700124"}, {"algorithm": "SHA-256"}, None]
)
async def test_an_alarm_that_cannot_prove_itself_is_heard_as_unproven(
    rig, unit, seconds, register, secret_unit, wrong
):
    unit.send(message())
    challenge = await told(unit)
    if wrong is not None:
        unit.send(message(more=authorization(challenge, **wrong)))
        assert (await told(unit)).status == 401
    seconds.pass_(PROOF_WITHIN_S - 0.1)
    rig.receiver.tick()
    assert register.arrived == []

    seconds.pass_(0.1)
    rig.receiver.tick()
    await register.until(lambda: register.arrived)

    assert [(a.kind, a.is_proven) for a in register.arrived] == [("alarm", False)]


async def test_an_unproven_alarm_waits_for_the_database(rig, unit, seconds, register, secret_unit):
    unit.send(message())
    await told(unit)
    register.is_reachable = False
    seconds.pass_(PROOF_WITHIN_S)
    rig.receiver.tick()
    await register.until(lambda: register.failures)

    register.is_reachable = True
    seconds.pass_(PROOF_WITHIN_S)
    rig.receiver.tick()
    await register.until(lambda: register.arrived)

    assert [arrived.is_proven for arrived in register.arrived] == [False]


async def test_one_that_has_proven_itself_is_not_heard_twice(
    rig, unit, seconds, register, secret_unit
):
    unit.send(message())
    unit.send(message(more=authorization(await told(unit))))
    await told(unit)

    seconds.pass_(PROOF_WITHIN_S)
    rig.receiver.tick()

    assert rig.receiver.counts.unproven == 0


# --- floods and bounds ---


async def test_a_flood_of_one_account_stops_no_other_from_the_same_address(open_receiver, register):
    register.profiles["800"] = Profile(networks=HERE)
    async with (
        open_receiver(alarms=Allowance(5, 1)) as rig,
        datagrams(rig.udp) as flooding,
        datagrams(rig.udp) as other,
    ):
        statuses = []
        for n in range(12):
            flooding.send(message(ref=f"f{n}"))
            while isinstance(answer := await told(flooding), sip.Request):
                flooding.send(ok(answer))
            statuses.append(answer.status)
        other.send(message(account="800"))

        assert statuses == [200] * 5 + [503] * 7
        assert (await told(other)).status == 200
        assert [arrived.claim.account for arrived in register.arrived] == ["700123"] * 5 + ["800"]


async def test_heartbeats_take_nothing_from_the_same_units_alarms(open_receiver, register):
    async with open_receiver(others=Allowance(2, 0)) as rig, datagrams(rig.udp) as unit:
        for n in range(4):
            unit.send(message(ref=f"h{n}", mty="PI"))
        unit.send(message(ref="press"))
        await register.until(lambda: register.arrived and register.arrived[-1].reference == "press")

        assert [a.kind for a in register.arrived] == ["heartbeat", "heartbeat", "alarm"]


async def test_a_flood_under_invented_accounts_stops_no_registered_unit(open_receiver, register):
    async with open_receiver(unknown=Allowance(3, 0)) as rig, datagrams(rig.udp) as unit:
        for n in range(20):
            unit.send(message(account=f"9{n}"))
        unit.send(message())
        await register.until(
            lambda: register.arrived and register.arrived[-1].claim.account == "700123"
        )

        assert len(register.arrived) == 4


def test_shares_fill_up_again_and_are_not_remembered_for_ever():
    shares = Shares(100)
    allowance = Allowance(2, 0.5)
    taken = [shares.take(("a",), allowance, now) for now in (0, 0, 0, 1, 2, 2, 100, 100, 100)]

    assert taken == [True, True, False, False, True, False, True, True, False]
    for n in range(1000):
        shares.take((str(n),), allowance, 0.0)
    assert len(shares) == 100


async def test_what_there_is_no_room_to_wait_for_is_left_and_comes_again(
    open_receiver, register, seconds, secret_unit
):
    async with open_receiver(unproven=1) as rig, datagrams(rig.udp) as unit:
        second = message(ref="second")
        unit.send(message(ref="first"))
        assert (await told(unit)).status == 401
        unit.send(second)
        await left(rig)
        seconds.pass_(PROOF_WITHIN_S)
        rig.receiver.tick()

        unit.send(second)

        assert (await told(unit)).status == 401


async def test_memory_is_bounded_while_nothing_can_be_stored(open_receiver, register):
    async with open_receiver(messages=3) as rig, datagrams(rig.udp) as unit:
        register.commits.clear()
        last = message(ref="r9")
        for n in range(9):
            unit.send(message(ref=f"r{n}"))
        unit.send(last)
        async with asyncio.timeout(10):
            while rig.receiver.counts.untreated < 7:
                await asyncio.sleep(0)
        assert len(rig.receiver._served) == 3

        register.commits.set()
        await register.until(lambda: len(register.arrived) == 3)
        unit.send(last)
        await register.until(lambda: len(register.arrived) == 4)

        assert register.arrived[-1].reference == "r9"


async def test_a_new_connection_takes_the_place_of_the_one_silent_longest(open_receiver, seconds):
    async with (
        open_receiver(connections=2) as rig,
        line(rig.tcp) as first,
        line(rig.tcp) as second,
    ):
        for unit in (second, first):
            seconds.pass_(1)
            unit.writer.write(options())
            await unit.told()
        async with line(rig.tcp) as third:
            await second.hung_up()
            third.writer.write(message(transport="TCP"))
            assert (await third.told()).status == 200


async def test_a_message_that_begins_and_does_not_end_is_hung_up_on(rig, seconds):
    async with line(rig.tcp) as slow, line(rig.tcp) as idle:
        idle.writer.write(message(transport="TCP"))
        await idle.told()
        slow.writer.write(options() + b"MESSAGE sip:")
        await slow.told()
        seconds.pass_(HALF_READ_S)
        rig.receiver.tick()

        await slow.hung_up()
        idle.writer.write(options())
        while isinstance(await idle.told(), sip.Request):
            pass


# --- connections ---


async def test_a_message_that_trickles_in_is_hung_up_on_all_the_same(rig, seconds):
    async with line(rig.tcp) as slow:
        for piece in (options(), b"MES", b"SAGE sip:"):
            slow.writer.write(piece)
            async with asyncio.timeout(10):
                while [of.heard_at for of in rig.receiver._ports._lines.values()] != [seconds()]:
                    await asyncio.sleep(0)
            seconds.pass_(HALF_READ_S / 2)
        rig.receiver.tick()

        await slow.hung_up()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_an_alarm_in_pieces_is_answered_on_its_connection(
    rig, register, certificate, transport
):
    tls = {}
    if transport == "tls":
        tls["ssl"] = ssl.create_default_context(cafile=certificate[0])
    async with line(getattr(rig, transport), **tls) as unit:
        whole = message(transport=transport.upper()) + b"\r\n\r\n"
        for at in range(0, len(whole), 40):
            unit.writer.write(whole[at : at + 40])
            await unit.writer.drain()
            await asyncio.sleep(0)

        assert (await unit.told()).status == 200
        mrs = await unit.told()

    assert b"<snu>0</snu>" in mrs.body
    assert f"SIP/2.0/{transport.upper()} " in mrs.headers.get("via")
    assert len(register.arrived) == 1


async def test_a_port_for_tls_is_not_opened_without_a_certificate():
    ports = Ports([Port("north", "tls", "127.0.0.1", 0)], SIP, print, clock=int, connections=1)

    with pytest.raises(NoCertificate):
        async with ports.open():
            pass


async def test_several_alarms_in_one_piece_are_each_stored(rig, register):
    async with line(rig.tcp) as unit:
        unit.writer.write(b"".join(message(ref=f"r{n}", transport="TCP") for n in range(9)))
        answers = [await unit.told() for _ in range(18)]

    assert sum(isinstance(answer, sip.Response) for answer in answers) == 9
    assert {arrived.reference for arrived in register.arrived} == {f"r{n}" for n in range(9)}


# --- what is no alarm ---


def options(method="OPTIONS"):
    text = message(body=b"").decode().replace("MESSAGE sip", f"{method} sip")
    return text.replace("1 MESSAGE", f"1 {method}").encode()


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("REGISTER", 405),
                                                ("INVITE", 405), ("CANCEL", 481)])  # fmt: skip
async def test_other_methods_are_answered_and_stored_nowhere(rig, unit, register, method, status):
    unit.send(options(method))

    assert (await told(unit)).status == status
    assert register.asked == 0


@pytest.mark.parametrize(
    ("body", "snu", "reason"),
    [
        (alarm(dty=None), b"<snu>7</snu>", "scaip_tag_missing"),
        (alarm(dte="x" * 9000), b"<snu>1</snu>", "scaip_too_long"),
        (alarm(dty="x"), b"<snu>3</snu>", "scaip_wrong_value"),
    ],
)
async def test_what_cannot_be_treated_is_kept_and_told_why(rig, unit, register, body, snu, reason):
    unit.send(message(body))

    assert (await told(unit)).status == 200
    assert snu in (await told(unit)).body
    assert [refused.reason for refused in register.refused] == [reason]
    assert register.arrived == []


@pytest.mark.parametrize("body", [b"<mrq>", b"<!DOCTYPE m [<!ENTITY a 'b'>]><mrq>&a;</mrq>"])
async def test_what_is_no_xml_is_kept_and_refused(rig, unit, register, body):
    unit.send(message(body))

    assert (await told(unit)).status == 400
    assert [refused.reason for refused in register.refused] == ["scaip_bad_format"]


async def test_a_body_of_another_kind_is_refused(rig, unit, register):
    unit.send(message(b"hej").replace(b"application/scaip+xml", b"text/plain"))

    answer = await told(unit)

    assert (answer.status, answer.headers.get("accept")) == (415, "application/scaip+xml")


@pytest.mark.parametrize(
    "noise", [b"", b"\r\n\r\n", b"\0" * 4, b"\xff" * 500, b"GET / HTTP/1.1\r\n\r\n"]
)
async def test_noise_is_not_answered(rig, unit, register, noise):
    unit.send(noise)
    unit.send(options())

    assert (await told(unit)).headers.get("cseq") == "1 OPTIONS"
    assert register.asked == 0


async def test_no_address_and_no_contents_are_logged(rig, unit, register, caplog):
    caplog.set_level("DEBUG")
    register.is_reachable = False
    unit.send(message(dte="Ingrids klocka"))
    await left(rig)

    said = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records
                    if record.name.startswith("telecare"))  # fmt: skip
    assert "message not stored" in said
    for secret in ("Ingrid", "127.0.0.1", "700123"):
        assert secret not in said

"""SIPp, a SIP of others' making, sends alarms as units do. SIPp's exit code is the answer."""

import asyncio
import contextlib
import re
import shutil
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from telecare.alarms.receivers.arrived import Profile
from tests.receivers.conftest import HERE

SCENARIOS = Path(__file__).with_name("sipp")
SIPP = shutil.which("sipp")
pytestmark = pytest.mark.skipif(SIPP is None, reason="sip-tester is not installed")


@pytest.fixture
async def sipp(tmp_path):
    async def run(scenario, to, transport="u1", *more):
        assert SIPP is not None
        process = await asyncio.create_subprocess_exec(
            SIPP, f"{to[0]}:{to[1]}", "-sf", SCENARIOS / f"{scenario}.xml",
            "-oocsf", SCENARIOS / "told.xml", "-m", "1", "-i", "127.0.0.1", "-t", transport,
            "-nostdin", "-timeout", "8s", "-timeout_error", "-recv_timeout", "6000",
            "-trace_err", "-error_file", tmp_path / "errors.log", *more,
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        log = tmp_path / "errors.log"
        return process.returncode, (log.read_text(errors="replace") if log.exists() else "") + (
            re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said.decode(errors="replace"))[-20000:]
        )

    return run


def passed(result):
    code, said = result
    assert code == 0, said


@pytest.fixture
def in_200(register):
    register.profiles["700123"] = Profile(networks=HERE, scaip_reply="in_200")


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_an_alarm_is_answered_and_the_mrs_taken(rig, register, sipp, transport):
    passed(await sipp("alarm", rig.udp if transport == "u1" else rig.tcp, transport))

    assert [(a.kind, a.is_proven, a.trigger) for a in register.arrived] == [
        ("alarm", True, "button")
    ]
    assert len(rig.receiver._asked) == 0, "our MESSAGE was not answered"


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_the_mrs_comes_in_the_200(
    rig,
    register,
    sipp,
    in_200,
    transport,
):
    passed(await sipp("in_200", rig.udp if transport == "u1" else rig.tcp, transport))

    assert len(register.arrived) == register.asked == 1


async def test_retransmissions_while_it_is_stored_are_one_alarm(rig, register, sipp, in_200):
    register.commits.clear()
    sending = asyncio.ensure_future(sipp("in_200", rig.udp))
    async with asyncio.timeout(10):
        while rig.receiver.counts.retransmitted < 2:
            await asyncio.sleep(0.01)

    register.commits.set()

    passed(await sending)
    assert len(register.arrived) == register.asked == 1


@pytest.mark.parametrize(
    ("scenario", "more", "reason"),
    [
        ("malformed", [], "scaip_bad_format"),
        ("entity", ["-key", "dtd", '[<!ENTITY a "b">]'], "scaip_bad_format"),
        ("too_long", ["-key", "big", "x" * 9000], "scaip_too_long"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_kept(
    rig,
    register,
    sipp,
    in_200,
    scenario,
    more,
    reason,
):
    result = await sipp(scenario, rig.tcp, "t1", *more)

    passed(result)
    assert [refused.reason for refused in register.refused] == [reason]
    assert register.arrived == []


async def test_a_unit_answers_when_asked_for_its_password(rig, register, sipp):
    register.profiles["700123"] = Profile(password="hemlig", scaip_reply="in_200")  # noqa: S106

    passed(await sipp("digest", rig.udp))

    assert [arrived.is_proven for arrived in register.arrived] == [True]


async def test_a_wrong_password_is_not_let_in(rig, register, sipp):
    register.profiles["700123"] = Profile(password="annat", scaip_reply="in_200")  # noqa: S106

    code, _ = await sipp("digest", rig.udp)

    assert code != 0
    assert register.arrived == []


async def test_an_alarm_cut_into_bytes_is_whole(rig, register, sipp, in_200):
    async with relay(rig.tcp, piece=7) as to:
        passed(await sipp("in_200", to, "t1"))

    assert len(register.arrived) == 1


async def test_an_alarm_over_tls(rig, register, sipp, in_200, certificate):
    tls = ssl.create_default_context(cafile=certificate[0])
    async with relay(rig.tls, ssl=tls) as to:  # Debian's SIPp is built without TLS
        passed(await sipp("in_200", to, "t1"))

    assert len(register.arrived) == 1


@asynccontextmanager
async def relay(onward, *, piece=65536, **tls):
    """Passes a connection on, in pieces of so many bytes, over TLS if told to."""

    async def passes_on(reader, writer):
        out_reader, out_writer = await asyncio.open_connection(*onward, **tls)
        async with asyncio.TaskGroup() as group:
            group.create_task(copy(reader, out_writer, piece))
            group.create_task(copy(out_reader, writer, 65536))

    async def copy(source, target, size):
        with contextlib.suppress(OSError):
            while data := await source.read(size):
                target.write(data)
                await target.drain()
        with contextlib.suppress(OSError):
            target.close()

    server = await asyncio.start_server(passes_on, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()

"""Enrolment: keys are made here, kept private, and told to nobody in plain text."""

import asyncio
import json
import secrets
import stat
import sys
from pathlib import Path

import pytest
from aiohttp import web

from edge.identity import (
    EnrolmentRefused,
    NotEnrolled,
    UnsafeAddress,
    enrol,
    from_text,
    load,
    refuse_plain_text,
    to_text,
)
from telecare.wire.edge import EnrolRequest

ROOT = Path(__file__).resolve().parents[2]
MAC_KEY = secrets.token_bytes(32)
UNIT = "u-" + "a" * 26


@pytest.fixture
async def enrolling():
    """A server of another make that knows one code; gives its address and what it was sent."""
    requests: list[EnrolRequest] = []

    async def answer(request: web.Request) -> web.Response:
        body = EnrolRequest.model_validate_json(await request.read())
        requests.append(body)
        if body.code != "7K3MPQ9X":
            problem = {"code": "pairing_code_unknown"}
            return web.json_response(problem, status=404, content_type="application/problem+json")
        answer = {"unit": UNIT, "mac_key": to_text(MAC_KEY), "broker_url": "mqtt://127.0.0.1:1"}
        return web.json_response(answer, status=201)

    app = web.Application()
    app.router.add_post("/api/units/enrol", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://localhost:{runner.addresses[0][1]}", requests
    await runner.cleanup()


async def test_unit_keeps_its_keys_where_only_it_can_read_them(enrolling, tmp_path):
    url, requests = enrolling
    home = tmp_path / "home"

    identity = await enrol(home, server_url=url, code="7K3MPQ9X")

    assert load(home).unit == identity.unit == UNIT
    assert identity.mac_key == MAC_KEY
    public_key = identity.signing_key.public_key().public_bytes_raw()
    assert from_text(requests[0].public_key) == public_key
    assert {stat.S_IMODE(file.stat().st_mode) for file in home.iterdir()} == {0o600}
    assert to_text(MAC_KEY) not in repr(identity)
    assert (
        identity.signing_key.private_bytes_raw()
        not in json.dumps([request.model_dump() for request in requests]).encode()
    )


async def test_wrong_code_enrols_nothing(enrolling, tmp_path):
    url, _ = enrolling

    with pytest.raises(EnrolmentRefused) as refused:
        await enrol(tmp_path / "home", server_url=url, code="WRONGCOD")

    assert (refused.value.status, refused.value.code) == (404, "pairing_code_unknown")
    with pytest.raises(NotEnrolled):
        load(tmp_path / "home")


async def test_code_never_leaves_the_machine_in_plain_text(tmp_path):
    with pytest.raises(UnsafeAddress):
        await enrol(tmp_path / "home", server_url="http://care.example", code="7K3MPQ9X")

    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("url", ["mqtt://10.99.0.1:1883", "mqtt://broker.example", "ws://x"])
def test_broker_elsewhere_is_reached_over_tls_only(url):
    with pytest.raises(UnsafeAddress):
        refuse_plain_text(url, secure_scheme="mqtts")


@pytest.mark.parametrize(("code", "status"), [("7K3MPQ9X", 0), ("WRONGCOD", 1)])
async def test_installer_enrols_a_unit_from_the_command_line(enrolling, tmp_path, code, status):
    url, _ = enrolling

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge", "enrol"),
        *("--state", str(tmp_path / "home"), "--server", url, "--code", code),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await process.communicate()

    assert process.returncode == status
    if status == 0:
        assert json.loads(printed) == {"unit": UNIT}
    else:
        assert complaint == b"not enrolled: 404 pairing_code_unknown\n"

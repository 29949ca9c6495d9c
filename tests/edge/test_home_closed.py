"""A unit that the broker refuses wipes itself on the server's proof, and on nothing else."""

import secrets

import pytest
from aiohttp import web

from edge import certificate, closing
from edge.identity import to_text
from telecare.wire import seal

OTHER_KEY = secrets.token_bytes(32)


@pytest.fixture
async def answering(identity):
    """Whoever stands where the unit's server is said to be; says what the test lets it say."""
    says = {}

    async def closed(request):
        question = await request.json()
        return says["closed"](question["challenge"])

    app = web.Application()
    app.router.add_post("/api/units/{unit}/closed", closed)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    (identity.folder / certificate.FOLDER).mkdir()
    written = identity.folder / certificate.FOLDER / certificate.SERVER_FILE
    written.write_text(f"http://127.0.0.1:{port}")
    yield says
    await runner.cleanup()


def proven(identity, challenge, *, key=None, said="closed", unit=None):
    proof = seal.proof(key or identity.mac_key, said, unit or identity.unit, challenge)
    return web.json_response({"proof": proof})


async def test_unit_believes_the_servers_proof(answering, identity):
    answering["closed"] = lambda challenge: proven(identity, challenge)

    assert await closing.is_closed(identity)


@pytest.mark.parametrize(
    "answer",
    [
        lambda identity, challenge: web.json_response({"code": "not_found"}, status=404),
        lambda identity, challenge: web.json_response({"code": "gone"}, status=410),
        lambda identity, challenge: web.Response(text="closed"),
        lambda identity, challenge: web.json_response({"proof": ""}),
        lambda identity, challenge: web.json_response({"proof": "å" * 43}),
        lambda identity, challenge: proven(identity, challenge, key=OTHER_KEY),
        lambda identity, challenge: proven(identity, challenge, said="wiped"),
        lambda identity, challenge: proven(identity, challenge, unit="u-another"),
        lambda identity, challenge: proven(identity, to_text(bytes(32))),
    ],
    ids=[
        "nothing", "gone", "words", "empty", "no proof", "another key", "its own word",
        "another unit", "an old answer",
    ],
)  # fmt: skip
async def test_nobody_else_can_tell_a_unit_that_it_is_closed(answering, identity, answer):
    answering["closed"] = lambda challenge: answer(identity, challenge)

    assert not await closing.is_closed(identity)


async def test_unit_without_a_server_that_answers_stays_what_it_is(identity):
    assert not await closing.is_closed(identity)

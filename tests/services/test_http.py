"""Every route of the table at the border: who comes in, whose things are there, what is refused."""

import asyncio
from uuid import uuid4

import pytest
from aiohttp import web

from telecare.access.model import Role
from telecare.app import ROUTES
from telecare.runtime.http import Origins, border
from telecare.shifts.service import Ask
from telecare.wire.errors import Code
from tests.services.conftest import filled
from tests.world import TOKENS

JSON = [r for r in ROUTES if r.kind == "json"]
SIGNED_IN = [r for r in JSON if r.who in ("staff", "screen")]
WITH_ID = [r for r in SIGNED_IN if "{id}" in r.path]
CLOSED_IS_NO_SECRET = {
    "/api/follow-ups/{id}/close", "/api/follow-ups/{id}/take", "/api/dispatches/{id}/close",
}  # fmt: skip
"""What is closed, or nobody's, is one answer."""


def example(route):
    """A body the route accepts in shape."""
    bodies = {
        "unit_id": str(uuid4()), "resident_id": str(uuid4()), "staff_id": str(uuid4()),
        "insats_id": str(uuid4()), "call_id": str(uuid4()), "letters": "BCDFGH", "minutes": 10,
        "starts_at": "2026-11-23T14:00:00" if route.path == "/api/visits" else "2026-11-23T14:00Z",
        "outcome": "all_well", "step": "talked_by_phone", "reason": "Frisk igen nu",
        "asked_by": "resident", "face": "good", "purpose": "video_visit", "decision": "permit",
        "information_version": 1,
        "information_language": "sv", "present": "Eva", "will_shown": "spoken", "ability": "clear",
        "given": "in_person", "by": "staff", "text": "Tvekar", "reported_by": "Sonen",
        "to": "resident", "pressed_by": "resident", "cause_id": str(uuid4()),
        "measure_id": str(uuid4()), "note": "Klart",
        "kind": "other" if route.path.endswith("open-anyway") else "hospital",
        "reached": True, "why": "wrong_home", "somebody_comes": True,
    }  # fmt: skip
    if "nightchecks" in route.path:
        bodies["outcome"] = "asleep"
    if route.body is None:
        return {}
    required = [n for n, f in route.body.model_fields.items() if f.is_required()]
    return {name: bodies[name] for name in required if name in bodies}


async def signed_in(world, route, resident):
    """Who is let in at this route's door."""
    if route.who == "screen":
        return await world.tv(resident)
    return await world.staff(role=role_for(route))


def role_for(route):
    special = {"alarm": Role.LARMMOTTAGARE, "look": Role.NATTILLSYN}
    return special.get(route.permission, Role.ENHETSCHEF)


def ids(routes):
    return [pytest.param(r, id=f"{r.method} {r.path}") for r in routes]


@pytest.mark.parametrize("route", ids(SIGNED_IN))
async def test_nobody_is_let_in_without_signing_in(client, route):
    status, text, _ = await client.ask(route, body=example(route))

    assert (status, '"code": "sign_in_needed"' in text) == (401, True)


@pytest.mark.parametrize("route", ids(WITH_ID))
async def test_the_neighbours_things_answer_as_if_they_were_not(
    client, world, other_world, made, route
):
    theirs = await other_world.resident("Aino")
    their_tv = await other_world.tv(theirs)
    their_call = await made.calls.call_in(their_tv)
    their_visit = await other_world.visit(await other_world.staff(), theirs)
    their_task = await other_world.call_back(theirs)
    giver = await other_world.staff("Berit", on_shift=True)
    await made.people.take_follow_up(giver, their_task)
    asked = await made.shifts.ask(giver, Ask("follow_up", their_task, None, other_world.unit))
    consents = await other_world.rows(
        "select id from consent where tenant_id = $1", other_world.tenant
    )
    real = {
        "residents": theirs.id, "calls": their_call, "visits": their_visit,
        "consents": consents[0]["id"], "follow-ups": their_task, "hand-overs": asked,
        "alarms": await other_world.alarm(theirs),
        "technical": await other_world.technical_alarm(),
        "nightchecks": await other_world.night_check(theirs),
    }.get(route.path.split("/")[3 if "/tv/" in route.path else 2], uuid4())  # fmt: skip
    mine = await world.resident("Ingrid")
    session = (
        await world.tv(mine)
        if route.who == "screen"
        else await world.staff(role=role_for(route), on_shift=True)
    )

    theirs_answer = await client.ask(
        route, session=session, body=example(route), path=filled(route.path, real)
    )
    nobodys_answer = await client.ask(route, session=session, body=example(route))

    assert theirs_answer[:2] == nobodys_answer[:2]
    assert theirs_answer[0] in (404, 409, 403), theirs_answer
    if theirs_answer[0] != 404:
        assert route.path in CLOSED_IS_NO_SECRET


PAGES_WITH_ID = [r for r in ROUTES if r.kind == "page" and "{id}" in r.path]


@pytest.mark.parametrize("route", ids(PAGES_WITH_ID))
async def test_the_neighbours_pages_answer_as_if_they_were_not(
    client, world, other_world, made, route
):
    theirs = await other_world.resident("Aino")
    maria = await other_world.staff("Maria")
    head = await other_world.staff("Eva", role=Role.ENHETSCHEF)
    file = b"namn\r\nElsa"
    real = {
        "people": theirs.id, "staff": maria.staff.id, "units": other_world.unit,
        "import": await made.importing.send(head, "residents", other_world.unit, file),
    }.get(route.path.split("/")[2], theirs.id)  # fmt: skip
    mine = await world.staff(role=Role.ENHETSCHEF, on_shift=True)

    async def ask(id_):
        path = filled(route.path, id_)
        if route.method == "GET":
            return await client.look(path, mine)
        status, page, _ = await client.send(path, mine, **typed(route, id_))
        return status, page.replace(str(id_), "")

    assert await ask(real) == await ask(uuid4())
    rows = await world.rows("select name from resident where id = $1", theirs.id)
    assert rows == [{"name": theirs.name}]


def typed(route, id_):
    """What a form of this route could send."""
    fields = {
        "name": "Ny", "phone": "021-100", "provider_id": uuid4(), "unit_id": uuid4(),
        "covers": uuid4(), "start": "22:00", "until": "07:00", "languages": "sv", "language": "sv",
        "role": "omsorgspersonal", "grant_id": uuid4(), "relation": "son", "one": uuid4(),
        "part": "report", "place": "actor", "answer": "give", "outcome": "full",
        "kind": "god_man", "scope": "allt", "document": "1", "valid_from": "2026-11-23",
        "first": uuid4(), "url": "https://larm.example/x",
        "letters": "BCDFGH", "label": "Teve", "reason": "moved", "on_date": "2026-11-23",
        "endpoint_id": uuid4(), "verdict": "justified", "statement": "Klart",
        "note": "Utrett", "title": "Kameran", "known_at": "2026-11-23T10:00", "how": "Brev",
        "decision": "notify", "at": "2026-11-23T10:00", "diary_number": "1", "whether": "told",
    }  # fmt: skip
    if route.body is None:
        return {}
    return {n: str(fields[n]) for n, f in route.body.model_fields.items() if f.is_required()}


@pytest.mark.parametrize("route", ids([r for r in SIGNED_IN if r.body is not None]))
async def test_a_field_nobody_knows_is_refused(client, world, route):
    ingrid = await world.resident("Ingrid")
    session = await signed_in(world, route, ingrid)

    status, text, _ = await client.ask(route, session=session, body={**example(route), "x": 1})

    assert (status, '"code": "field_unknown"' in text) == (422, True)


@pytest.mark.parametrize("route", ids([r for r in JSON if r.method == "POST"]))
async def test_what_is_no_json_is_refused_with_a_code(client, world, route):
    ingrid = await world.resident("Ingrid")
    session = await signed_in(world, route, ingrid)

    for body in (b"", b"{", b"[]", b'"x"', b"\xff"):
        status, text, _ = await client.ask(route, session=session, body=body)
        assert status == 422, (body, text)


async def test_a_page_that_is_not_ours_cannot_act(client, world):
    maria = await world.staff()
    route = next(r for r in ROUTES if r.path == "/api/shifts/begin")

    status, text, _ = await client.ask(
        route, session=maria, body={"unit_id": str(world.unit)}, Origin="https://evil.example"
    )

    assert (status, '"code": "origin_refused"' in text) == (403, True)
    assert await world.rows("select id from shift where tenant_id = $1", world.tenant) == []


async def test_a_body_too_large_is_refused(client, world):
    maria = await world.staff()
    route = next(r for r in ROUTES if r.path == "/api/shifts/begin")

    status, text, _ = await client.ask(route, session=maria, body=b"x" * 1_000_000)

    assert (status, '"code": "body_too_large"' in text) == (413, True)


async def test_half_an_hour_without_a_press_locks_the_page_but_not_in_a_call(
    client, world, made, clock
):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    anna = await world.staff("Anna", assigned=(ingrid,))
    await world.tv(ingrid)
    await made.calls.ring(maria, ingrid.id)
    me = next(r for r in ROUTES if r.path == "/api/me")

    clock.forward(minutes=31)

    assert (await client.ask(me, session=maria))[0] == 200
    status, text, _ = await client.ask(me, session=anna)
    assert (status, '"code": "session_locked"' in text) == (401, True)


async def test_an_expired_pairing_code_pairs_nothing(client, world, made, clock):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    code = await made.devices.begin_tv_pairing()
    route = next(r for r in ROUTES if r.path.endswith("/pairings"))
    path = filled(route.path, ingrid.id)
    clock.forward(minutes=11)

    status, text, _ = await client.ask(
        route, session=maria, body={"letters": code.letters}, path=path
    )

    assert (status, '"code": "pairing_code_expired"' in text) == (410, True)


async def test_the_tv_shows_the_word_that_staff_see(client, world, made):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    code = await made.devices.begin_tv_pairing()
    route = next(r for r in ROUTES if r.path.endswith("/pairings"))

    status, text, _ = await client.ask(
        route,
        session=maria,
        body={"letters": f"{code.letters[:3]} {code.letters[3:].lower()}"},
        path=filled(route.path, ingrid.id),
    )
    paired = await made.devices.tv_pairing(code.poll)

    assert status == 200
    assert paired.token is not None
    assert "word" in text


async def test_headers_let_nothing_foreign_run(client):
    route = next(r for r in ROUTES if r.path == "/healthz")

    _, _, headers = await client.ask(route)

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_every_refusal_of_the_table_is_a_known_code():
    assert {code for route in ROUTES for code in route.errors} <= set(Code)


def test_the_demo_sign_in_is_not_in_the_server():
    assert not any("demo" in route.path for route in ROUTES)


async def test_a_character_that_no_text_can_hold_is_refused(client, world):
    maria = await world.staff("Maria")

    async with client.http.post(
        f"{client.url}/api/residents/search",
        data=b'{"q": "K\\u0000"}',
        headers={
            "Content-Type": "application/json",
            "Origin": client.url,
            "Cookie": f"__Host-telecare={TOKENS[maria.id]}",
        },
    ) as answer:
        assert (answer.status, (await answer.json())["code"]) == (422, "body_malformed")


@pytest.mark.parametrize(("leaves", "faults"), [(True, []), (False, ["request failed"])])
async def test_only_a_page_that_has_left_may_break_its_line_without_an_error_in_the_log(
    caplog, leaves, faults
):
    entered, answer, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(request):
        entered.set()
        try:
            await answer.wait()
            if leaves:
                await web.WebSocketResponse().prepare(request)
            raise ConnectionResetError("the database's")
        finally:
            done.set()

    app = web.Application(middlewares=[border(Origins("http://127.0.0.1"), lambda *_: None)])
    app.router.add_get("/ws", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await entered.wait()
    if leaves:
        writer.transport.abort()
        while any(line.transport for line in runner.server.connections):
            await asyncio.sleep(0)
    answer.set()
    await done.wait()
    await runner.cleanup()
    writer.close()

    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == faults


async def test_an_address_that_leads_nowhere_is_a_page_to_who_typed_it(client):
    shown = {"Accept": "text/html,application/xhtml+xml"}
    async with client.http.get(f"{client.url}/audit/nowhere", headers=shown) as answer:
        page = await answer.text()
        assert (answer.status, answer.content_type) == (404, "text/html")
    assert "Det finns inte" in page
    async with client.http.get(f"{client.url}/audit/nowhere") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "not_found")

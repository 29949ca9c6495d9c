"""Canaries in every personal field and every secret, and where they must not be found (P22)."""

import asyncio
import base64
import json
import tempfile
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from telecare.demo import seed
from tests.flows.conftest import Windows, remove, sees, started
from tests.flows.steps import ended, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIELDS = (
    "name", "given", "address", "phone", "known", "lives", "staff", "carer", "label",
    "todo", "toknow", "present", "note", "reason", "objector", "objection",
)  # fmt: skip
"""What is kept; `canary(field)` stands in each."""
SPOKEN = "kanariertt"
"""What is kept by nobody."""
SEED = """
update resident set name = $1, given_name = $2, address = $3, phone = $4, to_know = array[$5]
where given_name = 'Birgitta'
"""
POST = """
async ([path, body]) => {
  const answer = await fetch(path, {method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body)});
  return [answer.status, await answer.text()];
}
"""
SDP = "() => window.peers.map(p => p.localDescription ? p.localDescription.sdp : '').join('\\n')"


def canary(field: str) -> str:
    return f"Kanarie{field}x"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack():
    folder = Path(tempfile.mkdtemp(prefix="telecare-canary-"))
    running = await started(folder)
    try:
        await running.rows(SEED, *(canary(field) for field in FIELDS[:5]))
        await running.rows("update cohabitant set name = $1", canary("lives"))
        await running.rows(
            "update staff set name = $1, given_name = $2 where name = 'Maria Ek'",
            canary("staff"),
            canary("carer"),
        )
        await running.keep_state()
        yield running
    finally:
        running.stop()
        remove(folder)


@pytest_asyncio.fixture(loop_scope="session")
async def topics(stack):
    """Every topic anything was published on."""
    heard: set[str] = set()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = lambda _client, _user, message: heard.add(message.topic)
    client.on_connect = lambda client, *_: client.subscribe("#")
    client.connect("127.0.0.1", stack.services.broker.port)
    client.loop_start()
    yield heard
    client.disconnect()
    client.loop_stop()


async def post(page, path: str, **body: object) -> dict:
    status, text = await page.evaluate(POST, [path, body])
    assert status < 300, text
    return json.loads(text) if text else {}


async def plan_and_cancel(stack, windows, birgitta: str) -> None:
    per = await windows.staff("Per Holm")
    me = await per.evaluate("async () => (await fetch('/api/me')).json()")
    plan = {
        "resident_id": birgitta,
        "insats_id": me["insatser"][0]["id"],
        "starts_at": "2031-01-06T10:00:00",
        "minutes": 10,
        "to_do": [canary("todo")],
        "to_know": canary("toknow"),
    }
    made = await post(per, "/api/visits", **plan)
    await post(per, f"/api/visits/{made['ids'][0]}/cancel", reason=canary("reason"))


async def find_and_document(windows, maria, birgitta: str) -> None:
    await maria.goto(f"{windows.url}/#/people")
    everybody = maria.locator("[data-test=person]")
    await everybody.nth(1).wait_for()
    await maria.locator("#q").fill(canary("name"))
    await everybody.nth(1).wait_for(state="detached")
    await maria.locator("[data-test=person] a", has_text=canary("name")).click()
    await maria.get_by_text(canary("address")).first.wait_for()
    await post(
        maria, f"/api/residents/{birgitta}/consents", purpose="video_visit", decision="permit",
        information_version=1, information_language="sv", present=canary("present"),
        will_shown="spoken", ability="clear", given="in_person",
    )  # fmt: skip


async def hold_a_visit(stack, windows, maria) -> str:
    """With text and a note; what the two ends wrote to each other about the line."""
    birgitta = await windows.tv()
    await maria.goto(f"{windows.url}/#/")
    await ring(maria, canary("name"))
    await birgitta.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(birgitta))
    await maria.locator("[data-test=rtt]").fill(SPOKEN)
    await birgitta.get_by_text(SPOKEN).wait_for()
    sdp = await maria.evaluate(SDP) + await birgitta.evaluate(SDP)
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    await maria.locator("[data-test=note]").fill(canary("note"))
    await maria.locator("[data-test=outcome-all_well]").click()
    await maria.locator("[data-test=visit]").first.wait_for()
    return sdp


async def visit_a_unit(stack, maria) -> str:
    await ring(maria, "Ingrid")
    await sees(maria)
    sdp = await maria.evaluate(
        "() => window.peers.map(p => p.remoteDescription ? p.remoteDescription.sdp : '').join('')"
    )
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    return sdp


async def pair_a_tv(windows, maria, birgitta: str) -> str:
    tv = await windows.new()
    await tv.goto(f"{windows.url}/tv")
    letters = "".join((await tv.locator("[data-test=letters]").inner_text()).split())
    await post(maria, f"/api/residents/{birgitta}/pairings", letters=letters)
    await tv.locator("[data-test=pair-word]").wait_for()
    return letters


async def invite(stack, windows) -> str:
    maria = next(person for person in seed.STAFF if person.key == "maria")
    link = await stack.telecare("staff", "invite", seed.SLUG, str(maria.id))
    page = await windows.new()
    await page.goto(link)
    async with page.expect_response("**/api/invitations/begin"):
        await page.locator("[data-passkey]").click()
    return link.rsplit("#", 1)[-1].rsplit("/", 1)[-1]


async def ask_wrongly(stack) -> None:
    """What outsiders and bad programs send: refused, and not quoted."""
    async with aiohttp.ClientSession() as http:
        await http.get(f"{stack.url}/{canary('name')}?q={canary('phone')}")
        await http.get(f"{stack.url}/api/residents/{canary('address')}")
        for body in ({canary("name"): 1}, {"code": canary("phone")}, [canary("name")]):
            await http.post(f"{stack.url}/api/units/enrol", json=body)
            await http.post(f"{stack.url}/api/invitations/begin", json=body)


async def break_a_rule_of_the_database(stack) -> None:
    """The database refuses a row: PostgreSQL would quote statement, row and parameters."""
    with pytest.raises(asyncpg.CheckViolationError):
        await stack.rows(f"update resident set language = 'xx', phone = '{canary('phone')}'")
    with pytest.raises(asyncpg.CheckViolationError):
        await stack.rows("update resident set language = 'xx', phone = $1", canary("phone"))


def secrets_of_the_line(sdp: str) -> set[str]:
    """Fingerprints, ICE names and passwords, addresses of homes."""
    told = ("a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:")
    lines = [line.strip() for line in sdp.splitlines()]
    found = {line.split(":", 1)[1] for line in lines if line.startswith(told)}
    return found | {line.split()[4] for line in lines if line.startswith("a=candidate:")}


async def secrets(stack, windows) -> set[str]:
    """Cookies of every browser, keys of the unit."""
    found = set()
    for context in windows.contexts:
        found |= {cookie["value"] for cookie in await context.cookies()}
    keys = [row["mac_key"] for row in await stack.rows("select mac_key from edge_unit")]
    return found | {key.hex() for key in keys} | {base64.b64encode(key).decode() for key in keys}


async def kept(stack) -> str:
    """All rows of all tables: where the canaries are at home."""
    tables = await stack.rows(
        """
        select format('%I.%I', relnamespace::regnamespace, relname) as name from pg_class
        where relkind in ('r', 'p') and relnamespace::regnamespace::text in ('public', 'audit')
        """
    )
    text = []
    for table in tables:
        text += [row["t"] for row in await stack.rows(f"select t::text from {table['name']} t")]
    return "\n".join(text)


async def answers(stack) -> str:
    async with aiohttp.ClientSession() as http:
        paths = ("healthz", "readyz", "openapi.json")
        got = [await http.get(f"{stack.url}/{path}") for path in paths]
        return "".join([await one.text() for one in got])


async def test_no_personal_data_and_no_secret_leaves_by_logs_addresses_or_topics(
    stack, chromium, topics
):
    await stack.new_day()
    windows = Windows(chromium, stack.url)
    code = await stack.start_home("ingrid")
    await stack.rows("update endpoint set label = $1", canary("label"))
    person = (await stack.rows("select id from resident where name = $1", canary("name")))[0]
    birgitta = str(person["id"])
    maria = await windows.staff()

    await plan_and_cancel(stack, windows, birgitta)
    await find_and_document(windows, maria, birgitta)
    sdp = await hold_a_visit(stack, windows, maria)
    sdp += await visit_a_unit(stack, maria)
    secret = {code, await pair_a_tv(windows, maria, birgitta), await invite(stack, windows)}
    await post(
        maria, f"/api/residents/{birgitta}/objections", purpose="video_visit", by="relative",
        name=canary("objector"), text=canary("objection"),
    )  # fmt: skip
    secret |= secrets_of_the_line(sdp) | await secrets(stack, windows)
    await ask_wrongly(stack)
    await break_a_rule_of_the_database(stack)

    at_home = await kept(stack)
    assert [field for field in FIELDS if canary(field) not in at_home] == []
    assert SPOKEN not in at_home
    assert len(topics) > 2
    logs = {path.name: path.read_text(errors="replace") for path in stack.folder.rglob("*.log")}
    assert {"server.log", "home-ingrid.log", "broker.log", "postgres.log"} <= set(logs)
    places = {
        **logs,
        "addresses": "\n".join(windows.urls),
        "topics": "\n".join(topics),
        "answers": await answers(stack),
    }
    looked_for = {*(canary(field) for field in FIELDS), SPOKEN, *secret}
    assert min(len(one) for one in looked_for) >= 4
    hits = [(where, one) for where, text in places.items() for one in looked_for if one in text]
    assert hits == []
    await windows.close()

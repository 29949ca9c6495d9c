"""Signing in with a passkey: `telecare serve` itself, and an authenticator that Chromium plays."""

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio

from telecare.access import store as access_store
from telecare.access.model import CareUnit, Role
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.texts import text
from telecare.wire.ids import CareUnitId, ProviderId, StaffId
from tests.flows.conftest import Windows, remove, started
from tests.flows.fault_proxy import fault_proxy
from tests.flows.steps import with_authenticator
from tests.flows.test_without_network import SEALED

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLUG = "provbo"
SIGN = """
async (options) => {
  const bytes = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
  const made = await navigator.credentials.get(
    {publicKey: {...options, challenge: bytes(options.challenge)}});
  const answer = {};
  for (const name of ["clientDataJSON", "authenticatorData", "signature", "userHandle"]) {
    answer[name] = text(made.response[name]);
  }
  return {id: made.id, rawId: text(made.rawId), type: made.type, response: answer,
    clientExtensionResults: {}};
}
"""

ANOTHERS = """() => {
  const real = AuthenticatorAssertionResponse.prototype;
  Object.defineProperty(real, "userHandle", { get: () => new Uint8Array(16).buffer });
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack():
    folder = Path(tempfile.mkdtemp(prefix="telecare-passkey-"))
    running = await started(folder, is_demo=False)
    try:
        await running.telecare("tenant", "add", SLUG, "Provbo kommun", "--phone", "021-1")
        yield running
    finally:
        running.stop()
        remove(folder)


@pytest_asyncio.fixture(loop_scope="session")
async def windows(stack, chromium):
    made = Windows(chromium, stack.url)
    yield made
    await made.close()
    assert made.errors == []


@dataclass
class Invited:
    """Somebody new at work."""

    staff_id: StaffId
    link: str


@pytest_asyncio.fixture(loop_scope="session")
async def berit(stack) -> Invited:
    config = Config.from_environment(stack.environment)
    provider, unit, berit = ProviderId(uuid4()), CareUnitId(uuid4()), StaffId(uuid4())
    async with open_database(config.role_url("app"), size=1) as database:
        async with database.across_tenants() as db:
            tenant = await access_store.tenant_by_slug(db, SLUG)
        async with database.transaction(tenant.id) as db:
            await access_store.add_provider(db, provider, f"Utföraren {provider}")
            await access_store.add_unit(db, CareUnit(unit, f"Dagen {unit}", "1", None), provider)
            await access_store.add_staff(
                db, berit, name="Berit Prov", given_name="Berit", unit=unit,
                roles=[Role.OMSORGSPERSONAL], languages=["sv"], language="sv",
                now=datetime.now(UTC),
            )  # fmt: skip
    return Invited(berit, await stack.telecare("staff", "invite", SLUG, str(berit)))


async def register(windows, berit: Invited):
    """She follows her link and shows her finger: the page, signed in."""
    page = await with_authenticator(windows)
    await page.goto(berit.link)
    await page.locator("[data-test=passkey]").click()
    await at_work(page)
    return page


async def at_work(page) -> None:
    await page.get_by_text("Berit Prov").first.wait_for()


async def sessions(stack, berit: Invited) -> list[str]:
    rows = await stack.rows("select signed_in_by from session where staff_id = $1", berit.staff_id)
    return [row["signed_in_by"] for row in rows]


async def test_an_invited_person_registers_signs_out_in_and_unlocks_her_page(stack, windows, berit):
    page = await register(windows, berit)

    await page.locator("[data-test=sign-out]").first.click()
    await page.locator("[data-passkey=sign-in]").click()
    await at_work(page)
    assert await sessions(stack, berit) == ["passkey", "passkey"]

    await stack.rows(
        "update session set used_at = used_at - interval '31 minutes' where staff_id = $1",
        berit.staff_id,
    )
    await page.reload()
    await page.get_by_text(text("sv", "lock.title")).first.wait_for()
    assert await page.get_by_text("Berit Prov").count() == 0
    await page.locator("[data-test=unlock]").click()
    await at_work(page)


async def test_a_sound_card_that_never_starts_does_not_keep_her_from_unlocking(
    stack, windows, berit
):
    page = await register(windows, berit)
    await page.add_init_script("AudioContext.prototype.resume = () => new Promise(() => {});")
    await stack.rows("update session set page_locked_at = used_at where staff_id = $1",
                     berit.staff_id)  # fmt: skip
    await page.reload()

    await page.locator("[data-test=unlock]").click()

    await at_work(page)


async def test_a_link_that_was_used_is_refused_with_a_sentence(stack, windows, berit):
    await register(windows, berit)
    other = await with_authenticator(windows)
    await other.goto(berit.link)

    await other.locator("[data-test=passkey]").click()

    await other.get_by_text(text("sv", "error.invitation_expired")).wait_for()
    keys = await stack.rows("select 1 from passkey where staff_id = $1", berit.staff_id)
    assert len(keys) == 1


async def test_a_link_still_works_after_another_language_was_chosen(stack, windows, berit):
    page = await with_authenticator(windows)
    await page.goto(berit.link)

    await page.locator("nav a[lang=fi]").click()
    await page.get_by_role("heading", name=text("fi", "invitation.title")).wait_for()
    await page.locator("[data-test=passkey]").click()

    await at_work(page)


async def test_a_passkey_shown_to_another_site_opens_nothing_here(stack, windows, berit):
    page = await register(windows, berit)
    ours = {"Origin": stack.url}
    async with fault_proxy(stack.port) as proxy, aiohttp.ClientSession(headers=ours) as http:
        elsewhere = f"http://localhost:{proxy.port}"
        async with http.post(f"{stack.url}/api/sign-in/begin", json={}) as begun:
            options = json.loads(await begun.text())
            ceremony = {name: morsel.value for name, morsel in begun.cookies.items()}
        await page.goto(elsewhere)
        credential = await page.evaluate(SIGN, options.get("publicKey", options))

        refused = []
        for origin in (elsewhere, stack.url):
            async with http.post(
                f"{stack.url}/api/sign-in/finish",
                json={"credential": credential},
                headers={
                    "Origin": origin,
                    "Cookie": "; ".join(f"{name}={value}" for name, value in ceremony.items()),
                },
            ) as answer:
                refused.append((answer.status, (await answer.json())["code"]))

    assert refused == [(403, "origin_refused"), (401, "sign_in_failed")]
    assert await sessions(stack, berit) == ["passkey"]


async def test_nobody_is_chosen_from_a_list_where_work_is_real(stack, windows, berit):
    page = await windows.new()
    await page.goto(stack.url)
    await page.locator("[data-passkey=sign-in]").wait_for()
    assert await page.locator("[data-test=pick-staff]").count() == 0

    async with aiohttp.ClientSession(headers={"Origin": stack.url}) as http:
        tries = [
            await http.post(f"{stack.url}/sign-in/demo", data={"staff_id": str(berit.staff_id)}),
            await http.post(f"{stack.url}/api/unlock", json={}),
            await http.get(f"{stack.url}/demo/tv/birgitta"),
        ]
    assert [one.status for one in tries] == [404, 404, 404]


async def left_alone_without_network(stack, windows, berit):
    """On shift, driving; her page has locked, and the server is away."""
    page = await register(windows, berit)
    await page.locator("[data-test=does-drive]").click()
    await page.locator("[data-test=begin-shift]").click()
    await page.locator("[data-test=to-patrol]").click()
    await page.locator("[data-test=patrol-none]").wait_for()
    await page.evaluate(SEALED)
    stack.kill_server()
    await page.clock.install()
    await page.clock.fast_forward("31:00")
    await page.locator("[data-test=open-sealed]").wait_for()
    return page


@pytest.mark.parametrize("is_she", [True, False], ids=["she", "somebody else"])
async def test_without_network_a_locked_list_opens_for_her_passkey_and_no_other(
    stack, windows, berit, is_she
):
    page = await left_alone_without_network(stack, windows, berit)
    try:
        if not is_she:
            await page.evaluate(ANOTHERS)
        await page.locator("[data-test=open-sealed]").click()
        shown = page.locator("[data-test=kept-patrol]")
        if is_she:
            await shown.wait_for()
        else:
            await page.get_by_text(text("sv", "error.passkey_cancelled")).wait_for()
            assert await shown.count() == 0
    finally:
        stack.start_server()
        await stack.server_up()

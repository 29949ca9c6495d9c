"""A death with a surviving husband who is a resident himself, undone by a colleague."""

from datetime import date
from uuid import uuid4

import pytest
import pytest_asyncio

from telecare.demo import seed
from telecare.people.model import Cohabitant
from telecare.people.service import register_cohabitant
from telecare.people.store import resident
from telecare.runtime.clock import FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.wire.ids import CohabitantId
from tests.flows.conftest import sees
from tests.flows.steps import CALL, ended, ring

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

BIRGITTA = next(home for home in seed.HOMES if home.key == "birgitta")
KARL_ERIK = next(home for home in seed.HOMES if home.key == "karl-erik")
STATE = "select state from visit where resident_id = $1 order by starts_at desc limit 1"


@pytest_asyncio.fixture(loop_scope="session")
async def couple(stack, day):
    """Birgitta lives with Karl-Erik, and each has a service of their own."""
    now = FileClock(stack.clock_file).now()
    config = Config.from_environment(stack.environment)
    lives_there = Cohabitant(CohabitantId(uuid4()), BIRGITTA.name, "maka", BIRGITTA.id)
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        async with database.transaction(tenant) as db:
            home = await resident(db, KARL_ERIK.id)
            await register_cohabitant(db, home, lives_there, seed.ACTOR, now)


async def end(page, stack, *, day: date) -> None:
    """From her page in the administration."""
    await page.goto(f"{stack.url}/admin/people/{BIRGITTA.id}")
    await page.locator("[data-test=to-ending]").click()
    await page.locator("[data-test=reason]").select_option("deceased")
    await page.locator("[data-test=on_date]").fill(day.isoformat())
    await page.locator("[data-test=end-resident]").click()
    await page.locator("[data-test=ending]", has_text=BIRGITTA.name).wait_for()


async def test_a_death_with_a_surviving_husband_undone_by_a_colleague(stack, windows, couple):
    today = FileClock(stack.clock_file).now().date()
    tv, husband = await windows.tv(), await windows.tv("karl-erik")
    maria, per = await windows.staff(), await windows.staff("Per Holm")
    eva = await windows.staff("Eva Sjö")
    await ring(maria, "Birgitta")
    await tv.locator("[data-test=answer]").click()
    await sees(maria)

    await end(per, stack, day=today)

    await ended(stack, "resident_ended")
    await tv.locator("[data-test=letters]").wait_for()
    assert await stack.rows(STATE, BIRGITTA.id) == [{"state": "cancelled"}]
    found = await maria.evaluate(
        """async () => (await (await fetch("/api/residents/search", {method: "POST",
            headers: {"Content-Type": "application/json"},
            body: JSON.stringify({q: "Birgitta"})})).json()).items"""
    )
    assert found == []
    await maria.goto(f"{stack.url}/#/")
    await ring(maria, "Karl-Erik")
    await husband.locator("[data-test=answer]").click()
    await sees(maria)
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")

    assert await per.locator("[data-test=undo-ending]").count() == 0
    await eva.goto(f"{stack.url}/admin/endings")
    await eva.locator("[data-test=undo-ending]").click()
    await eva.locator("[data-test=done]").wait_for()

    await tv.locator("[data-test=home]").wait_for()
    await eva.goto(f"{stack.url}/#/")
    await eva.locator("[data-test=task][data-kind=check_devices]").wait_for()
    assert await stack.rows(CALL) == []


async def test_one_device_is_closed_from_her_page(stack, windows):
    tv = await windows.tv("aino")
    per = await windows.staff("Per Holm")
    aino = next(home for home in seed.HOMES if home.key == "aino")
    await per.goto(f"{stack.url}/admin/people/{aino.id}")

    before = await per.locator("[data-test=endpoint]").count()
    await per.locator("[data-test=close-device]").last.click()
    await per.locator("[data-test=done]").wait_for()

    assert await per.locator("[data-test=endpoint]").count() == before - 1
    await tv.locator("[data-test=letters]").wait_for()

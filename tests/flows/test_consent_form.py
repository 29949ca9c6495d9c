"""The consent form offers what the municipality's policy of that day allows, and says why not."""

from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.demo import seed
from telecare.runtime.clock import FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.wire.ids import new_row_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

INGRID = next(home for home in seed.HOMES if home.key == "ingrid")


@pytest_asyncio.fixture(loop_scope="session")
async def from_noon(stack, day):
    """From noon today a guardian is accepted, paper is not, and cohabitants are not asked."""
    config, now = Config.from_environment(stack.environment), FileClock(stack.clock_file).now()
    policy_id = new_row_id(now)
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        async with database.transaction(tenant) as db:
            shipped = await consent_store.policy(db, Purpose.VIDEO_VISIT, now)
            assert shipped is not None
            later = replace(
                shipped,
                parties=frozenset({"resident"}),
                stand_ins=frozenset({"guardian"}),
                yes_comes_by=frozenset({"in_person"}),
                board="Nämnden för omsorg",
            )
            await consent_store.add_policy(db, policy_id, later, now + timedelta(hours=2))


async def form(windows):
    maria = await windows.staff()
    await maria.goto(f"{windows.url}/#/people/{INGRID.id}/consent")
    await maria.locator("[data-test=sentence]").wait_for()
    return maria


async def open_ways(page) -> set[str]:
    chosen = "input[name=party]:not([disabled]), input[name=given]:not([disabled])"
    return set(await page.locator(chosen).evaluate_all("all => all.map(one => one.value)"))


async def test_who_may_answer_and_how_follows_the_policy_of_the_day(stack, windows, from_noon):
    before = await form(windows)
    ways = await open_ways(before)
    assert {"resident", "in_person", "paper", "phone"} <= ways
    assert not {"guardian", "attorney", "relative"} & ways
    await before.get_by_text("Enligt Äldrenämnden godtas inte det.", exact=False).first.wait_for()
    assert await before.locator("input[name^=also-]").count() == 2

    stack.move_clock(hours=2, minutes=1)
    after = await form(windows)

    ways = await open_ways(after)
    assert {"resident", "guardian", "in_person"} <= ways
    assert not {"attorney", "relative", "paper", "phone"} & ways
    await after.get_by_text("Enligt Nämnden för omsorg kan ingen anhörig säga ja").wait_for()
    assert await after.locator("input[name^=also-]").count() == 0


async def test_a_no_is_taken_from_anybody_in_any_way(windows):
    maria = await form(windows)

    await maria.locator("input[name=decision][value=deny]").check()

    everything = {"guardian", "attorney", "relative", "in_person", "paper", "phone"}
    assert everything <= await open_ways(maria)

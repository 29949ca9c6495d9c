"""What the staff page offers, and how it says that a long day is over."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from telecare.consent import store as consent_store
from telecare.demo import seed
from telecare.people.model import Resident
from telecare.people.service import register
from telecare.runtime.clock import STOCKHOLM, FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.wire.ids import ResidentId, new_row_id
from tests.flows.conftest import sees

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMESAKES = 60
SESSION = "update session set expires_at = $2 where kind = 'staff' and staff_id = $1 returning id"
MARIA = next(person for person in seed.STAFF if person.key == "maria")


async def sixty_namesakes(stack) -> None:
    """People who cannot be told apart by their names, more than one page holds."""
    now = FileClock(stack.clock_file).now()
    person = Resident(
        id=ResidentId(new_row_id(now)),
        unit_id=seed.TEAM,
        name="Anna Andersson",
        given_name="Anna",
        language="sv",
        address="Storgatan 1",
        phone="",
        born_on=None,
        to_know=(),
        scale_percent=100,
    )
    config = Config.from_environment(stack.environment)
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        async with database.transaction(tenant) as db:
            for _ in range(NAMESAKES):
                one = replace(person, id=ResidentId(new_row_id(now)))
                await register(db, one, seed.ACTOR, now)
                await consent_store.add_gates(db, one.id)


async def test_only_who_may_plan_is_offered_to_plan(stack, windows):
    maria, per = await windows.staff(), await windows.staff("Per Holm")
    for page in (maria, per):
        await page.locator("[data-test=filter-team]").click()
        await page.locator("[data-test=visit]").first.wait_for()

    assert await maria.locator("[data-test=plan]").count() == 0
    assert await per.locator("[data-test=plan]").count() == 1
    mine = maria.locator("[data-test=visit]", has_text="Ingrid")
    assert (
        await maria.locator("[data-test=visit]", has_text="Aino").get_by_text("Ändra").count() == 0
    )
    await mine.locator("[data-test=more]").click()
    await maria.locator("[data-test=hand-over]").wait_for()
    assert await maria.locator("[data-test=move], [data-test=cancel]").count() == 0
    await maria.goto(f"{windows.url}/#/plan")
    await maria.locator("[data-test=filter-mine]").wait_for()
    assert await maria.locator("[data-test=plan-form]").count() == 0
    await per.locator("[data-test=plan]").click()
    await per.locator("[data-test=plan-form]").wait_for()


async def test_the_page_says_half_an_hour_before_that_she_must_sign_in_anew(stack, windows):
    maria = await windows.staff()
    now = FileClock(stack.clock_file).now()

    ends = now + timedelta(minutes=40)
    await stack.rows(SESSION, MARIA.id, ends)
    await maria.reload()
    await maria.locator("[data-test=filter-mine]").wait_for()
    assert await maria.locator("[data-test=ends-soon]").count() == 0
    stack.move_clock(minutes=11)

    at = f"{ends.astimezone(STOCKHOLM):%H:%M}"
    await maria.get_by_text(f"Klockan {at} loggas du ut, efter 16 timmar.").wait_for()
    await maria.locator("[data-test=sign-in-anew]").click()
    await maria.get_by_role("button", name="Maria Ek").wait_for()


async def test_the_end_of_a_long_day_never_cuts_a_call(stack, windows):
    birgitta, maria = await windows.tv(), await windows.staff()
    now = FileClock(stack.clock_file).now()
    await stack.rows(SESSION, MARIA.id, now + timedelta(minutes=20))
    await maria.reload()
    row = maria.locator("[data-test=visit]", has_text="Birgitta")
    await row.locator("[data-test=ring]").first.click()
    await birgitta.locator("[data-test=answer]").click()
    await sees(maria)
    await maria.get_by_text("Samtalet bryts inte.").wait_for()

    await stack.rows(SESSION, MARIA.id, now - timedelta(minutes=1))
    await maria.reload()

    await asyncio.gather(sees(maria), sees(birgitta))
    await maria.locator("[data-test=hang-up]").click()
    await birgitta.locator("[data-test=faces], [data-test=home]").first.wait_for()
    stack.move_clock(minutes=11)  # the outcome, too, had its ten minutes
    await maria.goto(windows.url)
    await maria.get_by_role("button", name="Maria Ek").wait_for()


async def test_everybody_is_found_beyond_the_first_page_also_namesakes(stack, windows):
    await sixty_namesakes(stack)
    maria = await windows.staff()
    await maria.goto(f"{windows.url}/#/people")
    await maria.get_by_text("Aino Virtanen").wait_for()
    await maria.locator("#q").fill("Anna Anders")
    await maria.get_by_text("Aino Virtanen").wait_for(state="detached")

    await maria.locator("[data-test=more-people]").click()

    await maria.get_by_text(f"{NAMESAKES} personer").wait_for(state="attached")
    links = maria.locator("[data-test=person] a")
    shown = await links.evaluate_all("all => all.map(one => one.hash)")
    assert len(set(shown)) == NAMESAKES
    assert await maria.locator("[data-test=more-people]").count() == 0
    await maria.locator("#q").fill("Ingrid")
    await maria.get_by_text("Ingrid Lindqvist").wait_for()
    assert await links.count() == 1


async def test_a_locked_page_still_says_who_waits_when_its_server_was_killed(stack, windows):
    maria = await windows.staff()
    await maria.locator("[data-test=begin-shift]").click()
    await maria.locator("[data-test=visit]").first.wait_for()
    stack.move_clock(minutes=31)
    await maria.evaluate("() => fetch('/api/me')")
    await maria.locator("[data-test=unlock]").wait_for()
    assert await maria.get_by_text("Birgitta").count() == 0

    stack.kill_server()
    stack.start_server()
    await stack.server_up()
    birgitta = await windows.tv()
    await birgitta.locator("[data-test=tile-ring]").click()
    await maria.locator("[data-test=locked-waiting]").wait_for()
    assert await maria.get_by_text("Birgitta").count() == 0
    await maria.locator("[data-test=unlock]").click()

    await maria.locator("[data-test=call-in]", has_text="Birgitta").wait_for()

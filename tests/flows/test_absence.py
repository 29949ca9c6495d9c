"""To hospital and home again, from the card and from the list."""

import pytest

from tests.flows.conftest import hears, sees, stops_seeing
from tests.flows.steps import CALL, ended, ring

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

REFUSED = """
select 1 from audit.body
where event = 'action.refused' and what::jsonb ->> 'code' = 'resident_absent'
"""


async def to_card(page, name: str, *, takes_over: bool = False) -> None:
    if takes_over:
        await page.locator("[data-test=begin-shift]").click()
        await page.locator("[data-test=end-shift]").first.wait_for()
    await page.locator("[data-test=filter-team]").click()
    await page.locator("[data-test=visit]", has_text=name).get_by_role("link", name=name).click()
    if takes_over:  # unless another test left her assigned
        await page.locator("[data-test=take-over], [data-test=report-absence]").first.wait_for()
        if await page.locator("[data-test=take-over]").count():
            await page.locator("[data-test=take-over]").click()
    await page.locator("[data-test=report-absence]").wait_for()


async def report_hospital(page) -> None:
    await page.locator("[data-test=report-absence]").click()
    await page.locator("#reported_by").fill("Dottern Karin")
    await page.locator("[data-test=absence-save]").click()
    await page.locator("[data-test=absence][data-kind=hospital]").wait_for()


async def test_to_hospital_and_home_again(stack, windows):
    birgitta = await windows.tv()
    maria, eva = await windows.staff(), await windows.staff("Eva Sjö")
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await sees(maria)

    await to_card(eva, "Birgitta", takes_over=True)
    await report_hospital(eva)

    await ended(stack, "absent")
    await stops_seeing(maria)
    assert await eva.locator("[data-test=ring]").is_disabled()
    await eva.locator("[data-test=nav-today]").first.click()
    away = eva.locator("[data-test=away]")
    await away.get_by_text("Birgitta Norén").wait_for()
    status = await maria.evaluate(
        """async () => {
            const send = (path, body) => fetch(path, {method: "POST",
                headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
            const q = await (await send("/api/residents/search", {q: "Birgitta"})).json();
            const rung = await send("/api/calls", {resident_id: q.items[0].id});
            return [rung.status, (await rung.json()).code];
        }"""
    )
    assert status == [403, "resident_absent"]
    await stack.until(REFUSED)
    assert await stack.rows(CALL) == []
    assert await birgitta.locator("[data-test=answer]").count() == 0

    await away.locator("[data-test=come-home]").click()
    await away.wait_for(state="detached")
    await to_card(eva, "Birgitta")
    await eva.locator("[data-test=ring]").click()
    await birgitta.locator("[data-test=answer]").click()
    await sees(eva)
    await eva.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_a_visit_stands_as_away_and_is_planned_again_at_home(stack, windows):
    maria = await windows.staff()
    await to_card(maria, "Karl-Erik")
    await report_hospital(maria)
    await maria.locator("[data-test=nav-today]").first.click()
    visit = maria.locator("[data-test=visit]", has_text="Karl-Erik")
    await maria.locator("[data-test=visit][data-state=absent]").wait_for()
    assert await visit.locator("[data-test=ring]").count() == 0

    await maria.locator("[data-test=come-home]").click()

    await visit.locator("[data-test=ring]").wait_for()
    assert await visit.get_attribute("data-state") == "planned"


async def test_she_rings_in_from_home_and_it_says_that_she_is_away(stack, windows):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await to_card(maria, "Birgitta")
    await report_hospital(maria)
    await maria.locator("[data-test=nav-today]").first.click()

    await birgitta.locator("[data-test=tile-ring]").click()
    await maria.locator("[data-test=call-in]", has_text="På sjukhus").wait_for()
    await maria.get_by_role("button", name="Svara").click()

    await hears(maria)
    await maria.locator("[data-test=sound-only]").wait_for()
    rows = await stack.rows("select home_picture from call where state <> 'ended'")
    assert rows == [{"home_picture": False}]
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_what_is_filled_in_wrong_is_said_beside_its_field(stack, windows):
    maria = await windows.staff()
    await to_card(maria, "Karl-Erik")

    await maria.locator("[data-test=report-absence]").click()
    await maria.locator("#until_at").fill("2020-01-01")
    await maria.locator("[data-test=absence-save]").click()
    await maria.locator("#reported_by-error").wait_for()
    await maria.locator("#reported_by").fill("Sonen")
    await maria.locator("[data-test=absence-save]").click()

    await maria.locator("#until_at-error").wait_for()
    assert await stack.rows("select 1 from absence where home_at is null") == []

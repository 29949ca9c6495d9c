"""A neighbour of hers: stated without a script, asked about when she opens."""

import pytest

from tests.flows.look import Look

pytestmark = [pytest.mark.asyncio(loop_scope="session")]


async def test_she_states_it_and_says_why_when_she_opens(stack, windows):
    seen = Look("sv", [(320, 640), (1440, 900)])
    per, maria = await windows.staff("Per Holm"), await windows.staff()
    await per.locator("[data-test=filter-team]").click()
    await maria.locator("[data-test=begin-shift]").click()
    await maria.locator("[data-test=tone-heard]").click()
    await maria.locator("[data-test=relations]").first.click()
    await maria.locator("[data-test=q]").fill("Ingrid")
    await maria.locator("[data-test=relation-find]").click()
    await maria.locator("[data-test=relation-person]").check()
    await maria.locator("[data-test=relation-neighbour]").check()
    await seen.at(maria, "relations-search")
    await maria.locator("[data-test=relation-state]").click()
    await maria.locator("[data-test=relation]", has_text="Granne").wait_for()
    await seen.at(maria, "relations")
    assert await maria.locator("script").count() == 0

    await per.locator("[data-test=visit]", has_text="Ingrid").locator("[data-test=more]").click()
    await per.locator("[data-test=hand-over]").wait_for()
    offered = await per.locator("[data-test=change] option").all_inner_texts()
    assert "Kirsi Niemi" in offered
    assert "Maria Ek" not in offered

    await maria.get_by_role("link", name="Till dagens besök").click()
    ingrid = maria.locator("[data-test=visit]", has_text="Ingrid")
    await ingrid.locator("[data-test=ring]").click()
    await maria.get_by_text("Du har angett att Ingrid är granne.").wait_for()
    await seen.at(maria, "why", keys=False)
    await maria.keyboard.press("Escape")
    await maria.locator("[data-test=notice]", has_text="egen relation").wait_for()
    assert await stack.rows("select 1 from call where state <> 'ended'") == []
    await ingrid.locator("a.name").click()
    await maria.locator("#why-reason").fill("Hon bad mig titta på medicinen")
    await maria.locator("[data-test=why-say]").click()
    await maria.get_by_text("Hagagatan 5").first.wait_for()

    await maria.goto(f"{windows.url}/#/")
    await ingrid.locator("[data-test=ring]").click()
    await maria.locator("[data-test=hang-up]").click()
    record = """
        select 1 from audit.body
        where event = 'card.read' and what::jsonb ->> 'reason' like 'Hon bad%'
    """
    assert await stack.rows(record)
    assert seen.faults == []

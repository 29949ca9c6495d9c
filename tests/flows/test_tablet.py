"""A tablet as her screen: she writes back, and nobody keeps it."""

import pytest

from tests.flows.conftest import sees
from tests.flows.look import Look

pytestmark = pytest.mark.asyncio(loop_scope="session")

SAID = "Jag hör illa i dag kvick-70720"
TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True}


async def test_what_birgitta_writes_stands_at_marias_with_her_name_and_nowhere_else(stack, windows):
    tablet, maria = await windows.new(**TABLET), await windows.staff()
    await tablet.goto(f"{windows.url}/demo/tv/birgitta")
    row = maria.locator("[data-test=visit]", has_text="Birgitta")
    await row.locator("[data-test=ring]").first.click()
    await tablet.locator("[data-test=answer]").tap()
    await sees(maria)

    await tablet.locator("[data-test=own-open]").tap()
    await tablet.locator("#own:focus").wait_for()
    await tablet.keyboard.type(f"{SAID}x")
    await tablet.keyboard.press("Backspace")

    reply = maria.locator("[data-test=reply]")
    await maria.get_by_text(f"Birgitta: {SAID}", exact=True).wait_for()
    look = Look("sv", [(1024, 768), (320, 640)], is_tv=True)
    await look.at(tablet, "own-words")
    assert look.faults == []
    await tablet.keyboard.press("Enter")
    await tablet.keyboard.type("Men jag ser")
    await maria.get_by_text("Birgitta: Men jag ser", exact=True).wait_for()
    assert await tablet.locator("[data-test=rtt]").count() == 0  # that is for what Maria writes
    await tablet.locator("[data-test=own-close]").tap()
    await reply.wait_for(state="detached")
    await maria.locator("[data-test=hang-up]").click()
    assert "kvick-70720" not in (stack.folder / "server.log").read_text()
    for table in await stack.rows(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    ):
        kept = f"select 1 from {table['relname']} t where t::text like '%kvick-70720%'"
        assert await stack.rows(kept) == [], table


@pytest.mark.slow
async def test_a_tv_with_a_remote_has_nothing_to_write_with(stack, windows):
    tv, maria = await windows.tv(), await windows.staff()
    row = maria.locator("[data-test=visit]", has_text="Birgitta")
    await row.locator("[data-test=ring]").first.click()
    await tv.locator("[data-test=answer]").click()
    await sees(tv)

    assert await tv.locator("[data-test=own-open]").count() == 0
    await maria.locator("[data-test=hang-up]").click()
    await tv.locator("[data-test=faces], [data-test=home]").first.wait_for()

"""A note on the wrong person is put right on the card."""

import pytest

from telecare.demo import seed
from tests.flows.look import Look

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

NOTE = "Har fått ny dosett, den gamla är slängd"
WRITTEN = """
update visit set note = $1 where resident_id = $2 and staff_id = $3 returning id
"""


async def test_a_note_about_somebody_else_is_struck_through_and_moved(stack, windows):
    ingrid = next(home.id for home in seed.HOMES if home.key == "ingrid")
    maria_id = next(one.id for one in seed.STAFF if one.key == "maria")
    assert await stack.rows(WRITTEN, NOTE, ingrid, maria_id)
    seen = Look("sv", [(320, 640), (1440, 900)])
    maria = await windows.staff()

    await maria.goto(f"{windows.url}/#/people/{ingrid}")
    await (
        maria.locator("[data-test=note-row]", has_text=NOTE).locator("[data-test=correct]").click()
    )
    form = maria.locator("[data-test=correct-form]")
    await form.get_by_label("Varför är det fel?").fill("Gäller Birgitta")
    await form.locator("[data-test=correct-other]").click()
    await form.get_by_label("Sök").fill("Birgitta")
    await form.locator("[data-test=correct-person]").click()
    await form.locator("[data-test=correct-right]").wait_for()
    await seen.at(maria, "correct")
    await form.locator("[data-test=correct-save]").click()

    struck = maria.locator("[data-test=corrected] del", has_text=NOTE)
    await struck.wait_for()
    assert await maria.locator("[data-test=note-row]", has_text=NOTE).count() == 0
    await seen.at(maria, "corrected")
    birgitta = next(home.id for home in seed.HOMES if home.key == "birgitta")
    await maria.goto(f"{windows.url}/#/people/{birgitta}")
    await maria.locator("[data-test=corrected][data-moved=true]", has_text=NOTE).wait_for()
    assert seen.faults == []

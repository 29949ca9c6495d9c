"""The night patrol: told at once, there and done by keys a thumb can reach, one way of driving."""

import pytest

from telecare.demo import seed
from tests.flows.look import MATRIX, Look, staff_look
from tests.flows.test_night_round import begun as round_begun
from tests.flows.test_night_round import night  # noqa: F401 - a fixture
from tests.flows.test_shift import somebody_should

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHECK_ENDED = "select 1 from night_check where ended_as = 'visited'"
DONE = "select outcome from dispatch where state = 'done' and outcome = $1"
PHONE = {"viewport": {"width": 390, "height": 844}}


async def on_patrol(windows, name: str = "Maria Ek", **options):
    """She has said that she drives tonight, and follows the way from the day's list."""
    page = await windows.staff(name, **options)
    await page.locator("[data-test=does-drive]").click()
    await page.locator("[data-test=begin-shift]").click()
    await page.locator("[data-test=tone-heard]").click()
    await page.locator("[data-test=to-patrol]").click()
    await page.locator("[data-test=patrol]").wait_for()
    return page


async def test_what_the_round_cannot_see_is_driven_to_and_that_is_the_check(night, windows):  # noqa: F811
    maria = await on_patrol(windows, **PHONE)
    await maria.locator("[data-test=patrol-none]").wait_for()
    jonas = await round_begun(windows)
    name = await jonas.locator(".who").inner_text()
    await jonas.keyboard.press("5")

    job = maria.locator("[data-test=job]", has_text=name)
    await job.get_by_text("Kameran gav ingen bild. Titta till personen.").wait_for()
    assert await job.locator("[data-test=mission]").count() == 0
    assert await job.get_by_role("link", name="Karta").get_attribute("href") != ""
    await job.locator("[data-test=patrol-accept]").click()
    await job.locator("[data-test=mission]").wait_for()
    assert await job.locator("[data-test=patrol-done]").is_disabled()
    await job.get_by_text("Går ofta upp vid två.").wait_for()
    await job.locator("[data-test=patrol-arrive]").click()
    assert await night.until(CHECK_ENDED)
    await job.locator("[data-test=patrol-done]").click()
    await maria.get_by_label("Hur gick det?").fill("Sov gott")
    await maria.locator("[data-test=dispatch-close]").click()

    await maria.locator("[data-test=patrol-finished]", has_text="Sov gott").wait_for()
    assert await night.until(DONE, "Sov gott")
    assert await jonas.locator("[data-test=check]", has_text=name).get_attribute("data-state") in (
        "dispatched", "done",
    )  # fmt: skip


async def test_the_address_stands_in_no_request(stack, windows):
    await somebody_should(stack)
    maria = await on_patrol(windows, **PHONE)
    await maria.locator("[data-test=patrol-accept]").click()
    await maria.locator("[data-test=mission]").wait_for()

    home = next(home for home in seed.HOMES if home.name.startswith("Birgitta"))
    street = home.address.split(",")[0]
    link = await maria.get_by_role("link", name="Karta").get_attribute("href")
    assert link.startswith("geo:")
    assert not [url for url in windows.urls if street.split()[0] in url]


async def test_in_a_disturbance_everybody_of_the_night_has_a_line_and_an_outcome(night, windows):  # noqa: F811
    await night.rows("update night_agreement set phone_first = true")
    await night.rows("update night_check set phone_first = true")
    jonas = await on_patrol(windows, "Jonas Lund", **PHONE)
    seen = Look("sv", [(320, 640), (390, 844)])
    await jonas.locator("[data-test=disturbance-open]").click()
    await jonas.get_by_label("Vad har hänt?").fill("Mobilnätet är nere")
    await seen.at(jonas, "disturbance-declare")
    await jonas.locator("[data-test=disturbance-declare]").click()

    await jonas.locator("[data-test=disturbance]").get_by_text("Mobilnätet är nere").wait_for()
    rings = jonas.locator("[data-test=to-ring]")
    await rings.nth(1).wait_for()
    await seen.at(jonas, "disturbance")
    first = await rings.first.get_by_role("heading").inner_text()
    await rings.first.locator("[data-test=ring-reached]").click()
    await rings.nth(1).wait_for(state="detached")
    second = await rings.first.get_by_role("heading").inner_text()
    await rings.first.locator("[data-test=ring-in-vain]").click()
    job = jonas.locator("[data-test=job]", has_text=second)
    await job.get_by_text("Svarade inte i telefon.").wait_for()
    await job.locator("[data-test=patrol-accept]").click()
    await job.locator("[data-test=patrol-arrive]").click()
    await job.locator("[data-test=patrol-done]:not([disabled])").click()
    await job.locator("[data-test=nobody-there]").check(force=True)
    await seen.at(jonas, "disturbance-nobody")
    await job.locator("[data-test=dispatch-close]").click()

    await jonas.locator("[data-test=patrol-finished]", has_text=second).wait_for()
    await night.until("select 1 from follow_up where kind = 'nobody_there'")
    await jonas.locator("[data-test=disturbance-over]").click()
    await jonas.locator("[data-test=disturbance]").wait_for(state="detached")
    assert first != second
    assert seen.faults == []


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_the_patrols_page_is_readable_everywhere(
    stack, windows, in_language, language, which
):
    await in_language(language)
    await somebody_should(stack)
    await stack.rows("update care_unit set phone = '021-39 00 00'")
    maria = await on_patrol(windows)
    seen = staff_look(language, which)
    await maria.locator("[data-test=job]").wait_for()
    await seen.at(maria, "patrol-waiting")
    await maria.locator("[data-test=patrol-accept]").click()
    await maria.locator("[data-test=mission]").wait_for()
    await seen.at(maria, "patrol-on-the-way")
    await maria.locator("[data-test=patrol-arrive]").click()
    await maria.locator("[data-test=patrol-done]:not([disabled])").click()
    await seen.at(maria, "patrol-outcome")
    await maria.locator("main textarea").fill("Ok")
    await maria.locator("[data-test=dispatch-close]").click()
    await maria.locator("[data-test=patrol-finished]").wait_for()
    await seen.at(maria, "patrol-done")
    assert seen.faults == []

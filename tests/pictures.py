"""`./dev pictures [PART …]`: docs/images made from the running system, with its invented people."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright

from telecare.demo import seed
from tests.flows.conftest import ARGUMENTS, CHROMIUM, Windows, sees, started

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PHONE = {"width": 390, "height": 844}


async def keep(page: Page, name: str) -> None:
    await page.wait_for_timeout(600)  # fonts and transitions come to rest
    await page.screenshot(path=IMAGES / f"{name}.png")


async def staff(windows: Windows) -> None:
    page = await windows.new()
    await page.goto(windows.url)
    await keep(page, "staff-sign-in-demo")
    maria = await windows.staff()
    await maria.get_by_role("button", name="Börja passet").click()
    await keep(maria, "staff-today")
    phone = await windows.staff(viewport=PHONE)
    await keep(phone, "staff-today-390")
    await maria.get_by_role("link", name="Personer").first.click()
    await maria.locator("main input").first.fill("Ingrid")
    await maria.get_by_text("Ingrid Lindqvist").first.click()
    await maria.locator("[data-test=consent]").first.wait_for()
    await keep(maria, "staff-resident-card")
    await maria.locator("[data-test=new-consent]").click()
    await maria.locator("[data-test=consent-form]").wait_for()
    await keep(maria, "staff-consent-form")


async def alarms(windows: Windows) -> None:
    """Ingrid's button is pressed; it is answered, somebody is sent, and goes."""
    maria = await windows.staff()
    await maria.get_by_role("button", name="Börja passet").click()
    await maria.locator("[data-test=tone-heard]").click()
    button = await windows.new()
    await button.goto(f"{windows.url}/demo/button/ingrid")
    await button.locator("[data-test=press]").click()
    await maria.locator("[data-test=take-alarm]").first.wait_for()
    await keep(maria, "staff-today-alarm")
    await maria.locator("[data-test=take-alarm]").first.click()
    await maria.locator("[data-test=alarm-send]").click()
    await keep(maria, "staff-alarm")
    await maria.locator("[data-test=nav-waiting]").locator("visible=true").click()
    await maria.locator("[data-test=dispatch-accept]").click()
    await maria.locator("[data-test=mission]").wait_for()
    await keep(maria, "staff-waiting")
    await maria.locator("[data-test=nav-devices]").locator("visible=true").click()
    await maria.locator("[data-test=devices-page]").wait_for()
    await keep(maria, "staff-devices")
    eva = await windows.staff("Eva Sjö")
    await eva.goto(f"{windows.url}/admin/alarm-units")
    await keep(eva, "admin-alarm-units")


async def administration(windows: Windows) -> None:
    eva = await windows.staff("Eva Sjö")
    ingrid = next(home for home in seed.HOMES if home.key == "ingrid")
    pages = {
        "admin-person": f"people/{ingrid.id}",
        "admin-staff": "staff",
        "admin-units": "units",
        "admin-rules": "rules",
        "admin-rights": "rights",
        "admin-import": "import",
    }
    for name, path in pages.items():
        await eva.goto(f"{windows.url}/admin/{path}")
        await keep(eva, name)


async def absence(windows: Windows) -> None:
    """She is in hospital, on the card and in the day; then home again."""
    eva = await windows.staff("Eva Sjö")
    ingrid = next(home for home in seed.HOMES if home.key == "ingrid")
    await eva.locator("[data-test=begin-shift]").click()
    await eva.goto(f"{windows.url}/#/people/{ingrid.id}")
    await eva.locator("[data-test=take-over]").click()
    await eva.locator("[data-test=report-absence]").click()
    await eva.locator("#reported_by").fill("Dottern Karin")
    await keep(eva, "staff-absence")
    await eva.locator("[data-test=absence-save]").click()
    await eva.locator("[data-test=absence]").wait_for()
    await eva.locator("[data-test=nav-today]").locator("visible=true").first.click()
    await eva.locator("[data-test=away]").wait_for()
    await keep(eva, "staff-today-absent")
    await eva.locator("[data-test=come-home]").click()
    await eva.locator("[data-test=away]").wait_for(state="detached")
    await eva.goto(f"{windows.url}/me/relations")
    await keep(eva, "staff-relations")
    await eva.goto(f"{windows.url}/admin/people/{ingrid.id}/ending")
    await keep(eva, "admin-ending")


async def portal(windows: Windows) -> None:
    lena = await windows.new()
    await lena.goto(windows.url)
    await lena.get_by_role("button", name="Lena Ask").click()
    await lena.locator("[data-test=resident]").fill("Ingrid")
    await lena.locator("[data-test=send]").click()
    await lena.locator("[data-test=event]").first.wait_for()
    await keep(lena, "audit-search")
    ingrid = next(home for home in seed.HOMES if home.key == "ingrid")
    await lena.goto(f"{windows.url}/audit/residents/{ingrid.id}")
    await keep(lena, "audit-person-timeline")
    await lena.locator("[data-event='call.ended'] [data-test=open]").first.click()
    await keep(lena, "audit-record")
    await lena.locator("[href*='/audit/calls/']").first.click()
    await keep(lena, "audit-session-story")
    await lena.goto(f"{windows.url}/audit/consents?resident={ingrid.id}&known=now")
    await keep(lena, "audit-consents-at-date")
    await lena.goto(f"{windows.url}/audit/verify")
    await lena.locator("[data-test=check]").click()
    await lena.locator("[data-test=verdict]").wait_for()
    await keep(lena, "audit-verify")


async def lawyers_desk(windows: Windows) -> None:
    """An opening without a mission and its review; a request from its tests to its decision."""
    ingrid = next(home for home in seed.HOMES if home.key == "ingrid")
    anna = await windows.staff("Anna Berg")
    await anna.goto(f"{windows.url}/#/people/{ingrid.id}")
    await anna.locator("[data-test=anyway]").click()
    await anna.locator("[name=kind][value=no_answer_twice]").check()
    await anna.locator("#reason").fill("Svarar inte på två ringningar, dottern är orolig.")
    await keep(anna, "staff-anyway")
    await anna.locator("[data-test=anyway-open]").click()
    await anna.locator("[data-test=opened-until]").wait_for()
    lena = await windows.new()
    await lena.goto(windows.url)
    await lena.get_by_role("button", name="Lena Ask").click()
    await lena.locator("[data-test=resident]").wait_for()
    await lena.goto(f"{windows.url}/audit/reviews")
    await keep(lena, "audit-reviews")
    await lena.locator("[data-test=opening] [data-test=open]").first.click()
    await lena.locator("[data-rule=break_glass]").wait_for()
    await keep(lena, "audit-review-item")
    await lena.goto(f"{windows.url}/audit/requests/new?resident={ingrid.id}")
    await lena.locator("[data-test=diary_number]").fill("2026-0417")
    await lena.locator("[data-test=asked_by]").fill("Ingrid Lindqvist")
    await lena.locator("[data-test=capacity]").select_option("self")
    await keep(lena, "audit-request-new")
    await lena.locator("[data-test=send]").click()
    await lena.locator("[data-test=tests]").wait_for()
    await keep(lena, "audit-request")
    await lena.locator("[data-test=decide] [data-test=reason]").fill("Uppgifter om andra.")
    await lena.locator("[data-test=decide-button]").click()
    await lena.locator("[data-test=package]").wait_for(timeout=90_000)
    await keep(lena, "audit-extract")
    for name in ("findings", "keeping", "staff-data"):
        await lena.goto(f"{windows.url}/audit/{name}")
        await keep(lena, f"audit-{name}")


async def visit(windows: Windows) -> None:
    maria = await windows.staff()
    row = maria.locator("[data-test=visit]", has_text="Ingrid")
    await row.get_by_role("button", name="Ring").first.click()
    await sees(maria)
    await maria.locator("[data-test=rtt]").fill("Bra! Vi hörs i morgon klocka")
    await keep(maria, "staff-call")
    await maria.locator("[data-test=hang-up]").click()
    await maria.locator("[data-test=outcome-all_well]").wait_for()
    await keep(maria, "staff-after-call")


async def tv(windows: Windows) -> None:
    waiting = await windows.new(viewport={"width": 1920, "height": 1080})
    await waiting.goto(f"{windows.url}/tv")
    await waiting.locator("[data-test=pairing]").wait_for()
    await keep(waiting, "tv-pairing")
    birgitta = await windows.tv()
    await keep(birgitta, "tv-home")
    await birgitta.locator("[data-test=tile-day]").click()
    await keep(birgitta, "tv-my-day")
    await birgitta.keyboard.press("Escape")
    maria = await windows.staff()
    row = maria.locator("[data-test=visit]", has_text="Birgitta")
    await row.get_by_role("button", name="Ring").first.click()
    await birgitta.locator("[data-test=answer]").wait_for()
    await keep(birgitta, "tv-call")
    await birgitta.locator("[data-test=answer]").click()
    await sees(birgitta)
    await keep(birgitta, "tv-in-call")
    await maria.locator("[data-test=rtt]").fill("Ta den vita tabletten med ett glas vatten.")
    await keep(birgitta, "tv-in-call-text")
    await maria.locator("[data-test=hang-up]").click()
    await birgitta.locator("[data-test=faces]").wait_for()
    await keep(birgitta, "tv-after-call")
    await birgitta.keyboard.press("Escape")
    await birgitta.locator("[data-test=tile-yes]").click()
    await birgitta.locator("[data-test=show-looks]").click()
    await birgitta.locator("[data-test=look-row]").first.wait_for()
    await keep(birgitta, "tv-who-has-looked")


async def night(windows: Windows, stack) -> None:
    stack.move_clock(hours=13)
    page = await windows.new(viewport={"width": 1920, "height": 1080})
    await page.goto(f"{windows.url}/demo/tv/birgitta")
    await page.locator("[data-test=night]").wait_for()
    await keep(page, "tv-night")
    stack.move_clock()
    birgitta = await windows.tv()
    stack.kill_server()
    await birgitta.locator("[data-test=no-contact]").first.wait_for(timeout=30_000)
    await keep(birgitta, "tv-no-contact")


async def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="telecare-pictures-"))
    stack = await started(folder)
    missed = 0

    async def at_night(windows: Windows) -> None:
        await night(windows, stack)

    try:
        await stack.start_home("ingrid")
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            parts = (
                staff, alarms, administration, visit, tv, absence, portal, lawyers_desk, at_night,
            )  # fmt: skip
            for part in [one for one in parts if one.__name__ in (sys.argv[1:] or [one.__name__])]:
                windows = Windows(browser, stack.url)
                try:
                    await part(windows)
                except Exception as error:  # noqa: BLE001 - the other pictures are still made
                    print(part.__name__, error, file=sys.stderr)  # noqa: T201
                    missed += 1
                await windows.close()
            await browser.close()
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return missed


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

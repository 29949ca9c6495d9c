"""The administration, page by page: readable, reachable, nothing cut, no script needed."""

import pytest

from telecare.demo.seed import HOMES, STAFF
from tests.flows.look import MATRIX, staff_look

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

INGRID = next(home for home in HOMES if home.key == "ingrid")
MARIA = next(person for person in STAFF if person.key == "maria")
PAGES = {
    "admin": "/admin",
    "people": "/admin/people",
    "person": f"/admin/people/{INGRID.id}",
    "staff": "/admin/staff",
    "colleague": f"/admin/staff/{MARIA.id}",
    "units": "/admin/units",
    "lists": "/admin/lists",
    "rules": "/admin/rules",
    "rights": "/admin/rights",
    "alarm-units": "/admin/alarm-units",
    "import": "/admin/import",
}
ROWS = ["namn;personnummer;prioritet", "Ny Person;;1", "Fel Person;19420308-9808;", "X;;9"]


async def every_form_open(page) -> None:
    await page.evaluate(
        "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_whoever_keeps_the_register_can_read_and_reach_everything(
    windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    eva = await windows.staff("Eva Sjö")

    for name, path in PAGES.items():
        await eva.goto(windows.url + path)
        await every_form_open(eva)
        await look.at(eva, f"admin-{name}")
    await eva.goto(f"{windows.url}/admin/import")
    await eva.locator("[data-test=file-residents]").set_input_files(
        {"name": "nya.csv", "mimeType": "text/csv", "buffer": "\n".join(ROWS).encode()}
    )
    await eva.locator("[data-test=send-residents]").click()
    await eva.locator("[data-test=count-wrong]").wait_for()
    await look.at(eva, "admin-dry-run")
    await eva.goto(f"{windows.url}/admin/people/nobody")
    await look.at(eva, "refused")

    assert look.faults == []


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_whoever_keeps_the_system_going_sees_devices_and_no_person(
    windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    nils = await windows.new()
    await nils.goto(windows.url)
    await nils.get_by_role("button", name="Nils Wik").click()
    await nils.locator("a[href='/admin/devices']").first.click()
    await nils.locator("[data-test=device]").first.wait_for()
    await look.at(nils, "admin-devices")

    text = await nils.locator("main").inner_text()
    assert [home.name for home in HOMES if home.name.split()[0] in text] == []
    assert look.faults == []


async def test_everything_works_without_a_script(stack, windows):
    eva = await windows.staff("Eva Sjö")
    cookies = await eva.context.cookies()
    plain = await windows.new(java_script_enabled=False)
    await plain.context.add_cookies(cookies)

    await plain.goto(f"{windows.url}/admin/staff")
    await plain.locator("[data-test=new-staff] [data-test=name]").fill("Utan Skript")
    await plain.locator("[data-test=new-staff] [data-test=role]").select_option("nattillsyn")
    await plain.locator("[data-test=new-staff] [data-test=send]").click()
    await plain.locator("[data-test=refused]").wait_for()
    assert await plain.locator("[data-test=name]").input_value() == "Utan Skript"
    await plain.locator("[data-test=role]").select_option("omsorgspersonal")
    await plain.locator("[data-test=send]").click()
    await plain.locator("[data-test=link]").wait_for()

    rows = await stack.rows("select 1 from staff where name = 'Utan Skript'")
    assert len(rows) == 1


async def test_an_alarm_unit_is_registered_changed_and_closed_without_a_script(stack, windows):
    eva = await windows.staff("Eva Sjö")
    cookies = await eva.context.cookies()
    plain = await windows.new(java_script_enabled=False)
    await plain.context.add_cookies(cookies)

    await plain.goto(f"{windows.url}/admin/alarm-units")
    await plain.locator("[data-test=resident_id]").select_option(str(INGRID.id))
    await plain.locator("[data-test=account]").fill("700999")
    await plain.locator("[data-test=add-alarm-unit]").click()
    await plain.locator("[data-test=refused]").wait_for()
    assert await plain.locator("[data-test=account]").input_value() == "700999"
    await plain.locator("[data-test=networks]").fill("192.0.2.0/24")
    await plain.locator("[data-test=add-alarm-unit]").press("Enter")
    row = plain.locator("[data-test=alarm-unit]", has_text="700999")
    await row.locator("summary").press("Enter")
    await row.locator("[data-test=networks]").fill("")
    await row.locator("[data-test=place]").fill("i köket")
    await row.locator("[data-test=save-alarm-unit]").press("Enter")
    assert await row.locator("[data-test=refused]").inner_text()
    await row.locator("[data-test=password]").fill("hemligt ord")
    await row.locator("[data-test=signs_every_h]").fill("24")
    await row.locator("[data-test=save-alarm-unit]").press("Enter")
    await plain.locator("[data-test=done]").wait_for()
    assert "i köket" in await row.inner_text()
    await plain.get_by_role("button", name="Stäng larmenhet 700999").press("Enter")
    await plain.locator("[data-test=done]").wait_for()

    rows = await stack.rows("select ended_at from alarm_unit where account = '700999'")
    assert [row["ended_at"] is not None for row in rows] == [True]

"""Every page and state, in each language and size: readable, reachable, nothing cut."""

import asyncio
import sys

import aiohttp
import pytest
import pytest_asyncio

from telecare.demo import seed
from telecare.runtime.embedded import process
from telecare.runtime.ports import free_port
from tests.flows.conftest import UP_S, sees
from tests.flows.look import MATRIX, staff_look, tv_look
from tests.flows.test_shift import somebody_should

INGRID = next(home for home in seed.HOMES if home.key == "ingrid").id
LONG = "Ta den vita tabletten med ett glas vatten, den ligger i dosetten på köksbänken."
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(loop_scope="session")
async def served(stack):
    """A `telecare serve` beside the demo's own process: what a municipality has.

    For one test only: it knows the machine's own time, and would run the demo's timers by it.
    """
    port = free_port(0)
    url = f"http://localhost:{port}"
    with (stack.folder / "serve.log").open("ab") as output:
        server = process.start(
            [sys.executable, "-m", "telecare", "serve", "--host", "localhost", "--port", str(port)],
            output=output,
            environment={**stack.environment, "TELECARE_PUBLIC_URL": url},
        )
    async with asyncio.timeout(UP_S), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        break
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    yield url
    process.stop(server, 15, 10)


async def ring(maria, name: str) -> None:
    row = maria.locator("[data-test=visit]", has_text=name)
    await row.locator("[data-test=ring]").first.click()


async def object_in_one_word(eva) -> None:
    """As long as nobody writes, but nothing stops it."""
    await eva.locator("[data-test=objection]").click()
    await eva.locator("#o-text").fill("W" * 120)
    await eva.locator("[data-test=objection-save]").click()
    await eva.locator("[data-test=objection-row]").first.wait_for()


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_whoever_signs_in_can_read_and_reach_everything(windows, served, language, which):
    look = staff_look(language, which)
    page = await windows.new()

    await page.goto(f"{windows.url}/?lang={language}")
    await look.at(page, "sign-in-demo")
    await page.goto(f"{served}/?lang={language}")
    await look.at(page, "sign-in-passkey")
    await page.goto(f"{served}/invitation?lang={language}#{'x' * 43}")
    await look.at(page, "invitation")

    assert look.faults == []


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_staff_can_read_and_reach_everything_before_a_call(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    eva = await windows.staff("Eva Sjö")
    await look.at(eva, "today-no-shift")
    await eva.locator("[data-test=begin-shift]").click()
    await eva.locator("[data-test=begin-shift]").wait_for(state="detached")
    await eva.locator("[data-test=filter-team]").click()
    await eva.locator("[data-test=more]").first.click()
    await eva.locator("[data-test=change]").wait_for()
    await look.at(eva, "today-change")

    await eva.goto(f"{windows.url}/#/plan")
    await eva.locator("[data-test=plan-form]").wait_for()
    await look.at(eva, "plan")
    await eva.locator("#time").fill("25:99")
    await eva.locator("[data-test=plan-save]").click()
    await eva.locator("[data-test=faults]").wait_for()
    await look.at(eva, "plan-faults")

    await eva.goto(f"{windows.url}/#/people")
    await eva.locator("[data-test=person]").first.wait_for()
    await look.at(eva, "people")
    await eva.locator("#q").fill("Ingrid")
    await eva.get_by_text("Ingrid Lindqvist").click()
    await eva.locator("[data-test=take-over]").wait_for()
    await look.at(eva, "card-closed")
    await eva.locator("[data-test=take-over]").click()
    await eva.locator("[data-test=consent]").first.wait_for()
    await eva.locator("[data-test=pair]").click()
    await object_in_one_word(eva)
    await eva.locator("[data-test=objection]").click()
    await look.at(eva, "card")

    await eva.locator("[data-test=new-consent]").click()
    await eva.locator("[data-test=sentence]").wait_for()
    await look.at(eva, "consent")
    await eva.locator("input[value=auto_answer]").check()
    await eva.locator("[data-test=consent-save]").click()
    await eva.locator("[data-test=faults]").wait_for()
    await look.at(eva, "consent-faults")

    stack.move_clock(minutes=31)
    await eva.goto(f"{windows.url}/#/people/00000000-0000-4000-8000-000000000000")
    await eva.locator("[data-test=unlock]").wait_for()
    await look.at(eva, "locked")
    await eva.locator("[data-test=unlock]").click()
    await eva.locator("[data-test=nav-people]").first.wait_for()
    await look.at(eva, "not-found")

    assert look.faults == []


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_the_shifts_own_pages_can_be_read_and_reached(
    stack, windows, in_language, language, which
):
    await in_language(language)
    await somebody_should(stack)
    look = staff_look(language, which)
    maria = await windows.staff()
    await maria.locator("[data-test=begin-shift]").click()
    await maria.locator("[data-test=tone-heard]").wait_for()
    await look.at(maria, "shift-tone")
    await maria.locator("[data-test=tone-heard]").click()
    await maria.locator("[data-test=task-take]").click()
    await maria.locator("[data-test=dispatch-accept]").click()
    await maria.locator("[data-test=dispatch][data-state=accepted]").wait_for()
    await maria.locator("[data-test=end-shift]").first.click()
    await maria.locator("[data-test=held]").nth(1).wait_for()
    await look.at(maria, "shift-end")
    await maria.goto(f"{windows.url}/shift/list")
    await maria.locator("[data-test=on-paper]").first.wait_for()
    await look.at(maria, "shift-list")
    await maria.goto(f"{windows.url}/me/relations")
    await maria.locator("[data-test=relation-find]").wait_for()
    await look.at(maria, "relations")

    assert look.faults == []


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_an_absence_and_an_ending_can_be_read_and_reached(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    eva = await windows.staff("Eva Sjö")
    await eva.locator("[data-test=begin-shift]").click()
    await eva.locator("[data-test=begin-shift]").wait_for(state="detached")
    await eva.goto(f"{windows.url}/#/people/{INGRID}")
    await eva.locator("[data-test=take-over]").click()
    await eva.locator("[data-test=report-absence]").click()
    await eva.locator("[data-test=absence-save]").click()
    await eva.locator("[data-test=faults]").wait_for()
    await look.at(eva, "absence-faults")
    await eva.locator("#reported_by").fill("W" * 60)
    await eva.locator("[data-test=absence-save]").click()
    await eva.locator("[data-test=absence]").wait_for()
    await look.at(eva, "card-absent")
    await eva.locator("[data-test=nav-today]").locator("visible=true").first.click()
    await eva.locator("[data-test=away]").wait_for()
    await look.at(eva, "today-absent")
    await eva.locator("[data-test=come-home]").click()
    await eva.locator("[data-test=away]").wait_for(state="detached")
    await eva.goto(f"{windows.url}/admin/people/{INGRID}/ending")
    await look.at(eva, "admin-ending")
    await eva.goto(f"{windows.url}/admin/endings")
    await look.at(eva, "admin-endings")

    assert look.faults == []


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_staff_can_read_and_reach_everything_in_and_after_a_call(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = staff_look(language, which)
    birgitta, olof = await windows.tv(), await windows.tv("olof")
    maria = await windows.staff()

    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=decline]").click()
    await maria.locator("[data-test=steps]").wait_for()
    await look.at(maria, "after-declined")
    await maria.goto(f"{windows.url}/#/")
    await olof.locator("[data-test=tile-ring]").click()
    await maria.locator("[data-test=call-in]").wait_for()
    await look.at(maria, "today-waiting")
    await maria.locator("[data-test=step-ring-now]").click()
    await maria.locator("[data-test=ringing]").wait_for()
    await look.at(maria, "call-ringing")
    await birgitta.locator("[data-test=answer]").click()
    await sees(maria)
    await look.at(maria, "call-open")
    await maria.locator("[data-test=rtt]").fill(LONG)
    await maria.locator("[data-test=ready]").click()
    await look.at(maria, "call-text")
    await maria.context.set_offline(True)
    await maria.locator("[data-test=no-contact]").wait_for()
    await look.at(maria, "call-no-contact")
    await maria.context.set_offline(False)
    await maria.locator("[data-test=no-contact]").wait_for(state="detached")
    await maria.locator("[data-test=hang-up]").click()
    await maria.locator("[data-test=outcome-all_well]").wait_for()
    await look.at(maria, "after-call")

    assert look.faults == []


async def own_choices(birgitta, look):
    """Her yeses, and that she wants to see who has looked."""
    await birgitta.locator("[data-test=show-looks]").wait_for()
    await look.at(birgitta, "yes")
    await birgitta.locator("[data-test=show-looks]").click()
    await birgitta.locator("[data-test=looks]").wait_for()
    await look.at(birgitta, "looks-nobody")
    await birgitta.keyboard.press("Escape")
    await birgitta.locator("[data-test=tile-looks]").wait_for()
    await look.at(birgitta, "home-looks")


LENNART = """
with moved_in as (
    insert into cohabitant (tenant_id, id, resident_id, name, relation, moved_in_at)
    select tenant_id, gen_random_uuid(), id, 'Lennart Lund', 'make', created_at
    from resident
    where given_name = 'Birgitta' and set_config('app.tenant', tenant_id::text, true) is not null
    returning tenant_id, id, resident_id
)
insert into consent (tenant_id, id, resident_id, purpose, cohabitant_id, decision, valid_from,
    ask_again_on, information_version, information_language, present, will_shown, ability, given,
    recorded_at)
select c.tenant_id, gen_random_uuid(), c.resident_id, c.purpose, m.id, c.decision, c.valid_from,
    c.ask_again_on, c.information_version, c.information_language, c.present, c.will_shown,
    c.ability, c.given, c.recorded_at
from consent c join moved_in m using (tenant_id, resident_id)
where c.cohabitant_id is null and c.purpose = 'video_visit'
limit 1
"""
"""Somebody who lives with her and has said yes too."""


async def lennarts_own_view(stack, birgitta, look):
    await stack.rows(LENNART)
    await birgitta.locator("[data-test=looks-back]").click()
    await birgitta.keyboard.press("Escape")
    await birgitta.locator("[data-test=tile-looks]").click()
    await birgitta.locator("[data-test=looks-whose]").click()
    await birgitta.locator("[data-test=looks-off]").wait_for()
    await look.at(birgitta, "looks-off")
    await birgitta.locator("[data-test=looks-show-to]").click()
    await birgitta.locator("[data-test=looks-of]").wait_for()
    await look.at(birgitta, "looks-of")
    await birgitta.locator("[data-test=looks-hide-from]").click()
    await birgitta.locator("[data-test=looks-whose]").wait_for()
    await look.at(birgitta, "looks-shared")


async def who_looked(birgitta, look):
    """After a call."""
    await birgitta.keyboard.press("Escape")
    await birgitta.locator("[data-test=tile-looks]").click()
    await birgitta.locator("[data-test=look-row]").first.wait_for()
    await look.at(birgitta, "looks")
    await birgitta.locator("[data-test=look-row]").first.click()
    await birgitta.locator("[data-test=look-ask]").wait_for()
    await look.at(birgitta, "look")
    await birgitta.locator("[data-test=look-ask]").click()
    await birgitta.locator("[data-test=look-asked]").wait_for()
    await look.at(birgitta, "look-asked")


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_the_resident_can_read_and_reach_everything_by_arrow_keys(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = tv_look(language, which)
    unpaired = await windows.new()
    await unpaired.goto(f"{windows.url}/tv?lang={language}")
    await unpaired.locator("[data-test=letters]").wait_for()
    await look.at(unpaired, "pairing")
    await unpaired.close()

    birgitta = await windows.tv()
    await birgitta.locator("[data-test=tile-yes]").wait_for()
    await look.at(birgitta, "home")
    await birgitta.locator("[data-test=tile-day]").click()
    await look.at(birgitta, "day")
    await birgitta.keyboard.press("Escape")
    await birgitta.locator("[data-test=tile-yes]").click()
    await own_choices(birgitta, look)
    await birgitta.locator("[data-test=tile-ring]").click()
    await birgitta.locator("[data-test=cancel]").wait_for()
    await look.at(birgitta, "calling-in")
    await birgitta.locator("[data-test=cancel]").click()
    await birgitta.locator("[data-test=home]").wait_for()

    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").wait_for()
    await look.at(birgitta, "ringing")
    await birgitta.locator("[data-test=answer]").click()
    await birgitta.locator("[data-test=hang-up]").click()
    await birgitta.locator("[data-test=go-on]").wait_for()
    await look.at(birgitta, "in-call-sure")
    await birgitta.locator("[data-test=go-on]").click()
    await sees(birgitta)
    await birgitta.locator("[data-test=mine]").wait_for()
    await look.at(birgitta, "in-call")
    await maria.locator("[data-test=rtt]").fill(LONG)
    await birgitta.get_by_text(LONG).wait_for()
    await look.at(birgitta, "in-call-text")
    await maria.locator("[data-test=hang-up]").click()
    await birgitta.locator("[data-test=faces]").wait_for()
    await look.at(birgitta, "after-call", keys=False)
    await who_looked(birgitta, look)
    await lennarts_own_view(stack, birgitta, look)

    assert look.faults == []


@pytest.mark.slow
@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_the_resident_can_read_the_screen_at_night_and_without_contact(
    stack, windows, in_language, language, which
):
    await in_language(language)
    look = tv_look(language, which)
    stack.move_clock(hours=13)
    night = await windows.new(viewport={"width": 1920, "height": 1080})
    await night.goto(f"{windows.url}/demo/tv/birgitta")
    await night.locator("[data-test=night]").wait_for()
    await look.at(night, "night")
    await night.close()
    stack.move_clock()
    birgitta = await windows.tv()
    await birgitta.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    stack.kill_server()
    await birgitta.locator("[data-test=no-contact]").wait_for()
    await look.at(birgitta, "no-contact")
    stack.start_server()
    await stack.server_up()

    assert look.faults == []


@pytest.mark.slow
@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_what_happens_seldom_can_be_read_and_reached_too(
    stack, windows, in_language, language, which
):
    await in_language(language)
    await stack.rows("update resident set language = $1 where given_name = 'Olof'", language)
    staff, home = staff_look(language, which), tv_look(language, which)
    maria = await windows.staff()
    olof = await windows.tv("olof")
    await olof.locator("[data-test=tile-ring]").click()
    await maria.locator("[data-test=call-in] button").first.click()
    await maria.locator("[data-test=sound-only]").wait_for()
    await staff.at(maria, "call-sound-only")
    await olof.locator("[data-test=in-call]").wait_for()
    await home.at(olof, "in-call-sound-only")
    await maria.locator("[data-test=hang-up]").click()
    await olof.locator("[data-test=in-call]").wait_for(state="detached")
    await olof.close()

    first, second = await windows.tv(), await windows.tv()
    await ring(maria, "Birgitta")
    await first.locator("[data-test=answer]").wait_for()
    await second.locator("[data-test=answer]").click()
    await first.locator("[data-test=taken]").wait_for()
    await home.at(first, "taken")
    await maria.locator("[data-test=hang-up]").click()
    await second.close()

    await first.locator("[data-test=tile-ring]").click()
    await first.locator("[data-test=cancel]").wait_for()
    stack.move_clock(seconds=181)
    await first.locator("[data-test=nobody]").wait_for()
    await home.at(first, "nobody")

    assert [*staff.faults, *home.faults] == []


async def test_who_looked_can_be_hidden_again_when_her_last_yes_is_taken_back(windows):
    birgitta = await windows.tv()
    await birgitta.locator("[data-test=tile-yes]").click()
    await birgitta.locator("[data-test=show-looks]").click()
    await birgitta.locator("[data-test=looks]").wait_for()
    await birgitta.keyboard.press("Escape")
    await birgitta.locator("[data-test=tile-yes]").click()
    await birgitta.locator("[data-test=take-back-video_visit]").click()
    await birgitta.locator("[data-test=taken-back]").wait_for()
    await birgitta.keyboard.press("Escape")

    await birgitta.locator("[data-test=tile-yes]").click()
    await birgitta.locator("[data-test=show-looks]").click()

    await birgitta.locator("[data-test=home]").wait_for()
    await birgitta.locator("[data-test=tile-looks]").wait_for(state="detached")

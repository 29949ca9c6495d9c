"""A shift from its tone to its end: what is held goes to somebody who says yes."""

import pytest

from telecare.demo import seed
from telecare.dispatches.service import ask
from telecare.people import store as people_store
from telecare.people.service import make_follow_up
from telecare.runtime.clock import FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.wire.ids import ResidentId, new_row_id
from tests.flows.look import Look

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

TONES = """
window.tones = [];
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  const made = make.call(this);
  const start = made.start.bind(made);
  made.start = (at) => { window.tones.push(made.frequency.value); start(at); };
  return made;
};
"""
KEY_NOTE_READS = "select 1 from audit.body where event = 'key_note.read'"
KEPT_PAGE = """async () => {
    for (;;) {
        const cache = await caches.open("telecare-1");
        if (await cache.match("/")) return;
        await new Promise(requestAnimationFrame);
    }
}"""


def resident(name: str) -> ResidentId:
    return next(home.id for home in seed.HOMES if home.name.startswith(name))


async def somebody_should(stack) -> None:
    """Ring Ingrid, and go to Birgitta."""
    now = FileClock(stack.clock_file).now()
    config = Config.from_environment(stack.environment)
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        async with database.transaction(tenant) as db:
            ingrid = await people_store.resident(db, resident("Ingrid"))
            birgitta = await people_store.resident(db, resident("Birgitta"))
            await make_follow_up(
                db, "call_back", ingrid, unit_id=seed.TEAM, about_id=None, actor=seed.ACTOR,
                now=now,
            )  # fmt: skip
            await ask(
                db, birgitta, unit_id=seed.TEAM, about_id=new_row_id(now), by=None,
                actor=seed.ACTOR, now=now,
            )  # fmt: skip


async def begun(windows, name: str):
    page = await windows.staff(name)
    await page.locator("[data-test=begin-shift]").click()
    await page.locator("[data-test=tone-heard]").click()
    return page


def look() -> Look:
    return Look("sv", [(320, 640), (390, 844), (1440, 900)])


async def test_it_begins_with_what_she_does_and_the_tone_of_an_alarm(stack, windows):
    maria = await windows.new()
    await maria.add_init_script(TONES)
    await maria.goto(windows.url)
    await maria.get_by_role("button", name="Maria Ek").click()
    await maria.locator("[data-test=does-alarm]").click()
    await maria.locator("[data-test=does-drive]").click()
    seen = look()
    await seen.at(maria, "shift-begin")
    await maria.locator("[data-test=begin-shift]").click()

    await maria.get_by_text("Hörde du tonen?").wait_for()
    await seen.at(maria, "shift-tone")
    heard = await maria.evaluate("() => window.tones")
    assert {520, 655, 825} <= {round(pitch) for pitch in heard}
    await maria.locator("[data-test=tone-again]").click()
    assert len(await maria.evaluate("() => window.tones")) == 2 * len(heard)
    me = await maria.evaluate("() => fetch('/api/me').then(answer => answer.json())")
    assert me["shift"]["tasks"] == ["alarm", "drive"]
    await maria.locator("[data-test=tone-heard]").click()
    await maria.locator("[data-test=tone]").wait_for(state="detached")
    assert seen.faults == []


async def test_it_ends_when_a_colleague_has_said_yes_to_all_she_holds(stack, windows):
    await somebody_should(stack)
    maria, kirsi = await begun(windows, "Maria Ek"), await begun(windows, "Kirsi Niemi")
    await maria.locator("[data-test=task-take]").click()
    await kirsi.locator("[data-test=task][data-taken='Maria Ek']").wait_for()
    assert await kirsi.locator("[data-test=task-take]").count() == 0
    await maria.locator("[data-test=dispatch-accept]").click()
    await maria.locator("[data-test=dispatch][data-state=accepted]").wait_for()

    await kirsi.goto(f"{windows.url}/#/people")
    await maria.locator("[data-test=end-shift]").first.click()
    await maria.locator("[data-test=held]").nth(1).wait_for()
    await maria.locator("[data-test=end-shift-now]").click()
    home_visit = maria.locator("[data-test=held][data-kind=dispatch]")
    call_back = maria.locator("[data-test=held][data-kind=follow_up]")
    await home_visit.locator("[data-test=hand-over-ask]").click()
    seen = look()
    strip = kirsi.locator("[data-test=offered-strip]", has_text="Maria Ek")
    await strip.wait_for()
    await seen.at(kirsi, "hand-over-strip")
    await strip.get_by_role("link").click()
    await kirsi.locator("[data-test=hand-over-offer]", has_text="Birgitta").wait_for()
    await strip.wait_for(state="detached")
    await seen.at(kirsi, "hand-over-offer")
    await kirsi.locator("[data-test=hand-over-decline]").click()
    await home_visit.get_by_text("Kirsi Niemi kan inte ta emot.").wait_for()
    await seen.at(maria, "shift-end")
    await home_visit.locator("[data-test=hand-over-ask]").click()
    await kirsi.locator("[data-test=hand-over-accept]").click()
    await home_visit.wait_for(state="detached")
    await call_back.locator("select").select_option(label="Alla i tjänst: Team Skallberget")
    await call_back.locator("[data-test=hand-over-ask]").click()
    await kirsi.locator("[data-test=hand-over-offer]", has_text="Ingrid").wait_for()
    assert await kirsi.locator("[data-test=hand-over-decline]").count() == 0
    await kirsi.locator("[data-test=hand-over-accept]").click()
    await maria.get_by_text("Du har inget öppet.").wait_for()

    await maria.locator("[data-test=end-shift-now]").click()

    await maria.locator("[data-test=begin-shift]").wait_for()
    await kirsi.locator("[data-test=task][data-taken='Kirsi Niemi']").wait_for()
    held = await stack.rows("select accepted_by from dispatch where state <> 'done'")
    assert [row["accepted_by"] for row in held] == [
        next(one.id for one in seed.STAFF if one.key == "kirsi")
    ]
    assert seen.faults == []


async def test_no_page_but_the_days_is_without_who_wants_to_hand_over(stack, windows):
    await somebody_should(stack)
    maria, per = await begun(windows, "Maria Ek"), await begun(windows, "Per Holm")
    ingrid = resident("Ingrid")
    await maria.locator("[data-test=task-take]").click()
    await maria.locator("[data-test=end-shift]").first.click()
    held = maria.locator("[data-test=held]")
    await held.locator("select").select_option(label="Alla i tjänst: Team Skallberget")
    await held.locator("[data-test=hand-over-ask]").click()
    await per.locator("[data-test=hand-over-offer]").wait_for()

    for page in ("people", f"people/{ingrid}", f"people/{ingrid}/consent", "plan", "end-shift"):
        await per.goto(f"{windows.url}/#/{page}")
        await per.get_by_text("Maria Ek vill lämna över till dig.").wait_for()


async def test_whoever_goes_can_read_her_mission_without_network_also_after_a_reload(
    stack, windows
):
    seen = look()
    await somebody_should(stack)
    await stack.rows("update resident set phone = '021-100' where given_name = 'Birgitta'")
    maria = await begun(windows, "Maria Ek")
    before = len(await stack.rows(KEY_NOTE_READS))
    await maria.locator("[data-test=dispatch-accept]").click()
    await maria.locator("[data-test=mission]").wait_for()
    await maria.evaluate(KEPT_PAGE)

    stack.kill_server()
    await maria.reload()

    kept = maria.locator("[data-test=kept-mission]")
    await kept.get_by_text("021-100").wait_for()
    assert "Birgitta" in await kept.inner_text()
    await seen.at(maria, "mission-kept")
    stack.start_server()
    await stack.server_up()
    await maria.get_by_role("button", name="Försök igen").click()
    await maria.locator("[data-test=mission]").wait_for()
    assert len(await stack.rows(KEY_NOTE_READS)) == before + 1
    await maria.locator("[data-test=sign-out]").first.click()
    await maria.locator("[data-test=pick-staff]").first.wait_for()
    assert await maria.evaluate("indexedDB.databases()") == []
    assert seen.faults == []


async def test_a_home_visit_ends_with_the_municipalitys_own_outcome_or_her_words(stack, windows):
    async def at_the_door(maria) -> None:
        await maria.locator("[data-test=dispatch-accept]").click()
        await maria.locator("[data-test=dispatch-arrive]").click()
        await maria.locator("[data-test=dispatch-done]").click()

    said = "select outcome from dispatch where outcome = $1"
    seen = look()
    await somebody_should(stack)
    maria = await begun(windows, "Maria Ek")
    await at_the_door(maria)
    close = maria.locator("[data-test=dispatch-close]")
    await maria.get_by_label("Hur gick det?").fill("Hon låg på golvet")
    assert await maria.locator("[data-test=dispatch] input[type=radio]").count() == 0
    await close.click()
    assert await stack.until(said, "Hon låg på golvet")

    eva = await windows.staff("Eva Sjö")
    await eva.goto(f"{windows.url}/admin/lists")
    await eva.locator("#item-outcome").fill("Hjälp upp")
    await eva.locator("[data-test=add-outcome]").click()
    await eva.locator("li", has_text="Hjälp upp").wait_for()
    await maria.reload()
    await somebody_should(stack)
    await at_the_door(maria)
    await maria.get_by_label("Hjälp upp").wait_for()
    assert await close.is_disabled()
    await maria.get_by_label("Något annat").check()
    await maria.get_by_label("Med egna ord").wait_for()
    await seen.at(maria, "dispatch-close")
    assert await close.is_disabled()
    await maria.get_by_label("Hjälp upp").check()
    await close.click()
    assert await stack.until(said, "Hjälp upp")

    await somebody_should(stack)
    await at_the_door(maria)
    await maria.get_by_label("Något annat").check()
    await maria.get_by_label("Med egna ord").fill("Grannen var där")
    await close.click()
    assert await stack.until(said, "Grannen var där")
    assert seen.faults == []


async def test_the_list_goes_on_paper_without_any_script(stack, windows):
    maria = await begun(windows, "Maria Ek")

    await maria.locator("[data-test=shift-list]").first.click()

    await maria.get_by_role("heading", name="Om systemet inte fungerar").wait_for()
    await maria.locator("[data-test=on-paper]", has_text="Hagagatan 5").wait_for()
    assert await maria.locator("script").count() == 0
    seen = look()
    await seen.at(maria, "shift-list")
    await maria.emulate_media(media="print")
    assert await maria.locator(".screen").first.is_hidden()
    assert await stack.rows("select 1 from audit.body where event = 'list.printed'")
    assert seen.faults == []

"""A shift where the network is not: the list stays, what is noted is entered when it is back."""

import pytest

from tests.flows.look import Look
from tests.flows.test_night_round import HOMES, at_the_round, night  # noqa: F401 - a fixture
from tests.flows.test_patrol import PHONE, on_patrol
from tests.flows.test_shift import KEPT_PAGE, somebody_should

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL_THAT_IS_KEPT = """async () => {
    const found = [];
    for (const { name } of await indexedDB.databases()) {
        const db = await new Promise((done) => {
            const request = indexedDB.open(name);
            request.onsuccess = () => done(request.result);
        });
        for (const store of db.objectStoreNames) {
            const all = await new Promise((done) => {
                const request = db.transaction(store).objectStore(store).getAll();
                request.onsuccess = () => done(request.result);
            });
            for (const one of all) found.push(one instanceof CryptoKey
                ? `key ${one.extractable}`
                : new TextDecoder("latin1").decode(one.data));
        }
        db.close();
    }
    return { found, session: JSON.stringify(sessionStorage), local: JSON.stringify(localStorage) };
}"""
NOTED = """
select 1 from dispatch where state = 'done' and outcome = $1 and arrived_noted_at is not null
"""
LATE = """
select 1 from audit.body where event = 'dispatch.arrived' and what::jsonb ->> 'noted_at' is not null
"""
SEALED = """async () => {
    for (;;) {
        if ((await indexedDB.databases()).length) return;
        await new Promise(requestAnimationFrame);
    }
}"""


async def kept_on_the_way(stack, windows):
    """She goes to Birgitta; the device has what she needs."""
    await somebody_should(stack)
    maria = await on_patrol(windows, **PHONE)
    await maria.locator("[data-test=patrol-accept]").click()
    await maria.locator("[data-test=mission]").wait_for()
    await maria.evaluate(KEPT_PAGE)
    await maria.evaluate(SEALED)
    return maria


async def test_there_and_done_are_noted_without_network_and_entered_when_it_is_back(stack, windows):
    maria = await kept_on_the_way(stack, windows)
    seen = Look("sv", [(320, 640), (390, 844)])
    await maria.context.set_offline(True)
    stack.kill_server()
    await maria.locator("[data-test=without-network]").wait_for()
    await maria.get_by_text("Utan nät. Listan är från 10:0").first.wait_for()
    await maria.locator("[data-test=patrol-arrive]").click()
    await maria.locator("[data-test=note]", has_text="Framme 10:0").wait_for()
    await maria.locator("[data-test=patrol-done]:not([disabled])").click()
    await maria.get_by_label("Hur gick det?").fill("Sov gott")
    await maria.locator("[data-test=dispatch-close]").click()
    await maria.locator("[data-test=note]", has_text="Klar 10:0").wait_for()
    await seen.at(maria, "patrol-without-network")

    stack.move_clock(minutes=5)
    stack.start_server()
    await stack.server_up()
    await maria.context.set_offline(False)

    await stack.until(NOTED, "Sov gott")
    await maria.locator("[data-test=note]").first.wait_for(state="detached")
    assert await stack.rows(LATE), "entered afterwards, and the record says so"
    assert seen.faults == []


async def test_loaded_anew_without_network_the_list_is_there_and_nothing_in_plain_text(
    stack, windows
):
    maria = await kept_on_the_way(stack, windows)
    disk = await maria.evaluate(ALL_THAT_IS_KEPT)
    assert "key false" in disk["found"]
    assert len(disk["found"]) == 2
    for secret in ("Birgitta", "Lugna gatan"):
        assert secret not in str(disk)
    stack.kill_server()
    try:
        await maria.reload()
        patrol = maria.locator("[data-test=kept-patrol]")
        await patrol.get_by_text("Utan nät. Listan är från 10:0").wait_for()
        assert "Birgitta" in await patrol.inner_text()
        await maria.locator("[data-test=kept-arrive]").click()
        await maria.locator("[data-test=note]", has_text="Framme").wait_for()
    finally:
        stack.start_server()
        await stack.server_up()
    await maria.get_by_role("button", name="Försök igen").click()
    await stack.until("select 1 from dispatch where state = 'arrived'")


async def test_the_rounds_list_too_is_there_when_it_is_loaded_anew(night, windows):  # noqa: F811
    jonas = await at_the_round(windows)
    await jonas.evaluate(KEPT_PAGE)
    await jonas.evaluate(SEALED)
    seen = Look("sv", [(320, 640), (390, 844)])
    night.kill_server()
    try:
        await jonas.reload()
        round_ = jonas.locator("[data-test=kept-night]")
        await round_.get_by_text("Utan nät. Listan är från 10:0").wait_for()
        assert await round_.get_by_text("Ska få tillsyn").count() == len(HOMES)
        await seen.at(jonas, "night-without-network")
    finally:
        night.start_server()
        await night.server_up()
    assert seen.faults == []


async def test_what_somebody_else_did_meanwhile_is_told_and_her_note_is_not_lost(stack, windows):
    maria = await kept_on_the_way(stack, windows)
    stack.kill_server()
    await maria.locator("[data-test=patrol-arrive]").click()
    await maria.locator("[data-test=note]").wait_for()
    await stack.rows("update dispatch set state = 'asked', accepted_by = null")
    stack.start_server()
    await stack.server_up()

    note = maria.locator("[data-test=note][data-refused=not_your_dispatch]")
    await note.get_by_role("alert").wait_for()
    assert "Framme" in await note.inner_text()
    await note.locator("[data-test=note-forget]").click()
    await note.wait_for(state="detached")


async def test_signed_out_nothing_is_kept(stack, windows):
    maria = await kept_on_the_way(stack, windows)
    await maria.goto(f"{windows.url}/#/")
    await maria.locator("[data-test=sign-out]:visible").first.click()
    await maria.locator("[data-test=pick-staff]").first.wait_for()
    assert await maria.evaluate("indexedDB.databases()") == []


async def test_when_the_shift_is_over_nothing_is_kept(stack, windows):
    await somebody_should(stack)
    maria = await on_patrol(windows)
    await maria.locator("[data-test=job]").wait_for()
    await maria.evaluate(SEALED)
    await maria.goto(f"{windows.url}/#/")
    await maria.locator("[data-test=end-shift]:visible").first.click()
    await maria.locator("[data-test=begin-shift]").wait_for()
    assert await maria.evaluate("indexedDB.databases()") == []


async def test_a_page_that_locked_without_network_opens_the_list_for_her(stack, windows):
    maria = await kept_on_the_way(stack, windows)
    stack.kill_server()
    await maria.clock.install()
    await maria.locator("[data-test=without-network]").wait_for()
    await maria.clock.fast_forward("31:00")
    await maria.get_by_role("heading", name="Sidan är låst").wait_for()
    assert "Birgitta" not in await maria.content()

    await maria.locator("[data-test=open-sealed]").click()

    await maria.locator("[data-test=kept-mission]", has_text="Birgitta").wait_for()
    stack.start_server()
    await stack.server_up()

"""A video visit between real browsers, and between a browser and a home unit."""

import asyncio
import signal

import pytest
import pytest_asyncio

from telecare.runtime.embedded import process
from telecare.wire.homes import Pressed
from tests.flows.conftest import FRAMES, PATIENCE_S, hears, sees, stops_seeing
from tests.flows.steps import CALL, ended, ring

YES = """
select c.id from consent c join resident r on r.tenant_id = c.tenant_id and r.id = c.resident_id
where r.given_name = 'Birgitta' and c.decision = 'permit' and c.purpose = 'video_visit'
"""
FORGET_NO = """
delete from consent c using resident r
where r.tenant_id = c.tenant_id and r.id = c.resident_id and r.given_name = 'Birgitta'
  and c.decision = 'withdrawn'
"""
CONNECTED = "() => window.peers.map(peer => peer.connectionState)"
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_maria_sees_and_hears_ingrids_home_unit(stack, windows):
    maria = await windows.staff()

    await ring(maria, "Ingrid")

    await sees(maria)
    await hears(maria)
    await stack.until(
        "select 1 from audit.body where event = 'camera.turned' and (what::jsonb ->> 'on')::boolean"
    )
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    await stack.until(
        "select 1 from audit.body where event = 'camera.turned'"
        " and not (what::jsonb ->> 'on')::boolean"
    )


async def test_maria_and_birgitta_see_and_hear_each_other(stack, windows):
    birgitta = await windows.tv()
    maria = await windows.staff()

    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()

    await asyncio.gather(sees(maria), sees(birgitta))
    await asyncio.gather(hears(maria), hears(birgitta))
    await birgitta.keyboard.press("Enter")  # OK is Lägg på
    await birgitta.keyboard.press("Enter")  # she is sure
    await ended(stack, "hung_up_at_home")


async def test_what_maria_writes_stands_large_on_the_tv_and_nowhere_else(stack, windows):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await sees(maria)

    await maria.locator("[data-test=rtt]").fill("Ta den vita tabletten kvick-70719")

    await birgitta.get_by_text("Ta den vita tabletten kvick-70719").wait_for()
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    assert "kvick-70719" not in (stack.folder / "server.log").read_text()
    tables = await stack.rows(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    for table in tables:
        rows = await stack.rows(
            f"select 1 from {table['relname']} t where t::text like '%kvick-70719%'"
        )
        assert rows == [], table


async def test_inte_nu_is_an_answer_too(stack, windows):
    birgitta = await windows.tv()
    maria = await windows.staff()

    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=decline]").click()

    await ended(stack, "declined")
    await maria.locator("[data-test=steps]").wait_for()


async def test_the_visit_needs_a_next_step_when_nobody_answers(stack, windows):
    await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await stack.until(CALL)

    stack.move_clock(seconds=61)

    await ended(stack, "no_answer")
    await maria.locator("[data-test=steps]").wait_for()


async def test_a_colleague_hears_that_birgitta_is_in_another_call(stack, windows):
    birgitta = await windows.tv()
    maria, kirsi = await windows.staff(), await windows.staff("Eva Sjö")
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await sees(maria)

    async with asyncio.timeout(20):
        answer = await kirsi.evaluate(
            """async () => {
                const people = await (await fetch("/api/residents/search", {method: "POST",
                    headers: {"Content-Type": "application/json"},
                    body: JSON.stringify({q: "Birgitta"})})).json();
                const id = people.items[0].id;
                const me = await (await fetch("/api/me")).json();
                await fetch("/api/shifts/begin", {method: "POST",
                    headers: {"Content-Type": "application/json"},
                    body: JSON.stringify({unit_id: me.unit_id})});
                const over = await fetch(`/api/residents/${id}/take-over`, {method: "POST",
                    headers: {"Content-Type": "application/json"}, body: "{}"});
                const ring = await fetch("/api/calls", {method: "POST",
                    headers: {"Content-Type": "application/json"},
                    body: JSON.stringify({resident_id: id})});
                return [over.status, ring.status, (await ring.json()).code];
            }"""
        )

    assert answer == [204, 409, "busy"]
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_a_reload_on_either_side_resumes_the_call(stack, windows):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(birgitta))

    await maria.reload()
    await asyncio.gather(sees(maria), sees(birgitta))
    await birgitta.reload()
    await asyncio.gather(sees(maria), sees(birgitta))

    assert len(await stack.rows(CALL)) == 1
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_the_first_screen_in_the_home_answers_and_the_other_stops(stack, windows):
    tv, tablet = await windows.tv(), await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await tablet.locator("[data-test=answer]").wait_for()

    await tv.locator("[data-test=answer]").click()

    await asyncio.gather(sees(maria), sees(tv))
    await tablet.locator("[data-test=answer]").wait_for(state="detached")
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


@pytest_asyncio.fixture(loop_scope="session")
async def her_yes(stack):
    """Birgitta's consent; what is taken back in the test is as before after it."""
    yield (await stack.rows(YES))[0]["id"]
    await stack.rows(FORGET_NO)


async def test_consent_taken_back_in_the_call_stops_the_frames(stack, windows, her_yes):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await sees(maria)

    status = await maria.evaluate(
        """async id => (await fetch(`/api/consents/${id}/withdraw`, {method: "POST",
            headers: {"Content-Type": "application/json"},
            body: JSON.stringify({asked_by: "resident"})})).status""",
        str(her_yes),
    )

    assert status == 204
    await ended(stack, "consent_withdrawn")
    await asyncio.gather(stops_seeing(maria), stops_seeing(birgitta))


async def test_a_call_survives_that_the_server_is_killed(stack, windows):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(birgitta))

    stack.kill_server()
    await stops_seeing(maria)
    stack.start_server()
    await stack.server_up()

    await asyncio.gather(sees(maria), sees(birgitta))
    assert len(await stack.rows(CALL)) == 1
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_a_call_in_without_consent_opens_with_sound_only_and_says_so(stack, windows):
    olof = await windows.tv("olof")
    anna = await windows.staff("Maria Ek")

    await olof.locator("[data-test=tile-ring]").click()
    await anna.get_by_role("button", name="Svara").click()

    await asyncio.gather(hears(anna), hears(olof))
    await olof.get_by_text("Bara ljud. Ingen ser dig.").wait_for()
    await anna.locator("[data-test=sound-only]").wait_for()
    rows = await stack.rows("select home_picture from call where state <> 'ended'")
    assert rows == [{"home_picture": False}]
    await anna.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


@pytest_asyncio.fixture(loop_scope="session")
async def unhurried_home(stack):
    """Karl-Erik takes his time to answer."""
    await stack.start_home("karl-erik", when_it_rings=Pressed(key="answer", after_s=4))
    yield
    process.stop(stack.homes.pop(), signal.SIGTERM, 10)


async def test_a_home_unit_has_connected_by_the_time_he_answers(stack, windows, unhurried_home):
    maria = await windows.staff()

    await ring(maria, "Karl-Erik")
    async with asyncio.timeout(PATIENCE_S):
        while await maria.evaluate(CONNECTED) != ["connected"]:
            await asyncio.sleep(0.05)
    assert await maria.locator("[data-test=ringing]").count() == 1
    assert await maria.evaluate(FRAMES) == 0
    assert await stack.rows("select 1 from call_lease") == []
    await sees(maria)

    assert await maria.evaluate(CONNECTED) == ["connected"]


async def test_when_her_answer_cannot_be_sent_she_reads_what_to_do(stack, windows):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").wait_for()

    await birgitta.route("**/api/tv/calls/*/answer", lambda route: route.abort())
    await birgitta.locator("[data-test=answer]").click()
    await birgitta.locator("[data-test=problem]", has_text="021-").wait_for()
    await birgitta.unroute("**/api/tv/calls/*/answer")
    await birgitta.locator("[data-test=answer]").click()

    await asyncio.gather(sees(maria), sees(birgitta))

"""Somebody who has agreed to it is connected after a countdown that she sees and hears."""

from datetime import time

import pytest
import pytest_asyncio

from telecare.consent.model import Purpose
from telecare.demo import seed
from telecare.runtime.clock import FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from tests.flows.conftest import sees

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEAR_SPEECH = """
window.spoken = [];
speechSynthesis.speak = words => window.spoken.push([words.text, words.lang]);
window.tones = 0;
const create = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  window.tones += 1;
  return create.call(this);
};
"""
BIRGITTA = next(home for home in seed.HOMES if home.key == "birgitta")
TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True}


@pytest_asyncio.fixture(loop_scope="session")
async def agreed(stack, day):
    """Birgitta has said yes to being connected after twenty seconds."""
    config, now = Config.from_environment(stack.environment), FileClock(stack.clock_file).now()
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        async with database.transaction(tenant) as db:
            await seed.say_yes(
                db, BIRGITTA.id, Purpose.AUTO_ANSWER, party=None, now=now,
                hours=(time(8), time(21)), answer_after_s=20,
            )  # fmt: skip


async def heard_the_time(page) -> None:
    """The server has said twice what time it is: whatever follows from it has happened."""
    await page.evaluate(
        """() => new Promise(done => {
            const socket = new WebSocket(`ws://${location.host}/ws/tv`);
            let heard = 0;
            socket.onmessage = e => {
                if (JSON.parse(e.data).type === "hello" && (heard += 1) === 3) {
                    socket.close();
                    done();
                }
            };
        })"""
    )


async def rung(windows, **options: object):
    """Birgitta's screen and Maria's, while it rings with a countdown."""
    screen = await windows.new(**options)
    await screen.add_init_script(HEAR_SPEECH)
    await screen.goto(f"{windows.url}/demo/tv/birgitta")
    await screen.locator("[data-test=home]").wait_for()
    maria = await windows.staff()
    row = maria.locator("[data-test=visit]", has_text="Birgitta")
    await row.locator("[data-test=ring]").first.click()
    await screen.locator("[data-test=countdown]").wait_for()
    return screen, maria


async def test_birgitta_hears_and_sees_who_comes_and_is_connected_by_herself(
    stack, windows, agreed
):
    tv, maria = await rung(windows)

    await tv.wait_for_function("() => window.spoken.length === 1")
    assert await tv.evaluate("() => window.spoken[0]") == ["Maria ringer", "sv-SE"]
    await tv.get_by_role("heading", name="Maria ringer").wait_for()
    assert await tv.evaluate("() => window.tones") > 0
    assert (
        "Maria kommer fram av sig självt om"
        in await tv.locator("[data-test=countdown]").inner_text()
    )
    stack.move_clock(seconds=20)

    await sees(maria)
    rows = await stack.rows("select answered_by_itself from call where state <> 'ended'")
    assert rows == [{"answered_by_itself": True}]
    await maria.locator("[data-test=hang-up]").click()
    await tv.locator("[data-test=faces], [data-test=home]").first.wait_for()


@pytest.mark.parametrize("how", [pytest.param("arrow", marks=pytest.mark.slow), "touch"])
async def test_any_key_or_touch_makes_it_wait_for_her(stack, windows, agreed, how):
    screen, maria = await rung(windows, **(TABLET if how == "touch" else {}))

    if how == "touch":
        await screen.touchscreen.tap(20, 20)
    else:
        await screen.keyboard.press("ArrowRight")
    await screen.locator("[data-test=countdown]").wait_for(state="detached")
    stack.move_clock(seconds=25)
    await heard_the_time(screen)

    assert await screen.locator("[data-test=answer]").count() == 1
    rows = await stack.rows("select state from call where state <> 'ended'")
    assert rows == [{"state": "ringing"}]
    await screen.locator("[data-test=decline]").click()
    await maria.locator("[data-test=steps]").wait_for()

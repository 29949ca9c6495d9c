"""A home that falls silent, from the pulled plug to the page that says so (P3)."""

import signal
from datetime import timedelta

import pytest

from tests.flows.test_shift import begun, look

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]
KNOWN_WITHIN = timedelta(seconds=45)
ALARM = """
select began_at, raised_at from technical_alarm where kind = 'offline' and ended_at is null
"""


async def test_a_home_whose_plug_is_pulled_is_known_within_45_seconds_and_comes_back(
    stack, windows
):
    seen = look()
    await stack.start_home("aino")
    maria = await begun(windows, "Maria Ek")
    home = stack.homes[-1]
    home.send_signal(signal.SIGKILL)
    home.wait()

    card = maria.locator("[data-test=technical]", has_text="Aino Virtanen")
    await card.wait_for(timeout=60_000)
    [row] = await stack.rows(ALARM)
    assert row["raised_at"] - row["began_at"] <= KNOWN_WITHIN
    await seen.at(maria, "technical-alarm")

    await maria.locator("[data-test=nav-devices]").first.click()
    silent = maria.locator("[data-test=device][data-need=silent]")
    await silent.filter(has_text="Aino Virtanen").wait_for()
    await seen.at(maria, "devices")
    await silent.locator("[data-test=ask-for]").click()
    await silent.locator("[data-test=ask-for]").wait_for(state="detached")

    await maria.goto(f"{windows.url}/#/")
    await maria.locator("[data-test=task][data-kind=mend_device]").wait_for()
    await stack.start_home("aino")
    await card.wait_for(state="detached", timeout=30_000)
    assert seen.faults == []

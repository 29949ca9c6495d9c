"""A round at night: real Chromium, real home units, cameras that open for seconds."""

import asyncio
import json
import signal

import pytest
import pytest_asyncio

from telecare.demo import nights, seed
from telecare.runtime.clock import FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.wire.homes import Happens, HomeSettings
from tests.flows.look import MATRIX, staff_look
from tests.flows.steps import CAMERA

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOMES = ("karl-erik", "aino")
CHECK = """
select c.state, c.ended_as, c.why, c.seen_s, c.interrupted from night_check c
where c.resident_id = $1 and c.state <> 'called_off' order by c.starts_at limit 1
"""
ENDED_LOOK_OF = "select 1 from call where id = $1 and state = 'ended'"
ENDED_LOOK = """
select id from call where kind = 'look' and end_reason = $1 order by created_at desc
"""


@pytest_asyncio.fixture(loop_scope="session")
async def night(stack, windows):
    """Two homes with a camera in the bedroom, and a check that is due in each."""
    homes = [home for home in seed.HOMES if home.key in HOMES]
    settings = HomeSettings(cameras={nights.CAMERA: "simulated"})
    await asyncio.gather(*(stack.start_home(home.key, settings=settings) for home in homes))
    config = Config.from_environment(stack.environment)
    now = FileClock(stack.clock_file).now()
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        assert len(await nights.agree(database, tenant, homes, now)) == len(homes)
    return stack


async def at_the_round(windows, tasks=(), **options):
    """Jonas has begun his shift and sits alone; the round can begin."""
    jonas = await windows.staff("Jonas Lund", **options)
    for task in tasks:
        await jonas.locator(f"[data-test=does-{task}]").click()
    await jonas.locator("[data-test=begin-shift]").click()
    await jonas.locator("[data-test=nav-night]").first.click()
    await jonas.locator("[data-test=private]").check()
    return jonas


async def begun(windows, **options):
    jonas = await at_the_round(windows, **options)
    await jonas.locator("[data-test=begin-round]").click()
    await is_seen(jonas)
    return jonas


async def is_seen(jonas) -> None:
    """A picture has been shown long enough to say what it shows."""
    await jonas.locator("[data-phase=viewing] [data-test=say-asleep]:not([disabled])").wait_for()


async def check_of(stack, key: str) -> dict:
    home = next(one for one in seed.HOMES if one.key == key)
    [check] = await stack.rows(CHECK, home.id)
    return check


async def of_both(stack) -> list[str]:
    return [(await check_of(stack, key))["state"] for key in HOMES]


async def test_two_homes_are_seen_for_seconds_by_keys_alone(night, windows):
    jonas = await begun(windows)
    first = await jonas.locator(".who").inner_text()
    assert await jonas.locator("[data-test=check]", has_text="Klar").count() == 1

    await jonas.keyboard.press("1")
    await jonas.locator(".who", has_not_text=first).wait_for()
    await is_seen(jonas)
    await jonas.keyboard.press("2")

    await jonas.locator("[data-test=nothing-due]").wait_for()
    done = [await check_of(night, key) for key in HOMES]
    assert {one["ended_as"] for one in done} == {"asleep", "up"}
    assert all(2 <= one["seen_s"] < 20 for one in done)
    looks = await night.rows(ENDED_LOOK, "looked")
    for look in looks[:2]:
        await night.until(CAMERA, str(look["id"]), True)
        await night.until(CAMERA, str(look["id"]), False)
    assert await night.rows("select 1 from call where kind = 'look' and home_sound") == []


async def test_a_picture_that_should_not_be_seen_is_closed_by_one_key(night, windows):
    jonas = await begun(windows)

    await jonas.keyboard.press("0")
    await jonas.locator("[data-test=cut]").wait_for()
    await night.until(ENDED_LOOK, "closed_at_once")
    await jonas.locator("[data-test=cut-wrong_home]").click()

    await jonas.locator("[data-phase=idle]").wait_for()
    assert min(await of_both(night)) == "dispatched"
    blocked = await night.rows("select 1 from night_camera where blocked_why = 'wrong_home'")
    assert len(blocked) == 1


async def test_one_who_needs_a_visit_is_looked_to_again_and_spoken_to_while_somebody_drives(
    night, windows
):
    jonas = await begun(windows)
    first = await jonas.locator(".who").inner_text()
    await jonas.keyboard.press("4")
    await jonas.keyboard.press("4")
    await jonas.locator(".who", has_not_text=first).wait_for()
    await is_seen(jonas)
    await jonas.keyboard.press("1")
    await jonas.locator("[data-phase=idle]").wait_for()
    stay = jonas.locator("[data-test=stay]")
    again = stay.locator("[data-test=look-again]")
    assert await again.is_disabled(), "at most every two minutes"
    night.move_clock(minutes=2)
    await jonas.reload()

    await again.click()
    await jonas.locator("[data-phase=viewing]").wait_for()
    assert await jonas.locator("[data-test=say-asleep]").count() == 0, "no outcome is asked for"
    await jonas.keyboard.press("s")
    await jonas.locator("[data-test=speech][data-speech=on]").wait_for()
    spoken_to = []
    async with asyncio.timeout(10):
        while "heard" not in spoken_to:
            stamps = (night.folder / "homes").glob("*/camera-stamps.jsonl")
            lines = [json.loads(line) for one in stamps for line in one.read_text().splitlines()]
            spoken_to = [line["voice"] for line in lines if "voice" in line]
            await asyncio.sleep(0.05)
    await jonas.keyboard.press("0")
    await jonas.locator("[data-phase=idle]").wait_for()

    events = await night.rows("select event from audit.body where event like 'speech.%' order by 1")
    assert [one["event"] for one in events] == ["speech.asked", "speech.began"]
    assert sorted(await of_both(night)) == ["dispatched", "done"]


PRESSED = Happens(what="button", device="wrist", after_s=1)


@pytest.mark.parametrize(("tasks", "goes_on"), [(("round",), True), (("round", "alarm"), False)])
async def test_an_alarm_stops_the_round_of_whoever_receives_alarms_and_no_other(
    night, windows, tasks, goes_on
):
    jonas = await at_the_round(windows, tasks)
    await jonas.locator("[data-test=begin-round]").click()
    await is_seen(jonas)
    first = await jonas.locator(".who").inner_text()
    await night.start_home("ingrid", happens=[PRESSED])
    await night.until("select 1 from alarm where state = 'new'")
    maria = await windows.staff()
    await maria.locator("[data-test=alarm]").wait_for()
    if not goes_on:
        await jonas.locator("[data-test=alarm-strip]").wait_for()

    await jonas.keyboard.press("1")

    if goes_on:
        await jonas.locator(".who", has_not_text=first).wait_for()
        await is_seen(jonas)
        return
    await jonas.locator("[data-phase=idle]").wait_for()
    assert set(await of_both(night)) <= {"done", "due", "ready"}, "no other home is opened"
    await maria.locator("[data-test=take-alarm]").first.click()
    await jonas.keyboard.press(" ")
    await is_seen(jonas)


async def test_a_server_that_is_killed_in_mid_look_leaves_a_dark_camera_and_a_due_check(
    night, windows
):
    jonas = await begun(windows)
    night.kill_server()
    try:
        await jonas.locator("[data-phase=deciding], [data-phase=idle]").first.wait_for()
    finally:
        night.start_server()
        await night.server_up()

    night.move_clock(minutes=1)
    await night.until("select 1 from night_check where state in ('deciding', 'due')"
                      " and staff_id is not null and call_id is null")  # fmt: skip
    night.move_clock(minutes=2)
    await night.until("select 1 from night_check where state = 'due' and interrupted = 1")
    assert await night.rows("select 1 from call where kind = 'look' and state = 'open'") == []
    assert await night.rows("select 1 from night_check where state = 'done'") == []


async def test_a_browser_that_dies_in_mid_look_leaves_nobody_seen(night, windows):
    jonas = await begun(windows)
    [look] = await night.rows("select id from call where kind = 'look' and state = 'open'")
    await jonas.context.close()
    await night.until(CAMERA, str(look["id"]), False)
    await night.until(f"{ENDED_LOOK_OF} and end_reason = 'connection_lost'", look["id"])


async def test_a_home_that_dies_in_mid_look_is_a_technical_fault_when_said(night, windows):
    jonas = await begun(windows)
    name = await jonas.locator(".who").inner_text()
    for home in night.homes[night.homes_kept :]:
        home.send_signal(signal.SIGKILL)
    await jonas.locator("[data-phase=deciding], [data-phase=viewing]").first.wait_for()
    await jonas.keyboard.press("5")
    await night.until("select 1 from night_check where why = 'fault'")
    await jonas.locator("[data-state=dispatched]", has_text=name).wait_for()


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_the_round_page_is_readable_everywhere(night, windows, in_language, language, which):
    await in_language(language)
    jonas = await at_the_round(windows)
    seen = staff_look(language, which)
    await seen.at(jonas, "night-start")
    await jonas.locator("[data-test=begin-round]").click()
    await is_seen(jonas)
    await seen.at(jonas, "night-round", keys=False)
    await jonas.set_viewport_size({"width": 390, "height": 844})
    assert await jonas.locator(".who").is_visible(), "whose home it is, on a phone too"
    await jonas.locator("[data-test=close-now]").click()
    await jonas.locator("[data-test=cut]").wait_for()
    await seen.at(jonas, "night-cut", keys=False)
    await jonas.locator("[data-test=cut-somebody_else]").click()
    await jonas.locator("[data-test=begin-round]").click()
    await is_seen(jonas)
    await jonas.keyboard.press("4")
    await jonas.locator("[data-test=stay]").first.wait_for(state="attached")
    await jonas.locator("[data-test=pause]").click()
    await jonas.locator("[data-phase=idle]").wait_for()
    await seen.at(jonas, "night-stay")
    assert seen.faults == []

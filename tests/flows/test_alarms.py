"""An alarm from the button in a home to its end, in a browser."""

import asyncio
import json
import signal
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telecare.runtime.embedded import process
from telecare.wire import edge, seal, topics
from telecare.wire.homes import Pressed
from tests.flows.look import TVS, Look
from tests.flows.test_shift import begun, look

pytestmark = [pytest.mark.asyncio(loop_scope="session")]


async def press(stack, home: str = "ingrid", **more) -> str:
    """The button in a home is pressed, and the server has the alarm; its id."""
    folder = stack.folder / "homes" / home
    unit = json.loads((folder / "unit.json").read_text())
    event = edge.AlarmRaised(
        boot=uuid4(), seq=1, occurred_at=datetime.now(UTC), clock_ok=False, trigger="button",
        device="armband", place="sovrum", **more,
    )  # fmt: skip
    topic = topics.up(unit["unit"], topics.Up.ALARM)
    payload = event.model_dump_json().encode()
    properties = Properties(PacketTypes.PUBLISH)
    key = (folder / "mac.key").read_bytes()
    properties.UserProperty = seal.seal(key, topic, 1, payload)
    await asyncio.to_thread(_say, unit["broker_url"], topic, payload, properties)
    [row] = await stack.until("select id from alarm where reference = $1", f"{event.boot}/1")
    return str(row["id"])


def _say(url: str, topic: str, payload: bytes, properties: Properties) -> None:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    host, port = url.rsplit("/", 1)[1].split(":")
    client.connect(host, int(port))
    client.loop_start()
    client.publish(topic, payload, qos=1, properties=properties).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


async def test_an_alarm_is_answered_seen_to_and_closed(stack, windows):
    seen = look()
    maria = await begun(windows, "Maria Ek")
    kirsi = await begun(windows, "Kirsi Niemi")
    receiving = maria.locator("[data-test=receivers]")
    await receiving.filter(has_text="Kirsi Niemi, Maria Ek").wait_for()

    alarm = await press(stack)
    waiting = f"[data-test=alarm][data-id='{alarm}']"
    await maria.locator(f"{waiting}[data-state=new]").wait_for()
    assert "Armband, sovrum." in await maria.locator(waiting).inner_text()
    await seen.at(maria, "alarm-queue")
    await kirsi.locator(f"{waiting} [data-test=take-alarm]").wait_for()
    await maria.locator(f"{waiting} [data-test=take-alarm]").click()
    page = maria.locator("[data-test=alarm-page]")
    await page.wait_for()
    await kirsi.locator(f"{waiting} >> text=Maria Ek").wait_for()
    assert await kirsi.locator(f"{waiting} [data-test=take-alarm]").count() == 0

    assert await maria.locator("[data-test=alarm-done]").is_disabled()
    await maria.get_by_text("Hagagatan 5").wait_for()
    await seen.at(maria, "alarm")
    await maria.locator("[data-test=alarm-note]").click()
    await maria.locator("#note").fill("Ringer grannen")
    await maria.locator("[data-test=save-note]").click()
    await maria.get_by_text("Ringer grannen").wait_for()
    await maria.locator("[data-test=alarm-talked]").click()
    await maria.locator("[data-test=save-talked]").click()
    await maria.locator("[data-test=alarm-done]:not([disabled])").click()
    await maria.get_by_label("Orsak").select_option(label="Oro")
    assert await maria.locator("[data-test=save-close]").is_disabled()
    await maria.get_by_label("Åtgärd").select_option(label="Samtal")
    await seen.at(maria, "alarm-close")
    await maria.locator("[data-test=save-close]").click()

    await maria.locator("[data-test=notice]").wait_for()
    await kirsi.locator(waiting).wait_for(state="detached")
    await kirsi.locator("[data-test=nav-waiting]").first.click()
    over = kirsi.locator("[data-test=over][data-state=closed]").first
    await over.get_by_text("Åtgärd: Samtal. Maria Ek avslutade").wait_for()
    await seen.at(kirsi, "waiting")
    assert seen.faults == []
    [row] = await stack.rows("select state, contact from alarm where id = $1", alarm)
    assert (row["state"], row["contact"]) == ("closed", "phone")


@pytest_asyncio.fixture(loop_scope="session")
async def slow_to_answer(stack):
    """Karl-Erik does not reach the button before she hangs up."""
    await stack.start_home("karl-erik", when_it_rings=Pressed(key="answer", after_s=60))
    yield
    process.stop(stack.homes.pop(), signal.SIGTERM, 10)


async def test_a_call_to_the_home_in_vain_leads_back_to_the_alarm_and_stands_there(
    stack, windows, slow_to_answer
):
    maria = await begun(windows, "Maria Ek")
    alarm = await press(stack, "karl-erik")
    await maria.locator(f"[data-id='{alarm}'] [data-test=take-alarm]").click()
    await maria.locator("[data-test=alarm-ring]").click()
    await maria.locator("[data-test=ringing]").wait_for()
    await maria.locator("[data-test=hang-up]").click()

    await maria.locator("[data-test=alarm-page]").wait_for()
    await maria.get_by_text("Maria Ek ringde hemmet, inget svar på").wait_for()
    await maria.get_by_text("Ring igen eller skicka personal").wait_for()
    assert await maria.locator("[data-test=alarm-ring]").inner_text() == "Ring hemmet igen"
    seen = look()
    await seen.at(maria, "alarm-rang")
    assert seen.faults == []


async def test_an_alarm_is_met_on_every_page_and_never_takes_the_focus(stack, windows):
    maria = await begun(windows, "Maria Ek")
    await maria.locator("[data-test=nav-people]").first.click()
    await maria.get_by_role("textbox").first.focus()

    await press(stack)
    strip = maria.locator("[data-test=alarm-strip]")
    await strip.wait_for()

    assert await maria.evaluate("document.activeElement.tagName") == "INPUT"
    await look().at(maria, "alarm-strip")
    await maria.locator("[data-test=nav-waiting] .n").first.get_by_text("1").wait_for()
    await strip.locator("[data-test=take-alarm]").click()
    await maria.locator("[data-test=alarm-page]").wait_for()


async def test_her_tv_says_what_has_become_of_it_and_takes_a_mistake(stack, windows):
    maria = await begun(windows, "Maria Ek")
    tv = await windows.tv("ingrid")
    seen = Look("sv", TVS, is_tv=True)
    alarm = await press(stack)

    page = tv.locator("[data-test=alarm]")
    await page.wait_for()
    await tv.get_by_text("Larmet har kommit fram").wait_for()
    assert await page.get_attribute("data-taken") == "false"
    await seen.at(tv, "alarm-arrived")
    await maria.locator(f"[data-id='{alarm}'] [data-test=take-alarm]").click()
    await tv.get_by_text("Maria har tagit emot det.").wait_for()
    await tv.locator("[data-test=alarm-wrong]").click()
    await tv.get_by_text("Någon frågar ändå hur du mår").wait_for()
    await seen.at(tv, "alarm-wrong")
    await maria.get_by_text("Markerat som oavsiktligt från hemmet.").first.wait_for()
    await tv.locator("[data-test=alarm-again]").click()
    rows = await stack.until("select id from alarm where source = 'tv'")

    assert len(rows) == 1
    assert seen.faults == []


async def test_a_home_hears_that_it_has_arrived_and_then_who_has_it(stack, windows):
    """The unit itself: its button, its lamp and its voice."""
    maria = await begun(windows, "Maria Ek")
    signs = stack.folder / "homes" / "olof" / "signs.jsonl"

    async def says(words: str) -> None:
        async with asyncio.timeout(20):
            while not signs.exists() or words not in signs.read_text():
                await asyncio.sleep(0.05)

    button = {"after_s": 1.0, "what": "button", "device": "armband", "place": "kök"}
    await stack.start_home("olof", happens=(button,))
    await says('"arrived"')
    waiting = maria.locator("[data-test=alarm][data-state=new]", has_text="Olof Hedman")
    assert "taken" not in signs.read_text()
    await waiting.locator("[data-test=take-alarm]").click()
    await says('"taken"')

    said = signs.read_text()
    assert said.index('"sending"') < said.index('"arrived"') < said.index('"taken"')
    assert "Maria" in said
    [row] = await stack.rows("select device, place, state from alarm where trigger = 'button'")
    assert (row["device"], row["place"], row["state"]) == ("armband", "kök", "taken")


async def test_the_demo_has_a_button_for_whoever_has_none(stack, windows):
    maria = await begun(windows, "Maria Ek")
    page = await windows.new()
    await page.goto(f"{windows.url}/demo/button/ingrid")

    await page.locator("[data-test=press]").click()

    await page.locator("[data-test=pressed]").wait_for()
    await maria.locator("[data-test=alarm]", has_text="Ingrid Lindqvist").wait_for()
    seen = look()
    await seen.at(page, "demo-button")
    assert seen.faults == []

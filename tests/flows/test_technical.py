"""A home that falls silent, from the pulled plug to the page that says so (P3)."""

import signal
from datetime import timedelta

import pytest

from telecare.runtime.clock import FileClock
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


OTHERS = """
insert into alarm_unit (tenant_id, id, resident_id, protocol, account, networks, digest, reply,
    place, signs_every_h, registered_at, seen_at)
select r.tenant_id, gen_random_uuid(), r.id, 'scaip', o.account, '{127.0.0.0/8}', 'MD5', 'message',
    o.place, o.hours, $1::timestamptz - interval '40 days', $1::timestamptz - o.ago
from (values
    ('Ingrid%', '700123', 'hallen', 24, interval '50 hours'),
    ('Birgitta%', '700124', 'köket', 24, interval '2 hours'),
    ('Aino%', '31007', '', null, interval '5 days')
) as o (whose, account, place, hours, ago)
join resident r on r.name like o.whose
"""
TOLD = """
insert into technical_alarm (tenant_id, id, kind, resident_id, unit_id, device, began_at, raised_at)
select u.tenant_id, gen_random_uuid(), o.kind, r.id, r.unit_id, u.account, o.at, o.at
from (values
    ('700123', 'unit_silent', $1::timestamptz - interval '50 hours'),
    ('700124', 'unit_battery', $1::timestamptz - interval '1 hour'),
    ('31007', 'unit_mains', $1::timestamptz - interval '20 minutes')
) as o (account, kind, at)
join alarm_unit u on u.account = o.account
join resident r on r.tenant_id = u.tenant_id and r.id = u.resident_id
"""


async def test_other_makers_units_stand_beside_the_homes_with_what_is_wrong(stack, windows):
    seen = look()
    now = FileClock(stack.clock_file).now()
    for sql in (OTHERS, TOLD):
        await stack.rows(sql, now)
    maria = await begun(windows, "Maria Ek")

    await maria.locator("[data-test=nav-devices]").first.click()
    await maria.locator("[data-test=filter-alarm_unit]").click()
    shown = maria.locator("[data-test=device]")
    await shown.nth(2).wait_for()
    said = [" ".join((await shown.nth(n).inner_text()).split()) for n in range(3)]
    await seen.at(maria, "alarm-units")
    await maria.locator("[data-test=filter-all]").click()
    await seen.at(maria, "devices-with-alarm-units")

    for words, row in zip(
        (("Larmenhet 700123, hallen", "Svarar inte", "50 timmar, pågår", "Skicka tekniker"),
         ("Larmenhet 31007", "Något är fel", "Går på batteri.", "Skicka tekniker"),
         ("Larmenhet 700124, köket", "Byt batteri", "Svagt", "Beställ byte")),
        said, strict=True,
    ):  # fmt: skip
        assert all(word in row for word in words), row
    assert seen.faults == []

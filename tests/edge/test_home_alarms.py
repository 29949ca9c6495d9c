"""Her alarm, from the button to the words in her home, over a real broker."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import home_in, may_mount

from edge.agent import Patiences
from edge.alarm import Patience
from edge.clock import PLAUSIBLE_FROM, HomeClock
from edge.homes import OUTBOX_FILE
from edge.link import MOST_UNANSWERED
from edge.outbox import BALLAST, Lane, Outbox
from edge.records import CameraRecords, RecordNotStored
from telecare.wire.edge import (
    AlarmCancelled,
    AlarmRaised,
    EventsDropped,
    PathChanged,
    SensorChanged,
    UnitStatus,
)
from telecare.wire.homes import Happens, HomeSettings, Watch

HASTY = Patiences(alarm=Patience(receipt_ms=400, contact_ms=900, hope_ms=60_000))


async def test_alarm_is_sent_arrives_is_taken_waits_again_and_is_closed(server, identity):
    async with home_in(identity) as home:
        home.sense("button", "wrist", "hall")
        alarm = await server.hears(AlarmRaised)
        await home.says("arrived")
        server.alarm_is(alarm, "waiting")
        server.alarm_is(alarm, "taken", "Maria")
        await home.says("taken")
        on_screen = home.screen.told
        server.alarm_is(alarm, "waiting")
        await home.says("waiting_again")
        server.alarm_is(alarm, "closed")
        await home.says("closed")

    assert (alarm.trigger, alarm.device, alarm.place, alarm.is_test) == (
        "button", "wrist", "hall", False,
    )  # fmt: skip
    assert home.said() == ["sending", "arrived", "taken", "waiting_again", "closed"]
    assert home.lamp() == ["quiet", "sending", "arrived", "taken", "waiting_again", "quiet"]
    assert on_screen == "Maria har tagit emot larmet."
    assert home.screen.told == ""


async def test_two_presses_are_two_alarms_and_each_is_answered(server, identity):
    async with home_in(identity) as home:
        home.sense("button")
        home.sense("button")
        await server.hears(AlarmRaised, count=2)
        await home.says("sending", count=2)
        await home.says("arrived")

    first, second = server.all(AlarmRaised)
    assert (first.boot, first.seq + 1) == (second.boot, second.seq)


async def test_alarm_without_a_receipt_is_sent_again_and_never_said_to_have_arrived(
    server, identity
):
    server.receipts = False
    async with home_in(identity) as home:
        home.sense("cord")
        alarm = await server.hears(AlarmRaised, count=3)
        before = list(home.said())
        server.receipt(alarm)
        await home.says("arrived")

    sent = server.all(AlarmRaised)
    assert before == ["sending"]
    assert len({(one.boot, one.seq) for one in sent}) == 1
    assert [one.attempt for one in sent] == [1, 2, 3][: len(sent)]


async def test_only_the_server_can_say_that_somebody_has_taken_it(server, identity):
    async with home_in(identity) as home:
        home.sense("button")
        alarm = await server.hears(AlarmRaised)
        await home.says("arrived")
        server.say_raw(
            f"tc/1/{identity.unit}/down/alarm",
            [("seal", "0" * 64)],
            b'{"kind":"alarm_is","boot":"%s","seq":%d,"state":"taken","by":"Eva"}'
            % (str(alarm.boot).encode(), alarm.seq),
        )
        server.alarm_is(alarm, "taken", "Maria")
        await home.says("taken")

    assert home.texts()[-1] == "Maria har tagit emot larmet."
    assert home.agent.link.counts.unsealed == 1


async def test_pressed_by_mistake_is_an_event_of_its_own_and_the_alarm_stands(server, identity):
    async with home_in(identity) as home:
        home.sense("button")
        alarm = await server.hears(AlarmRaised)
        await home.says("arrived")
        home.sense("mistake")
        home.sense("mistake")
        cancelled = await server.hears(AlarmCancelled)
        await home.says("mistake")
        await server.hears(UnitStatus, waiting=0)

    assert (cancelled.boot, cancelled.alarm) == (alarm.boot, alarm.seq)
    assert cancelled.seq > alarm.seq
    assert home.said().count("mistake") == 1
    assert home.lamp()[-1] == "arrived"


async def test_test_alarm_is_marked(server, identity):
    async with home_in(identity) as home:
        home.sense("test_alarm")
        assert (await server.hears(AlarmRaised)).is_test
        await home.says("test_arrived")

    assert "sending" not in home.said()


async def test_home_without_a_server_says_so_and_says_when_it_is_back(server, identity):
    server.receipts = False
    async with home_in(identity, patiences=HASTY) as home:
        await home.says("no_contact")
        home.sense("button")
        await home.says("no_contact", count=2)
        alarm = await server.hears(AlarmRaised)
        server.alive()
        await home.says("contact_again")
        server.receipt(alarm)
        await home.says("arrived")

    assert "112" in home.texts()[0]
    assert home.lamp()[:2] == ["quiet", "no_contact"]


async def test_old_sign_of_life_that_the_broker_kept_proves_nothing(server, identity):
    server.receipts = False
    server.alive(retain=True)
    async with home_in(identity, patiences=HASTY) as home:
        await home.says("no_contact")
        home.sense("network_lost")
        home.sense("network_back")
        await server.hears(PathChanged)

    assert home.said() == ["no_contact"]


async def test_alarm_pressed_without_a_line_arrives_once_when_it_is_back(server, identity):
    patient = Patiences(alarm=Patience(receipt_ms=200))
    async with home_in(identity, patiences=patient) as home:
        home.sense("network_lost")
        home.sense("fall")
        await home.says("not_arrived")
        assert server.all(AlarmRaised) == []
        home.sense("network_back")
        await home.says("arrived")
        await server.hears(UnitStatus, waiting=0)

    assert len(server.all(AlarmRaised)) == 1
    assert home.said() == ["sending", "not_arrived", "arrived"]


async def test_home_that_was_away_asks_what_has_become_of_her_alarm(server, identity):
    async with home_in(identity) as home:
        home.sense("button")
        await server.hears(AlarmRaised)
        await home.says("arrived")
        home.sense("network_lost")
        home.sense("network_back")
        again = await server.hears(AlarmRaised, count=2)
        server.alarm_is(again, "taken", "Maria")
        await home.says("taken")
        server.hello()
        again = await server.hears(AlarmRaised, count=3)
        server.alarm_is(again, "closed")
        await home.says("closed")
        server.hello()
        home.sense("door_opens")
        await server.hears(SensorChanged)

    assert len(server.all(AlarmRaised)) == 3
    assert len({(alarm.boot, alarm.seq) for alarm in server.all(AlarmRaised)}) == 1
    assert home.said() == ["sending", "arrived", "taken", "closed"]


async def test_alarm_that_waited_through_a_restart_is_said_and_sent_again(server, homes):
    server.receipts = False
    home = await homes(happens=[Happens(after_s=0, what="button")])
    first = await server.hears(AlarmRaised)

    home.kill()
    server.receipts = True
    again = await homes()
    sent_again = await server.hears(AlarmRaised, count=2)
    await server.hears(UnitStatus, waiting=0)

    assert sent_again.attempt is None, "nobody knows how often it was sent before"
    assert {(alarm.boot, alarm.seq) for alarm in server.all(AlarmRaised)} == {
        (first.boot, first.seq)
    }
    await said(again, "arrived")
    assert [sign.get("said") for sign in again.signs()].count("sending") == 2


async def said(home, phrase: str) -> None:
    async with asyncio.timeout(10):
        while phrase not in [sign.get("said") for sign in home.signs()]:
            await asyncio.sleep(0.02)


async def test_alarm_does_not_wait_behind_what_is_replayed(server, line, identity):
    """The line stalls in the middle of a replay: she presses, and is next when it flows again."""
    async with home_in(replace(identity, broker_url=line.url)) as home:
        line.stall()
        for _ in range(500):
            home.outbox.put(Lane.VITAL, vital)
        home.agent._delivery.wake()
        await full(home)
        home.sense("button")
        await home.says("sending")
        line.flow()
        await server.hears(SensorChanged, count=500)

    places = [event.seq for event in server.heard if isinstance(event, AlarmRaised | SensorChanged)]
    assert places.index(501) <= MOST_UNANSWERED
    assert sorted(places) == list(range(1, 502))


async def full(home) -> None:
    async with asyncio.timeout(10):
        while not home.agent.link.is_full:
            await asyncio.sleep(0.01)


def vital(place) -> bytes:
    event = SensorChanged(
        boot=place.boot, seq=place.seq, occurred_at=PLAUSIBLE_FROM,
        sensor="motion", device="m", is_on=True,
    )  # fmt: skip
    return event.model_dump_json().encode()


# --- a disk that does not take it ------------------------------------------------------------


async def test_alarm_that_no_disk_takes_is_sent_from_memory_until_its_receipt(server, identity):
    server.receipts = False
    async with home_in(identity) as home:
        break_disk(home.outbox)
        home.sense("button")
        alarm = await server.hears(AlarmRaised, count=2)
        server.receipt(alarm)
        await home.says("arrived")
        home.sense("mistake")
        cancelled = await server.hears(AlarmCancelled)

    assert alarm.boot != home.outbox.boot
    assert (cancelled.boot, cancelled.alarm) == (alarm.boot, alarm.seq)
    assert home.said()[:2] == ["sending", "arrived"]


def break_disk(outbox: Outbox) -> None:
    outbox.submit(lambda file: file._db.execute("pragma query_only = 1")).result(5)


async def test_unit_whose_disk_is_dead_starts_all_the_same_and_sends_alarms(
    server, homes, identity
):
    (identity.folder / OUTBOX_FILE).mkdir()

    home = await homes(happens=[Happens(after_s=0, what="button")])

    await server.hears(AlarmRaised)
    await said(home, "arrived")
    (identity.folder / OUTBOX_FILE).rmdir()


async def test_no_camera_opens_on_a_record_that_is_in_memory_only(identity):
    with Outbox(None, now=lambda: PLAUSIBLE_FROM) as outbox:
        records = CameraRecords(
            outbox, identity, camera="room", clock=HomeClock(), stored=lambda: None
        )
        with pytest.raises(RecordNotStored):
            await records.turned_on(uuid4(), "room")


async def test_alarm_that_neither_disk_nor_line_takes_is_loud_at_once(server, identity):
    async with home_in(identity) as home:
        break_disk(home.outbox)
        home.sense("network_lost")
        home.sense("button")
        await home.says("no_contact")
        home.sense("network_back")
        await home.says("arrived")

    assert home.said() == ["no_contact", "contact_again", "arrived"]


@pytest.mark.skipif(not may_mount(), reason="no mount namespaces here: `unshare -Urm` is refused")
async def test_full_disk_takes_alarms_counts_what_it_loses_and_recovers_by_itself(server, homes):
    """F8, P15: a disk of its own, filled to the last byte."""
    presses = [Happens(after_s=3.0 + n / 100, what="button") for n in range(5)]
    doors = [Happens(after_s=2.0 + n / 100, what="door_opens") for n in range(50)]
    later = [Happens(after_s=6.0 + n / 10, what="door_closes") for n in range(10)]
    home = await homes(disk_kb=2_000, happens=[*presses, *doors, *later])
    await ballast_is_there(home)

    filler = fill(home.disk)
    await server.hears(AlarmRaised, count=5)
    while_full = server.all(SensorChanged)
    filler.unlink()
    await server.hears(SensorChanged, is_on=False)
    dropped = await server.hears(EventsDropped)
    await server.hears(SensorChanged, is_on=False, count=10)
    await server.hears(UnitStatus, waiting=0)

    assert len({(alarm.boot, alarm.seq) for alarm in server.all(AlarmRaised)}) == 5
    assert len(server.all(SensorChanged, is_on=True)) + dropped.count == 50
    assert len(while_full) < 50
    assert {alarm.boot for alarm in server.all(AlarmRaised)} == {dropped.boot}


async def ballast_is_there(home) -> None:
    async with asyncio.timeout(10):
        while not (home.disk / ("outbox.sqlite" + BALLAST)).exists():
            await asyncio.sleep(0.02)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4_096))
    return filler


# --- the clock, and what sensors become ------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "is_synchronised", "clock_ok"),
    [
        (datetime(2026, 6, 1, tzinfo=UTC), True, True),
        (datetime(2026, 6, 1, tzinfo=UTC), False, False),
        (datetime(1970, 1, 1, tzinfo=UTC), True, False),
    ],
)
async def test_alarm_says_whether_its_clock_can_be_believed(
    server, identity, now, is_synchronised, clock_ok
):
    clock = HomeClock(now=lambda: now, is_synchronised=lambda: is_synchronised)
    async with home_in(identity, clock=clock) as home:
        home.sense("button")
        alarm = await server.hears(AlarmRaised)

    assert (alarm.occurred_at, alarm.clock_ok) == (now, clock_ok)


async def test_clock_that_jumps_drops_no_alarm_and_changes_no_patience(server, identity):
    """F9, P16: waiting is counted on the clock that cannot jump."""
    now = [datetime(2026, 6, 1, tzinfo=UTC)]
    clock = HomeClock(now=lambda: now[0], is_synchronised=lambda: True)
    async with home_in(identity, clock=clock) as home:
        home.sense("button")
        await home.says("arrived")
        now[0] = datetime(2027, 6, 1, tzinfo=UTC)
        home.sense("button")
        await home.says("arrived", count=2)
        now[0] = datetime(2025, 6, 1, tzinfo=UTC)
        home.sense("button")
        await home.says("arrived", count=3)

    assert [alarm.clock_ok for alarm in server.all(AlarmRaised)] == [True, True, False]
    seqs = [alarm.seq for alarm in server.all(AlarmRaised)]
    assert seqs == sorted(set(seqs))
    assert set(home.said()) == {"sending", "arrived"}


async def test_script_says_what_happens_in_a_home(server, homes):
    watched = HomeSettings(
        watches=(Watch(sensor="door", is_on=True, begins="00:00", ends="00:00"),)
    )
    await homes(
        settings=watched,
        happens=[
            Happens(after_s=0.1, what="bed_left", device="bed", place="bedroom"),
            Happens(after_s=0.2, what="door_opens", device="front", place="hall"),
            Happens(after_s=0.3, what="battery", device="wrist", percent=12),
            Happens(after_s=0.4, what="button", device="wrist"),
            Happens(after_s=0.5, what="mains_lost"),
        ],
    )

    door, button = [await server.hears(AlarmRaised, trigger=t) for t in ("door", "button")]
    await server.hears(UnitStatus, mains=False)

    assert [event.sensor for event in server.all(SensorChanged)] == ["bed", "door"]
    assert (door.device, door.place) == ("front", "hall")
    assert button.battery_percent == 12

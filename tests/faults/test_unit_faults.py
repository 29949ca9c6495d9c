"""What a home lives through by itself: killed, cut off, on a bad line, with a clock that jumps."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from edge.agent import Agent, Fittings
from edge.clock import HomeClock
from edge.hardware.screen import SimulatedScreen
from edge.homes import OUTBOX_FILE
from edge.identity import load
from edge.media_process import Standby
from edge.outbox import Outbox
from edge.pipe import Hardware
from edge.sensing import Signal
from tests.faults.test_killed_services import P1_S
from tests.flows.fault_proxy import fault_proxy
from tests.gaps import Gaps

pytestmark = pytest.mark.slow

KILLS = 3
CUT_S = 300
"""F6. A home's monotonic clock cannot be moved, and its connection is a real one: it takes this."""
STALL_S = 2.0


async def test_homes_killed_while_they_write_lose_nothing_that_they_had_stored(run):
    """F4."""
    homes = await run.furnished(count=10, events=300, alarms=4, seconds=9.0)
    await homes.start()

    for _ in range(KILLS):
        await run.said_more(homes.meant // (KILLS + 2))
        homes.kill()
        await homes.start_again()
    await run.drained()

    assert await run.findings() == []
    assert {one.what for one in homes.said()} >= homes.names


@pytest.mark.timeout(CUT_S + 240)
async def test_a_home_that_was_cut_off_brings_all_it_has_and_its_alarms_first(run):
    """F6."""
    with Gaps() as gaps:
        async with fault_proxy(run.broker_port) as line:
            homes = await run.furnished(
                count=10, events=300, alarms=4, seconds=15.0, broker_url=url_of(line)
            )
            await homes.start()
            await run.said_more(homes.meant // 4)
            line.stall()
            await asyncio.sleep(CUT_S)
            waiting = [one.what for one in homes.said() if one.is_alarm and not one.receipted_at]
            line.release()
            line_back = datetime.now(UTC)
            await run.drained()
    last = max(run.operator.seen[what] for what in waiting)
    gaps.note(
        f"\n{len(waiting)} alarms waited for the line; the last was seen "
        f"{last - line_back.timestamp():.2f} s after it came back"
    )

    assert await run.findings() == []
    assert waiting
    assert last <= line_back.timestamp() + P1_S + gaps.largest_ms / 1000


async def test_a_line_with_jitter_and_stalls_loses_nothing_and_delays_no_alarm_long(run):
    """F7."""
    with Gaps() as gaps:
        async with fault_proxy(run.broker_port) as line:
            homes = await run.furnished(
                count=10, events=300, alarms=4, seconds=20.0, broker_url=url_of(line)
            )
            await homes.start()
            line.shake(0.0, 0.4)
            for _ in range(4):
                await asyncio.sleep(STALL_S)
                line.stall()
                await asyncio.sleep(STALL_S)
                line.release()
                line.shake(0.0, 0.4)
            await run.drained()
        slowest_s = await run.slowest_alarm_s()
        gaps.note(f"\njitter 0.4 s and stalls of {STALL_S} s: slowest alarm {slowest_s:.2f} s")

    assert await run.findings() == []
    assert slowest_s <= P1_S + gaps.largest_ms / 1000


@pytest.mark.parametrize("fault", ["stall", "cut"])
async def test_an_alarm_pressed_as_the_first_address_dies_comes_by_the_second(run, fault):
    """P1. A stalled line says nothing to either end, a cut one is taken anew and then stalls."""
    with Gaps() as gaps:
        async with fault_proxy(run.broker_port) as line:
            homes = await run.furnished(
                count=10, events=0, alarms=4, seconds=20.0,
                broker_url=url_of(line), second_url=run.site.services.broker.url,
            )  # fmt: skip
            await homes.start()
            await run.said_more(homes.meant // 4)
            line.stall()
            if fault == "cut":
                line.cut()
            await run.drained()
        slowest_s = await run.slowest_alarm_s()
        gaps.note(f"\nthe first address dies ({fault}): slowest alarm {slowest_s:.2f} s")

    assert await run.findings() == []
    assert slowest_s <= P1_S + gaps.largest_ms / 1000


JUMPS = [
    timedelta(),
    timedelta(hours=1),
    timedelta(hours=-1),
    timedelta(days=366),
    timedelta(days=-366),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC) - datetime(2026, 11, 23, 9, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC) - datetime(2026, 11, 23, 9, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC) - datetime(2026, 11, 23, 9, tzinfo=UTC),
    datetime(2099, 1, 1, tzinfo=UTC) - datetime(2026, 11, 23, 9, tzinfo=UTC),
]
"""An hour and a year both ways, the nights when summer time ends and begins, no clock at all."""


async def test_a_home_whose_clock_jumps_loses_no_event_and_no_alarm(run):
    """F9, P16: the time between is monotonic, the order is that of `seq`."""
    homes = await run.furnished(count=1, events=0, alarms=0, seconds=0)
    shift = timedelta()
    clock = HomeClock(now=lambda: datetime.now(UTC) + shift, is_synchronised=lambda: True)
    async with living(homes.homes[0], clock) as agent:
        for number, shift in enumerate(JUMPS):  # noqa: B007 - the clock reads it
            for n in range(340):
                agent.sense(Signal("door_opens", f"e{number}-{n}"))
                await asyncio.sleep(0.002)
            agent.sense(Signal("button", f"a{number}"))
        homes.meant = len(JUMPS) * 341
        await run.drained()
        slowest_s = await run.slowest_alarm_s()

    assert await run.findings() == []
    in_order = [one.what for one in sorted(await run.held(), key=lambda one: one.place)]
    doors = [what for what in in_order if what.startswith("e")]
    assert doors == [f"e{number}-{n}" for number in range(len(JUMPS)) for n in range(340)]
    assert slowest_s <= P1_S


def url_of(line) -> str:
    return f"mqtt://127.0.0.1:{line.port}"


@asynccontextmanager
async def living(home, clock: HomeClock):
    """The home in the test's own loop, because its clock is the test's."""
    fittings = Fittings(
        hardware=Hardware(camera="none"), screen=SimulatedScreen(), standby=Standby()
    )
    with Outbox(home.folder / OUTBOX_FILE, now=clock.now) as outbox:
        agent = Agent(load(home.folder), outbox, fittings, clock=clock, notice=lambda _: None)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(agent.run(), name="agent")
            await agent.link.connected.wait()
            yield agent
            running.cancel()

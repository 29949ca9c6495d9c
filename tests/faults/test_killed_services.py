"""Nothing that a home has stored is lost, doubled or altered when what it speaks to dies (P1, P2).

20,000 events: the rows of the evidence's table of faults, with a receipt as the only proof.
"""

import asyncio
import signal

import pytest

from tests.faults.history import overtaken
from tests.gaps import Gaps

P1_S = 10.0


async def nothing(run) -> None:
    """The run that the others are compared with."""


async def kill_server(run) -> None:
    """F1."""
    run.site.kill_server()
    run.site.start_server()


async def kill_broker(run) -> None:
    """F2."""
    run.site.kill_broker()
    run.site.services.broker.start()


async def kill_postgres(run) -> None:
    """F3: all of its processes."""
    run.site.kill_postgres()
    run.site.services.postgres.restart()


async def freeze_server(run) -> None:
    """F5."""
    run.site.signal_server(signal.SIGSTOP)
    await asyncio.sleep(4)
    run.site.signal_server(signal.SIGCONT)


async def lose_notifications(run) -> None:
    """F14: the connection that listens is ended by the database."""
    await run.site.rows(
        "select pg_terminate_backend(pid) from pg_stat_activity where query ilike '%listen%'"
        " and pid <> pg_backend_pid()"
    )


async def kill_all_in_turn(run) -> None:
    for kill in (kill_server, kill_postgres, kill_broker):
        await kill(run)
        await run.stored_more(run.expected // 10)


async def kill_broker_while_the_server_is_down(run) -> None:
    """Whatever the broker held for the server is gone."""
    run.site.kill_server()
    await run.said_more(run.expected // 10)
    run.site.kill_broker()
    run.site.services.broker.start()
    run.site.start_server()


async def lose_one_of_two_servers(run) -> None:
    """For good, and nobody takes over what it had."""
    with run.site.second_server() as second:
        await second.is_up()
        run.operator.urls.append(second.url)
        await run.stored_more(run.expected // 10)
        run.site.kill_server()
        await run.drained()
    run.site.start_server()


async def survived(run, fault, **day: float) -> None:
    """A third of it is stored, then the fault, then everything else; and the judge."""
    for group in [await run.furnished(**day) for _ in range(run.processes)]:
        await group.start()
    with Gaps() as gaps:
        await run.stored_more(run.expected // 3)
        await fault(run)
        await run.site.server_up()
        await run.drained()
    held = await run.held()
    slowest_s = await run.slowest_alarm_s()
    gaps.note(
        f"\n{fault.__name__}: {run.expected} said, {len(held)} held, {overtaken(held)} overtaken; "
        f"slowest alarm {slowest_s:.2f} s"
    )

    assert await run.findings() == []
    assert len(held) >= run.expected
    assert slowest_s <= P1_S + gaps.largest_ms / 1000


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed(run):
    await survived(run, kill_server, count=3, events=40, alarms=3, seconds=2.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [nothing, kill_server, kill_broker, kill_postgres, freeze_server, lose_notifications],
)
async def test_no_event_is_lost_or_doubled_and_every_alarm_is_seen(run, fault):
    await survived(run, fault, count=10, events=300, alarms=4, seconds=12.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        nothing, kill_server, kill_broker, kill_postgres, kill_all_in_turn,
        kill_broker_while_the_server_is_down, lose_one_of_two_servers,
    ],
)  # fmt: skip
async def test_of_20_000_events_none_is_lost_or_doubled(run, fault):
    run.processes = 2
    await survived(run, fault, count=10, events=1_000, alarms=3, seconds=25.0)

"""An alarm that nobody answers is asked on, step by step, while the server is killed at each (P5).

Each step is met twice: killed in the middle, when its transaction has begun and cannot end, and
killed at once when it is committed.
"""

from contextlib import asynccontextmanager

import asyncpg
import pytest

from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.wire.homes import Happens
from tests.faults.conftest import running_site

pytestmark = pytest.mark.slow

STEPS = """
select kind from alarm_step where tenant_id = $1 and kind = any($2) order by n
"""
ALL_STEPS = "select kind from alarm_step where tenant_id = $1 order by n"
DEVIATIONS = "select kind from deviation where tenant_id = $1"
TIMERS = "select kind from timer where tenant_id = $1"
RECORDS = """
select event from audit.body where tenant_id = $1 and event like 'alarm.%' order by entry_id
"""
WAITS = """
select 1 from pg_locks l join pg_stat_activity a using (pid)
where not l.granted and a.application_name = 'telecare'
"""
UNANSWERED_S = 180


@pytest.fixture(scope="module")
def site():
    with running_site(has_moved_clock=True) as site:
        yield site


@asynccontextmanager
async def unfinishable(site, table: str):
    """Nothing can be added to `table` meanwhile."""
    connection = await asyncpg.connect(site.services.postgres.url(SUPERUSER))
    try:
        async with connection.transaction():
            await connection.execute(f"lock table {table} in share mode")
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def killed_in_the_middle(site, table: str):
    """What begins in the block is killed before it can end; then the server is there again."""
    async with unfinishable(site, table):
        yield
        await site.until(WAITS)
        site.kill_server()
    site.start_server()


async def killed_when_done(site, sql: str, *values) -> None:
    await site.until(sql, *values)
    site.kill_server()


async def test_each_step_of_an_unanswered_alarm_is_taken_once_whenever_the_server_dies(
    site, unwatched
):
    tenant = unwatched.world.tenant
    homes = await unwatched.furnished(count=1, events=0, alarms=0, seconds=0)
    homes.homes[0].happens = [Happens(after_s=0, what="button", device="a0")]
    homes.meant = 1

    async with killed_in_the_middle(site, "alarm_step"):
        await homes.start()
    await killed_when_done(site, STEPS, tenant, ["stored"])
    async with unfinishable(site, "alarm_step"):
        site.start_server()
        await site.until(WAITS)
        site.kill_server()
    site.start_server()
    await site.until(STEPS, tenant, ["heads"])
    site.kill_server()
    site.clock_file.write_text(str(UNANSWERED_S))
    async with killed_in_the_middle(site, "deviation"):
        site.start_server()
    await killed_when_done(site, DEVIATIONS, tenant)
    site.start_server()
    await site.server_up()
    await unwatched.drained()

    kinds = [row["kind"] for row in await site.rows(ALL_STEPS, tenant)]
    assert kinds == [
        "pressed", "stored", "asked", "nobody_receives", "asked", "nobody_receives", "heads",
    ]  # fmt: skip
    assert [row["kind"] for row in await site.rows(DEVIATIONS, tenant)] == ["alarm_unanswered"]
    assert [row["event"] for row in await site.rows(RECORDS, tenant)] == [
        "alarm.raised", "alarm.passed_on",
    ]  # fmt: skip
    assert await site.rows(TIMERS, tenant) == []
    assert await unwatched.findings() == []

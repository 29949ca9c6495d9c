"""At midnight the table for the new month's records is missing: the alarm is seen all the same."""

import pytest

from telecare.wire.homes import Happens

LOG_CLOCK = "create or replace function audit.at() returns timestamptz language sql volatile as "
OWED = "select entered_at from owed_record where tenant_id = $1 and entered_at is {}"
RAISED = """
select what::jsonb ->> 'written_afterwards' as afterwards from audit.body
where tenant_id = $1 and event = 'alarm.raised'
"""


@pytest.mark.slow
async def test_an_alarm_without_a_place_for_its_record_is_seen_and_its_record_entered_later(run):
    site, tenant = run.site, run.world.tenant
    homes = await run.furnished(count=1, events=0, alarms=0, seconds=0)
    homes.homes[0].happens = [Happens(after_s=0, what="button", device="midnight")]
    await site.rows(f"{LOG_CLOCK} $$ select '2031-01-01 00:00Z'::timestamptz $$")
    try:
        await homes.start()
        await run.is_seen("midnight")
        assert len(await site.until(OWED.format("null"), tenant)) == 1
        assert await site.rows(RAISED, tenant) == []
    finally:
        await site.rows(f"{LOG_CLOCK} 'select clock_timestamp()'")

    await site.until(OWED.format("not null"), tenant)

    assert await site.rows(RAISED, tenant) == [{"afterwards": "true"}]
    await run.drained()
    assert await run.findings() == []

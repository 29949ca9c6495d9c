"""A client that opens the staff socket and never reads (F12)."""

import asyncio
from contextlib import ExitStack

import pytest

from telecare.demo import seed
from tests.deaf import deaf_client, held, memory_kb
from tests.flows.steps import staff_cookie

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENTS = 20
CHANGES = 3_000
DROPPED_S = 60
"""Its buffers fill, or it leaves a ping unanswered: 30 s at most, and the machine's load."""
BOUND_KB = 30_000
"""500 bytes kept per client and change would be as much."""
FILL_THE_DAY = """
insert into visit (tenant_id, id, resident_id, unit_id, staff_id, insats_id, starts_at, minutes,
    note, created_at)
select tenant_id, gen_random_uuid(), resident_id, unit_id, staff_id, insats_id,
    starts_at + interval '1 minute', minutes, 'deaf', created_at
from visit, generate_series(1, 18)
where unit_id = $1 and note = ''
limit 90
"""
CHANGE_AND_TELL = f"""
do $$ begin
  for i in 1..{CHANGES} loop
    update visit set minutes = 1 + i % 200 where note = 'deaf';
    perform pg_notify('telecare', 'unit:{seed.TEAM}');
    commit;
  end loop;
end $$
"""
LAST_CHANGE = """
update visit set starts_at = date_trunc('day', starts_at) + interval '20 hours 17 minutes'
where note = 'deaf'
"""


@pytest.fixture
async def full_day(stack, day):
    """As many visits as a board holds."""
    await stack.rows(FILL_THE_DAY, seed.TEAM)


@pytest.mark.slow
async def test_consoles_that_never_read_cost_little_and_are_dropped(stack, windows, full_day):
    maria = await windows.staff()
    cookie = await staff_cookie(stack, "eva")
    pid = stack.server.pid
    kilobytes = memory_kb(pid)

    with ExitStack() as opened:
        clients = [
            await asyncio.to_thread(
                deaf_client, stack.port, origin=stack.url, cookie=cookie, unit=seed.TEAM
            )
            for _ in range(CLIENTS)
        ]
        for client in clients:
            opened.enter_context(client)
        assert held(stack.port, clients) == CLIENTS
        await stack.rows(CHANGE_AND_TELL)
        await stack.rows(LAST_CHANGE)
        await stack.rows("select pg_notify('telecare', $1)", f"unit:{seed.TEAM}")

        await maria.get_by_text("21:17").or_(maria.get_by_text("22:17")).first.wait_for()
        assert memory_kb(pid) - kilobytes < BOUND_KB
        async with asyncio.timeout(DROPPED_S):
            while held(stack.port, clients):
                await asyncio.sleep(0.1)
        assert memory_kb(pid) - kilobytes < BOUND_KB

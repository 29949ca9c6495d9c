"""A database put back as it was: no flow meets what another has left."""

import asyncpg

STAYS = ("call", "edge_event", "edge_unit", "event_reject", "outbox")
"""Home units that go on running still speak of these."""
TABLES = """
select relname from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> all ($1)
order by 1
"""
SEEN_SINCE = (
    "update kept.endpoint k set seen_at = e.seen_at from public.endpoint e where e.id = k.id"
)
DELETE = """
delete from public.{0} t where not exists (select 1 from kept.{0} k where k = t)
"""
INSERT = """
insert into public.{0} overriding system value
select * from kept.{0} k where not exists (select 1 from public.{0} t where k = t)
"""
UNITS_SINCE = """
with since as (
    delete from edge_unit u where u.endpoint_id not in (select id from kept.endpoint) returning u.id
)
delete from edge_event where unit_id in (select id from since)
"""


async def keep(database: asyncpg.Connection) -> None:
    """From now on `put_back` brings this state back, but for what has been recorded and sent."""
    await database.execute("drop schema if exists kept cascade; create schema kept")
    for name in await _tables(database):
        await database.execute(f"create table kept.{name} as table public.{name}")


async def put_back(database: asyncpg.Connection) -> None:
    async with database.transaction():
        # Foreign keys and records are for what happens; this never did.
        await database.execute("set local session_replication_role = replica")
        await database.execute(SEEN_SINCE)
        await database.execute(UNITS_SINCE)
        for name in await _tables(database):
            await database.execute(DELETE.format(name))
            await database.execute(INSERT.format(name))


async def _tables(database: asyncpg.Connection) -> list[str]:
    return [row["relname"] for row in await database.fetch(TABLES, list(STAYS))]

"""Municipalities never mix (P11), and the catalogue says so."""

import re
from importlib import import_module
from pkgutil import walk_packages

import asyncpg
import pytest

import telecare
from telecare.access import store as access_store
from telecare.app import ROUTES
from telecare.people import store as people_store
from telecare.runtime.db import open_database
from telecare.runtime.errors import NotFound

WITHOUT_FORCED_WALL = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'audit') and c.relkind in ('r', 'p')
    and not (c.relrowsecurity and c.relforcerowsecurity)
order by 1
"""
FOREIGN_KEYS_WITHOUT_TENANT = """
select con.conrelid::regclass::text as "table", con.conname
from pg_constraint con
join pg_namespace n on n.oid = con.connamespace
where con.contype = 'f' and n.nspname in ('public', 'audit')
    and con.confrelid <> 'tenant'::regclass
    and not exists (
        select from unnest(con.conkey) k
        join pg_attribute a on a.attrelid = con.conrelid and a.attnum = k
        where a.attname = 'tenant_id'
    )
"""
TABLES_WITHOUT_TENANT = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('public', 'audit') and c.relkind in ('r', 'p')
    and not exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id'
    )
order by 1
"""
DEFINER_FUNCTIONS = """
select p.oid::regprocedure::text as name, r.rolname as owner, r.rolcanlogin, p.proconfig
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
join pg_roles r on r.oid = p.proowner
where n.nspname in ('public', 'audit') and p.prosecdef
"""


async def test_every_table_but_four_has_a_wall_that_binds_its_owner_too(world):
    names = [row["relname"] for row in await world.rows(WITHOUT_FORCED_WALL)]

    assert names == ["event_reject", "migration", "rate_limit", "tenant"]


async def test_no_foreign_key_leads_into_another_municipality(world):
    assert await world.rows(FOREIGN_KEYS_WITHOUT_TENANT) == []


async def test_every_table_says_whose_its_rows_are(world):
    names = [row["relname"] for row in await world.rows(TABLES_WITHOUT_TENANT)]

    assert names == ["event_reject", "migration", "rate_limit", "tenant"]


async def test_functions_across_tenants_are_pinned_and_owned_by_nobody_who_signs_in(world):
    functions = await world.rows(DEFINER_FUNCTIONS)

    assert len(functions) > 10
    for function in functions:
        assert not function["rolcanlogin"], function["name"]
        assert function["proconfig"] == ["search_path=pg_catalog, pg_temp"], function["name"]


async def test_the_server_owns_nothing_and_bypasses_nothing(world):
    rows = await world.rows("""
        select rolname, rolsuper, rolbypassrls,
            (select count(*) from pg_class c where c.relowner = r.oid) as owned
        from pg_roles r where rolname like 'telecare%' and rolcanlogin
            and rolname <> 'telecare_owner'
    """)

    for row in rows:
        assert (row["rolsuper"], row["rolbypassrls"], row["owned"]) == (False, False, 0), row


async def test_who_may_act_as_an_owner_of_tables_never_serves(world):
    rows = await world.rows("""
        select m.roleid::regrole::text as owner, m.member::regrole::text as member
        from pg_auth_members m where m.roleid::regrole::text like 'telecare%' order by 1, 2
    """)

    assert {(row["owner"], row["member"]) for row in rows} == {
        ("telecare_audit", "telecare_owner"),
        ("telecare_definer", "telecare_owner"),
        ("telecare_events", "telecare_eraser"),
        ("telecare_events", "telecare_owner"),
    }


async def test_without_a_tenant_no_row_is_seen(world, made):
    await world.resident("Ingrid")

    async with made.database.across_tenants() as db:
        assert await db.fetchval("select count(*) from resident") == 0
        assert await db.fetchval("select count(*) from consent") == 0


async def test_a_row_of_another_municipality_cannot_be_written(world, other_world):
    with pytest.raises(asyncpg.PostgresError):
        async with world.begun() as db:
            await db.execute(
                "insert into provider (tenant_id, id, name) values ($1, gen_random_uuid(), 'x')",
                other_world.tenant,
            )


async def test_use_cases_answer_not_found_for_the_neighbours_people(world, other_world, made):
    theirs = await other_world.resident("Aino")
    their_tv = await other_world.tv(theirs)
    their_call = await made.calls.call_in(their_tv)
    maria = await world.staff(on_shift=True)

    for attempt in (
        lambda: made.calls.ring(maria, theirs.id),
        lambda: made.calls.take(maria, their_call),
        lambda: made.calls.hang_up(maria, their_call),
        lambda: made.people.take_over(maria, theirs.id),
        lambda: made.devices.pair_tv(maria, theirs.id, "BCDFGH"),
    ):
        with pytest.raises(NotFound):
            await attempt()

    async with world.begun() as db:
        assert (
            await people_store.search(db, "", by=None, now=world.now, after=None, limit=100) == []
        )


def statements():
    """Every SQL constant of every store (and the few that jobs own)."""
    for module in walk_packages(telecare.__path__, "telecare."):
        if module.name.endswith((".store", ".timers", ".append")):
            for name, value in vars(import_module(module.name)).items():
                if (
                    name.isupper()
                    and isinstance(value, str)
                    and re.match(r"\s*(select|insert|update|delete|with)\b", value)
                ):
                    yield pytest.param(value, id=f"{module.name}.{name}")


@pytest.mark.parametrize("sql", list(statements()))
async def test_every_statement_fits_the_tables_and_the_servers_rights(made, sql):
    async with made.database.across_tenants() as db:
        await db._connection.prepare(sql)


def test_every_route_is_recorded_or_says_why_not():
    from telecare.audit.actions import Action  # noqa: PLC0415
    from telecare.runtime.http import Exempt  # noqa: PLC0415

    for route in ROUTES:
        assert isinstance(route.record, Action | Exempt), route.path


async def test_the_ingest_login_cannot_read_people(world, embedded):
    await world.resident("Ingrid")

    async with open_database(embedded.postgres.url("telecare_ingest"), size=1) as ingest:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with ingest.transaction(world.tenant) as db:
                await db.fetch("select id from resident")


async def test_a_units_hours_of_cover_follow_the_swedish_clock(world):
    from datetime import UTC, datetime, time  # noqa: PLC0415

    hours = (time(22), time(7))
    async with world.begun() as db:
        await access_store.add_cover(db, world.night_unit, world.unit, hours=hours)

        async def covers(hour):
            local = datetime(2026, 11, 23, hour, tzinfo=UTC)
            return await access_store.covers(db, world.night_unit, world.unit, local=local)

        assert [await covers(h) for h in (21, 22, 3, 6, 7)] == [False, True, True, True, False]

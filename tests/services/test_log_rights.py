"""Who may do what in the log's schema: every table, sequence and function, and every role."""

import re

import pytest

ROLES = ("app", "ingest", "sequencer", "reader", "eraser", "owner", "definer")
"""`audit` owns the schema and signs in nowhere; the owner migrates, and is a member of it."""
TABLES = """
select c.relname as name, c.relkind::text as kind, r.rolname as role,
    array_remove(array[
        case when has_table_privilege(r.oid, c.oid, 'select')
            or has_any_column_privilege(r.oid, c.oid, 'select') then 'select' end,
        case when has_table_privilege(r.oid, c.oid, 'insert')
            or has_any_column_privilege(r.oid, c.oid, 'insert') then 'insert' end,
        case when has_any_column_privilege(r.oid, c.oid, 'update') then 'update' end,
        case when has_table_privilege(r.oid, c.oid, 'delete') then 'delete' end,
        case when has_table_privilege(r.oid, c.oid, 'truncate') then 'truncate' end
    ], null) as rights
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join pg_roles r
where n.nspname = 'audit' and c.relkind in ('r', 'p', 'v', 'm') and r.rolname = any($1)
"""
SEQUENCES = """
select c.relname as name, r.rolname as role
from pg_class c join pg_namespace n on n.oid = c.relnamespace
cross join pg_roles r
where n.nspname = 'audit' and c.relkind = 'S' and r.rolname = any($1)
    and has_sequence_privilege(r.oid, c.oid, 'usage, select, update')
"""
FUNCTIONS = """
select p.proname as name, r.rolname as role
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
cross join pg_roles r
where n.nspname = 'audit' and r.rolname = any($1)
    and has_function_privilege(r.oid, p.oid, 'execute')
"""
TREE = ("log", "leaf", "tile", "checkpoint", "log_key", "cosignature", "mailing", "stamp")
MAY = {
    ("reader", "select"): {"entry", "body", "subject_entry", "subject_counter", "retention", *TREE},
    ("sequencer", "select"): {"entry", *TREE},
    ("sequencer", "insert"): set(TREE),
    ("sequencer", "update"): {"log", "mailing"},
    ("eraser", "select"): {"retention"},
    ("eraser", "insert"): {"retention"},
    ("definer", "select"): {"entry", "log", "leaf"},
}
MAY_CALL = {
    "app": {"append"},
    "ingest": {"append"},
    "sequencer": {"append"},
    "reader": {"hold_of"},
    "eraser": {"append", "erase", "erasures", "old_months", "drop_month"},
    "definer": {"append", "at", "make_partitions"},
}


def roles(*names):
    return [f"telecare_{name}" for name in names]


def shown(name):
    return re.sub(r"^body_\d{4}_\d{2}$", "body of a month", name)


async def test_what_each_login_may_do_with_each_table_of_the_log(world):
    """`audit` is left out: it owns them. The owner is it, by membership."""
    signing_in = [name for name in ROLES if name != "owner"]
    rows = await world.rows(TABLES, roles(*signing_in))
    found = {}
    for row in rows:
        for right in row["rights"]:
            key = (row["role"].removeprefix("telecare_"), right)
            found.setdefault(key, set()).add(shown(row["name"]))

    assert found == MAY
    assert {shown(row["name"]) for row in rows} == {
        "entry", "body", "body of a month", "subject_entry", "subject_counter", "retention", *TREE,
    }  # fmt: skip


async def test_no_login_touches_a_sequence_of_the_log(world):
    signing_in = [name for name in ROLES if name != "owner"]
    assert await world.rows(SEQUENCES, roles(*signing_in)) == []


@pytest.mark.parametrize("role", MAY_CALL)
async def test_what_each_login_may_call_in_the_log(world, role):
    rows = await world.rows(FUNCTIONS, roles(role))

    assert {row["name"] for row in rows} == MAY_CALL[role]


async def test_nobody_signs_in_as_the_logs_owner_and_no_login_is_a_member_of_it(world):
    rows = await world.rows("""
        select m.rolname from pg_auth_members a
        join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
        where r.rolname in ('telecare_audit', 'telecare_definer')
    """)
    assert {row["rolname"] for row in rows} == {"telecare_owner"}
    [owner] = await world.rows(
        "select rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname = 'telecare_audit'"
    )
    assert set(owner.values()) == {False}

"""What each role may: one table, asked of every route."""

import json

import pytest

from telecare.access.model import PERMISSIONS, Permission, Role
from telecare.app import ROUTES
from telecare.runtime.http import OWN
from tests import roles_table

NEWEST = "select event, what from audit.body where tenant_id = $1 order by entry_id desc limit 1"
STAFF_ROUTES = [r for r in ROUTES if r.who == "staff"]


def test_the_roles_in_the_docs_are_those_of_the_code():
    assert roles_table.FILE.read_text("utf-8") == roles_table.written()


def test_every_staff_route_says_what_it_needs():
    staff = [r for r in ROUTES if r.who.startswith("staff")]
    assert [r.path for r in staff if r.permission not in {*Permission, OWN}] == []
    assert {r.path for r in staff if r.permission == OWN} == {
        "/api/me", "/api/sign-out", "/admin", "/admin/import/template/{kind}",
    }  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_comes_through_the_doors_of_its_table_and_no_other(client, world, role):
    refused, wanted = set(), set()
    session = await world.staff(role=role)
    for route in sorted(STAFF_ROUTES, key=lambda one: one.path == "/api/sign-out"):
        status, _, _ = await client.ask(route, session=session)
        assert status < 500, route.path
        [last] = await world.rows(NEWEST, world.tenant)
        needs = json.loads(last["what"]).get("needs")
        if last["event"] == "action.refused" and needs == route.permission:
            refused.add((route.method, route.path))
            assert status == 403, route.path
        if route.permission != OWN and Permission(route.permission) not in PERMISSIONS[role]:
            wanted.add((route.method, route.path))

    assert refused == wanted

"""The log: what is written, that anyone can recompute it, and that nobody can quietly change it."""

import json
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from telecare.access import store as access_store
from telecare.audit.actions import Action
from telecare.audit.append import append, has_room
from telecare.audit.format import SECTIONS, NotInProfile, canonical, commitment, envelope, leaf_hash
from telecare.audit.model import CommandLineActor, Record
from telecare.runtime.db import open_database

CLERK = CommandLineActor("clerk")


async def test_each_kind_of_record_can_be_recomputed_from_its_sections(world, made):
    ingrid = await world.resident("Ingrid", cohabitant="Lennart")
    maria = await world.staff(assigned=(ingrid,), on_shift=True)
    tv = await world.tv(ingrid)
    visit = await world.visit(maria, ingrid)
    call_id = await made.calls.call_in(tv)
    await made.calls.hang_up_at_home(tv, call_id)
    await made.visits.cancel(await world.staff("Eva", role="enhetschef"), visit, "Frisk")

    records = await world.records()

    assert {r["event"].split(".")[0] for r in records} >= {
        "tenant", "policy", "resident", "cohabitant", "consent", "session", "shift", "assignment",
        "visit", "call",
    }  # fmt: skip
    for record in records:
        at = json.loads(record["data"])["at"]
        texts = [record["text"][name] for name in SECTIONS]
        assert envelope(at, record["event"], record["seed"], texts) == record["data"]
        assert json.loads(record["text"]["subject"])["persons"] == [
            commitment(f"person/{i}", record["seed"], person)
            for i, person in enumerate(record["persons"])
        ]
        assert len(leaf_hash(record["data"])) == 32


async def test_every_person_has_running_numbers_without_gaps(world, made):
    ingrid = await world.resident("Ingrid")
    aino = await world.resident("Aino")
    async with world.begun() as db:
        for _ in range(3):
            await append(db, Record(Action.SEARCHED, CLERK, [aino.person, ingrid.person]))

    records = await world.records()

    for person in (ingrid, aino):
        numbers = [
            p["n"] for r in records for p in r["subject"]["persons"] if p["id"] == str(person.id)
        ]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 5


async def test_it_is_known_ahead_when_next_months_records_have_no_table(world):
    async with world.begun() as db:
        assert await has_room(db, world.now) is True
        assert await has_room(db, world.now + timedelta(days=31 * 30)) is False


async def test_an_action_whose_record_fails_does_not_happen(world):
    ingrid = await world.resident("Ingrid")
    before = await world.events()

    with pytest.raises(asyncpg.PostgresError):
        async with world.begun() as db:
            await access_store.add_provider(db, uuid4(), "Ny utförare")
            # A person twice in one record breaks the log's own key: the record cannot be written.
            await db.execute(
                "select audit.append('x', 'not json', $1, $2, '{}', '{}')",
                [ingrid.id],
                [ingrid.name],
            )

    assert await world.events() == before
    providers = await world.rows("select name from provider where tenant_id = $1", world.tenant)
    assert [p["name"] for p in providers] == ["Utföraren"]


@pytest.mark.parametrize(
    "attack",
    [
        "select * from audit.entry",
        "select * from audit.body",
        "insert into audit.entry (tenant_id, recorded_at, xid, data) values (1, now(), '1', '')",
        "update audit.body set actor = '{}'",
        "delete from audit.entry",
        "truncate audit.entry cascade",
        "select audit.commitment('actor', '', '')",
        "create or replace function audit.at() returns timestamptz language sql as 'select now()'",
    ],
)
async def test_the_server_may_append_to_the_log_and_nothing_else(world, attack):
    await world.resident("Ingrid")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with world.begun() as db:
            await db.execute(attack)


async def test_even_the_owner_cannot_delete_from_the_log_in_normal_mode(world, as_superuser):
    await world.resident("Ingrid")
    before = len(await world.records())

    for attack in ("delete from audit.entry", "update audit.body set event = 'x'"):
        with pytest.raises(asyncpg.PostgresError):
            await as_superuser(attack)

    assert len(await world.records()) == before


async def test_a_consent_typed_into_psql_is_recorded_with_the_login_that_typed_it(
    world, as_superuser
):
    ingrid = await world.resident("Ingrid")

    await as_superuser(f"""
        set app.tenant = '{world.tenant}';
        insert into consent (tenant_id, id, resident_id, purpose, decision, valid_from, given,
            recorded_at)
        values ({world.tenant}, gen_random_uuid(), '{ingrid.id}', 'video_visit', 'withdrawn',
            clock_timestamp(), 'phone', clock_timestamp())
    """)

    last = (await world.records())[-1]
    assert last["event"] == "consent.withdrawn"
    assert last["actor"]["id"] == "psql:postgres"


@pytest.mark.parametrize("value", [1.5, 2**53, "\ud800", {"å": 1}])
def test_what_json_readers_disagree_on_is_not_written(value):
    with pytest.raises(NotInProfile):
        canonical({"x": value} if not isinstance(value, dict) else value)


def test_canonical_text_is_rfc_8785():
    rfc8785 = pytest.importorskip("rfc8785")
    document = {"b": ["å", 1, None, True], "a": {"z": 'Ö"\\\n\x7f', "y": -(2**53 - 1)}}

    assert canonical(document).encode() == rfc8785.dumps(document)


def test_one_section_can_be_shown_without_the_others():
    seed = b"\x01" * 32

    assert commitment("actor", seed, "{}") != commitment("what", seed, "{}")


async def test_a_reader_sees_its_own_municipality_only(world, other_world, embedded):
    await world.resident("Ingrid")
    await other_world.resident("Aino")

    async with (
        open_database(embedded.postgres.url("telecare_reader"), size=1) as reader,
        reader.transaction(world.tenant) as db,
    ):
        tenants = {row["tenant_id"] for row in await db.fetch("select tenant_id from audit.entry")}

    assert tenants == {world.tenant}

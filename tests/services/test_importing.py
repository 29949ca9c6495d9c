"""Files of people: each row's fate first, then read in once, whatever is killed."""

import io
from datetime import date, timedelta

import aiohttp
import pytest
from personnummer.personnummer import _luhn

from telecare.access.errors import NotPermitted
from telecare.access.http import STAFF_COOKIE
from telecare.access.model import Role
from telecare.people.people_file import (
    MAX_ROWS,
    FileColumns,
    FileEmpty,
    FileNotUtf8,
    FileTooLong,
    read_file,
)
from telecare.runtime.errors import NotFound
from tests.world import TOKENS

TODAY = date(2026, 11, 23)
HEAD = "namn;personnummer;adress;prioritet"


def number(n):
    """The nth of the numbers that nobody has (serials from 980), each of another birthday."""
    day = date(1930, 1, 1) + timedelta(days=n)
    digits = f"{day:%y%m%d}980"
    return f"{day:%Y%m%d}-980{_luhn(digits)}"


def file(*rows, head=HEAD):
    return "\r\n".join([head, *rows]).encode()


@pytest.fixture
async def per(world):
    return await world.staff("Per", role=Role.SAMORDNARE)


async def run(world, times=1):
    for _ in range(times):
        world.services.clock.forward(seconds=1)
        await world.run_due()


async def names(world):
    rows = await world.rows(
        "select name from resident where tenant_id = $1 order by name", world.tenant
    )
    return [row["name"] for row in rows]


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (file("Åsa Öberg").decode().encode("cp1252"), FileNotUtf8),
        (b"namn\0;x\r\nA", FileNotUtf8),
        (file(), FileEmpty),
        (b"", FileColumns),
        (file("Elsa", head="namn;skostorlek"), FileColumns),
        (file("Elsa;Elsa", head="namn;namn"), FileColumns),
        (file("x", head="adress"), FileColumns),
        (file('"Elsa', head="namn"), FileColumns),
        (file(*["Elsa;;;"] * (MAX_ROWS + 1)), FileTooLong),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(content, refusal):
    with pytest.raises(refusal):
        read_file(content, "residents", TODAY)


def test_ten_thousand_rows_with_commas_and_a_mark_in_front_are_read():
    content = b"\xef\xbb\xbf" + file(*[f"Elsa {n},," for n in range(MAX_ROWS)],
                                     head="namn,adress,telefon")  # fmt: skip

    rows = read_file(content, "residents", TODAY)

    assert len(rows) == MAX_ROWS
    assert all(read.row is not None for read in rows)


async def test_each_row_says_what_would_become_of_it_and_nobody_is_registered(world, made, per):
    await made.importing.send(per, "residents", world.unit, file(f"Förut;{number(0)};;"))
    import_id = await made.importing.send(per, "residents", world.unit, file(f"A;{number(0)};;"))
    await made.importing.begin(per, import_id)
    await run(world)
    content = file(
        f"Elsa Prov;{number(1)};Gatan 1;1",
        f"Elsa Igen;{number(1)};;",
        f"Redan Här;{number(0)};;",
        "Fel Nummer;19300102-9800;;",
        "Fel Prio;;;7",
        "För många;;;;;",
        ";;;",
        "Utan Nummer;;;",
    )

    looked = await made.importing.look(
        per, await made.importing.send(per, "residents", world.unit, content)
    )

    assert [(j.row.n, j.fate, j.row.field) for j in looked.rows] == [
        (2, "added", ""),
        (3, "twice", ""),
        (4, "known", ""),
        (5, "wrong", "personnummer"),
        (6, "wrong", "prioritet"),
        (7, "wrong", "file"),
        (8, "added", ""),
    ]
    assert await names(world) == ["A"]


async def test_an_import_goes_on_where_it_was_killed_and_adds_each_row_once(world, made, per):
    made.importing.chunk = 3
    content = file(*[f"Elsa {n:02};{number(n)};;" for n in range(10)])
    import_id = await made.importing.send(per, "residents", world.unit, content)
    await made.importing.begin(per, import_id)
    await made.importing.begin(per, import_id)
    add = made.importing._add

    async def killed(db, about, read, actor, now):
        await add(db, about, read, actor, now)
        if read.n == 6:
            raise RuntimeError("killed")

    made.importing._add = killed
    with pytest.raises(RuntimeError):
        await run(world, 2)
    halfway = await made.importing.look(per, import_id)
    made.importing._add = add
    await run(world, 5)

    assert halfway.about.row_done == 3
    looked = await made.importing.look(per, import_id)
    assert (looked.about.row_done, looked.about.row_added) == (10, 10)
    assert looked.about.finished_at is not None
    assert await names(world) == [f"Elsa {n:02}" for n in range(10)]
    events = await world.events()
    assert events.count("resident.registered") == 10
    assert [e for e in events if e.startswith("import")] == [
        "import.sent", "import.begun", "import.finished",
    ]  # fmt: skip
    kept = await world.rows("select content_sealed from people_import where id = $1", import_id)
    assert kept == [{"content_sealed": None}]


async def test_a_file_nobody_reads_in_is_gone_after_an_hour(world, made, per, clock):
    import_id = await made.importing.send(per, "residents", world.unit, file("Elsa;;;"))
    before = await made.importing.look(per, import_id)

    clock.forward(minutes=61)
    await run(world)

    after = await made.importing.look(per, import_id)
    assert (len(before.rows), len(after.rows)) == (1, 0)
    await made.importing.begin(per, import_id)
    await run(world)
    assert await names(world) == []


async def test_staff_come_with_the_roles_that_the_sender_may_give(world, made, per):
    head = "namn;roll;språk;slutar"
    content = file(
        "Anna Ny;;;", "Bo Ny;samordnare;;", "Kirsi Ny;larmmottagare;finska;2026-12-31",
        "Eva Slut;;;2026-11-22", head=head,
    )  # fmt: skip
    import_id = await made.importing.send(per, "staff", world.unit, content)
    looked = await made.importing.look(per, import_id)
    await made.importing.begin(per, import_id)
    await run(world)

    assert [(j.fate, j.row.field) for j in looked.rows] == [
        ("added", ""), ("wrong", "roll"), ("added", ""), ("wrong", "slutar"),
    ]  # fmt: skip
    rows = await world.rows(
        "select s.name, g.role from staff s join access_grant g on g.staff_id = s.id "
        "where s.tenant_id = $1 and s.name like '% Ny' order by 1",
        world.tenant,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("Anna Ny", "omsorgspersonal"), ("Kirsi Ny", "larmmottagare"),
    ]  # fmt: skip
    given = [r for r in await world.records() if r["event"] == "role.given"]
    assert given[-1]["actor"]["id"] == str(per.staff.id)


async def test_whoever_was_revoked_meanwhile_registers_nobody(world, made, per):
    eva = await world.staff("Eva", role=Role.ENHETSCHEF)
    import_id = await made.importing.send(per, "residents", world.unit, file("Elsa;;;"))
    await made.importing.begin(per, import_id)

    await made.staffing.revoke(eva, per.staff.id)
    await run(world)

    assert await names(world) == []


async def test_a_file_is_its_senders_and_its_units(world, made, per):
    import_id = await made.importing.send(per, "residents", world.unit, file("Elsa;;;"))
    other = await world.staff("Olle", role=Role.SAMORDNARE)

    with pytest.raises(NotFound):
        await made.importing.look(other, import_id)
    with pytest.raises(NotPermitted):
        await made.importing.send(per, "residents", world.night_unit, file("Elsa;;;"))


async def test_the_pages_show_fates_and_progress(client, world, made, per):
    async def upload(content):
        form = aiohttp.FormData()
        form.add_field("kind", "residents")
        form.add_field("unit_id", str(world.unit))
        form.add_field("file", io.BytesIO(content), filename="x.csv", content_type="text/csv")
        async with client.http.post(
            f"{client.url}/admin/import", data=form, headers={"Origin": client.url},
            cookies={STAFF_COOKIE: TOKENS[per.id]}, allow_redirects=False,
        ) as answer:  # fmt: skip
            return answer.status, await answer.text(), answer.headers.get("Location")

    wrong = await upload("namn\nÅsa".encode("cp1252"))
    big = await upload(b"x" * 5_100_000)
    good = await upload(file(f"Elsa;{number(1)};;", *[f"N{n};x;;" for n in range(250)]))

    assert (wrong[0], big[0], good[0]) == (422, 413, 303)
    assert "Spara den som CSV UTF-8" in wrong[1]
    _, page = await client.look(good[2], per)
    _, second = await client.look(f"{good[2]}?page=1", per)
    assert "Fel i kolumnen personnummer" in page
    assert (page.count("fate-wrong"), second.count("fate-wrong")) == (199, 51)
    assert (await client.send(good[2], per))[0] == 303
    _, running = await client.look(good[2], per)
    assert "<progress" in running
    assert 'http-equiv="refresh"' in running
    await run(world, 6)
    _, done = await client.look(good[2], per)
    assert "Klart: 1 av 251 rader lästes in." in done

"""Begäran om utdrag: who asks, what is tested, what is decided, and what leaves."""

import asyncio
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from uuid import uuid4

import asyncpg
import pytest

from telecare.access.model import Role
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record
from telecare.demo.seed import ACTOR
from telecare.integrity.harm_test import SECRECY, HarmTest
from telecare.integrity.issuing import ExtractWaits, NotGranted
from telecare.integrity.requests import (
    AsksNoReason,
    DocumentMissing,
    GroundMissing,
    NothingFound,
    NotIdentified,
    OutcomeDiffers,
    PersonThere,
    RequestDecided,
)
from telecare.integrity.requests_store import Asked
from telecare.people.keeping import EndBeforeStart
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.db import run_script
from telecare.runtime.errors import FieldInvalid, NotFound
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401

LENNART = "Lennart Provsson"


class Desk:
    """Lena reviews; Ingrid lives with Lennart, who is named in one of her records."""

    def __init__(self, world, made, clock, lena, ingrid) -> None:
        self.world, self.made, self.clock = world, made, clock
        self.lena, self.ingrid = lena, ingrid

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(STOCKHOLM).date()

    def asked(self, **changes: object) -> Asked:
        asked = Asked(
            resident_id=self.ingrid.id,
            diary_number="2026-311",
            asked_by="Ingrid Provsson",
            capacity="self",
            capacity_document="",
            identified_by="id_document",
            wanted="",
            reason="",
            since=None,
            until=None,
            language="sv",
            received_on=self.today,
            due_on=self.today + timedelta(days=30),
        )
        return replace(asked, **changes)

    async def add(self, **changes: object):
        return await self.made.requests.add(self.lena, self.asked(**changes))

    async def opened(self, request):
        return await self.made.requests.read(self.lena, request)

    async def test(self, request, place, *, give, statute="", reason=""):
        answer = HarmTest(place, "section", "", give, statute, reason)
        await self.made.requests.test(self.lena, request, answer)

    async def decide(self, request, outcome, statute="", reason=""):
        await self.made.requests.decide(self.lena, request, outcome, statute=statute, reason=reason)

    async def fetch(self, request, part="package"):
        return await self.made.issuing.hand_out(self.lena, request, part)

    async def place_of(self, request, kind):
        tests = (await self.opened(request)).tests
        return next(one.test.place for one in tests if one.test.kind == kind)


@pytest.fixture
async def desk(world, made, clock) -> Desk:
    lena = await world.staff("Lena", role=Role.GRANSKARE)
    ingrid = await world.resident("Ingrid", cohabitant=LENNART)
    async with world.begun() as db:
        await append(db, Record(Action.LIST_READ, ACTOR, [ingrid.person]))
    return Desk(world, made, clock, lena, ingrid)


# --- the register ---------------------------------------------------------------------------------


async def test_a_request_is_registered_with_its_record_and_without_whoever_asked(desk):
    await desk.add(asked_by="Ulla Ombud", capacity="proxy", capacity_document="2026-11-01")

    last = (await desk.world.records())[-1]

    assert last["event"] == "request.registered"
    assert last["what"]["capacity"] == "proxy"
    assert last["what"]["case"] == "2026-311"
    assert "Ulla" not in last["text"]["what"]
    assert [p["id"] for p in last["subject"]["persons"]] == [str(desk.ingrid.id)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"capacity": "proxy"}, DocumentMissing),
        ({"capacity": "guardian"}, DocumentMissing),
        ({"capacity": "estate"}, DocumentMissing),
        ({"identified_by": "not_asked"}, NotIdentified),
        ({"reason": "För att hon vill veta"}, AsksNoReason),
        ({"due_on": date(2020, 1, 1)}, FieldInvalid),
        ({"resident_id": uuid4()}, NotFound),
    ],
)
async def test_what_is_not_in_order_is_refused_and_nothing_is_kept(desk, changes, error):
    with pytest.raises(error):
        await desk.add(**changes)

    rows = await desk.world.rows(
        "select id from extract_request where tenant_id = $1", desk.world.tenant
    )
    assert rows == []
    assert (await desk.world.records())[-1]["event"] != "request.registered"


async def test_a_time_that_ends_before_it_begins_is_refused(desk):
    now = desk.clock.now()

    with pytest.raises(EndBeforeStart):
        await desk.add(since=now, until=now)


async def test_open_requests_come_by_due_date_and_a_late_one_is_said_to_be(desk):
    later = await desk.add(due_on=desk.today + timedelta(days=9))
    sooner = await desk.add(due_on=desk.today + timedelta(days=2))
    before = await desk.made.requests.register(desk.lena)
    desk.clock.forward(days=3)
    after = await desk.made.requests.register(desk.lena)
    await desk.decide(sooner, "none", SECRECY, "Skäl")
    done = await desk.made.requests.register(desk.lena)

    assert [one.listed.id for one in before.open] == [sooner, later]
    assert [one.is_overdue for one in before.open] == [False, False]
    assert [one.is_overdue for one in after.open] == [True, False]
    assert (await desk.opened(sooner)).is_overdue is False
    assert [one.listed.id for one in done.decided] == [sooner]
    assert [one.is_overdue for one in done.decided] == [False]
    events = [one["event"] for one in await desk.world.records()]
    assert events.count("request.listed") == 3


async def test_a_new_request_shows_what_was_decided_about_her_before(desk, client):
    before = await desk.add(diary_number="2026-7")
    await desk.decide(before, "none", SECRECY, "Skäl")
    request = await desk.add()

    opened = await desk.opened(request)
    _, page = await client.look(f"/audit/requests/{request}", desk.lena)

    assert [one.id for one in opened.earlier] == [before]
    assert "2026-7" in page


async def test_the_neighbours_request_is_not_there(desk, other_world):
    stranger = await other_world.staff("Lena", role=Role.GRANSKARE)
    request = await desk.add()

    with pytest.raises(NotFound):
        await desk.made.requests.read(stranger, request)
    with pytest.raises(NotFound):
        await desk.made.issuing.hand_out(stranger, request, "package")
    assert (await desk.made.requests.register(stranger)).open == []


# --- the harm test --------------------------------------------------------------------------------


async def test_hers_is_given_and_a_cohabitant_who_has_not_asked_is_withheld(desk):
    opened = await desk.opened(await desk.add())

    given = {one.test.place: one.test.gives_out for one in opened.tests if True}
    lennart = next(one for one in opened.tests if one.test.kind == "cohabitant")
    assert [given[one] for one in ("actor", "what", "basis")] == [True, True, True]
    assert (lennart.test.name, lennart.test.gives_out) == (LENNART, False)
    assert lennart.hits == 1  # the record of his registration
    assert opened.hidden == 1
    assert opened.comes_to == "partial"


@pytest.mark.parametrize("capacity", ["police", "other", "cohabitant"])
async def test_nobody_else_gets_anything_unless_it_is_decided(desk, capacity):
    opened = await desk.opened(await desk.add(capacity=capacity, identified_by="authority"))

    assert {one.test.gives_out for one in opened.tests} == {False}
    assert {one.test.statute for one in opened.tests} == {SECRECY}


async def test_a_test_is_a_record_and_what_is_withheld_has_its_ground(desk):
    request = await desk.add()

    with pytest.raises(GroundMissing):
        await desk.test(request, "actor", give=False, statute=SECRECY)
    await desk.test(request, "actor", give=False, statute=SECRECY, reason="Hot mot personal")

    last = (await desk.world.records())[-1]
    assert last["event"] == "request.tested"
    assert last["what"]["place"] == "actor"
    assert last["what"]["statute"] == SECRECY
    opened = await desk.opened(request)
    first, end = opened.numbers
    assert opened.hidden == end - first + 1
    with pytest.raises(NotFound):
        await desk.test(request, "no such", give=True)


async def test_whoever_is_named_in_her_records_can_be_withheld_one_by_one(desk):
    maria = await desk.world.staff("Maria", assigned=(desk.ingrid,), on_shift=True)
    note = {"note": "Grannen Bertil Ås hämtade posten"}
    async with desk.world.begun() as db:
        await append(db, Record(Action.LIST_READ, maria.actor, [desk.ingrid.person], note))
    request = await desk.add()

    await desk.made.requests.name_third(desk.lena, request, "Bertil Ås")
    await desk.made.requests.name_third(desk.lena, request, maria.staff.id)

    hits = {one.test.name: one.hits for one in (await desk.opened(request)).tests}
    assert hits["Bertil Ås"] == 2  # the note, and that he is tested
    assert hits["Maria Ek"] >= 1
    for again in ("bertil ås", maria.staff.id):
        with pytest.raises(PersonThere):
            await desk.made.requests.name_third(desk.lena, request, again)
    with pytest.raises(FieldInvalid):
        await desk.made.requests.name_third(desk.lena, request, desk.ingrid.name)
    with pytest.raises(FieldInvalid):
        await desk.made.requests.name_third(desk.lena, request, uuid4())


# --- the decision ---------------------------------------------------------------------------------


async def test_a_decision_is_a_record_with_its_numbers_and_stays_as_it_is(desk):
    request = await desk.add()
    lennart = await desk.place_of(request, "cohabitant")
    await desk.test(request, lennart, give=True, reason="Han har sagt ja")
    first, last = (await desk.opened(request)).numbers

    await desk.decide(request, "full")

    record = (await desk.world.records())[-1]
    assert record["event"] == "request.decided"
    assert record["what"]["outcome"] == "full"
    assert record["what"]["first_number"] == first == 1
    assert record["what"]["last_number"] == last
    with pytest.raises(RequestDecided):
        await desk.decide(request, "none", SECRECY, "Ångrar mig")
    with pytest.raises(RequestDecided):
        await desk.test(request, "actor", give=True)
    with pytest.raises(RequestDecided):
        await desk.made.requests.name_third(desk.lena, request, "Någon Annan")


async def test_the_database_too_keeps_what_was_decided_on(desk):
    request = await desk.add()
    await desk.decide(request, "none", SECRECY, "Skäl")

    for change in (
        f"update extract_test set gives_out = false, statute = 'x' where request_id = '{request}'",
        (
            "insert into extract_test (tenant_id, request_id, place, kind, gives_out) "
            f"values ({desk.world.tenant}, '{request}', 'more', 'section', true)"
        ),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run_script(desk.world.superuser_url, change)


@pytest.mark.parametrize(
    ("outcome", "statute", "reason", "error"),
    [
        ("full", "", "", OutcomeDiffers),  # Lennart is withheld
        ("partial", "", "Skäl", GroundMissing),
        ("partial", SECRECY, "", GroundMissing),
        ("none", "", "", GroundMissing),
    ],
)
async def test_a_decision_fits_the_test_and_has_its_ground(desk, outcome, statute, reason, error):
    request = await desk.add()

    with pytest.raises(error):
        await desk.decide(request, outcome, statute, reason)

    assert (await desk.opened(request)).decision is None


async def test_a_time_without_records_can_only_be_answered_with_a_no(desk):
    long_ago = desk.clock.now() - timedelta(days=4000)
    request = await desk.add(since=long_ago, until=long_ago + timedelta(days=1))

    with pytest.raises(NothingFound):
        await desk.decide(request, "full")
    await desk.decide(request, "none", "TF 2 kap. 4 §", "Det finns inga händelser")

    with pytest.raises(NotGranted):
        await desk.fetch(request)


# --- what leaves ----------------------------------------------------------------------------------


@pytest.fixture
async def signing(desk, kept) -> Kept:  # noqa: F811
    await kept.go_on()
    await kept.write(1)
    await kept.sign()
    return kept


async def granted(desk, signing, **changes):
    request = await desk.add(**changes)
    await desk.decide(request, "partial", SECRECY, "Uppgifter om en sammanboende")
    return request


async def test_the_log_is_signed_at_once_for_a_decision_and_for_nothing_less(desk, signing):
    before = str(await signing.note())
    request = await desk.add()
    await signing.go_on()
    assert str(await signing.note()) == before
    await desk.decide(request, "partial", SECRECY, "Uppgifter om en sammanboende")
    with pytest.raises(ExtractWaits):
        await desk.fetch(request)
    assert not (await desk.opened(request)).is_signed

    await signing.go_on()

    assert (await desk.opened(request)).is_signed
    assert str(await signing.note()) != before
    assert (await desk.fetch(request)).content.startswith(b"PK")


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def checked(folder, content: bytes) -> tuple[int, str]:
    """As a stranger does it, with the program that came with it."""
    (folder / "utdrag.zip").write_bytes(content)
    (folder / "verify.py").write_bytes(parts_of(content)["verify.py"])
    run = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "utdrag.zip"],
        capture_output=True, check=False, cwd=folder, env={"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return run.returncode, run.stdout.decode()


async def test_the_extract_can_be_checked_and_read_by_people_and_each_time_is_a_record(
    desk, signing, tmp_path
):
    request = await granted(desk, signing)
    await signing.go_on()

    handed = await desk.fetch(request)
    desk.clock.forward(seconds=1)
    report = await desk.fetch(request, "report")
    parts = parts_of(handed.content)
    code, said = checked(tmp_path, handed.content)

    assert code == 0, said
    decision = (await desk.opened(request)).decision
    first, last = decision.numbers
    assert f"6. Inga luckor i nummer {first} till {last}." in said
    assert {"README.txt", "report.html", "report.pdf", "verify.py"} <= set(parts)
    assert b"%PDF" in report.content[:8]
    assert report.content == parts["report.pdf"]
    assert "2026-311" not in handed.name
    assert "Ingrid" not in handed.name
    issued = [r for r in await desk.world.records() if r["event"].startswith("extract.")]
    assert [one["event"] for one in issued] == ["extract.issued", "extract.fetched"]
    assert issued[0]["what"]["last_number"] == last
    assert issued[0]["what"]["heads"][0]["size"] > 0
    digests = [one.digest for one in (await desk.opened(request)).issues]
    assert digests == [issued[1]["what"]["digest"], issued[0]["what"]["digest"]]


async def test_the_same_extract_is_the_same_bytes(desk, signing):
    request = await granted(desk, signing)
    await signing.go_on()

    assert (await desk.fetch(request)).content == (await desk.fetch(request)).content


async def test_a_cohabitant_stands_nowhere_in_an_extract_that_withholds_him(desk, signing):
    request = await granted(desk, signing)
    await signing.go_on()

    parts = parts_of((await desk.fetch(request)).content)

    said = b"".join(parts[one] for one in ("records.jsonl", "report.html", "README.txt"))
    assert b"Lennart" not in said
    lines = [json.loads(line) for line in parts["records.jsonl"].splitlines()]
    assert [list(one["withheld"].values()) for one in lines if one["withheld"]] == [[SECRECY]]
    assert f"enligt {SECRECY}" in parts["report.html"].decode()


async def test_a_span_of_time_has_its_own_numbers_without_gaps(desk, signing, tmp_path):
    rows = await desk.world.rows(
        "select n, recorded_at from audit.subject_entry where tenant_id = $1 and resident_id = $2 "
        "order by n",
        desk.world.tenant, desk.ingrid.id,
    )  # fmt: skip
    second, last = rows[1], rows[-1]
    request = await desk.add(since=second["recorded_at"], until=last["recorded_at"])
    opened = await desk.opened(request)
    outcome = opened.comes_to
    await desk.decide(request, outcome, SECRECY if outcome == "partial" else "", "Skäl")
    await signing.go_on()

    handed = await desk.fetch(request)

    assert opened.numbers == (2, last["n"] - 1)
    code, said = checked(tmp_path, handed.content)
    assert code == 0, said
    assert f"6. Inga luckor i nummer 2 till {last['n'] - 1}." in said


async def test_a_preparation_without_a_look_is_explained_and_not_counted(desk, signing, made):
    aino = await desk.world.resident("Aino")
    maria = await desk.world.staff("Maria", assigned=(aino,), on_shift=True)
    await desk.world.tv(aino)
    call = await made.calls.ring(maria, aino.id)
    await made.calls.hang_up(maria, call)
    request = await desk.add(resident_id=aino.id)
    await desk.decide(request, "full")
    await signing.go_on()

    page = parts_of((await desk.fetch(request)).content)["report.html"].decode()

    assert "En förberedelse: ingen bild och inget ljud öppnades." in page
    assert "<dt>Gånger bild från hemmet öppnades</dt><dd>0" in page


@pytest.mark.parametrize(
    ("language", "title", "said"),
    [
        ("sv", "Vem som har sett dina uppgifter", "4. "),
        ("fi", "Kuka on nähnyt tietosi", "tapahtumaa on lokissa"),
        ("en", "Who has seen your data", "records stand in the log"),
    ],
)
async def test_report_and_check_speak_the_language_of_whoever_asked(
    desk, signing, tmp_path, language, title, said
):
    request = await granted(desk, signing, language=language)
    await signing.go_on()

    handed = await desk.fetch(request)
    code, told = checked(tmp_path, handed.content)

    assert code == 0
    assert said in told
    assert title in parts_of(handed.content)["report.html"].decode()


async def test_what_does_not_fit_is_said_in_that_language_too(desk, signing, tmp_path):
    request = await granted(desk, signing)
    await signing.go_on()
    parts = parts_of((await desk.fetch(request)).content)
    lines = parts["records.jsonl"].splitlines()
    parts["records.jsonl"] = b"\n".join(lines[:1] + lines[2:])
    output = BytesIO()
    with zipfile.ZipFile(output, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)

    code, said = checked(tmp_path, output.getvalue())

    assert code == 1
    assert "STÄMMER INTE: steg 6, nummer 2: väntat 2, funnet 3" in said


async def test_of_somebody_with_protected_identity_no_name_leaves(
    desk, client, signing, as_superuser
):
    await as_superuser(
        f"set app.tenant = '{desk.world.tenant}'; "
        f"update resident set is_protected = true where id = '{desk.ingrid.id}'"
    )
    request = await granted(desk, signing)
    await signing.go_on()

    parts = parts_of((await desk.fetch(request)).content)

    assert json.loads(parts["extract.json"])["whose"]["name"] == ""
    for path in ("", f"/{request}", f"/{request}/letter", f"/new?resident={desk.ingrid.id}"):
        status, page = await client.look(f"/audit/requests{path}", desk.lena)
        assert status == 200
        assert "Ingrid" not in page
        assert "Lennart" not in page


# --- pages ----------------------------------------------------------------------------------------


def typed(desk, **changes):
    fields = {
        "resident": str(desk.ingrid.id), "capacity": "self", "identified_by": "id_document",
        "diary_number": "2026-311", "language": "sv", "received_on": str(desk.today),
        "due_on": str(desk.today + timedelta(days=30)), "asked_by": "Ingrid Provsson",
    }  # fmt: skip
    return {**fields, **changes}


async def test_from_the_form_to_the_letter(desk, client):
    status, page = await client.look(f"/audit/requests/new?resident={desk.ingrid.id}", desk.lena)
    assert (status, desk.ingrid.name in page) == (200, True)
    status, _, where = await client.send("/audit/requests", desk.lena, **typed(desk))
    assert status == 303

    status, page = await client.look(where, desk.lena)
    assert status == 200
    assert LENNART in page
    status, page, _ = await client.send(
        f"{where}/decision", desk.lena, outcome="none", statute=SECRECY, reason="Därför"
    )
    assert status == 303, page
    _, page = await client.look(where, desk.lena)
    assert 'data-test="covers"' not in page  # nothing is given, so nothing is said of how much
    assert 'data-test="package"' not in page
    status, page = await client.look(f"{where}/letter", desk.lena)
    assert "Utdraget lämnas inte ut." in page
    assert "kammarrätten" in page
    assert "tre veckor" in page
    status, page = await client.look("/audit/requests", desk.lena)
    assert 'data-test="decided"' in page
    assert 'data-l="Avgjord"' in page  # on a phone the heading stands in the cell
    assert 'data-l="Senast"' not in page
    assert 'data-test="none-open"' in page


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"capacity": ""}, "request_without_capacity"),
        ({"capacity": "guardian"}, "request_document_missing"),
        ({"reason": "Vill veta"}, "request_asks_no_reason"),
        ({"identified_by": "not_asked"}, "request_not_identified"),
        ({"since_day": "2026-11-02", "until_day": "2026-11-01"}, "end_before_start"),
        ({"capacity": "the king"}, "field_invalid"),
        ({"diary_number": ""}, "field_invalid"),
    ],
)
async def test_a_form_that_is_not_in_order_comes_again_with_why(desk, client, changes, code):
    status, page, _ = await client.send("/audit/requests", desk.lena, **typed(desk, **changes))

    assert status == 422
    assert f'data-code="{code}"' in page
    assert "2026-311" in page or "diary_number" in changes


@pytest.mark.parametrize("capacity", ["police", "other"])
async def test_the_page_says_that_no_camera_opens_for_police_or_media(desk, client, capacity):
    request = await desk.add(capacity=capacity, identified_by="authority")

    _, page = await client.look(f"/audit/requests/{request}", desk.lena)
    _, letter = await client.look(f"/audit/requests/{request}/letter", desk.lena)

    assert 'data-test="no-camera"' in page
    assert "inget sätt att öppna en kamera" in letter


async def test_the_page_waits_for_the_signature_and_then_offers_the_files(desk, client, signing):
    request = await granted(desk, signing)
    path = f"/audit/requests/{request}"
    status, page, _ = await client.send(f"{path}/extract", desk.lena, part="package")
    assert (status, 'data-test="waits"' in page) == (409, True)

    await signing.go_on()
    _, page = await client.look(path, desk.lena)

    assert 'data-test="package"' in page
    assert 'data-test="waits"' not in page


async def test_only_a_reviewer_comes_here(desk, client):
    maria = await desk.world.staff("Maria", on_shift=True)
    request = await desk.add()

    for path in ("/audit/requests", f"/audit/requests/{request}"):
        assert (await client.look(path, maria))[0] == 403


async def test_a_form_that_is_sent_twice_registers_one_request(desk, client):
    _, page = await client.look(f"/audit/requests/new?resident={desk.ingrid.id}", desk.lena)
    press = page.split('name="press" value="')[1].split('"')[0]

    answers = await asyncio.gather(
        *(
            client.send("/audit/requests", desk.lena, press=press, **typed(desk))
            for _ in range(2)
        )
    )  # fmt: skip

    assert {(status, where) for status, _, where in answers} == {(303, f"/audit/requests/{press}")}
    registered = [r for r in await desk.world.records() if r["event"] == "request.registered"]
    assert len(registered) == 1

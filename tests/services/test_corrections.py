"""Rättelse: a wrong text leaves its place at once, and stays struck through with who and why."""

import asyncio

import pytest

from telecare.access.errors import NotAssigned, NotPermitted
from telecare.access.model import Role
from telecare.app import ROUTES
from telecare.consent.model import Purpose
from telecare.people.correcting import Correcting, TextChanged
from telecare.runtime.errors import FieldInvalid, NotFound

NOTE = "Har ramlat i köket"


class Desk:
    """Maria has written about Ingrid what was true of Aino."""

    def __init__(self, world, made):
        self.world, self.made = world, made

    async def begin(self):
        self.ingrid = await self.world.resident("Ingrid")
        self.aino = await self.world.resident("Aino")
        self.maria = await self.world.staff(
            "Maria", on_shift=True, assigned=(self.ingrid, self.aino)
        )
        self.anna = await self.world.staff("Anna", assigned=(self.ingrid,))
        self.per = await self.world.staff("Per", role=Role.SAMORDNARE, assigned=(self.ingrid,))
        return self

    async def task(self):
        """A task about Ingrid that Maria has closed with a note."""
        task = await self.world.call_back(self.ingrid)
        await self.made.people.close_follow_up(self.maria, task, NOTE)
        return task

    async def visit(self):
        visit = await self.world.visit(self.maria, self.ingrid)
        await self.world.rows("update visit set note = $2 where id = $1", visit, NOTE)
        self.world.services.clock.forward(minutes=1)
        return visit

    def correct(self, session, kind, about_id, **changes):
        said = {"old_text": NOTE, "why": "Fel person", "new_text": "", "right_resident_id": None}
        change = Correcting(kind=kind, about_id=about_id, **{**said, **changes})
        return self.made.corrections.correct(session, change)

    async def seen(self, session, resident):
        found = await self.made.corrections.notes(session, resident.id)
        return (
            [(n.written.kind, n.written.text, n.may_correct) for n in found.notes],
            [(c.kind, c.old_text, c.new_text, c.why, c.corrected_name) for c in found.corrected],
        )


@pytest.fixture
async def desk(world, made):
    return await Desk(world, made).begin()


@pytest.mark.parametrize("kind", ["follow_up_note", "visit_note"])
async def test_its_author_corrects_it_and_it_stands_struck_through(desk, kind):
    about_id = await (desk.task() if kind == "follow_up_note" else desk.visit())
    assert await desk.seen(desk.maria, desk.ingrid) == ([(kind, NOTE, True)], [])
    assert await desk.seen(desk.anna, desk.ingrid) == ([(kind, NOTE, False)], [])

    await desk.correct(desk.maria, kind, about_id, new_text="Har inte ramlat", why="Skrev fel")

    struck = [(kind, NOTE, "Har inte ramlat", "Skrev fel", "Maria Ek")]
    assert await desk.seen(desk.anna, desk.ingrid) == ([(kind, "Har inte ramlat", False)], struck)


async def test_on_the_wrong_person_it_leaves_her_and_stands_on_the_right_one(desk):
    about_id = await desk.task()

    await desk.correct(desk.maria, "follow_up_note", about_id, right_resident_id=desk.aino.id)

    assert (await desk.seen(desk.anna, desk.ingrid))[0] == []
    _, moved = await desk.seen(desk.maria, desk.aino)
    assert moved == [("follow_up_note", NOTE, None, "Fel person", "Maria Ek")]


async def test_the_records_point_at_it_by_kind_and_id_and_name_one_person_each(desk):
    about_id = await desk.task()

    await desk.correct(desk.maria, "follow_up_note", about_id, right_resident_id=desk.aino.id)

    records = [r for r in await desk.world.records() if r["event"] == "record.corrected"]
    by_outcome = {record["what"]["outcome"]: record for record in records}
    for outcome, resident, other in (
        ("taken_away", desk.ingrid, desk.aino),
        ("moved_here", desk.aino, desk.ingrid),
    ):
        record = by_outcome[outcome]
        assert (record["what"]["kind"], record["what"]["about_id"]) == (
            "follow_up_note",
            str(about_id),
        )
        text = str((record["text"], record["persons"]))
        assert str(resident.id) in text
        assert str(other.id) not in text
        assert NOTE not in text


async def test_what_to_know_is_corrected_by_who_plans_and_leaves_the_card(desk, world, client):
    lines = ["Hör illa", "Har hund"]
    await world.rows("update resident set to_know = $2 where id = $1", desk.ingrid.id, lines)
    with pytest.raises(NotPermitted):
        await desk.correct(desk.maria, "to_know", desk.ingrid.id, old_text="Har hund")

    await desk.correct(desk.per, "to_know", desk.ingrid.id, old_text="Har hund")
    await desk.correct(
        desk.per, "to_know", desk.ingrid.id, old_text="Hör illa", new_text="Hör bra till vänster"
    )

    rows = await world.rows("select to_know from resident where id = $1", desk.ingrid.id)
    assert rows[0]["to_know"] == ["Hör bra till vänster"]
    route = next(r for r in ROUTES if r.path == "/api/residents/{id}/notes")
    path = f"/api/residents/{desk.ingrid.id}/notes"
    _, text, _ = await client.ask(route, session=desk.anna, path=path)
    assert '"old_text":"Har hund"' in text


async def test_an_objection_on_the_wrong_person_no_longer_pauses_anything(desk, world, made):
    await made.consents.object_to(
        desk.maria, desk.ingrid.id, Purpose.VIDEO_VISIT, by_kind="relative", by_name="Sonen",
        body=NOTE,
    )  # fmt: skip
    rows = await world.rows("select id from objection where resident_id = $1", desk.ingrid.id)

    await desk.correct(desk.per, "objection", rows[0]["id"])

    left = await world.rows(
        "select body, closed_at from objection where resident_id = $1", desk.ingrid.id
    )
    assert (left[0]["body"], left[0]["closed_at"] is None) == ("", False)


async def test_others_do_not_correct_and_the_try_is_recorded(desk, world):
    about_id = await desk.task()
    stranger = await world.staff("Berit")

    with pytest.raises(NotPermitted):
        await desk.correct(desk.anna, "follow_up_note", about_id)
    with pytest.raises(NotAssigned):
        await desk.correct(stranger, "follow_up_note", about_id)
    assert (await world.records())[-1]["what"]["tried"] == "record.corrected"
    with pytest.raises(NotAssigned):
        await desk.made.corrections.notes(stranger, desk.ingrid.id)


async def test_of_two_corrections_at_once_one_holds(desk):
    about_id = await desk.task()

    answers = await asyncio.gather(
        *(
            desk.correct(who, "follow_up_note", about_id, new_text=who.staff.name)
            for who in (desk.maria, desk.per)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, TextChanged) for answer in answers) == 1


async def test_what_cannot_be(desk):
    about_id = await desk.task()

    with pytest.raises(TextChanged):
        await desk.correct(desk.maria, "follow_up_note", about_id, old_text="Något annat")
    with pytest.raises(NotFound):
        await desk.correct(desk.maria, "nonsense", about_id)
    with pytest.raises(FieldInvalid):
        await desk.correct(desk.maria, "follow_up_note", about_id, right_resident_id=desk.ingrid.id)

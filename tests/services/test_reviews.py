"""Log review: what is drawn and why, who may judge, and what happens when nobody does."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.access.model import Role
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record
from telecare.audit.note import COSIGNATURE_V1, Checkpoint, Signer
from telecare.consent import store as consent_store
from telecare.consent.model import Consent, Purpose
from telecare.integrity.protocol import protocol
from telecare.integrity.reviews import (
    ItemClosed,
    OwnAct,
    PeriodTooLong,
    ReviewDrawn,
    ReviewNotDone,
    Reviews,
    ReviewTooEarly,
)
from telecare.integrity.sampling import Candidate, draw, seed
from telecare.runtime.errors import NotFound
from telecare.wire.ids import ConsentId
from tests.services.test_extract import WITNESS
from tests.services.test_sequencer import files, kept, sequencer_database  # noqa: F401
from tests.world import MovedClock

WHY = "Hon svarar inte, och dörren står öppen."


@pytest.fixture
def clock():
    """The log's own time: what a rule compares it with must be of the same day."""
    return MovedClock(datetime.now(UTC))


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


class Desk:
    """What is read in a unit, and the review of it."""

    def __init__(self, kept, made, lena):  # noqa: F811
        self.kept, self.made, self.lena = kept, made, lena
        self.world, self.clock = kept.world, kept.clock
        self.since = self.clock.now() - timedelta(hours=2)

    async def read(self, session, *residents, event=Action.CARD_READ, **what):
        async with self.world.begun() as db:
            persons = [one.person for one in residents]
            return await append(db, Record(event, session.actor, persons, what))

    async def over(self):
        """The period is over and the log signed since; its end."""
        self.clock.forward(minutes=5)
        until = self.clock.now() - timedelta(seconds=1)
        await self.kept.go_on()
        await self.kept.sign()
        return until

    async def drawn(self, unit=None):
        until = await self.over()
        review = await self.made.reviews.draw(self.lena, unit or self.world.unit, self.since, until)
        return await self.made.reviews.of_review(self.lena, review)


@pytest.fixture
def desk(kept, made, lena):  # noqa: F811
    return Desk(kept, made, lena)


def rules(shown):
    return {one.entry_id: [str(hit.rule) for hit in one.hits] for one in shown.items}


async def test_each_reading_is_held_against_what_was_the_case_then(world, desk, ingrid):
    maria = await world.staff("Maria", assigned=(ingrid,))
    aino = await world.resident("Aino")
    good = await desk.read(maria, ingrid)
    await world.call_back(ingrid)
    without = await desk.read(maria, aino)

    found = rules(await desk.drawn())

    assert found[good] == []
    assert found[without] == ["no_assignment", "nothing_near"]


async def test_an_alarm_near_is_a_ground_to_look(world, desk, ingrid):
    maria = await world.staff("Maria")
    await world.alarm(ingrid)
    read = await desk.read(maria, ingrid)

    assert rules(await desk.drawn())[read] == ["no_assignment"]


async def test_a_stated_relation_and_a_protected_identity_are_always_looked_at(
    world, made, desk, ingrid
):
    maria = await world.staff("Maria", assigned=(ingrid,))
    await world.call_back(ingrid)
    await made.relations.state(maria, ingrid.id, "neighbour", "")
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)
    entry = await desk.read(maria, ingrid)

    shown = await desk.drawn()

    assert rules(shown)[entry] == ["own_relation", "protected_identity"]
    assert next(one for one in shown.items if one.entry_id == entry).resident_name == ""


async def test_a_picture_after_the_word_was_taken_back_is_found(world, made, desk, ingrid):
    maria = await world.staff("Maria", assigned=(ingrid,))
    screen = await world.tv(ingrid)
    call = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(screen, call)
    # As a fault of ours would leave it: the no was there before the call was opened.
    no = Consent(
        id=ConsentId(uuid4()), purpose=Purpose.VIDEO_VISIT, cohabitant_id=None,
        decision="withdrawn", valid_from=world.now, valid_until=None, ask_again_on=None,
        hours=None, callers=None, answer_after_s=None, information_version=None,
        information_language=None, given="in_person", recorded_at=world.now,
    )  # fmt: skip
    async with world.begun() as db:
        await consent_store.add(db, ingrid.id, no, consent_store.Documentation(asked_by="resident"))

    shown = await desk.drawn()

    opened = next(one for one in shown.items if one.event == "call.rung")
    assert str(opened.hits[0].rule) == "after_withdrawal"


async def test_a_call_longer_than_allowed_is_found(world, made, desk, ingrid, clock):
    maria = await world.staff("Maria", assigned=(ingrid,))
    screen = await world.tv(ingrid)
    call = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(screen, call)
    await world.rows(
        "update call set state = 'ended', ended_at = must_end + interval '90 seconds',"
        " end_reason = 'time_over' where id = $1", call,
    )  # fmt: skip

    shown = await desk.drawn()

    opened = next(one for one in shown.items if one.event == "call.rung")
    assert [(str(hit.rule), hit.values) for hit in opened.hits] == [("too_long", {"seconds": 90})]


async def test_whoever_no_longer_works_here_is_found(world, desk, ingrid):
    maria = await world.staff("Maria", assigned=(ingrid,))
    await world.call_back(ingrid)
    await world.rows(
        "update staff set ends_at = $2 where id = $1",
        maria.staff.id, world.now - timedelta(minutes=1),
    )  # fmt: skip
    entry = await desk.read(maria, ingrid)

    assert rules(await desk.drawn())[entry] == ["not_employed"]


async def test_only_the_units_own_staff_are_drawn(world, desk, ingrid):
    night = await world.staff("Per", unit=world.night_unit)
    await desk.read(night, ingrid)

    shown = await desk.drawn()

    assert (shown.items, shown.review.population) == ([], 0)


async def test_the_sample_can_be_drawn_anew_by_anybody(world, desk, ingrid):
    maria = await world.staff("Maria", assigned=(ingrid,))
    await world.call_back(ingrid)
    for _ in range(60):
        await desk.read(maria, ingrid)

    shown = await desk.drawn()
    review = shown.review
    leaves = await world.rows(
        "select l.log, l.leaf_index, l.entry_id from audit.leaf l join audit.body b"
        " using (tenant_id, entry_id) where l.tenant_id = $1 and b.event = 'card.read'",
        world.tenant,
    )
    head = await world.rows(
        "select root from audit.checkpoint where tenant_id = $1 and log = $2 and size = $3",
        world.tenant, review.seed_log, review.seed_size,
    )  # fmt: skip
    population = [Candidate(r["log"], r["leaf_index"], maria.staff.id) for r in leaves]
    anew = draw(population, seed(head[0]["root"], world.unit, review.since, review.until))
    places = {(r["log"], r["leaf_index"]): r["entry_id"] for r in leaves}

    assert len(anew) == 20
    assert {one.entry_id for one in shown.items} == {places[a.log, a.index] for a in anew}
    record = next(r for r in await world.records() if r["event"] == "review.begun")
    assert record["what"]["seed_root"] == head[0]["root"].hex()
    assert record["what"]["population"] == 60


OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


async def cosign(world, clock, note, signer):
    size = Checkpoint.parse(note.text).size
    line = str(signer.cosign(note.text, clock.now()))
    await world.rows(
        "insert into audit.cosignature (tenant_id, log, size, witness, line, seen_at)"
        " values ($1, 1, $2, $3, $4, $5)",
        world.tenant, size, str(signer.verifier(COSIGNATURE_V1)), line, clock.now(),
    )  # fmt: skip


async def test_a_signature_that_is_none_does_not_make_a_seed(
    world, made, database, reader, clock, desk, lena
):
    """Whoever keeps the database can write a witness's name into it, but not its signature."""
    until = await desk.over()
    note = await desk.kept.note()
    name = str(WITNESS.verifier(COSIGNATURE_V1))
    await world.rows(
        "insert into audit.cosignature (tenant_id, log, size, witness, line, seen_at)"
        " values ($1, 1, $2, $3, $4, $5)",
        world.tenant, Checkpoint.parse(note.text).size, name,
        str(Signer(WITNESS.name, OTHER_KEY).cosign(note.text, clock.now())), clock.now(),
    )  # fmt: skip

    reviews = Reviews(database, reader, clock, made.staff_data, [WITNESS.verifier(COSIGNATURE_V1)])
    drawn = await reviews.draw(lena, world.unit, desk.since, until)

    assert (await reviews.of_review(lena, drawn)).review.seed_witness is None


async def test_the_seed_is_the_first_head_that_an_outsider_signed_after_the_period(
    world, made, database, reader, clock, desk, lena
):
    until = await desk.over()
    await cosign(world, clock, await desk.kept.note(), Signer("other.example", OTHER_KEY))
    await desk.kept.write(3)
    await desk.kept.go_on()
    second = await desk.kept.sign()
    await cosign(world, clock, await desk.kept.note(), WITNESS)

    witness = WITNESS.verifier(COSIGNATURE_V1)
    reviews = Reviews(database, reader, clock, made.staff_data, [witness])
    drawn = await reviews.draw(lena, world.unit, desk.since, until)

    review = (await reviews.of_review(lena, drawn)).review
    assert (review.seed_size, review.seed_witness) == (second.size, str(witness))


async def test_without_an_outsider_the_review_says_so(desk):
    shown = await desk.drawn()

    assert shown.review.seed_witness is None


async def test_a_sample_is_drawn_once(desk, made, lena, world):
    until = await desk.over()
    await made.reviews.draw(lena, world.unit, desk.since, until)
    await desk.kept.go_on()

    with pytest.raises(ReviewDrawn):
        await made.reviews.draw(lena, world.unit, desk.since, until)


async def test_nothing_is_drawn_before_the_log_is_signed_after_the_period(desk, made, lena, world):
    now = world.now
    with pytest.raises(ReviewTooEarly):
        await made.reviews.draw(lena, world.unit, desk.since, now + timedelta(hours=1))
    with pytest.raises(ReviewTooEarly):
        await made.reviews.draw(lena, world.unit, desk.since, now)
    with pytest.raises(PeriodTooLong):
        await made.reviews.draw(lena, world.unit, now - timedelta(days=101), now)

    assert not await world.rows("select 1 from log_review where tenant_id = $1", world.tenant)


async def test_a_verdict_is_a_record_about_her_and_is_given_once(world, made, desk, lena, ingrid):
    maria = await world.staff("Maria")
    await desk.read(maria, ingrid)
    item = (await desk.drawn()).items[0]

    await made.reviews.judge(lena, item.id, "unjustified", "Ingen anledning fanns.")

    record = next(r for r in await world.records() if r["event"] == "review.judged")
    assert [p["id"] for p in record["subject"]["persons"]] == [str(ingrid.id)]
    assert record["what"]["outcome"] == "unjustified"
    assert record["what"]["staff_id"] == str(maria.staff.id)
    with pytest.raises(ItemClosed):
        await made.reviews.judge(lena, item.id, "justified", "")


async def test_nobody_reviews_herself(world, made, desk, lena, ingrid, as_superuser):
    maria = await world.staff("Maria")
    await desk.read(maria, ingrid)
    item = (await desk.drawn()).items[0]

    for act in (
        made.reviews.judge(maria, item.id, "justified", ""),
        made.reviews.ask(maria, item.id, "Varför?"),
    ):
        with pytest.raises(OwnAct):
            await act

    assert [r["what"]["code"] for r in (await world.records())[-2:]] == ["review_own_act"] * 2
    with pytest.raises(Exception, match="reviewer_is_another"):
        await as_superuser(
            f"update review_item set outcome = 'justified', closed_at = at,"
            f" closed_by = '{maria.staff.id}' where id = '{item.id}'"
        )


async def test_the_head_answers_a_question_and_the_reviewer_reads_it(
    world, made, desk, lena, ingrid
):
    maria = await world.staff("Maria")
    eva = await world.staff("Eva", role=Role.ENHETSCHEF, on_shift=True)
    await desk.read(maria, ingrid)
    item = next(one for one in (await desk.drawn()).items if one.staff_id == maria.staff.id)

    await made.reviews.ask(lena, item.id, "Varför läste Maria kortet?")
    task = (await world.rows("select id from follow_up where kind = 'log_question'"
                             " and tenant_id = $1", world.tenant))[0]  # fmt: skip
    await made.people.close_follow_up(eva, task["id"], "Hon hade jour.")

    shown = await made.reviews.of_item(lena, item.id)
    assert (shown.item.note, shown.item.answered_name) == ("Hon hade jour.", "Eva Ek")
    with pytest.raises(ItemClosed):
        await made.reviews.ask(lena, item.id, "En gång till?")


async def test_a_review_is_signed_off_when_all_is_judged_and_then_stands(
    world, made, desk, lena, ingrid
):
    maria = await world.staff("Maria")
    await desk.read(maria, ingrid)
    shown = await desk.drawn()

    with pytest.raises(ReviewNotDone):
        await made.reviews.sign_off(lena, shown.review.id, "Klart.")
    for one in shown.items:
        await made.reviews.judge(lena, one.id, "justified", "")
    await made.reviews.sign_off(lena, shown.review.id, "Inget att anmärka.")

    record = (await world.records())[-1]
    assert (record["event"], record["what"]["justified"]) == ("review.signed", len(shown.items))
    again = await made.reviews.of_review(lena, shown.review.id)
    assert (again.review.signed_name, again.review.statement) == ("Lena Ek", "Inget att anmärka.")
    with pytest.raises(ItemClosed):
        await made.reviews.sign_off(lena, shown.review.id, "En gång till.")


async def test_looking_at_a_review_is_recorded_with_everybody_on_it(
    world, made, desk, lena, ingrid
):
    await desk.read(await world.staff("Maria"), ingrid)
    await desk.drawn()

    record = (await world.records())[-1]
    assert record["event"] == "review.read"
    assert [p["id"] for p in record["subject"]["persons"]] == [str(ingrid.id)]


# --- openings without a mission ------------------------------------------------------------------


@pytest.fixture
async def opening(world, made, ingrid):
    per = await world.staff("Per", unit=world.night_unit)
    return await made.break_glass.open(per, ingrid.id, "fall_suspected", WHY)


async def test_an_opening_without_a_mission_is_under_review_from_its_first_moment(
    made, lena, opening
):
    waiting = (await made.reviews.overview(lena)).openings

    assert [(one.staff_name, one.due_at) for one in waiting] == [
        ("Per Ek", opening.opened_at + timedelta(hours=72))
    ]


async def test_nobody_has_judged_it_in_three_days_then_the_head_is_told_until_somebody_does(
    world, made, clock, lena, opening
):
    clock.forward(hours=72)
    await world.run_due()
    await world.run_due()
    clock.forward(hours=24)
    await world.run_due()

    tasks = await world.rows("select kind from follow_up where tenant_id = $1 and closed_at is null"
                             " order by kind", world.tenant)  # fmt: skip
    assert [task["kind"] for task in tasks] == ["break_glass", "review_overdue"]
    assert (await world.events()).count("review.overdue") == 2
    item = (await made.reviews.overview(lena)).openings[0]
    assert item.overdue_at == opening.opened_at + timedelta(hours=72)

    await made.reviews.judge(lena, item.id, "justified", "")
    clock.forward(hours=48)
    await world.run_due()

    assert (await world.events()).count("review.overdue") == 2
    left = await world.rows("select kind from follow_up where tenant_id = $1 and closed_at is null",
                            world.tenant)  # fmt: skip
    assert [task["kind"] for task in left] == ["break_glass"]


async def test_she_is_told_when_it_is_judged_and_not_before(world, made, lena, ingrid, opening):
    item = (await made.reviews.overview(lena)).openings[0]
    with pytest.raises(ReviewNotDone):
        await made.reviews.letter(lena, item.id)

    await made.reviews.judge(lena, item.id, "justified", "")
    await made.reviews.letter(lena, item.id)

    record = (await world.records())[-1]
    assert record["event"] == "letter.printed"
    assert [p["id"] for p in record["subject"]["persons"]] == [str(ingrid.id)]


async def test_openings_of_a_period_belong_to_the_review_of_the_openers_unit(world, desk, opening):
    shown = await desk.drawn(world.night_unit)

    assert [one.drawn for one in shown.items] == ["break_glass"]


async def test_the_neighbours_reviews_are_not_found(made, other_world, desk, lena, opening):
    shown = await desk.drawn()
    item = (await made.reviews.overview(lena)).openings[0]
    stranger = await other_world.staff("Olga", role=Role.GRANSKARE)

    for look in (
        made.reviews.of_review(stranger, shown.review.id),
        made.reviews.of_item(stranger, item.id),
        made.reviews.judge(stranger, item.id, "justified", ""),
        made.reviews.letter(stranger, item.id),
    ):
        with pytest.raises(NotFound):
            await look
    assert (await made.reviews.overview(stranger)).openings == []


async def test_the_protocol_on_paper_says_what_was_drawn_and_names_no_resident(
    world, made, client, desk, lena, ingrid
):
    await desk.read(await world.staff("Maria"), ingrid)
    shown = await desk.drawn()
    for one in shown.items:
        await made.reviews.judge(lena, one.id, "unjustified", "Ingen anledning fanns.")
    await made.reviews.sign_off(lena, shown.review.id, "En läsning utan anledning.")
    done = await made.reviews.of_review(lena, shown.review.id)

    told = protocol(done.review, done.items, "Norrvika kommun", "sv")
    row = told.days[0].rows[0]

    assert ("Obefogad", "1") in told.facts
    assert row.what == "Kortet öppnades: obefogad"
    assert "Inget uppdrag hos personen just då." in row.why
    assert list(row.notes) == ["Ingen anledning fanns."]
    assert told.checks[0] == "En läsning utan anledning."
    assert shown.review.seed_root.hex() in told.proves[1]
    assert "Ingrid" not in str(told)
    assert "Provsson" not in str(told)
    status, paper = await client.fetch(f"/audit/reviews/{shown.review.id}/protocol", lena)
    assert (status, paper[:5]) == (200, b"%PDF-")


async def test_whoever_reviews_an_opening_sees_of_what_kind_it_was(world, made, client, opening):
    lena = await world.staff("Lena", role="granskare")
    [item] = (await made.reviews.overview(lena)).openings

    _, page = await client.look(f"/audit/items/{item.id}", lena)

    assert f"Jag tror att någon har ramlat, {WHY.rstrip('.')}" in page

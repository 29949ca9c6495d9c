"""Handing over what is held open: by name or to a unit, one answer, nothing left alone."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from telecare.access.errors import NoLongerHeld, NotAssigned, NotOnShift, NotPermitted
from telecare.access.model import Role
from telecare.access.service import on_shift_for
from telecare.audit.actions import Action
from telecare.dispatches.service import ask
from telecare.people.service import FollowUpTaken
from telecare.runtime.db import LockTaken
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.shifts.model import HandOverImpossible, ShiftHoldsOpen
from telecare.shifts.service import Ask
from telecare.web.board_rows import unit_rows
from telecare.wire.ids import new_row_id


class Ward:
    """Maria and Anna on shift by day, Nils at night; Ingrid needs somebody."""

    def __init__(self, world, made):
        self.world, self.made, self.shifts = world, made, made.shifts

    async def begin(self):
        self.ingrid = await self.world.resident("Ingrid")
        self.maria = await self.world.staff("Maria", on_shift=True)
        self.anna = await self.world.staff("Anna", on_shift=True)
        self.nils = await self.world.staff("Nils", on_shift=True, unit=self.world.night_unit)
        await self.world.tv(self.ingrid)
        return self

    async def dispatch(self):
        """Somebody should go to Ingrid."""
        async with self.world.begun() as db:
            await ask(
                db, self.ingrid, unit_id=self.world.unit, about_id=uuid4(), by=None,
                actor=self.maria.actor, now=self.world.now,
            )  # fmt: skip
        rows = await self.world.rows(
            "select id from dispatch where resident_id = $1 and state <> 'done'", self.ingrid.id
        )
        return rows[0]["id"]

    def ask(self, kind, about_id, *, colleague=None, unit=None):
        to = colleague.staff.id if colleague else None
        return self.shifts.ask(self.maria, Ask(kind, about_id, to, unit))

    async def held(self, session):
        async with self.world.begun() as db:
            found = await self.shifts.held_by(db, session.staff.id, self.world.now)
        return [(one.kind, one.id) for one in found]

    async def board(self, unit):
        async with self.world.begun() as db:
            rows = await unit_rows(db, unit, self.world.now)
        return [row for row in rows if row.row == "hand_over"]

    async def state(self, hand_over_id):
        rows = await self.world.rows("select state from hand_over where id = $1", hand_over_id)
        return rows[0]["state"]

    async def after(self, minutes):
        self.world.services.clock.forward(minutes=minutes)
        await self.world.run_due()


@pytest.fixture
async def ward(world, made):
    return await Ward(world, made).begin()


async def taken(ward, kind):
    """Something that Maria has taken."""
    if kind == "follow_up":
        about_id = await ward.world.call_back(ward.ingrid)
        await ward.made.people.take_follow_up(ward.maria, about_id)
    elif kind == "dispatch":
        about_id = await ward.dispatch()
        await ward.made.dispatches.accept(ward.maria, about_id)
    else:
        about_id = await ward.world.visit(ward.maria, ward.ingrid)
        at = ward.world.now + timedelta(minutes=30)
        await ward.made.visits.take_step(ward.maria, about_id, "ring_again", at=at, note="")
    return about_id


@pytest.mark.parametrize("kind", ["follow_up", "dispatch", "visit"])
async def test_whoever_says_yes_has_it_with_its_assignment_and_the_giver_has_neither(ward, kind):
    about_id = await taken(ward, kind)
    await ward.made.calls.ring(ward.maria, ward.ingrid.id)
    call = await ward.world.rows("select id from call where tenant_id = $1", ward.world.tenant)
    one = await ward.ask(kind, about_id, colleague=ward.anna)

    await ward.shifts.accept(ward.anna, one)

    ended = await ward.world.rows("select end_reason from call where id = $1", call[0]["id"])
    assert ended[0]["end_reason"] == "assignment_ended"
    assert await ward.held(ward.maria) == []
    assert await ward.held(ward.anna) == [(kind, about_id)]
    with pytest.raises(NotAssigned):
        await ward.made.calls.ring(ward.maria, ward.ingrid.id)
    assert await ward.made.calls.ring(ward.anna, ward.ingrid.id)
    record = next(
        r for r in await ward.world.records() if r["event"] == "hand_over.accepted"
    )  # fmt: skip
    assert record["actor"]["id"] == str(ward.anna.staff.id)
    assert record["what"]["from_staff_id"] == str(ward.maria.staff.id)
    assert (record["what"]["kind"], record["what"]["about_id"]) == (kind, str(about_id))


async def test_it_stands_on_the_boards_of_both_at_once_and_leaves_them_when_taken(ward):
    about_id = await taken(ward, "dispatch")

    one = await ward.ask("dispatch", about_id, unit=ward.world.night_unit)

    for unit in (ward.world.unit, ward.world.night_unit):
        [row] = await ward.board(unit)
        assert (row.id, row.from_name, row.to_name, row.to_id) == (one, "Maria Ek", "Natten", None)
    await ward.shifts.accept(ward.nils, one)
    assert await ward.board(ward.world.unit) == await ward.board(ward.world.night_unit) == []


async def test_of_two_who_say_yes_at_once_one_has_it(ward):
    about_id = await taken(ward, "follow_up")
    berit = await ward.world.staff("Berit", on_shift=True)
    one = await ward.ask("follow_up", about_id, unit=ward.world.unit)

    answers = await asyncio.gather(
        *(ward.shifts.accept(who, one) for who in (ward.anna, berit)), return_exceptions=True
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["NoLongerHeld", "NoneType"]
    assert (await ward.world.events()).count("hand_over.accepted") == 1


async def test_yes_and_done_at_once_leave_it_in_one_pair_of_hands(ward):
    about_id = await taken(ward, "follow_up")
    one = await ward.ask("follow_up", about_id, unit=ward.world.unit)

    await asyncio.gather(
        ward.shifts.accept(ward.anna, one),
        ward.made.people.close_follow_up(ward.maria, about_id, "Ringt"),
        return_exceptions=True,
    )

    assert await ward.held(ward.maria) == []
    assert await ward.held(ward.anna) == []


async def test_only_the_colleague_who_is_asked_by_name_answers(ward):
    about_id = await taken(ward, "follow_up")
    berit = await ward.world.staff("Berit", on_shift=True)
    one = await ward.ask("follow_up", about_id, colleague=ward.anna)

    with pytest.raises(NotPermitted):
        await ward.shifts.accept(berit, one)
    await ward.shifts.decline(ward.anna, one)

    [row] = await ward.board(ward.world.unit)
    assert (row.state, row.to_name) == ("declined", "Anna Ek")
    assert await ward.held(ward.maria) == [("follow_up", about_id)]
    with pytest.raises(NoLongerHeld):
        await ward.shifts.accept(ward.anna, one)


async def test_a_unit_is_answered_only_by_those_on_shift_in_it(ward):
    about_id = await taken(ward, "follow_up")
    resting = await ward.world.staff("Berit")
    one = await ward.ask("follow_up", about_id, unit=ward.world.unit)

    for who in (resting, ward.nils):
        with pytest.raises(NotOnShift):
            await ward.shifts.accept(who, one)
    with pytest.raises(NotFound):
        await ward.shifts.decline(ward.anna, one)


async def test_after_ten_minutes_the_giver_sees_that_nobody_answered_and_may_ask_anew(ward):
    about_id = await taken(ward, "follow_up")
    one = await ward.ask("follow_up", about_id, colleague=ward.anna)

    await ward.after(10)

    [row] = await ward.board(ward.world.unit)
    assert row.state == "unanswered"
    assert "hand_over.unanswered" in await ward.world.events()
    second = await ward.ask("follow_up", about_id, unit=ward.world.night_unit)
    [row] = await ward.board(ward.world.unit)
    assert (row.id, row.state) == (second, "asked")
    assert await ward.state(one) == "withdrawn"


async def test_what_she_finished_herself_is_no_longer_asked_for(ward):
    about_id = await taken(ward, "follow_up")
    one = await ward.ask("follow_up", about_id, colleague=ward.anna)
    await ward.made.people.close_follow_up(ward.maria, about_id, "Ringt")

    with pytest.raises(NoLongerHeld):
        await ward.shifts.accept(ward.anna, one)
    await ward.after(10)

    assert await ward.board(ward.world.unit) == []


async def test_declined_and_then_finished_it_is_out_of_sight_within_a_minute(ward):
    about_id = await taken(ward, "follow_up")
    one = await ward.ask("follow_up", about_id, colleague=ward.anna)
    await ward.shifts.decline(ward.anna, one)
    await ward.after(5)
    assert [row.state for row in await ward.board(ward.world.unit)] == ["declined"]

    await ward.made.people.close_follow_up(ward.maria, about_id, "Ringt")
    await ward.after(1)

    assert await ward.board(ward.world.unit) == []
    assert await ward.state(one) == "withdrawn"


async def test_nobody_is_told_before_ten_minutes_are_over(ward):
    about_id = await taken(ward, "follow_up")
    await ward.ask("follow_up", about_id, colleague=ward.anna)

    await ward.after(9)

    assert [row.state for row in await ward.board(ward.world.unit)] == ["asked"]


async def test_she_may_keep_it_after_all(ward):
    about_id = await taken(ward, "dispatch")
    one = await ward.ask("dispatch", about_id, colleague=ward.anna)

    await ward.shifts.withdraw(ward.maria, one)

    with pytest.raises(NoLongerHeld):
        await ward.shifts.accept(ward.anna, one)
    with pytest.raises(NotFound):
        await ward.shifts.withdraw(ward.anna, one)
    assert await ward.held(ward.maria) == [("dispatch", about_id)]


async def test_a_live_call_is_ended_never_handed_over(ward):
    about_id = await taken(ward, "follow_up")
    call = await ward.made.calls.ring(ward.maria, ward.ingrid.id)

    with pytest.raises(HandOverImpossible):
        await ward.ask("call", call, colleague=ward.anna)
    with pytest.raises(NotFound):
        await ward.ask("dispatch", about_id, colleague=ward.anna)
    with pytest.raises(NotFound):
        await ward.ask("nonsense", about_id, colleague=ward.anna)


async def test_only_somebody_on_shift_is_asked(ward):
    about_id = await taken(ward, "follow_up")
    resting = await ward.world.staff("Berit")

    for wrong in ({"colleague": resting}, {"colleague": ward.maria}, {}):
        with pytest.raises(FieldInvalid):
            await ward.ask("follow_up", about_id, **wrong)
    with pytest.raises(FieldInvalid):
        await ward.ask("follow_up", about_id, unit=new_row_id(ward.world.now))


async def test_of_two_who_take_a_task_the_first_has_it(ward):
    about_id = await ward.world.call_back(ward.ingrid)

    answers = await asyncio.gather(
        *(ward.made.people.take_follow_up(who, about_id) for who in (ward.maria, ward.anna)),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["FollowUpTaken", "NoneType"]
    assert (await ward.world.events()).count("follow_up.taken") == 1


async def test_a_task_is_taken_on_shift_and_assigns_until_it_is_closed(ward, clock):
    about_id = await ward.world.call_back(ward.ingrid)
    with pytest.raises(NotOnShift):
        await ward.made.people.take_follow_up(await ward.world.staff("Berit"), about_id)

    await ward.made.people.take_follow_up(ward.maria, about_id)
    await ward.made.people.take_follow_up(ward.maria, about_id)
    with pytest.raises(FollowUpTaken):
        await ward.made.people.take_follow_up(ward.anna, about_id)

    await ward.made.people.close_follow_up(ward.maria, about_id, "Ringt")
    call = await ward.made.calls.ring(ward.maria, ward.ingrid.id)
    await ward.made.calls.hang_up(ward.maria, call)
    clock.forward(minutes=61)
    with pytest.raises(NotAssigned):
        await ward.made.calls.ring(ward.maria, ward.ingrid.id)


@pytest.mark.parametrize("kind", ["follow_up", "dispatch", "visit"])
async def test_what_a_revoked_one_held_goes_back_to_its_unit(ward, kind):
    about_id = await taken(ward, kind)
    one = await ward.ask(kind, about_id, colleague=ward.anna)
    head = await ward.world.staff("Eva", role=Role.ENHETSCHEF)

    await ward.made.staffing.revoke(head, ward.maria.staff.id)

    table, column = {
        "follow_up": ("follow_up", "taken_by"),
        "dispatch": ("dispatch", "accepted_by"),
        "visit": ("visit", "staff_id"),
    }[kind]
    rows = await ward.world.rows(f"select * from {table} where id = $1", about_id)
    assert rows[0][column] is None
    assert rows[0].get("state", "asked") in ("asked", "stepped")
    assert await ward.state(one) == "withdrawn"
    assert "hand_over.returned" in await ward.world.events()
    shifts = await ward.world.rows(
        "select ended_at from shift where staff_id = $1", ward.maria.staff.id
    )
    assert shifts[0]["ended_at"] is not None


async def test_taken_while_she_is_revoked_it_is_never_left_alone(ward):
    head = await ward.world.staff("Eva", role=Role.ENHETSCHEF)
    for _ in range(10):
        berit = await ward.world.staff("Berit", on_shift=True)
        about_id = await ward.world.call_back(ward.ingrid)

        await asyncio.gather(
            ward.made.people.take_follow_up(berit, about_id),
            ward.made.staffing.revoke(head, berit.staff.id),
            return_exceptions=True,
        )

        rows = await ward.world.rows("select taken_by from follow_up where id = $1", about_id)
        assert rows[0]["taken_by"] is None
        await ward.made.people.close_follow_up(ward.maria, about_id, "Ringt")


async def test_a_shift_does_not_end_beside_something_she_takes(ward):
    for _ in range(10):
        berit = await ward.world.staff("Berit", on_shift=True)
        about_id = await ward.world.call_back(ward.ingrid)

        ended, took = await asyncio.gather(
            ward.shifts.end(berit),
            ward.made.people.take_follow_up(berit, about_id),
            return_exceptions=True,
        )

        assert isinstance(ended, ShiftHoldsOpen) or isinstance(took, NotOnShift)
        await ward.made.people.close_follow_up(ward.maria, about_id, "Ringt")


async def test_what_is_taken_over_as_the_shift_ends_ends_with_it(ward):
    for _ in range(10):
        berit = await ward.world.staff("Berit", on_shift=True)

        _, took = await asyncio.gather(
            ward.shifts.end(berit),
            ward.made.people.take_over(berit, ward.ingrid.id),
            return_exceptions=True,
        )

        left = await ward.world.rows(
            "select valid_until from assignment where staff_id = $1", berit.staff.id
        )
        assert isinstance(took, NotOnShift) or left[0]["valid_until"] == ward.world.now


async def test_a_shift_cannot_end_beside_what_rests_on_it(ward):
    action = Action.ASSIGNMENT_BEGUN
    end = "select id from shift where staff_id = $1 and ended_at is null for update nowait"
    async with ward.world.begun() as db:
        await on_shift_for(db, ward.maria, ward.world.unit, action, (), now=ward.world.now)

        with pytest.raises(LockTaken):
            async with ward.world.begun() as other:
                await other.execute(end, ward.maria.staff.id)


async def test_of_somebody_protected_no_row_has_a_name_and_each_record_is_marked(ward):
    about_id = await taken(ward, "follow_up")
    protect = "update resident set is_protected = true where id = $1"
    await ward.world.rows(protect, ward.ingrid.id)

    one = await ward.ask("follow_up", about_id, colleague=ward.anna)
    [thing] = (await ward.shifts.held_open(ward.maria)).things
    [row] = await ward.board(ward.world.unit)
    await ward.shifts.accept(ward.anna, one)

    assert (row.resident_name, thing.held.person.shown_name) == ("", "")
    records = [r for r in await ward.world.records() if r["event"].startswith("hand_over.")]
    assert [r["what"].get("review") for r in records] == ["protected_identity"] * 2
    assert ward.ingrid.name not in str([r["text"] for r in records])

"""Died, moved or declined: everything that reached her stops, and a colleague may undo it."""

from datetime import date, datetime, timedelta

import pytest

from telecare.access.errors import NotPermitted, SignInNeeded
from telecare.access.model import Role
from telecare.access.store import session_stands
from telecare.calls import store as call_store
from telecare.calls.model import CallEnded, Reason, State
from telecare.consent.gate import CohabitantConsentMissing
from telecare.devices.service import PairingCodeExpired, make_unit_code
from telecare.endings.service import EndingUndoLate, EndingUndoOwn
from telecare.people.service import ResidentGone
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.wire import edge
from telecare.wire.edge import EnrolRequest
from telecare.wire.ids import UnitId
from tests.services.test_absence import hospital, rows_of
from tests.world import TOKENS, YES

TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)
VISITS = "select state from visit where tenant_id = $1 order by starts_at"
TIMERS = "select kind from timer where tenant_id = $1"
OPEN = """
select 'follow_up' as what from follow_up where tenant_id = $1 and closed_at is null
union all select 'dispatch' from dispatch where tenant_id = $1 and state <> 'done'
union all select 'call' from call where tenant_id = $1 and state <> 'ended'
union all select 'lease' from call_lease where tenant_id = $1
union all select 'endpoint' from endpoint where tenant_id = $1 and ended_at is null
union all select 'unit' from edge_unit where tenant_id = $1 and revoked_at is null
union all select 'session' from session
    where tenant_id = $1 and kind = 'tv' and ended_at is null
union all select 'assignment' from assignment
    where tenant_id = $1 and (valid_until is null or valid_until > $2)
"""


@pytest.fixture
def timers(world):
    """This municipality's, however many others have due."""
    return world


class Home:
    """Ingrid says yes, Maria is assigned and on shift, a TV is paired; Per may end, Eva undo."""

    def __init__(self, world, made):
        self.world, self.made = world, made

    async def begin(self):
        world = self.world
        self.ingrid = await world.resident("Ingrid")
        self.maria = await world.staff(assigned=(self.ingrid,), on_shift=True)
        self.tv = await world.tv(self.ingrid)
        self.per = await world.staff("Per", role=Role.SAMORDNARE)
        self.eva = await world.staff("Eva", role=Role.ENHETSCHEF)
        return self

    def ends(self, reason="deceased", on_date=TODAY, by=None):
        return self.made.endings.end(by or self.per, self.ingrid.id, reason, on_date)

    async def left_open(self):
        found = await self.world.rows(OPEN, self.world.tenant, self.world.now)
        return sorted(row["what"] for row in found)


@pytest.fixture
async def home(world, made):
    return await Home(world, made).begin()


async def call_of(world, call_id):
    async with world.begun() as db:
        return await call_store.by_id(db, call_id)


async def test_nothing_that_reached_her_is_left(world, made, home, clock, timers):
    unit = await world.home_unit(home.ingrid)
    await made.consents.record(home.maria, home.ingrid.id, YES)
    missed = await world.visit(home.maria, home.ingrid)
    clock.forward(minutes=11)
    await timers.run_due()
    await made.visits.take_step(home.maria, missed, "home_visit", at=None, note="")
    await world.visit(home.maria, home.ingrid, minutes=60)
    await made.calls.call_in(home.tv)
    await made.absences.report(
        home.maria, home.ingrid.id, hospital(from_at=world.now + timedelta(hours=1))
    )
    sent = []
    made.database.dispatch = sent.append

    await home.ends()

    assert await home.left_open() == []
    assert await world.rows(TIMERS, world.tenant) == []
    assert not await world.is_enrolled(unit)
    assert next(m for m in sent if m.topic.endswith("/down/config")).payload == (
        edge.Wipe().model_dump_json().encode()
    )
    states = [row["state"] for row in await world.rows(VISITS, world.tenant)]
    assert states == ["cancelled", "cancelled"]


async def test_the_log_is_kept_and_the_record_lists_the_consents_it_ended(world, home):
    consents = await world.rows("select id from consent where tenant_id = $1", world.tenant)
    before = await world.records()

    await home.ends()

    after = await world.records()
    assert after[: len(before)] == before
    [ended] = [r for r in after if r["event"] == "resident.ended"]
    assert (ended["event"], ended["actor"]["id"]) == (
        "resident.ended", str(home.per.staff.id),
    )  # fmt: skip
    assert ended["what"]["consent_ids"] == [str(consents[0]["id"])]
    assert len(await world.rows("select id from consent where tenant_id = $1", world.tenant)) == 1


@pytest.mark.parametrize("who", ["staff", "she", "talking"])
async def test_every_call_ends_with_it_one_she_began_too(world, made, home, who):
    if who == "she":
        call_id = await made.calls.call_in(home.tv)
    else:
        call_id = await made.calls.ring(home.maria, home.ingrid.id)
    if who == "talking":
        await made.calls.answer(home.tv, call_id)

    await home.ends()

    call = await call_of(world, call_id)
    assert (call.state, call.end_reason) == (State.ENDED, Reason.RESIDENT_ENDED)


async def test_nobody_rings_her_and_nothing_rings_in(world, made, home):
    await home.ends()
    await world.assign(home.maria.staff.id, home.ingrid)

    with pytest.raises(ResidentGone):
        await made.calls.ring(home.maria, home.ingrid.id)
    with pytest.raises(ResidentGone):
        await made.calls.call_in(home.tv)
    with pytest.raises(ResidentGone):
        await made.people.take_over(home.maria, home.ingrid.id)
    with pytest.raises(ResidentGone):
        await made.absences.report(home.maria, home.ingrid.id, hospital())
    with pytest.raises(ResidentGone):
        await home.ends()
    with pytest.raises(ResidentGone):
        await made.devices.unit_code(home.per, home.ingrid.id, "Teven")


async def test_a_call_in_that_was_ended_cannot_be_taken(world, made, home):
    call_id = await made.calls.call_in(home.tv)

    await home.ends()

    with pytest.raises(CallEnded):
        await made.calls.take(home.maria, call_id)


async def test_the_screen_loses_its_session(made, home):
    token = TOKENS[home.tv.id]
    assert await made.access.session(token)

    await home.ends()

    with pytest.raises(SignInNeeded):
        await made.access.session(token)


async def test_a_code_that_waits_for_a_unit_is_good_for_nothing(world, made, home):
    async with world.begun() as db:
        code = await make_unit_code(db, home.ingrid, "Teven", world.now)

    await home.ends()

    with pytest.raises(PairingCodeExpired):
        await made.devices.enrol(EnrolRequest(code=code, public_key="A" * 43))


async def test_lists_show_her_no_more(world, made, home):
    await world.visit(home.maria, home.ingrid, minutes=60)
    await made.absences.report(home.maria, home.ingrid.id, hospital())

    await home.ends()

    assert list(await made.people.search(home.maria, "Ingrid", after=None, limit=10)) == []
    assert await rows_of(world, "absence") == []
    assert [row.state for row in await rows_of(world, "visit")] == ["cancelled"]


# --- a day ahead -----------------------------------------------------------------------------


async def test_a_move_on_a_day_ahead_is_carried_out_at_its_first_minute(
    world, made, home, clock, timers
):
    await home.ends("moved", TOMORROW)
    await made.calls.hang_up(home.maria, await made.calls.ring(home.maria, home.ingrid.id))

    clock.at = datetime(2026, 11, 23, 22, 59, 59, tzinfo=clock.at.tzinfo)
    call_id = await made.calls.ring(home.maria, home.ingrid.id)
    await made.calls.answer(home.tv, call_id)
    assert (await call_of(world, call_id)).must_end == clock.at + timedelta(seconds=1)
    clock.forward(seconds=1)
    with pytest.raises(ResidentGone):
        await made.calls.call_in(home.tv)
    await timers.run_due()

    assert await home.left_open() == []
    assert "resident.ended" in await world.events()


async def test_a_plan_may_be_taken_back_by_whoever_made_it(world, made, home, clock, timers):
    planned = await home.ends("moved", TOMORROW)

    await made.endings.undo(home.per, planned)
    clock.forward(days=2)
    await timers.run_due()

    assert await made.calls.ring(home.maria, home.ingrid.id)
    assert await world.rows("select 1 from follow_up where tenant_id = $1", world.tenant) == []


async def test_what_happens_before_the_day_takes_the_place_of_the_plan(
    world, made, home, clock, timers
):
    await home.ends("moved", TOMORROW)

    await home.ends("deceased")
    clock.forward(days=1)
    await timers.run_due()

    assert (await world.events()).count("resident.ended") == 1


@pytest.mark.parametrize(
    ("reason", "on_date"), [("deceased", TOMORROW), ("moved", date(2062, 11, 23))]
)
async def test_a_day_that_cannot_be_is_refused(home, reason, on_date):
    with pytest.raises(FieldInvalid) as refused:
        await home.ends(reason, on_date)

    assert refused.value.fields == ("on_date",)


async def test_only_who_plans_for_her_unit_ends(world, home):
    elsewhere = await world.staff("Nils", role=Role.SAMORDNARE, unit=world.night_unit)

    for other in (home.maria, elsewhere):
        with pytest.raises(NotPermitted):
            await home.ends(by=other)


# --- undone ----------------------------------------------------------------------------------


async def test_undone_she_has_what_lies_ahead_and_a_task_to_see_to_the_home(
    world, made, home, clock, timers
):
    unit = await world.home_unit(home.ingrid)
    await made.consents.record(home.maria, home.ingrid.id, YES)
    await world.visit(home.maria, home.ingrid, minutes=30)
    ahead = await world.visit(home.maria, home.ingrid, minutes=240)
    ending = await home.ends()

    clock.forward(hours=1)
    await made.endings.undo(home.eva, ending)

    assert [r["state"] for r in await world.rows(VISITS, world.tenant)] == ["cancelled", "planned"]
    assert await made.access.session(TOKENS[home.tv.id])
    assert await world.is_enrolled(unit)
    assert await made.visits.ring(home.maria, ahead)
    tasks = await world.rows("select kind from follow_up where tenant_id = $1", world.tenant)
    assert tasks == [{"kind": "check_devices"}]
    kinds = {row["kind"] for row in await world.rows(TIMERS, world.tenant)}
    assert kinds >= {"visit.missed", "consent.ask_again"}
    assert len(await world.rows("select id from consent where tenant_id = $1", world.tenant)) == 2
    found = await made.people.search(home.maria, "Ingrid", after=None, limit=10)
    assert [one.id for one in found] == [home.ingrid.id]


async def test_a_unit_that_wiped_itself_stays_closed(world, made, home):
    unit = await world.home_unit(home.ingrid)
    ending = await home.ends()
    revoked = (await made.devices.revoked([unit.id]))[unit.id]
    await made.devices.wiped(revoked)
    await made.devices.wiped(revoked)

    await made.endings.undo(home.eva, ending)

    assert not await world.is_enrolled(unit)
    assert (await world.events()).count("unit.wiped") == 1


async def test_what_was_closed_before_the_ending_stays_closed(world, made, home):
    old = await world.tv(home.ingrid)
    await made.devices.close(home.per, home.ingrid.id, old.actor.endpoint_id)
    ending = await home.ends()

    await made.endings.undo(home.eva, ending)

    async with world.begun() as db:
        assert not await session_stands(db, old.id)
        assert await session_stands(db, home.tv.id)


async def test_whoever_did_it_cannot_undo_it(made, home):
    ending = await home.ends()

    with pytest.raises(EndingUndoOwn):
        await made.endings.undo(home.per, ending)


async def test_after_thirty_days_it_stands(made, home, clock):
    ending = await home.ends()

    clock.forward(days=30, seconds=1)

    with pytest.raises(EndingUndoLate):
        await made.endings.undo(home.eva, ending)


async def test_undone_twice_is_undone_once(made, home):
    ending = await home.ends()
    await made.endings.undo(home.eva, ending)

    with pytest.raises(NotFound):
        await made.endings.undo(home.eva, ending)


async def test_who_may_undo_sees_what_can_be(world, made, home, clock):
    ending = await home.ends()
    elsewhere = await world.staff("Nils", role=Role.SAMORDNARE, unit=world.night_unit)

    listed = await made.endings.undoable(home.eva)

    assert [(one.ending.id, one.done_by_name) for one in listed] == [(ending, "Per Ek")]
    assert list(await made.endings.undoable(elsewhere)) == []
    with pytest.raises(NotPermitted):
        await made.endings.undoable(home.maria)
    clock.forward(days=31)
    assert list(await made.endings.undoable(home.eva)) == []


async def test_an_absence_that_lasts_goes_on_when_the_ending_is_undone(
    world, made, home, clock, timers
):
    until = world.now + timedelta(hours=5)
    await made.absences.report(home.maria, home.ingrid.id, hospital(until_at=until))
    ending = await home.ends()
    clock.forward(hours=1)
    await made.endings.undo(home.eva, ending)
    assert [row.kind for row in await rows_of(world, "absence")] == ["hospital"]

    clock.forward(hours=5)
    await timers.run_due()

    assert "absence.ended" in await world.events()


async def test_an_ending_of_another_municipality_is_not_there(world, other_world, made, home):
    theirs = await other_world.resident("Aino")
    planner = await other_world.staff("Pia", role=Role.SAMORDNARE)
    ending = await made.endings.end(planner, theirs.id, "deceased", TODAY)

    with pytest.raises(NotFound):
        await made.endings.undo(home.eva, ending)
    with pytest.raises(NotFound):
        await made.endings.end(home.per, theirs.id, "deceased", TODAY)


# --- those who live with her -----------------------------------------------------------------


@pytest.fixture
async def couple(world, made, home):
    """Ingrid and Lennart are residents both, and each is the other's cohabitant."""
    lennart = await world.resident("Lennart", cohabitant="Ingrid")
    await world.rows(
        "update cohabitant set is_resident_id = $2 where tenant_id = $1",
        world.tenant,
        home.ingrid.id,
    )
    await world.assign(home.maria.staff.id, lennart)
    await world.tv(lennart)
    return lennart


async def test_who_lives_with_her_keeps_what_is_his(world, made, home, couple):
    with pytest.raises(CohabitantConsentMissing):
        await made.calls.ring(home.maria, couple.id)
    visit = await world.visit(home.maria, couple, minutes=60)

    ending = await home.ends()

    assert await made.visits.ring(home.maria, visit)
    moved = [r for r in await world.records() if r["event"] == "cohabitant.moved_out"]
    assert [str(couple.id) in str(r["subject"]) for r in moved] == [True]
    await made.endings.undo(home.eva, ending)
    with pytest.raises(CohabitantConsentMissing):
        await made.calls.ring(await world.staff("Anna", assigned=(couple,)), couple.id)


# --- one device ------------------------------------------------------------------------------


async def test_one_device_is_closed_from_her_page_and_what_runs_on_it_ends(world, made, home):
    other = await world.tv(home.ingrid)
    call_id = await made.calls.ring(home.maria, home.ingrid.id)
    await made.calls.answer(home.tv, call_id)

    await made.devices.close(home.per, home.ingrid.id, home.tv.actor.endpoint_id)

    assert (await call_of(world, call_id)).end_reason is Reason.DEVICE_CLOSED
    assert await made.access.session(TOKENS[other.id])
    with pytest.raises(SignInNeeded):
        await made.access.session(TOKENS[home.tv.id])
    with pytest.raises(NotFound):
        await made.devices.close(home.per, home.ingrid.id, home.tv.actor.endpoint_id)
    olof = await world.resident("Olof")
    with pytest.raises(NotFound):
        await made.devices.close(home.per, olof.id, other.actor.endpoint_id)
    assert (await world.events()).count("device.closed") == 1


async def test_a_call_on_another_screen_goes_on(world, made, home):
    other = await world.tv(home.ingrid)
    call_id = await made.calls.ring(home.maria, home.ingrid.id)
    await made.calls.answer(home.tv, call_id)

    await made.devices.close(home.per, home.ingrid.id, other.actor.endpoint_id)

    assert (await call_of(world, call_id)).state is State.OPEN


async def test_closing_a_device_takes_the_right_to_plan(home, made):
    with pytest.raises(NotPermitted):
        await made.devices.close(home.maria, home.ingrid.id, home.tv.actor.endpoint_id)


async def test_a_unit_nobody_knows_was_never_revoked(made):
    assert await made.devices.revoked([UnitId("u-" + "a" * 26)]) == {}

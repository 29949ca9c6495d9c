"""Each refusal leaves exactly one record and nothing else (P9b), whatever its code."""

from dataclasses import replace
from datetime import time
from uuid import uuid4

import pytest

from telecare.absences.service import Report
from telecare.access.errors import LastHead, NotAssigned, NotOnShift, NotPermitted, StaffGone
from telecare.access.model import Role
from telecare.alarms.service import NotYourAlarm
from telecare.audit.model import SystemActor
from telecare.calls.call_in import LanguageFirst
from telecare.calls.opening import Busy, NoEndpoint
from telecare.calls.service import NotByItself, NotYourCall
from telecare.consent import gate
from telecare.consent.model import Purpose
from telecare.consent.service import RelativeCannotConsent, YesNotFromTv
from telecare.dispatches import service as dispatches
from telecare.dispatches.service import NotYourDispatch
from telecare.endings.service import EndingUndoLate, EndingUndoOwn
from telecare.integrity.preservation import HoldNeedsAnother
from telecare.integrity.preservation_store import Scope
from telecare.integrity.reviews import OwnAct
from telecare.integrity.rules import StaffRule
from telecare.integrity.staff_data import StaffDataNeedsAnother
from telecare.integrity.staff_data_store import NewDecision
from telecare.people.break_glass import AlreadyAssigned, TakeOverInstead
from telecare.people.own_relation import OwnRelation, ReasonNeeded
from telecare.people.service import ResidentGone
from telecare.runtime.db import run_script
from telecare.runtime.errors import Refusal
from tests.world import YES

TABLES = """
select c.relname as name from pg_class c
where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and exists (
    select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id'
)
"""


async def everything(world):
    """Every row that this municipality has, by table; the log is another schema."""
    names = [table["name"] for table in await world.rows(TABLES)]
    each = [f"select '{name}', t::text from {name} t where tenant_id = $1" for name in names]
    return await world.rows(f"{' union all '.join(each)} order by 1, 2", world.tenant)


async def as_administrator(world, sql):
    """What somebody could type into psql, in this municipality alone."""
    tenant = f"select set_config('app.tenant', '{world.tenant}', true)"
    await run_script(world.superuser_url, f"{tenant}; {sql} where tenant_id = {world.tenant}")


class Home:
    """Ingrid says yes, Maria is assigned and on shift, a TV is paired."""

    def __init__(self, world, made):
        self.world, self.made, self.calls = world, made, made.calls

    async def begin(self, **resident):
        self.ingrid = await self.world.resident("Ingrid", **resident)
        self.maria = await self.world.staff(assigned=(self.ingrid,), on_shift=True)
        self.tv = await self.world.tv(self.ingrid)
        return self

    def ring(self):
        return self.calls.ring(self.maria, self.ingrid.id)

    def says(self, **changes):
        return self.made.consents.record(self.maria, self.ingrid.id, replace(YES, **changes))


async def not_permitted(home):
    await home.begin()
    return home.made.staffing.revoke(home.maria, home.maria.staff.id)


async def last_head(home):
    await home.begin()
    head = await home.world.staff("Eva", role=Role.ENHETSCHEF)
    return home.made.staffing.revoke(head, head.staff.id)


async def staff_gone(home):
    await home.begin()
    head = await home.world.staff("Eva", role=Role.ENHETSCHEF)
    await home.made.staffing.revoke(head, home.maria.staff.id)
    return home.ring()


async def not_assigned(home):
    await home.begin()
    stranger = await home.world.staff("Anna")
    return home.calls.ring(stranger, home.ingrid.id)


async def not_on_shift(home):
    await home.begin()
    resting = await home.world.staff("Anna")
    return home.made.shifts.end(resting)


async def consent_missing(home):
    await home.begin(says_yes=False)
    return home.ring()


async def consent_withdrawn(home):
    await home.begin()
    await home.made.consents.withdraw_at_home(home.tv, Purpose.VIDEO_VISIT)
    return home.ring()


async def consent_expired(home):
    await home.begin(says_yes=False)
    await home.says(valid_until=home.world.now.date())
    home.world.services.clock.forward(days=2)
    return home.ring()


async def consent_outside_hours(home):
    await home.begin(says_yes=False)
    await home.world.yes(home.ingrid, hours=(time(14), time(16)))
    return home.ring()


async def cohabitant_consent_missing(home):
    await home.begin(cohabitant="Lennart")
    return home.ring()


async def caller_not_allowed(home):
    await home.begin(says_yes=False)
    other = await home.world.staff("Anna")
    await home.says(callers=(other.staff.id,))
    return home.ring()


async def objection_pauses(home):
    await home.begin()
    await as_administrator(home.world, "update purpose_policy set objection_pauses = true")
    await home.made.consents.object_to(
        home.maria, home.ingrid.id, Purpose.VIDEO_VISIT,
        by_kind="relative", by_name="Sonen", body="Hon orkar inte",
    )  # fmt: skip
    return home.ring()


async def policy_missing(home):
    await home.begin()
    await as_administrator(home.world, "update purpose_policy set valid_from = '2030-01-01'")
    return home.ring()


async def resident_absent(home):
    await home.begin()
    await home.made.absences.report(
        home.maria, home.ingrid.id, Report("hospital", None, None, "Dottern")
    )
    return home.ring()


async def ended(home):
    """By Per, who may."""
    await home.begin()
    per = await home.world.staff("Per", role=Role.SAMORDNARE)
    today = home.world.now.date()
    return per, await home.made.endings.end(per, home.ingrid.id, "moved", today)


async def resident_gone(home):
    await ended(home)
    await home.world.assign(home.maria.staff.id, home.ingrid)
    return home.ring()


async def ending_undo_own(home):
    per, ending = await ended(home)
    return home.made.endings.undo(per, ending)


async def ending_undo_late(home):
    _, ending = await ended(home)
    head = await home.world.staff("Eva", role=Role.ENHETSCHEF)
    home.world.services.clock.forward(days=31)
    return home.made.endings.undo(head, ending)


async def relative_cannot_consent(home):
    await home.begin(says_yes=False)
    return home.says(stands_in="relative")


async def yes_not_from_tv(home):
    await home.begin()
    hours = (time(8), time(20))
    return home.says(purpose=Purpose.AUTO_ANSWER, given="tv", hours=hours, answer_after_s=20)


async def busy(home):
    await home.begin()
    await home.ring()
    other = await home.world.staff("Anna", assigned=(home.ingrid,))
    return home.calls.ring(other, home.ingrid.id)


async def no_endpoint(home):
    await home.begin()
    await home.world.rows(
        "update endpoint set ended_at = now() where tenant_id = $1", home.world.tenant
    )
    return home.ring()


async def language_first(home):
    await home.begin(language="fi")
    await home.world.staff("Kirsi", on_shift=True, languages=("fi",))
    return home.calls.take(home.maria, await home.calls.call_in(home.tv))


async def not_your_call(home):
    await home.begin()
    other = await home.world.staff("Anna")
    return home.calls.hang_up(other, await home.ring())


async def not_by_itself(home):
    await home.begin()
    return home.calls.answer(home.tv, await home.ring(), by_itself=True)


async def reason_needed(home):
    await home.begin()
    await home.made.relations.state(home.maria, home.ingrid.id, "neighbour", "")
    return home.ring()


async def own_relation(home):
    await home.begin()
    anna = await home.world.staff("Anna")
    await home.made.relations.state(anna, home.ingrid.id, "relative", "")
    visit = await home.world.visit(home.maria, home.ingrid)
    return home.made.visits.hand_over(home.maria, visit, anna.staff.id)


WHY = "Hon svarar inte på larmet."


async def already_assigned(home):
    await home.begin()
    return home.made.break_glass.open(home.maria, home.ingrid.id, "other", WHY)


async def take_over_instead(home):
    await home.begin()
    anna = await home.world.staff("Anna", on_shift=True)
    return home.made.break_glass.open(anna, home.ingrid.id, "other", WHY)


async def _opened(home):
    await home.begin()
    per = await home.world.staff("Per", unit=home.world.night_unit)
    await home.made.break_glass.open(per, home.ingrid.id, "other", WHY)
    return per


async def emergency_excluded(home):
    per = await _opened(home)
    return home.calls.ring(per, home.ingrid.id)


async def own_act(home):
    per = await _opened(home)
    item = (await home.world.rows("select id from review_item where staff_id = $1", per.staff.id))[
        0
    ]
    return home.made.reviews.judge(per, item["id"], "justified", "")


async def hold_needs_another(home):
    lena = await home.world.staff("Lena", role=Role.GRANSKARE)
    holds, scope = home.made.preservation, Scope(event="call.opened")
    hold = await holds.propose(lena, scope, reason="Tvist", decision="2026/1")
    return holds.approve(lena, hold)


async def not_your_dispatch(home):
    """Somebody else is on her way there, with the key note."""
    ingrid = await home.world.resident("Ingrid")
    eva = await home.world.staff("Eva", on_shift=True)
    async with home.world.begun() as db:
        await dispatches.ask(
            db, ingrid, unit_id=home.world.unit, about_id=uuid4(), by=None,
            actor=SystemActor("test"), now=home.world.now,
        )  # fmt: skip
    (row,) = await home.world.rows(
        "select id from dispatch where tenant_id = $1", home.world.tenant
    )
    await home.made.dispatches.accept(eva, row["id"])
    maria = await home.world.staff("Maria", on_shift=True)
    return home.made.dispatches.mission(maria, row["id"])


async def not_your_alarm(home):
    """Eva has it; Maria writes on it."""
    await home.begin()
    await home.made.alarms.press_on_tv(home.tv, uuid4())
    (row,) = await home.world.rows("select id from alarm where tenant_id = $1", home.world.tenant)
    eva = await home.world.staff("Eva", role=Role.LARMMOTTAGARE, on_shift=True)
    await home.made.alarms.take(eva, row["id"])
    return home.made.alarms.note(home.maria, row["id"], "Ringer nu")


async def staff_data_needs_another(home):
    lena = await home.world.staff("Lena", role=Role.GRANSKARE)
    what = NewDecision((StaffRule.SAME_ADDRESS,), "2026/1", home.world.now.date(), "lag", "MBL")
    decision = await home.made.staff_data.propose(lena, what)
    return home.made.staff_data.approve(lena, decision)


REFUSALS = {
    NotPermitted: not_permitted,
    LastHead: last_head,
    StaffGone: staff_gone,
    NotAssigned: not_assigned,
    NotOnShift: not_on_shift,
    gate.ConsentMissing: consent_missing,
    gate.ConsentWithdrawnBefore: consent_withdrawn,
    gate.ConsentExpired: consent_expired,
    gate.ConsentOutsideHours: consent_outside_hours,
    gate.CohabitantConsentMissing: cohabitant_consent_missing,
    gate.CallerNotAllowed: caller_not_allowed,
    gate.ObjectionPauses: objection_pauses,
    gate.PolicyMissing: policy_missing,
    gate.ResidentAbsent: resident_absent,
    ResidentGone: resident_gone,
    EndingUndoOwn: ending_undo_own,
    EndingUndoLate: ending_undo_late,
    RelativeCannotConsent: relative_cannot_consent,
    YesNotFromTv: yes_not_from_tv,
    Busy: busy,
    NoEndpoint: no_endpoint,
    LanguageFirst: language_first,
    NotYourAlarm: not_your_alarm,
    NotYourCall: not_your_call,
    NotYourDispatch: not_your_dispatch,
    NotByItself: not_by_itself,
    ReasonNeeded: reason_needed,
    OwnRelation: own_relation,
    AlreadyAssigned: already_assigned,
    TakeOverInstead: take_over_instead,
    gate.EmergencyExcluded: emergency_excluded,
    OwnAct: own_act,
    HoldNeedsAnother: hold_needs_another,
    StaffDataNeedsAnother: staff_data_needs_another,
}


def kinds(of):
    return {of, *(kind for each in of.__subclasses__() for kind in kinds(each))}


def test_every_refusal_there_is_has_its_story_here():
    assert set(REFUSALS) == kinds(Refusal) - {Refusal}


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
async def test_a_refusal_leaves_one_record_and_nothing_else(world, made, kind):
    tried = await REFUSALS[kind](Home(world, made))
    before = await everything(world)
    records = len(await world.events())

    with pytest.raises(kind):
        await tried

    assert await everything(world) == before
    added = (await world.records())[records:]
    assert [record["event"] for record in added] == ["action.refused"]
    assert added[0]["what"]["code"] == str(kind.code)

"""Nights that are agreed upon: made, carried out, and never without an end."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from telecare.absences.service import Report
from telecare.access.errors import NotOnShift, NotPermitted
from telecare.access.model import Role, StaffSession
from telecare.consent.model import Purpose
from telecare.consent.service import Statement
from telecare.nightchecks.agreement import AgreementIncomplete, Modality, Slot, Substitute
from telecare.nightchecks.agreements import CameraNotReady, Terms
from telecare.nightchecks.model import CheckClosed
from telecare.people.model import Resident
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.wire.ids import CheckId
from tests.world import YES

EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
TWO = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
CHECKS = """
select id, state, why, ended_as, called_off_for, without_camera, starts_at, round_id, unit_id
from night_check where tenant_id = $1 and resident_id = $2
order by starts_at, id
"""
DISPATCHES = "select id, state, about_id from dispatch where tenant_id = $1 order by asked_at"
DEVIATIONS = "select kind, about_id, resident_id from deviation where tenant_id = $1 order by kind"
TASKS = "select kind, unit_id from follow_up where tenant_id = $1 and closed_at is null"
PAPERS = {
    "alternatives": "Larmmatta provad i tre veckor",
    "informed_on": date(2026, 11, 1),
    "informed_by": "in_person",
}
AT_TWO = (Slot(time(2), Modality.CAMERA),)
HOME_AT = Statement(
    purpose=Purpose.CAMERA_CHECK,
    decision="deny",
    party=None,
    information_version=1,
    information_language="sv",
    present="Eva Sjö",
    will_shown="spoken",
    ability="clear",
    given="in_person",
)


@dataclass
class Night:
    """Per plans and leads, Maria works the night, Ingrid has a camera in her bedroom."""

    world: object
    per: StaffSession
    maria: StaffSession

    @property
    def agreements(self):
        return self.world.services.agreements

    @property
    def nights(self):
        return self.world.services.nights

    async def home(self, name: str = "Ingrid", *, says_yes: bool = True) -> Resident:
        resident = await self.world.resident(name)
        if says_yes:
            await self.world.yes(resident, Purpose.CAMERA_CHECK, hours=(time(22), time(7)))
        return resident

    async def camera(self, resident: Resident):
        unit = await self.world.home_unit(resident)
        return await self.agreements.add_camera(
            self.per, resident.id, unit.endpoint_id, name="bedroom", place="Sovrum"
        )

    async def agreed(self, resident: Resident, **terms: object) -> None:
        """With a camera that may be used, unless its slots ask for none."""
        camera_id = terms.pop("camera_id", None) or await self.camera(resident)
        told = {"slots": AT_TWO, "camera_id": camera_id, **PAPERS, **terms}
        await self.agreements.agree(self.per, resident.id, Terms(**told))
        if resident.id in await self._with_yes():
            await self.agreements.activate(self.per, camera_id)

    async def _with_yes(self):
        rows = await self.world.rows(
            "select resident_id from consent where tenant_id = $1 and purpose = 'camera_check'",
            self.world.tenant,
        )
        return {row["resident_id"] for row in rows}

    async def checks(self, resident: Resident) -> list[dict]:
        return await self.world.rows(CHECKS, self.world.tenant, resident.id)

    async def the_check(self, resident: Resident) -> dict:
        [check] = await self.checks(resident)
        return check

    async def at(self, moment: datetime) -> None:
        self.world.services.clock.at = moment
        await self.world.run_due()

    async def deviations(self) -> list[dict]:
        return await self.world.rows(DEVIATIONS, self.world.tenant)

    async def tasks(self) -> list[str]:
        return [row["kind"] for row in await self.world.rows(TASKS, self.world.tenant)]


@pytest.fixture
async def night(world, clock):
    clock.at = EVENING
    per = await world.staff("Per", role=Role.ENHETSCHEF)
    maria = await world.staff("Maria", role=Role.NATTILLSYN, on_shift=True)
    await world.services.agreements.set_assessment(per, "KS 2026/114", date(2026, 6, 1))
    return Night(world, per, maria)


# --- the agreement ---------------------------------------------------------------------------


async def test_what_is_agreed_stands_on_the_list_of_the_same_night_and_of_the_next(night):
    ingrid = await night.home()
    slots = (*AT_TWO, Slot(time(6), Modality.VISIT))
    await night.agreed(ingrid, slots=slots)

    assert [c["starts_at"] for c in await night.checks(ingrid)] == [TWO, TWO + timedelta(hours=4)]
    await night.at(datetime(2026, 11, 24, 11, 0, tzinfo=UTC))
    found = await night.checks(ingrid)
    assert [c["starts_at"] for c in found[2:]] == [
        TWO + timedelta(days=1), TWO + timedelta(days=1, hours=4),
    ]  # fmt: skip
    assert (await night.world.events()).count("round.planned") == 2


async def test_homes_that_are_seen_after_each_other_are_one_round(night):
    ingrid, nils, elsa = [await night.home(n) for n in ("Ingrid", "Nils", "Elsa")]
    await night.agreed(ingrid)
    await night.agreed(nils, slots=(Slot(time(2, 40), Modality.CAMERA),))
    await night.agreed(elsa, slots=(Slot(time(4), Modality.CAMERA),))

    rounds = [(await night.the_check(one))["round_id"] for one in (ingrid, nils, elsa)]
    assert rounds[0] == rounds[1] != rounds[2]


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"alternatives": " "}, "alternatives"),
        ({"informed_on": None}, "informed_on"),
        ({"informed_by": None}, "informed_on"),
        ({"slots": ()}, "slots"),
        ({"substitute": Substitute.NOTHING}, "declined_herself"),
    ],
)
async def test_an_agreement_that_lacks_a_record_is_refused_and_nothing_is_kept(
    night, missing, field
):
    ingrid = await night.home()
    with pytest.raises(AgreementIncomplete) as refused:
        await night.agreed(ingrid, **missing)
    assert refused.value.fields == (field,)
    assert await night.checks(ingrid) == []


async def test_without_an_impact_assessment_no_camera_is_agreed(world, clock):
    clock.at = EVENING
    per = await world.staff("Per", role=Role.ENHETSCHEF)
    night = Night(world, per, per)
    ingrid = await night.home()
    with pytest.raises(AgreementIncomplete) as refused:
        await night.agreed(ingrid)
    assert refused.value.fields == ("dpia",)


async def test_a_camera_is_activated_only_when_all_four_records_are_there(night):
    ingrid = await night.home(says_yes=False)
    camera = await night.camera(ingrid)
    with pytest.raises(CameraNotReady) as refused:
        await night.agreements.activate(night.per, camera)
    assert refused.value.fields == ("consent",)
    await night.world.yes(ingrid, Purpose.CAMERA_CHECK)
    with pytest.raises(CameraNotReady) as refused:
        await night.agreements.activate(night.per, camera)
    assert refused.value.fields == ("agreement",)

    await night.agreed(ingrid, camera_id=camera)

    assert (await night.world.events()).count("camera.activated") == 1


async def test_a_cohabitant_who_has_not_said_yes_keeps_the_camera_off(night):
    ingrid = await night.world.resident("Ingrid", cohabitant="Lennart")
    await night.world.yes(ingrid, Purpose.CAMERA_CHECK)
    with pytest.raises(CameraNotReady):
        await night.agreements.activate(night.per, await night.camera(ingrid))


async def test_who_does_not_plan_agrees_to_nothing(night):
    ingrid = await night.home()
    with pytest.raises(NotPermitted):
        await night.agreements.agree(night.maria, ingrid.id, Terms(AT_TWO, None))
    with pytest.raises(NotPermitted):
        await night.agreements.set_assessment(night.maria, "X", date(2026, 6, 1))
    with pytest.raises(FieldInvalid):
        await night.agreements.set_assessment(night.per, "X", date(2027, 6, 1))


async def test_a_changed_agreement_replaces_what_lies_ahead_and_nothing_else(night):
    ingrid = await night.home()
    camera = await night.camera(ingrid)
    await night.agreed(ingrid, camera_id=camera, slots=(*AT_TWO, Slot(time(6), Modality.VISIT)))
    await night.at(TWO - timedelta(minutes=20))

    await night.agreed(ingrid, camera_id=camera, slots=(*AT_TWO, Slot(time(5), Modality.VISIT)))

    found = {(c["starts_at"].hour, c["state"]) for c in await night.checks(ingrid)}
    assert found == {(1, "due"), (4, "planned"), (5, "called_off")}


async def test_within_thirty_days_the_head_is_asked_to_assess_it_anew(night):
    ingrid = await night.home()
    await night.agreed(ingrid, reassess_on=date(2027, 1, 10))
    await night.at(datetime(2026, 12, 11, 11, 0, tzinfo=UTC))
    assert "reassess" in await night.tasks()


# --- its time comes --------------------------------------------------------------------------


async def test_a_check_is_due_half_an_hour_before_its_time(night):
    ingrid = await night.home()
    await night.agreed(ingrid)
    await night.at(TWO - timedelta(minutes=31))
    assert (await night.the_check(ingrid))["state"] == "planned"
    await night.at(TWO - timedelta(minutes=30))
    assert (await night.the_check(ingrid))["state"] == "due"


async def test_checks_nobody_began_become_visits_and_one_deviation_of_their_round(night):
    ingrid, nils = await night.home(), await night.home("Nils")
    await night.agreed(ingrid)
    await night.agreed(nils)

    await night.at(TWO + timedelta(minutes=30))

    missed = [await night.the_check(one) for one in (ingrid, nils)]
    assert [(c["state"], c["why"]) for c in missed] == [("dispatched", "missed")] * 2
    asked = await night.world.rows(DISPATCHES, night.world.tenant)
    assert {one["about_id"] for one in asked} == {c["id"] for c in missed}
    assert await night.deviations() == [
        {"kind": "round_delayed", "about_id": missed[0]["round_id"], "resident_id": None}
    ]


async def test_the_head_reads_which_checks_a_delayed_round_lists(night, client):
    ingrid, nils = await night.home(), await night.home("Nils")
    for resident in (ingrid, nils):
        await night.agreed(resident)
    await night.at(TWO + timedelta(minutes=30))
    head = await night.world.staff("Siv", role=Role.ENHETSCHEF)
    before = len(await night.world.events())

    _, page = await client.look("/admin/deviations", head)

    assert page.count('data-kind="round_delayed"') == 1
    assert page.count('data-test="missed"') == 2
    assert ingrid.name in page
    assert (await night.world.events(before)).count("list.read") == 1


@pytest.mark.parametrize(
    ("substitute", "state"),
    [
        (Substitute.VISIT, "dispatched"),
        (Substitute.PHONE, "phone"),
        (Substitute.NOTHING, "done"),
    ],
)
async def test_without_a_yes_the_check_stays_with_its_substitute(night, substitute, state):
    ingrid = await night.home(says_yes=False)
    declined = substitute is Substitute.NOTHING
    await night.agreed(ingrid, substitute=substitute, declined_herself=declined)

    await night.at(TWO - timedelta(minutes=30))

    check = await night.the_check(ingrid)
    assert (check["state"], check["without_camera"]) == (state, "refused")


async def test_a_yes_taken_back_works_at_once_and_is_a_task_of_the_unit(night):
    ingrid, nils = await night.home(), await night.home("Nils")
    await night.agreed(ingrid)
    await night.agreed(nils, slots=(Slot(time(4), Modality.CAMERA),))
    await night.at(TWO)
    eva = await night.world.staff("Eva", assigned=(ingrid, nils))

    for resident in (ingrid, nils):
        await night.world.services.consents.record(eva, resident.id, HOME_AT)

    due, ahead = await night.the_check(ingrid), await night.the_check(nils)
    assert (due["state"], due["why"], due["without_camera"]) == (
        "dispatched", "without_camera", "withdrawn",
    )  # fmt: skip
    assert (ahead["state"], ahead["without_camera"]) == ("planned", "withdrawn")
    assert (await night.tasks()).count("camera_withdrawn") == 2
    await night.world.services.consents.record(eva, nils.id, replace(HOME_AT, decision="permit"))
    await night.at(TWO + timedelta(hours=1, minutes=30))
    assert (await night.the_check(nils))["state"] == "due", "she has said yes again"


async def test_taking_back_a_yes_to_video_leaves_the_nights_alone(night):
    ingrid = await night.home()
    await night.agreed(ingrid)
    await night.at(TWO)
    eva = await night.world.staff("Eva", assigned=(ingrid,))
    await night.world.services.consents.record(eva, ingrid.id, replace(YES, decision="deny"))
    assert (await night.the_check(ingrid))["state"] == "due"
    assert await night.tasks() == []


@pytest.mark.parametrize("how", ["closed", "unpaired", "not_activated"])
async def test_a_camera_that_is_gone_is_a_technical_fault_and_that_is_a_visit(night, how):
    ingrid = await night.home()
    camera = await night.camera(ingrid)
    if how == "not_activated":
        terms = Terms(AT_TWO, camera, **PAPERS)
        await night.agreements.agree(night.per, ingrid.id, terms)
    else:
        await night.agreed(ingrid, camera_id=camera)
    if how == "closed":
        await night.agreements.close_camera(night.per, camera)
    if how == "unpaired":
        rows = await night.world.rows("select endpoint_id from night_camera where id = $1", camera)
        await night.world.services.devices.close(night.per, ingrid.id, rows[0]["endpoint_id"])

    await night.at(TWO - timedelta(minutes=30))

    check = await night.the_check(ingrid)
    assert (check["state"], check["why"]) == ("dispatched", "fault")


async def test_nights_that_nothing_was_running_to_make_are_made_afterwards(night):
    ingrid = await night.home()
    await night.agreed(ingrid)
    await night.at(datetime(2026, 11, 25, 9, 0, tzinfo=UTC))

    found = await night.checks(ingrid)
    assert [c["called_off_for"] for c in found] == ["outage", "outage"]
    assert {d["kind"] for d in await night.deviations()} == {"round_delayed"}
    assert len(await night.deviations()) == 2
    assert await night.world.rows(DISPATCHES, night.world.tenant) == []


# --- the phone, the visit, her own screen ----------------------------------------------------


async def test_who_cannot_be_reached_by_phone_is_driven_to(night):
    ingrid, nils, elsa = [await night.home(n, says_yes=False) for n in ("Ingrid", "Nils", "Elsa")]
    for resident in (ingrid, nils, elsa):
        await night.agreed(resident, substitute=Substitute.PHONE)
    await night.at(TWO)
    checks = [CheckId((await night.the_check(one))["id"]) for one in (ingrid, nils)]

    await night.nights.phoned(night.maria, checks[0], reached=True)
    await night.nights.phoned(night.maria, checks[1], reached=False)
    with pytest.raises(CheckClosed):
        await night.nights.phoned(night.maria, checks[1], reached=True)
    await night.at(TWO + timedelta(minutes=11))

    ends = [await night.the_check(one) for one in (ingrid, nils, elsa)]
    assert [(c["state"], c["why"], c["ended_as"]) for c in ends] == [
        ("done", None, "phoned"),
        ("dispatched", "not_reached", None),
        ("dispatched", "not_reached", None),
    ]


async def test_whoever_is_not_on_shift_carries_out_no_check(night):
    ingrid = await night.home(says_yes=False)
    await night.agreed(ingrid, substitute=Substitute.PHONE)
    await night.at(TWO)
    check = await night.the_check(ingrid)
    eva = await night.world.staff("Eva")
    with pytest.raises(NotOnShift):
        await night.nights.phoned(eva, CheckId(check["id"]), reached=True)
    with pytest.raises(NotFound):
        await night.nights.phoned(night.maria, CheckId(ingrid.id), reached=True)


async def test_being_there_is_the_check(night):
    ingrid = await night.home()
    await night.agreed(ingrid, slots=(Slot(time(2), Modality.VISIT),))
    await night.at(TWO - timedelta(minutes=30))
    dispatches = night.world.services.dispatches
    [asked] = await night.world.rows(DISPATCHES, night.world.tenant)

    await dispatches.accept(night.maria, asked["id"])
    assert (await night.the_check(ingrid))["state"] == "dispatched"
    await dispatches.arrive(night.maria, asked["id"])

    check = await night.the_check(ingrid)
    assert (check["state"], check["ended_as"]) == ("done", "visited")
    assert await night.deviations() == []


async def test_a_visit_that_nobody_takes_or_that_comes_late_is_told_to_the_head_once(night):
    ingrid, nils = await night.home(), await night.home("Nils")
    for resident in (ingrid, nils):
        await night.agreed(resident, slots=(Slot(time(2), Modality.VISIT),))
    opens = TWO - timedelta(minutes=30)
    await night.at(opens)
    asked = await night.world.rows(DISPATCHES, night.world.tenant)
    about_nils = (await night.the_check(nils))["id"]
    on_her_way = next(one for one in asked if one["about_id"] == about_nils)
    await night.world.services.dispatches.accept(night.maria, on_her_way["id"])

    await night.at(opens + timedelta(minutes=10))
    assert [d["kind"] for d in await night.deviations()] == ["night_visit_late"]
    await night.at(opens + timedelta(minutes=31))
    await night.at(opens + timedelta(minutes=90))

    assert [d["kind"] for d in await night.deviations()] == ["night_visit_late"] * 2
    assert (await night.tasks()).count("night_visit_late") == 2


async def test_nobody_is_looked_for_while_she_is_away(night):
    ingrid, nils = await night.home(), await night.home("Nils")
    await night.agreed(ingrid)
    await night.agreed(nils, slots=(Slot(time(4), Modality.CAMERA),))
    eva = await night.world.staff("Eva", assigned=(ingrid, nils))
    hospital = Report("hospital", None, None, "Dottern")
    absences = night.world.services.absences
    await night.at(TWO)

    await absences.report(eva, ingrid.id, hospital)
    away = await absences.report(eva, nils.id, hospital)

    assert (await night.the_check(ingrid))["called_off_for"] == "absent"
    assert (await night.the_check(nils))["state"] == "planned"
    await absences.home(eva, away)
    await night.at(TWO + timedelta(hours=1, minutes=30))
    assert (await night.the_check(nils))["state"] == "due", "she is home again"


async def test_who_is_no_longer_with_us_has_no_nights_and_a_mistake_brings_them_back(night):
    ingrid = await night.home()
    await night.agreed(ingrid)
    endings = night.world.services.endings

    ending = await endings.end(night.per, ingrid.id, "moved", EVENING.date())
    [check] = await night.checks(ingrid)
    assert (check["state"], check["called_off_for"]) == ("called_off", "ended")
    other = await night.world.staff("Siv", role=Role.ENHETSCHEF)
    await endings.undo(other, ending)

    states = {c["state"] for c in await night.checks(ingrid)}
    assert states == {"called_off", "planned"}


async def test_she_pauses_the_night_from_her_own_screen(night):
    ingrid, nils = await night.home(), await night.home("Nils")
    for resident in (ingrid, nils):
        await night.agreed(resident, substitute=Substitute.PHONE)
    with pytest.raises(NotFound):
        tv = await night.world.tv(await night.home("Elsa"))
        await night.nights.pause_night(tv, somebody_comes=True)

    await night.nights.pause_night(await night.world.tv(ingrid), somebody_comes=True)
    await night.nights.pause_night(await night.world.tv(nils), somebody_comes=False)
    await night.at(TWO - timedelta(minutes=30))

    comes, alone = await night.the_check(ingrid), await night.the_check(nils)
    assert (comes["state"], comes["without_camera"]) == ("dispatched", "paused")
    assert (alone["state"], alone["ended_as"]) == ("done", "nothing_wanted")


async def test_a_pause_is_for_one_night_and_can_be_taken_back(night):
    ingrid, nils = await night.home(), await night.home("Nils")
    for resident in (ingrid, nils):
        await night.agreed(resident)
    screens = [await night.world.tv(one) for one in (ingrid, nils)]
    for screen in screens:
        await night.nights.pause_night(screen, somebody_comes=False)
    await night.nights.go_on_tonight(screens[1])

    await night.at(TWO + timedelta(minutes=30))
    await night.at(datetime(2026, 11, 24, 11, 0, tzinfo=UTC))

    first, second = await night.checks(ingrid)
    assert (first["ended_as"], second["state"]) == ("nothing_wanted", "planned")
    assert (await night.checks(nils))[0]["why"] == "missed"


async def test_another_municipality_has_nothing_to_do_with_our_nights(night, other_world):
    ingrid = await night.home()
    await night.agreed(ingrid)
    check = await night.the_check(ingrid)
    eva = await other_world.staff("Eva", on_shift=True)
    with pytest.raises(NotFound):
        await night.nights.phoned(eva, CheckId(check["id"]), reached=True)

"""The log beside the homes' own records; what does not fit is found, kept, and seen to."""

from datetime import UTC, datetime, timedelta

import pytest

from telecare.access.model import Role, ScreenSession
from telecare.audit.model import HomeActor
from telecare.integrity.findings import FindingClosed, IncidentClosed, IncidentNotDone
from telecare.runtime.errors import FieldInvalid, NotFound
from tests.services.test_audit_story import Home
from tests.world import MovedClock


@pytest.fixture
def clock():
    """The log's own time."""
    return MovedClock(datetime.now(UTC))


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


@pytest.fixture
async def home(world, made):
    return await Home(world, made, await world.resident("Ingrid")).enrolled()


@pytest.fixture
async def maria(world, home):
    return await world.staff(assigned=(home.resident,), on_shift=True)


@pytest.fixture
def held(world, made, maria, home, clock):
    """A call with a picture, as the home's unit answers it; both sides say so unless told."""

    async def hold(*, on=0.0, off=0.0, unit_says=True):
        rows = await world.rows("select endpoint_id from edge_unit where id = $1", home.unit.id)
        call = await made.calls.ring(maria, home.resident.id)
        session = ScreenSession(
            world.tenant, rows[0]["endpoint_id"],
            HomeActor(rows[0]["endpoint_id"], "unit", home.resident.id),
        )  # fmt: skip
        await made.calls.answer(session, call)
        if unit_says:
            await home.camera(call, on=True, apart=on, reason="call")
        await made.calls.hang_up(maria, call)
        if unit_says:
            await home.camera(call, on=False, apart=off, reason="hang_up", seconds=0)
        return call

    return hold


@pytest.fixture
def compared(made, clock, lena):
    async def compare():
        clock.forward(minutes=20)
        await made.reconciling.now(lena)
        seen = await made.findings.overview(lena)
        return {one.kind: one for one in seen.open}

    return compare


async def test_two_sides_that_agree_leave_no_finding(held, compared, made, lena):
    await held()

    assert await compared() == {}
    last = await made.reconciling.last(lena)
    assert (last.calls, last.activations, last.findings) == (1, 2, 0)


async def test_a_camera_that_was_on_without_a_call_is_found(world, home, compared):
    await home.camera(None, on=True, reason="call")
    await home.camera(None, on=False, reason="call", seconds=3)

    found = (await compared())["camera_without_record"]

    assert (found.resident_id, found.what["number"]) == (home.resident.id, 1)


async def test_a_camera_in_a_call_that_the_log_does_not_have_is_found(
    world, held, compared, as_superuser
):
    """A server that was made to skip its log: the call was there, the record is not."""
    call = await held()
    await as_superuser(
        "set session_replication_role = replica;"
        f"delete from audit.body where tenant_id = {world.tenant} and call_id = '{call}'"
        " and event = 'call.opened'"
    )

    assert (await compared())["camera_without_record"].call_id == call


async def test_a_record_of_a_picture_that_no_camera_sent_is_found(held, compared):
    call = await held(unit_says=False)

    assert (await compared())["record_without_camera"].call_id == call


async def test_a_missing_number_is_found(home, held, compared):
    await held()
    await home.camera(None, on=False, reason="call", seconds=0, skip=3)

    found = (await compared())["numbers_missing"]

    assert found.what == {"first": 3, "last": 5}


@pytest.mark.parametrize(("apart", "found"), [(0.1, False), (0.9, True), (-0.9, True)])
async def test_more_than_half_a_second_between_them_is_found(held, compared, apart, found):
    await held(on=apart, off=apart)

    assert ("times_differ" in await compared()) is found


async def test_the_same_is_found_once_however_often_they_are_compared(
    world, made, lena, home, compared
):
    await home.camera(None, on=True, reason="call")
    await compared()
    again = await compared()

    assert list(again) == ["camera_without_record"]
    assert (await world.events()).count("finding.opened") == 1
    record = next(r for r in await world.records() if r["event"] == "finding.opened")
    assert [p["id"] for p in record["subject"]["persons"]] == [str(home.resident.id)]
    assert (await world.events()).count("log.compared") == 2


async def test_every_night_compares_once_also_after_a_restart(world, made, clock, home):
    await home.camera(None, on=True, reason="call")
    clock.forward(minutes=20)

    await made.reconciling.nightly(world.tenant)
    await made.reconciling.nightly(world.tenant)
    first = (await world.events()).count("log.compared")
    clock.forward(hours=24)
    await made.reconciling.nightly(world.tenant)

    assert (first, (await world.events()).count("log.compared")) == (1, 2)
    assert (await world.events()).count("finding.opened") == 1


async def test_a_finding_is_closed_once_with_what_it_was(world, made, lena, home, compared):
    await home.camera(None, on=True, reason="call")
    finding = (await compared())["camera_without_record"]

    await made.findings.close(lena, finding.id, "Provades vid installationen.")

    with pytest.raises(FindingClosed):
        await made.findings.close(lena, finding.id, "En gång till")
    with pytest.raises(FindingClosed):
        await made.findings.make_incident(lena, finding.id, "Kameran", world.now)
    assert (await made.findings.overview(lena)).closed[0].note == "Provades vid installationen."


class TestIncident:
    """From a finding to the file that is closed."""

    @pytest.fixture
    async def incident(self, world, made, lena, home, compared):
        await home.camera(None, on=True, reason="call")
        finding = (await compared())["camera_without_record"]
        known = world.now - timedelta(hours=1)
        return await made.findings.make_incident(lena, finding.id, "Kameran var på", known)

    async def test_the_hours_run_from_when_it_was_known(self, world, made, lena, incident):
        file = await made.findings.of_incident(lena, incident)

        assert file.due_at == world.now + timedelta(hours=71)
        assert [one.kind for one in file.findings] == ["camera_without_record"]
        assert (await made.findings.overview(lena)).open == []

    async def test_each_step_is_a_record_about_her_and_stands(
        self, world, made, lena, home, incident
    ):
        findings = made.findings
        before = len(await world.events())
        await findings.decide(lena, incident, "notify", "Bild ur hemmet utan grund.")
        await findings.notified(lena, incident, world.now, "2026-311")
        await findings.told(lena, incident, "told", "Brev och telefon till Ingrid.")
        await findings.close_incident(lena, incident)

        assert await world.events(before) == [
            "incident.decided", "incident.notified", "incident.told", "incident.closed",
        ]  # fmt: skip
        for record in (await world.records())[before:]:
            assert [p["id"] for p in record["subject"]["persons"]] == [str(home.resident.id)]
        for again in (
            findings.decide(lena, incident, "do_not_notify", "Ångrat"),
            findings.told(lena, incident, "not_needed", "Ångrat"),
            findings.notified(lena, incident, world.now, "1"),
            findings.close_incident(lena, incident),
        ):
            with pytest.raises(IncidentClosed):
                await again

    async def test_it_is_closed_only_when_all_is_said(self, world, made, lena, incident):
        findings = made.findings
        with pytest.raises(IncidentNotDone):
            await findings.close_incident(lena, incident)
        await findings.decide(lena, incident, "notify", "Bild ur hemmet utan grund.")
        await findings.told(lena, incident, "told", "Brev till Ingrid.")
        with pytest.raises(IncidentNotDone):
            await findings.close_incident(lena, incident)

    async def test_what_is_not_notified_has_no_notification(self, world, made, lena, incident):
        await made.findings.decide(lena, incident, "do_not_notify", "Ingen risk: provbild.")

        with pytest.raises(IncidentClosed):
            await made.findings.notified(lena, incident, world.now, "1")
        await made.findings.told(lena, incident, "not_needed", "Ingen såg bilden.")
        await made.findings.close_incident(lena, incident)

    async def test_a_late_notification_is_taken_and_says_that_it_is_late(
        self, world, made, lena, clock, incident
    ):
        await made.findings.decide(lena, incident, "notify", "Bild ur hemmet utan grund.")
        clock.forward(hours=80)
        await made.findings.notified(lena, incident, world.now, "2026-311")

        assert (await world.records())[-1]["what"]["late"] is True

    async def test_a_time_that_cannot_be_is_refused(self, world, made, lena, incident):
        await made.findings.decide(lena, incident, "notify", "Bild ur hemmet utan grund.")
        for at in (world.now + timedelta(minutes=1), world.now - timedelta(days=3)):
            with pytest.raises(FieldInvalid):
                await made.findings.notified(lena, incident, at, "1")

    async def test_the_neighbours_do_not_find_it(self, made, other_world, incident):
        stranger = await other_world.staff("Olga", role=Role.GRANSKARE)

        with pytest.raises(NotFound):
            await made.findings.of_incident(stranger, incident)
        with pytest.raises(NotFound):
            await made.findings.decide(stranger, incident, "notify", "Nyfiken")
        seen = await made.findings.overview(stranger)
        assert (seen.incidents, seen.open) == ([], [])


async def test_nothing_becomes_known_in_the_future(world, made, lena, home, compared):
    await home.camera(None, on=True, reason="call")
    finding = (await compared())["camera_without_record"]

    with pytest.raises(FieldInvalid):
        await made.findings.make_incident(
            lena, finding.id, "Kameran", world.now + timedelta(minutes=1)
        )


async def test_an_unjustified_reading_is_a_finding(world, made, lena, home):
    per = await world.staff("Per", unit=world.night_unit)
    await made.break_glass.open(per, home.resident.id, "other", "Jag ville bara se.")
    item = (await made.reviews.overview(lena)).openings[0]

    await made.reviews.judge(lena, item.id, "unjustified", "Ingen nöd.")

    found = (await made.findings.overview(lena)).open
    assert [(one.kind, one.resident_id, one.entry_id) for one in found] == [
        ("unjustified", home.resident.id, item.entry_id)
    ]

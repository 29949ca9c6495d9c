"""The story of a call: the server's records beside what the home's unit signed itself."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.access.model import Role
from telecare.devices.service import make_unit_code
from telecare.integrity.records import Entered
from telecare.integrity.story import compare
from telecare.integrity.story_store import CameraSaid
from telecare.wire.edge import CameraTurned, EnrolRequest, signed_text
from telecare.wire.ids import UnitId

T = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


class Home:
    """Ingrid's home with a unit that signs what its camera does."""

    def __init__(self, world, made, resident) -> None:
        self.world, self.made, self.resident = world, made, resident
        self.key, self.boot, self.number = Ed25519PrivateKey.generate(), uuid4(), 0

    async def enrolled(self) -> "Home":
        async with self.world.begun() as db:
            code = await make_unit_code(db, self.resident, "Teven", self.world.now)
        public = base64.urlsafe_b64encode(self.key.public_key().public_bytes_raw())
        request = EnrolRequest(code=code, public_key=public.decode().rstrip("="))
        enrolled = await self.made.devices.enrol(request)
        [self.unit] = (await self.made.devices.units([UnitId(enrolled.unit)])).values()
        return self

    async def camera(self, call_id, *, on, apart=0.0, skip=0, **more) -> None:
        """`apart`: seconds between the unit's clock and the log's."""
        self.number += 1 + skip
        at = datetime.now(UTC) + timedelta(seconds=apart)
        unsigned = CameraTurned(
            boot=self.boot, seq=self.number, occurred_at=at,
            camera="tv", number=self.number, on=on, call_id=call_id, signature="", **more,
        )  # fmt: skip
        raw = self.key.sign(signed_text(self.unit.id, unsigned))
        signature = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        await self.made.devices.camera_turned(
            self.unit, unsigned.model_copy(update={"signature": signature})
        )


@pytest.fixture
async def home(world, made):
    return await Home(world, made, await world.resident("Ingrid", cohabitant="Lennart")).enrolled()


@pytest.fixture
async def maria(world, home):
    cohabitants = await world.rows(
        "select id from cohabitant where resident_id = $1", home.resident.id
    )
    await world.yes(home.resident, party=cohabitants[0]["id"])
    return await world.staff(assigned=(home.resident,), on_shift=True)


async def called(made, maria, home, **turned):
    """A call answered by the unit, with its camera on and off."""
    call_id = await made.calls.ring(maria, home.resident.id)
    await made.calls.answer(home.unit, call_id)
    await home.camera(call_id, on=True, **turned)
    await made.calls.hang_up(maria, call_id)
    await home.camera(call_id, on=False, reason="hang_up", seconds=0, **turned)
    return call_id


async def test_a_call_is_told_from_the_ring_to_its_end_with_its_ground(
    world, made, client, lena, home, maria
):
    call_id = await called(made, maria, home)

    status, page = await client.look(f"/audit/calls/{call_id}", lena)
    last = (await world.records())[-1]

    assert status == 200
    steps = [part.split('"')[0] for part in page.split('data-event="')[1:]]
    assert steps == [
        "call.rung", "call.opened", "camera.turned", "call.ended", "camera.turned",
    ]  # fmt: skip
    for shown in ("Videosamtal på teven, tills vidare.", "den enskilde själv", "Lennart",
                  "Äldrenämnden", "SoL", "Planerat besök", "Samtalet slutade efter"):  # fmt: skip
        assert shown in page
    assert "säger samma sak" in page
    assert (last["event"], last["what"]) == ("log.call_read", {"read_call_id": str(call_id)})
    assert [p["id"] for p in last["subject"]["persons"]] == [str(home.resident.id)]


async def test_a_unit_whose_clock_differs_is_marked(made, lena, home, maria):
    call_id = await called(made, maria, home, apart=3.0)

    story = await made.stories.of_call(lena, call_id)

    assert verdicts(story.compared) == {
        "on": "differs", "off": "differs", "seconds": "same", "in_log": "same", "numbers": "same",
    }  # fmt: skip
    assert not story.agrees


async def test_a_unit_that_doubts_its_clock_is_not_called_different(made, lena, home, maria):
    call_id = await called(made, maria, home, apart=300.0, clock_ok=False)

    story = await made.stories.of_call(lena, call_id)

    assert verdicts(story.compared)["on"] == "clock"


async def test_a_camera_that_nobody_heard_go_off_is_missed(made, client, lena, home, maria):
    call_id = await made.calls.ring(maria, home.resident.id)
    await made.calls.answer(home.unit, call_id)
    await home.camera(call_id, on=True)
    await made.calls.hang_up(maria, call_id)

    _, page = await client.look(f"/audit/calls/{call_id}", lena)

    assert "skiljer sig åt" in page
    assert 'data-what="off" data-verdict="missing"' in page


async def test_a_number_the_unit_left_out_is_missed(made, lena, home, maria):
    call_id = await made.calls.ring(maria, home.resident.id)
    await made.calls.answer(home.unit, call_id)
    await home.camera(call_id, on=True)
    await made.calls.hang_up(maria, call_id)
    await home.camera(call_id, on=False, skip=1)

    story = await made.stories.of_call(lena, call_id)

    assert verdicts(story.compared)["numbers"] == "missing"


async def test_a_record_of_the_unit_taken_out_of_the_log_is_missed(
    made, as_superuser, lena, home, maria
):
    call_id = await called(made, maria, home)
    await as_superuser(
        "set session_replication_role = replica; delete from audit.body "
        f"where event = 'camera.turned' and call_id = '{call_id}' "
        "and (what::jsonb ->> 'on')::boolean = false"
    )

    story = await made.stories.of_call(lena, call_id)

    assert verdicts(story.compared)["in_log"] == "missing"


async def test_a_television_without_a_unit_keeps_no_book(world, made, client, lena):
    ingrid = await world.resident("Ingrid")
    maria, tv = await world.staff(assigned=(ingrid,), on_shift=True), await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.hang_up(maria, call_id)

    _, page = await client.look(f"/audit/calls/{call_id}", lena)

    assert "för ingen egen bok" in page
    assert "säger samma sak" not in page


def verdicts(compared) -> dict[str, str]:
    return {one.what: one.verdict for one in compared}


def entry(event, seconds, **what) -> Entered:
    return Entered(1, T + timedelta(seconds=seconds), event, {}, what, {}, [])


def said(seconds, *, on, number) -> CameraSaid:
    at = T + timedelta(seconds=seconds)
    return CameraSaid("u", number, on, at, True, at, "call", None)


@pytest.mark.parametrize(("apart", "verdict"), [(0.5, "same"), (0.51, "differs")])
def test_half_a_second_is_the_same(apart, verdict):
    compared = compare([entry("call.opened", 0)], [said(apart, on=True, number=1)])

    assert compared[0].verdict == verdict


def test_dark_and_lit_again_are_compared_in_turn():
    entries = [
        entry("call.opened", 0), entry("call.went_dark", 10), entry("call.lit_again", 20),
        entry("call.went_dark", 30), entry("call.ended", 40),
        *(entry("camera.turned", 0, number=n) for n in range(1, 5)),
    ]  # fmt: skip
    unit = [
        said(0, on=True, number=1), said(10, on=False, number=2), said(20, on=True, number=3),
        said(30, on=False, number=4),
    ]  # fmt: skip

    compared = compare(entries, unit)

    assert [one.what for one in compared] == [
        "on",
        "on",
        "off",
        "off",
        "seconds",
        "in_log",
        "numbers",
    ]
    assert {one.verdict for one in compared} == {"same"}
    assert [one.server for one in compared if one.what == "seconds"] == [timedelta(seconds=20)]


async def test_a_record_of_a_call_leads_to_its_story(world, made, client, maria, home, lena):
    call = await called(made, maria, home)
    rung = next(r for r in await world.records() if r["event"] == "call.rung")

    _, page = await client.look(f"/audit/records/{rung['entry_id']}", lena)

    assert f'class="btn" href="/audit/calls/{call}"' in page

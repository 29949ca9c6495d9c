"""An extract that reaches over two logs, and one whose heads witnesses have signed."""

import json

import pytest

from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record
from telecare.demo.seed import ACTOR
from tests.services.test_extract import Desk, flipped
from tests.services.test_publishing import Neighbour, Office, neighbour, office  # noqa: F401
from tests.services.test_reopening import Stopped
from tests.services.test_sequencer import HOST, Kept, files, kept, sequencer_database  # noqa: F401


async def note_about(world, *people):
    async with world.begun() as db:
        await append(db, Record(Action.LIST_READ, ACTOR, [one.person for one in people]))


@pytest.fixture
async def desk(office, neighbour, reader, tmp_path):  # noqa: F811
    await neighbour.up()
    world = office.kept.world
    await office.kept.go_on()
    await office.round()
    ingrid, aino = await world.resident("Ingrid"), await world.resident("Aino")
    await note_about(world, ingrid, aino)
    await office.kept.sign()
    await office.publish()
    return Desk(office.kept, reader, ingrid, aino, tmp_path)


@pytest.fixture
async def two_logs(desk, office, neighbour, config, reader, as_superuser):  # noqa: F811
    """Records about somebody else are lost; Ingrid has some in each log."""
    stopped = Stopped(office, neighbour, config, reader, as_superuser)
    kept = office.kept  # noqa: F811
    size = len(await kept.leaves())
    await kept.write(20)
    stopped.head = await kept.sign()
    await office.publish()
    await stopped.cut(size)
    await stopped.stop()
    await stopped.reopen()
    await note_about(kept.world, desk.ingrid, desk.aino)
    await stopped.go_on()
    desk.size, desk.head = size, stopped.head
    return desk


async def test_it_proves_records_of_both_logs_and_tells_the_seam(two_logs):
    parts = await two_logs.make()

    code, said = two_logs.run(parts)

    assert code == 0, said
    assert f"6. No gaps in numbers 1 to {await two_logs.numbers()}." in said
    assert f"8. Log 2 follows log 1, which stopped at {two_logs.size} records" in said
    assert "decision 2026/12 of Eva Sjö and Karin Ek" in said
    assert f"of {two_logs.head.size} records, DOES NOT FIT it." in said
    last = two_logs.head.size - 1
    assert f"8. Missing from log 1: records {two_logs.size} to {last}." in said
    assert {"log-1.checkpoint", "log-2.checkpoint", "log-2.seam"} <= set(parts)
    assert {line["log"] for line in map(json.loads, parts["records.jsonl"].splitlines())} == {1, 2}
    assert "actor" not in json.loads(parts["log-2.seam"])["open"]


def change_what(seam):
    text = seam["open"]["what"]["text"]
    seam["open"]["what"]["text"] = text.replace('"missing":[[', '"missing":[[1')
    return 5


def change_proof(seam):
    seam["proof"][0] = flipped(seam["proof"][0])
    return 4


def change_place(seam):
    seam["log"] = 1
    return 4


@pytest.mark.parametrize("change", [change_what, change_proof, change_place])
async def test_a_changed_seam_is_refused(two_logs, change):
    parts = await two_logs.make()
    seam = json.loads(parts["log-2.seam"])
    step = change(seam)

    code, said = two_logs.run({**parts, "log-2.seam": json.dumps(seam).encode()})

    assert (code, f"step {step}" in said) == (1, True), said


async def test_a_second_log_without_its_seam_is_refused(two_logs):
    parts = await two_logs.make()
    del parts["log-2.seam"]

    code, said = two_logs.run(parts)

    assert (code, "step 8" in said) == (1, True), said


async def test_another_record_in_place_of_the_seam_is_refused(two_logs):
    """It stands in the new log, and says something else."""
    parts = await two_logs.make()
    line = [one for one in map(json.loads, parts["records.jsonl"].splitlines()) if one["log"] == 2][
        -1
    ]

    code, said = two_logs.run({**parts, "log-2.seam": json.dumps(line).encode()})

    assert (code, "step 8" in said) == (1, True), said


async def test_another_head_of_the_old_log_than_the_seam_quotes_is_refused(two_logs):
    rows = await two_logs.kept.world.rows(
        "select note from audit.checkpoint where tenant_id = $1 and log = 1 order by size limit 1",
        two_logs.kept.world.tenant,
    )
    parts = await two_logs.make()

    code, said = two_logs.run({**parts, "log-1.checkpoint": rows[0]["note"].encode()})

    assert (code, "step 8" in said) == (1, True), said


async def test_a_head_that_a_witness_has_signed_is_shown_when_it_covers_her_records(
    desk,
    office,  # noqa: F811
    neighbour,  # noqa: F811
):
    await office.kept.write(5)
    await office.kept.sign()  # newer, and seen by nobody
    parts = await desk.make(witnesses=[neighbour.address.key])

    code, said = desk.run(parts)

    assert code == 0, said
    assert "3. Witness witness.sodervika.example saw log 1 at 2026-11-23" in said
    await note_about(office.kept.world, desk.ingrid)
    await office.kept.go_on()
    await office.kept.sign()
    code, said = desk.run(await desk.make(witnesses=[neighbour.address.key]))
    assert (code, "3. No witness" in said) == (0, True)


@pytest.fixture
async def later(desk, office, neighbour):  # noqa: F811
    """Her newest record alone: the neighbour had seen a head before it, and one after it."""
    await note_about(office.kept.world, desk.ingrid)
    await office.kept.go_on()
    await office.kept.sign()
    await office.publish()
    desk.last = await desk.numbers()
    return await desk.make(witnesses=[neighbour.address.key], first_number=desk.last)


async def test_it_is_proved_between_which_witnessed_heads_a_record_was_entered(desk, later):
    code, said = desk.run(later)

    assert code == 0, said
    assert f"6. No gaps in numbers {desk.last} to {desk.last}." in said
    assert "9. In log 1 they came after the head of" in said
    assert "after the head that the witness" in later["report.html"].decode()


def another_head(parts):
    return {**parts, "log-1.before": parts["log-1.before"].replace(b"audit/1\n", b"audit/2\n", 1)}


def another_proof(parts):
    proof = parts["log-1.before.proof"].decode().split()
    return {**parts, "log-1.before.proof": "\n".join([flipped(proof[0]), *proof[1:]]).encode()}


def no_proof(parts):
    return {**parts, "log-1.before.proof": b""}


def the_newest_head(parts):
    """A record that is in it did not come after it."""
    return {**parts, "log-1.before": parts["log-1.checkpoint"], "log-1.before.proof": b""}


@pytest.mark.parametrize("change", [another_head, another_proof, no_proof, the_newest_head])
async def test_an_older_head_that_does_not_fit_is_refused(desk, later, change):
    code, said = desk.run(change(later))

    assert (code, "step 9" in said) == (1, True), said

"""An extract is checked by the program inside it, alone; nothing in it can be changed unseen."""

import base64
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.audit import verify
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import leaf_hash
from telecare.audit.model import Record
from telecare.audit.note import COSIGNATURE_V1, Note, Signer
from telecare.audit.tree import Edge, consistency
from telecare.demo.seed import ACTOR
from telecare.integrity import extract
from telecare.integrity.extract import NotSequencedYet, Order
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401

OURS = Path(verify.__file__).read_bytes()
WITNESS = Signer("witness.sodervika.example", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))


class Desk:
    """Where an extract about Ingrid is made."""

    def __init__(self, kept, database, ingrid, aino, folder) -> None:  # noqa: F811
        self.kept, self.database, self.folder = kept, database, folder
        self.ingrid, self.aino = ingrid, aino

    async def numbers(self) -> int:
        rows = await self.kept.world.rows(
            "select n from audit.subject_counter where resident_id = $1", self.ingrid.id
        )
        return rows[0]["n"]

    async def order(self, **changes: object) -> Order:
        made = Order(
            resident_id=self.ingrid.id,
            name=self.ingrid.name,
            last_number=await self.numbers(),
            language="en",
            made_at=self.kept.clock.now(),
            municipality="Provköping",
            case="2026-311",
        )
        return replace(made, **changes)

    async def make(self, **changes: object) -> dict[str, bytes]:
        """The files of the zip."""
        async with self.database.transaction(self.kept.world.tenant) as db:
            made = await extract.make(db, await self.order(**changes))
        with zipfile.ZipFile(BytesIO(extract.zipped(made))) as package:
            return {name: package.read(name) for name in package.namelist()}

    def run(self, parts: dict[str, bytes]) -> tuple[int, str]:
        """What the program says, run as a stranger runs it: on its own, without our code."""
        package = self.folder / "extract.zip"
        with zipfile.ZipFile(package, "w") as output:
            for name, content in parts.items():
                output.writestr(name, content)
        program = self.folder / "verify.py"
        program.write_bytes(parts["verify.py"])
        run = subprocess.run(
            [sys.executable, "-I", "-S", str(program), str(package)],
            capture_output=True,
            check=False,
            cwd=self.folder,
        )
        return run.returncode, run.stdout.decode()


@pytest.fixture
async def desk(kept, reader, tmp_path) -> Desk:  # noqa: F811
    ingrid = await kept.world.resident("Ingrid")
    aino = await kept.world.resident("Aino")
    async with kept.world.begun() as db:
        for _ in range(3):
            await append(db, Record(Action.LIST_READ, ACTOR, [ingrid.person, aino.person]))
    await kept.write(250)
    await kept.go_on()
    await kept.sign()
    return Desk(kept, reader, ingrid, aino, tmp_path)


def lines(parts: dict[str, bytes]) -> list[dict]:
    return [json.loads(line) for line in parts["records.jsonl"].splitlines()]


def with_lines(parts: dict[str, bytes], changed: list[dict]) -> dict[str, bytes]:
    return {**parts, "records.jsonl": "\n".join(map(json.dumps, changed)).encode()}


async def test_a_stranger_checks_it_with_the_program_that_came_with_it(desk):
    parts = await desk.make()

    code, said = desk.run(parts)

    assert code == 0, said
    last = await desk.numbers()
    assert f"6. No gaps in numbers 1 to {last}." in said
    assert "3. No witness" in said
    key = desk.kept.verifier()
    assert f"2. {key.name}: key {key.fingerprint}." in said
    assert parts["verify.py"] == OURS


async def test_it_shows_her_own_part_of_a_list_and_nobody_elses(desk):
    parts = await desk.make()

    text = parts["records.jsonl"].decode()

    assert desk.ingrid.name in text
    assert str(desk.ingrid.id) in text
    assert desk.aino.name not in text
    assert str(desk.aino.id) not in text


async def test_a_withheld_section_is_said_to_be_withheld_and_the_rest_still_fits(desk):
    statute = "OSL 26 kap. 1 §"
    everywhere = {n: {"actor": statute} for n in range(1, await desk.numbers() + 1)}

    parts = await desk.make(withheld=everywhere)

    assert all(statute in line["withheld"].values() for line in lines(parts))
    assert not any("actor" in line["open"] for line in lines(parts))
    code, said = desk.run(parts)
    assert code == 0, said
    assert f"{len(everywhere)} sections are withheld" in said


async def test_a_witness_says_when_it_saw_the_head(desk):
    parts = await desk.make(witnesses=[WITNESS.verifier(COSIGNATURE_V1)])
    note = Note.parse(parts["log-1.checkpoint"].decode())
    cosigned = note.signed(WITNESS.cosign(note.text, desk.kept.clock.now()))

    code, said = desk.run({**parts, "log-1.checkpoint": str(cosigned).encode()})

    assert code == 0, said
    assert f"3. Witness {WITNESS.name} saw log 1 at 2026-11-23 09:01 UTC." in said


async def test_what_was_erased_is_named_and_counted(desk, as_superuser):
    index = lines(await desk.make())[1]["index"]
    what = json.dumps({"leaves": [[index, index]], "log": 1, "decision": "2026/12"})
    await as_superuser(f"""
        set app.tenant = '{desk.kept.world.tenant}';
        select audit.append('record.erased', '{{}}', '{{}}', '{{}}', '{what}', '{{}}');
        set session_replication_role = replica;
        delete from audit.body b using audit.leaf l where l.entry_id = b.entry_id
            and l.tenant_id = {desk.kept.world.tenant} and l.leaf_index = {index};
    """)
    await desk.kept.go_on()
    await desk.kept.sign()

    parts = await desk.make()

    code, said = desk.run(parts)
    assert code == 0, said
    assert "7. 1 records are erased" in said
    assert b"The text was removed by a decision that stands in the log." in parts["report.html"]
    without = [line for line in lines(parts) if line.get("is_about") != "erasure"]
    code, said = desk.run(with_lines(parts, without))
    assert code == 1
    assert "step 7" in said


async def test_a_text_that_is_said_to_be_erased_and_is_shown_is_refused(desk, as_superuser):
    index = lines(await desk.make())[1]["index"]
    what = json.dumps({"leaves": [[index, index]], "log": 1, "decision": "2026/12"})
    await as_superuser(f"""
        set app.tenant = '{desk.kept.world.tenant}';
        select audit.append('record.erased', '{{}}', '{{}}', '{{}}', '{what}', '{{}}');
    """)
    await desk.kept.go_on()
    await desk.kept.sign()

    code, said = desk.run(await desk.make())

    assert code == 1
    assert f"step 7, record {index} of log 1" in said


async def test_it_is_not_made_before_her_newest_record_has_a_signed_place(desk):
    await desk.kept.write(1)
    await desk.kept.sign()
    async with desk.kept.world.begun() as db:
        await append(db, Record(Action.LIST_READ, ACTOR, [desk.ingrid.person]))

    with pytest.raises(NotSequencedYet):
        await desk.make()
    await desk.kept.go_on()
    with pytest.raises(NotSequencedYet):
        await desk.make()
    await desk.kept.sign()

    assert await desk.make()


def flipped(text: str) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[len(raw) // 2] ^= 1
    return base64.b64encode(raw).decode()


def change_entry(line):
    line["entry"] = base64.b64encode(
        base64.b64decode(line["entry"]).replace(b'"at":"2', b'"at":"1')
    ).decode()


def change_proof(line):
    line["proof"][0] = flipped(line["proof"][0])


def drop_a_hash(line):
    line["proof"].pop()


def add_a_hash(line):
    line["proof"].append(line["proof"][0])


def move(line):
    line["index"] += 1


def change_text(line):
    line["open"]["actor"]["text"] = line["open"]["actor"]["text"].replace("demo", "another")


def change_salt(line):
    line["open"]["what"]["salt"] = flipped(line["open"]["what"]["salt"])


def leave_out_a_section(line):
    del line["open"]["actor"]


def renumber(line):
    for section, shown in line["open"].items():
        if section.startswith("person/"):
            shown["text"] = shown["text"].replace('"n":', '"n":1')


@pytest.mark.parametrize(
    ("change", "step"),
    [(change_entry, 4), (change_proof, 4), (drop_a_hash, 4), (add_a_hash, 4), (move, 4),
     (change_text, 5), (change_salt, 5), (leave_out_a_section, 5), (renumber, 5)],
)  # fmt: skip
async def test_any_change_is_refused_and_the_record_named(desk, change, step):
    parts = await desk.make()
    changed = lines(parts)
    name = f"record {changed[1]['index'] + (change is move)} of log 1"
    change(changed[1])

    code, said = desk.run(with_lines(parts, changed))

    assert code == 1, said
    assert f"step {step}, {name}" in said
    assert "expected" in said


async def test_a_record_left_out_is_a_gap_and_one_more_is_too_many(desk):
    parts = await desk.make()
    every = lines(parts)

    code, said = desk.run(with_lines(parts, every[:1] + every[2:]))
    assert (code, "step 6, number 2" in said) == (1, True)
    code, said = desk.run(with_lines(parts, every[:-1]))
    assert (code, f"step 6, number {len(every)}" in said) == (1, True)
    code, said = desk.run(with_lines(parts, [*every, every[-1]]))
    assert (code, "none above" in said) == (1, True)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("log-1.checkpoint", b"audit/1\n", b"audit/2\n"), ("log-1.vkey", b"prov", b"prow")],
)
async def test_another_logs_head_or_key_is_refused(desk, file, old, new):
    parts = await desk.make()

    code, said = desk.run({**parts, file: parts[file].replace(old, new, 1)})

    assert code in {1, 2}
    assert "step 2" in said or "No extract" in said


async def test_a_head_that_somebody_else_signed_is_refused(desk):
    parts = await desk.make()
    note = Note.parse(parts["log-1.checkpoint"].decode())
    thief = Signer(note.signatures[0].name, Ed25519PrivateKey.generate())
    forged = Note(note.text).signed(thief.sign(note.text))

    code, said = desk.run({**parts, "log-1.checkpoint": str(forged).encode()})

    assert (code, "step 2, head of log 1" in said) == (1, True)


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04nothing", b"<html></html>"])
async def test_what_is_no_extract_is_told_in_a_sentence(tmp_path, broken):
    file = tmp_path / "x.zip"
    file.write_bytes(broken)

    assert verify.main(["verify.py", str(file)]) == 2
    assert verify.main(["verify.py", str(tmp_path / "nothing.zip")]) == 2


def test_the_programs_own_signature_check_agrees_with_the_library():
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public, signed = key.public_key().public_bytes_raw(), key.sign(b"Vem har tittat?")

    assert verify.is_signed(public, b"Vem har tittat?", signed)
    for at in range(0, 64, 7):
        wrong = bytearray(signed)
        wrong[at] ^= 1
        assert not verify.is_signed(public, b"Vem har tittat?", bytes(wrong))
    assert not verify.is_signed(public, b"Vem har tittat", signed)
    assert not verify.is_signed(b"\xff" * 32, b"Vem har tittat?", signed)


def test_the_programs_own_consistency_check_agrees_with_the_trees():
    edge, roots, leaves = Edge(), [], []
    for at in range(40):
        leaves.append(leaf_hash(b"%d" % at))
        edge.append(leaves[-1:])
        roots.append(edge.root())

    for size in range(1, 41):
        for old in range(1, size + 1):
            proof = [merkle_root(leaves[a:b]) for a, b in consistency(old, size)]
            older, newer = roots[old - 1], roots[size - 1]
            assert verify.begins_with(size, newer, old, older, proof)
            assert not verify.begins_with(size, newer, old, bytes(32), proof)
            assert not verify.begins_with(size, newer, old, older, [*proof, older])
            assert not proof or not verify.begins_with(size, newer, old, older, proof[:-1])


def merkle_root(leaves):
    edge = Edge()
    edge.append(leaves)
    return edge.root()

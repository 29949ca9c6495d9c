"""`telecare audit verify`: what it compares with, what it says, and how it ends."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from telecare.audit.note import Note, Signer
from telecare.integrity.verify_command import (
    AGAINST_STAFF_ONLY,
    CheckpointNotSigned,
    CheckpointOfAnotherLog,
    CheckpointUnreadable,
    DateMalformed,
    ExtractOfAnother,
    ExtractUnreadable,
    KeyMalformed,
    Wanted,
    verify_extract,
    verify_log,
)
from tests.services.test_extract import Desk, desk  # noqa: F401
from tests.services.test_publishing import (  # noqa: F401
    Neighbour,
    Office,
    neighbour,
    office,
    signed,
)
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401

NOTHING = Wanted.read("", [], "")


@pytest.fixture
def whole(config, kept):  # noqa: F811
    """Check the whole log as its administrator does."""

    async def run(wanted=NOTHING, *, witnesses=(), with_files=False):
        words = [word for one in witnesses for word in (one.url, str(one.key))]
        folder = str(kept.files.folder) if with_files else ""
        own = config.model_copy(update={"witnesses": words, "log_key_dir": folder})
        return await verify_log(own, kept.slug, wanted, login="root")

    return run


@pytest.fixture
def spoil(as_superuser, kept):  # noqa: F811
    async def run(sql):
        await as_superuser(
            "set session_replication_role = replica;" + sql.format(tenant=kept.world.tenant)
        )

    return run


async def test_a_whole_log_without_a_witness_is_said_to_be_safe_from_staff_only(kept, whole):  # noqa: F811
    await kept.write(3)
    await kept.sign()

    told = await whole()

    assert told.status == 0
    assert AGAINST_STAFF_ONLY in told.lines
    assert told.lines[-1] == "Nothing was found that does not fit."


async def test_it_says_until_when_a_witness_vouches(office, neighbour, whole):  # noqa: F811
    await neighbour.up()
    head = await signed(office, 3)
    await office.publish()

    told = await whole(witnesses=[neighbour.address], with_files=True)

    assert told.status == 0
    assert AGAINST_STAFF_ONLY not in told.lines
    compared = [line for line in told.lines if line.startswith("Compared with ")]
    assert len(compared) == 3  # the stored signature, the witness itself, the file
    assert all(f"{head.size} records" in line for line in compared)
    assert any(f"vouches until {office.kept.clock.now():%Y-%m-%d %H:%M} UTC" in line
               for line in told.lines)  # fmt: skip
    await neighbour.down()
    told = await whole(witnesses=[neighbour.address])
    assert told.status == 0
    assert any("gave no answer" in line for line in told.lines)
    assert any("vouches until" in line for line in told.lines)


async def test_each_finding_names_the_record_what_was_expected_and_what_was_found(
    kept,  # noqa: F811
    whole,
    spoil,
):
    await kept.write(9)
    await kept.sign()
    await spoil(
        "update audit.body b set what = '{{}}' || ' ' from audit.leaf l "
        "where l.entry_id = b.entry_id and l.tenant_id = {tenant} and leaf_index = 7"
    )

    told = await whole()

    assert told.status == 1
    [line] = [line for line in told.lines if line.startswith("DOES NOT FIT")]
    assert "what_altered, log 1 record 7: expected " in line
    assert ", found " in line


async def test_texts_from_before_a_date_are_left_and_the_tree_never_is(kept, whole, spoil):  # noqa: F811
    await kept.write(9)
    await kept.sign()
    await spoil(
        "update audit.body b set what = '{{}}' || ' ' from audit.leaf l "
        "where l.entry_id = b.entry_id and l.tenant_id = {tenant} and leaf_index = 7"
    )

    assert (await whole(Wanted.read("", [], "2000-01-01"))).status == 1
    assert (await whole(Wanted.read("", [], "2999-01-01"))).status == 0
    await spoil(
        "update audit.leaf set hash = sha256('x') where tenant_id = {tenant} and leaf_index = 3"
    )
    assert (await whole(Wanted.read("", [], "2999-01-01"))).status == 1


async def test_that_it_was_done_is_recorded_with_counts_only(kept, whole):  # noqa: F811
    await kept.write(3)
    await kept.sign()

    await whole()

    last = (await kept.world.records())[-1]
    assert last["event"] == "log.verified"
    assert last["actor"]["id"] == "root"
    assert set(last["what"]) == {
        "erased",
        "findings",
        "heads",
        "outside",
        "records",
        "seams",
        "since",
    }
    assert last["what"]["findings"] == 0


async def test_a_head_on_paper_is_compared(kept, whole, spoil, tmp_path):  # noqa: F811
    await kept.write(9)
    await kept.sign()
    paper = tmp_path / "head"
    paper.write_text(str(await kept.note()))
    wanted = Wanted.read("", [str(paper)], "")
    assert (await whole(wanted)).status == 0

    await spoil(
        "delete from audit.checkpoint where tenant_id = {tenant};"
        "delete from audit.leaf where tenant_id = {tenant} and leaf_index >= 5"
    )

    told = await whole(wanted)
    assert told.status == 1
    assert any("tree_shorter" in line and str(paper) in line for line in told.lines)


async def test_a_head_of_another_log_or_of_nobodys_is_refused(kept, whole, tmp_path):  # noqa: F811
    await kept.write(3)
    await kept.sign()
    note = await kept.note()
    thief = Signer(kept.verifier().name, kept.files.make("thief"))
    (tmp_path / "other").write_text(str(note).replace("audit/1\n", "audit/7\n", 1))
    (tmp_path / "thief").write_text(str(Note(note.text).signed(thief.sign(note.text))))
    (tmp_path / "broken").write_text("nothing")

    with pytest.raises(CheckpointOfAnotherLog):
        await whole(Wanted.read("", [str(tmp_path / "other")], ""))
    with pytest.raises(CheckpointNotSigned):
        await whole(Wanted.read("", [str(tmp_path / "thief")], ""))
    for file in ("broken", "missing"):
        with pytest.raises(CheckpointUnreadable):
            Wanted.read("", [str(tmp_path / file)], "")


async def test_another_key_than_the_published_one_is_found(kept, whole):  # noqa: F811
    await kept.write(3)
    await kept.sign()

    assert (await whole(Wanted.read("01" * 32, [], ""))).status == 1
    own = kept.verifier().public_key.hex()
    assert (await whole(Wanted.read(own, [], ""))).status == 0
    for wrong in ("x", "01", "01" * 33):
        with pytest.raises(KeyMalformed):
            Wanted.read(wrong, [], "")
    with pytest.raises(DateMalformed):
        Wanted.read("", [], "yesterday")


# --- an extract -----------------------------------------------------------------------------------


@pytest.fixture
async def package(desk, tmp_path):  # noqa: F811
    await desk.make()
    desk.run(await desk.make())
    return str(tmp_path / "extract.zip")


async def test_an_extract_is_checked_with_what_the_reader_holds(desk, package, tmp_path):  # noqa: F811
    paper = tmp_path / "head"
    paper.write_text(str(await desk.kept.note()))
    key = desk.kept.verifier().public_key.hex()

    told = verify_extract(package, Wanted.read(key, [str(paper)], ""), of=desk.kept.slug)

    assert told.status == 0
    assert told.lines[-1] == f"The head is the one in {paper}."
    assert verify_extract(package, Wanted.read("02" * 32, [], ""), of="").status == 1


async def test_an_extract_of_another_municipality_or_log_is_refused(desk, package, tmp_path):  # noqa: F811
    other = tmp_path / "other"
    other.write_text(str(await desk.kept.note()).replace("audit/1\n", "audit/7\n", 1))

    with pytest.raises(ExtractOfAnother):
        verify_extract(package, NOTHING, of="sodervika")
    with pytest.raises(CheckpointOfAnotherLog):
        verify_extract(package, Wanted.read("", [str(other)], ""), of="")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"{}", None])
def test_a_broken_zip_is_refused(tmp_path, content):
    file = tmp_path / "x.zip"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ExtractUnreadable):
        verify_extract(str(file), NOTHING, of="")


def test_a_zip_cut_off_anywhere_never_passes(package, tmp_path):
    whole = Path(package).read_bytes()
    broken = tmp_path / "broken.zip"
    for at in range(40, len(whole), len(whole) // 40):
        broken.write_bytes(whole[:at])
        with pytest.raises(ExtractUnreadable):
            verify_extract(str(broken), NOTHING, of="")


@pytest.mark.timeout(60)
async def test_the_command_ends_with_what_was_found(config, kept, package):  # noqa: F811
    environment = {
        **os.environ, "TELECARE_DATABASE_URL": config.database_url,
        "TELECARE_PUBLIC_URL": "https://prov.example",
    }  # fmt: skip

    async def run(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "telecare", "audit", "verify", *arguments,
            stdout=asyncio.subprocess.PIPE, env=environment,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    whole, other_key, unknown = await asyncio.gather(
        run(kept.slug, "--full"),
        run(package, "--key", "02" * 32),
        run("nowhere", "--full"),
    )

    assert (whole[0], "Nothing was found that does not fit." in whole[1]) == (0, True)
    assert (other_key[0], "another key" in other_key[1]) == (1, True)
    assert unknown == (
        2, "telecare: TenantUnknown: nowhere. No municipality has that short name.\n"
    )  # fmt: skip

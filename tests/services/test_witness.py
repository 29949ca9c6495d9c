"""A witness signs what follows from what it signed before, and nothing else (C2SP tlog-witness)."""

import asyncio
import hashlib

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.audit.note import (
    Checkpoint,
    Note,
    NoteMalformed,
    Signer,
    VerifierKey,
    check_signature,
    cosigned_at,
)
from telecare.audit.tree import EMPTY_ROOT, consistency, fold, hashes, root_of
from telecare.integrity.submission import Submission, path_of
from telecare.integrity.witness import WitnessUnusable
from telecare.integrity.witness_http import witness_key, witnessing
from telecare.runtime.config import ConfigMissing, WitnessConfig

LOG = Signer("norrvika.example/norrvika/audit/1", Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
LEAVES = [hashlib.sha256(b"\0" + bytes([at])).digest() for at in range(40)]
OTHER_LEAVES = [*LEAVES[:3], *LEAVES[4:], LEAVES[3]]


def tree(leaves):
    def stored(node):
        height, index = node
        return fold(leaves[index << height : (index + 1) << height])

    return stored


def head(size, leaves=LEAVES, signer=LOG) -> Note:
    note = Note(Checkpoint(LOG.name, size, root_of((0, size), tree(leaves))).text)
    return note.signed(signer.sign(note.text))


def submission(old, size, leaves=LEAVES, **changes) -> Submission:
    proof = hashes(consistency(old, size), tree(leaves)) if old <= size else []
    return Submission(**{"old": old, "proof": proof, "note": head(size, leaves), **changes})


class Asked:
    """A running witness, and its folder."""

    def __init__(self, http, port, config, witness) -> None:
        self.http, self.url, self.config = http, f"http://127.0.0.1:{port}", config
        self.witness = witness

    async def send(self, body) -> tuple[int, str, str]:
        data = body if isinstance(body, bytes) else str(body).encode()
        async with self.http.post(f"{self.url}/add-checkpoint", data=data) as answer:
            return answer.status, await answer.text(), answer.headers["Content-Type"]

    async def get(self, path) -> tuple[int, str]:
        async with self.http.get(self.url + path) as answer:
            return answer.status, await answer.text()


@pytest.fixture
def witness_config(tmp_path) -> WitnessConfig:
    config = WitnessConfig(folder=str(tmp_path / "witness"), name="witness.sodervika.example")
    witness_key(config)
    (tmp_path / "witness" / "logs.vkeys").write_text(f"# logs of others\n\n{LOG.verifier()}\n")
    return config


@pytest.fixture
async def asked(witness_config, clock):
    port = unused_port()
    async with (
        witnessing(witness_config, clock, host="127.0.0.1", port=port) as witness,
        aiohttp.ClientSession() as http,
    ):
        yield Asked(http, port, witness_config, witness)


async def test_it_signs_heads_that_follow_and_says_when_by_its_own_clock(asked, clock):
    for old, size in [(0, 7), (7, 7), (7, 8), (8, 31), (31, 40)]:
        clock.forward(minutes=1)

        status, line, _ = await asked.send(submission(old, size))

        assert status == 200
        cosigned = Note.parse(f"{head(size)}{line}")
        assert cosigned_at(cosigned, witness_key(asked.config)) == clock.now()


async def test_it_tells_its_size_to_whoever_believes_another(asked):
    await asked.send(submission(0, 7))

    for old in (0, 5, 8):
        assert await asked.send(submission(old, 40)) == (409, "7\n", "text/x.tlog.size")


async def test_another_tree_of_the_same_size_is_refused(asked):
    await asked.send(submission(0, 20))

    status, body, kind = await asked.send(submission(20, 20, OTHER_LEAVES))

    assert (status, body, kind) == (409, "20\n", "text/x.tlog.size")


async def test_a_tree_that_does_not_begin_with_what_it_signed_is_refused(asked):
    await asked.send(submission(0, 20))
    before = await asked.get(path_of(LOG.name))

    assert (await asked.send(submission(20, 30, OTHER_LEAVES)))[0] == 422
    assert (await asked.send(submission(20, 30, proof=[])))[0] == 422
    assert (await asked.send(submission(20, 30, proof=[b"\0" * 32] * 4)))[0] == 422
    assert await asked.get(path_of(LOG.name)) == before


async def test_a_smaller_tree_is_never_signed_after_a_larger(asked):
    await asked.send(submission(0, 20))

    assert (await asked.send(submission(20, 10)))[0] == 400
    assert (await asked.send(submission(0, 10)))[:2] == (409, "20\n")


async def test_who_is_unknown_or_has_another_key_gets_nothing(asked):
    stranger = Signer("stranger.example/log", Ed25519PrivateKey.generate())
    note = Note(Checkpoint(stranger.name, 0, EMPTY_ROOT).text)
    thief = Signer(LOG.name, Ed25519PrivateKey.generate())

    unknown = Submission(0, [], note.signed(stranger.sign(note.text)))
    assert (await asked.send(unknown))[0] == 404
    assert (await asked.send(submission(0, 7, note=head(7, signer=thief))))[0] == 403
    forged = str(submission(0, 7)).replace("\n7\n", "\n8\n")
    assert (await asked.send(forged))[0] == 403
    assert (await asked.get(path_of(LOG.name)))[0] == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"old 0\n", b"\xff\xfe", b"old -1\n\nx", b"old 01\n\nx", b"old 0\n\nx\n1\nAAAA\n\n",
     str(submission(0, 7)).replace("old 0", "old  0").encode(),
     str(submission(7, 8)).replace("old 7\n", "old 7\nAAAA\n").encode(),
     str(Submission(7, [b"\0" * 32] * 64, head(8))).encode()],
)  # fmt: skip
async def test_what_is_no_submission_is_refused(asked, body):
    assert (await asked.send(body))[0] == 400


async def test_a_body_too_large_is_refused(asked):
    assert (await asked.send(b"x" * 70_000))[0] == 413


async def test_it_shows_what_it_holds(asked):
    await asked.send(submission(0, 7))
    status, text = await asked.get(path_of(LOG.name))

    assert status == 200
    held = Note.parse(text)
    check_signature(held, LOG.verifier())
    assert cosigned_at(held, witness_key(asked.config))
    assert Checkpoint.parse(held.text).size == 7
    _, front = await asked.get("/")
    assert VerifierKey.parse(front.splitlines()[0]) == witness_key(asked.config)
    assert f"{LOG.name} 7 {path_of(LOG.name)}" in front
    assert (await asked.get(path_of("another.example")))[0] == 404


async def test_two_heads_at_once_are_never_both_signed_from_the_same_size(asked):
    """Check and write are one: each answer of 200 stands in a line of sizes without a fork."""
    await asked.send(submission(0, 5))

    answers = await asyncio.gather(
        *(asked.send(submission(5, size, leaves)) for leaves in (LEAVES, OTHER_LEAVES)
          for size in range(6, 26))
    )  # fmt: skip

    assert sorted(status for status, _, _ in answers).count(200) == 1


async def test_it_remembers_over_a_restart(witness_config, clock):
    port = unused_port()
    for sent, expected in [(submission(0, 20), 200), (submission(0, 10), 409),
                           (submission(20, 30), 200)]:  # fmt: skip
        async with (
            witnessing(witness_config, clock, host="127.0.0.1", port=port) as witness,
            aiohttp.ClientSession() as http,
        ):
            asked = Asked(http, port, witness_config, witness)
            assert (await asked.send(sent))[0] == expected


async def test_two_processes_never_share_a_folder(asked, clock):
    with pytest.raises(WitnessUnusable):
        async with witnessing(asked.config, clock, host="127.0.0.1", port=unused_port()):
            pass


@pytest.mark.parametrize("logs", ["nonsense\n", "log.example+00000000+AQ==\n", None])
async def test_it_does_not_begin_with_a_list_it_cannot_read(witness_config, clock, tmp_path, logs):
    file = tmp_path / "witness" / "logs.vkeys"
    file.unlink() if logs is None else file.write_text(logs)

    with pytest.raises(WitnessUnusable):
        async with witnessing(witness_config, clock, host="127.0.0.1", port=unused_port()):
            pass


async def test_it_does_not_begin_when_what_it_signed_cannot_be_read(witness_config, clock, asked):
    await asked.send(submission(0, 7))
    [file] = (asked.witness._files.folder).glob("*.checkpoint")
    file.write_text(file.read_text()[:40])

    with pytest.raises(WitnessUnusable):
        asked.witness._files.head(LOG.name)


def test_its_name_and_folder_must_be_given(tmp_path):
    with pytest.raises(ConfigMissing):
        WitnessConfig.from_environment({"TELECARE_WITNESS_DIR": "/x"})
    with pytest.raises(WitnessUnusable):
        witness_key(WitnessConfig(folder=str(tmp_path), name="two words"))


def test_a_submission_comes_back_as_it_was_written():
    sent = submission(7, 31)

    assert Submission.parse(str(sent)) == sent
    with pytest.raises(NoteMalformed):
        Submission.parse("old 1\n")

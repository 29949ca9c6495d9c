"""Signed notes as C2SP writes them: what is signed is told from what is not."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.audit.note import (
    COSIGNATURE_V1,
    Checkpoint,
    Note,
    NoteMalformed,
    NotSigned,
    Signature,
    Signer,
    VerifierKey,
    check_signature,
    cosigned_at,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = Signer("norrvika.example/norrvika/audit/1", KEY)
NEIGHBOUR = Signer("witness.sodervika.example", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
HEAD = Checkpoint(LOG.name, 432, b"\x05" * 32)
SEEN_AT = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
PETER_WEINBERGER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""The verifier key of the package sumdb/note's own documentation (golang.org/x/mod)."""


def signed() -> Note:
    note = Note(HEAD.text)
    return note.signed(LOG.sign(note.text), NEIGHBOUR.cosign(note.text, SEEN_AT))


def test_a_checkpoint_comes_back_as_it_was_signed_and_cosigned():
    read = Note.parse(str(signed()))

    check_signature(read, LOG.verifier())
    assert cosigned_at(read, NEIGHBOUR.verifier(COSIGNATURE_V1)) == SEEN_AT
    assert Checkpoint.parse(read.text) == HEAD
    assert str(read) == str(signed())


def test_a_key_is_read_and_written_as_others_do():
    assert str(VerifierKey.parse(PETER_WEINBERGER)) == PETER_WEINBERGER
    assert VerifierKey.parse(str(LOG.verifier())) == LOG.verifier()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n432\n", "\n431\n"),
        lambda text: text.replace("audit/1\n", "audit/2\n", 1),
        lambda text: text.replace("BQUF", "BQUG", 1),
    ],
)
def test_an_altered_checkpoint_is_signed_by_nobody(change):
    altered = Note.parse(change(str(signed())))

    with pytest.raises(NotSigned):
        check_signature(altered, LOG.verifier())
    with pytest.raises(NotSigned):
        cosigned_at(altered, NEIGHBOUR.verifier(COSIGNATURE_V1))


def test_another_key_of_the_same_name_is_not_the_log():
    other = Signer(LOG.name, Ed25519PrivateKey.generate())

    with pytest.raises(NotSigned):
        check_signature(signed(), other.verifier())


def test_a_cosignature_holds_for_its_own_minute_only():
    raw = NEIGHBOUR.cosign(HEAD.text, SEEN_AT).raw
    later = bytes([*raw[:7], raw[7] + 1, *raw[8:]])
    key = NEIGHBOUR.verifier(COSIGNATURE_V1)
    note = Note(HEAD.text).signed(Signature(NEIGHBOUR.name, key.id, later))

    with pytest.raises(NotSigned):
        cosigned_at(note, key)


@pytest.mark.parametrize(
    "text",
    ["", "no signatures\n", "text\n\n- name AAAA\n", "text\n\n\N{EM DASH} na me AAAAAAAA\n",
     "text\n\n\N{EM DASH} name !!!\n", "text\n\n\N{EM DASH} name AAAA", "x" * 20_000],
)  # fmt: skip
def test_what_is_no_signed_note_is_refused(text):
    with pytest.raises(NoteMalformed):
        Note.parse(text)


@pytest.mark.parametrize(
    "text", ["", "origin\n", "origin\n12\n", "origin\n-1\nBQ==\n", "origin\n012\nBQ==\n",
             "origin\n1\nBQ==\n", "\n1\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteMalformed):
        Checkpoint.parse(text)


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AQ==", PETER_WEINBERGER[:-4] + "AAAA"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(NoteMalformed):
        VerifierKey.parse(text)

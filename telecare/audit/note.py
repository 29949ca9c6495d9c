"""Signed notes: the checkpoint of a log, and what its witnesses say of it (C2SP signed-note,
tlog-checkpoint, tlog-cosignature). Ed25519. Pure, but for the signing.
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from telecare.audit.tree import HASH_BYTES

ED25519 = b"\x01"
COSIGNATURE_V1 = b"\x04"
DASH = "\N{EM DASH}"
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64
TIME_BYTES = 8
MAX_NOTE_BYTES = 16_384
MAX_SIGNATURES = 32
_NAME = re.compile(r"[^\s+]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteMalformed(ValueError):
    """Not a signed note, a checkpoint or a key as the specifications write them."""


class NotSigned(ValueError):
    """No signature of this key, or a wrong one."""


def key_id(name: str, kind: bytes, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Who signs: `name+hash+key`, as it is printed and configured (a "vkey")."""

    name: str
    kind: bytes
    public_key: bytes

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.kind, self.public_key)

    def __str__(self) -> str:
        packed = base64.b64encode(self.kind + self.public_key).decode()
        return f"{self.name}+{self.id.hex()}+{packed}"

    @property
    def fingerprint(self) -> str:
        """The key's SHA-256 in groups of four, for reading aloud and comparing with print."""
        digest = hashlib.sha256(self.kind + self.public_key).hexdigest()
        return " ".join(digest[at : at + 4] for at in range(0, 32, 4))

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Raises NoteMalformed."""
        name, _, rest = text.partition("+")
        given_id, _, packed = rest.partition("+")
        key = decoded(packed)
        made = cls(name, key[:1], key[1:])
        well_formed = (
            _NAME.fullmatch(name)
            and made.kind in {ED25519, COSIGNATURE_V1}
            and len(made.public_key) == HASH_BYTES
        )
        if not well_formed or made.id.hex() != given_id:
            raise NoteMalformed("key")
        return made


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note; `raw` is what stands behind the key's id."""

    name: str
    key_id: bytes
    raw: bytes

    def __str__(self) -> str:
        return f"{DASH} {self.name} {base64.b64encode(self.key_id + self.raw).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends with a newline, and lines under it."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def signed(self, *more: Signature) -> "Note":
        """With these too; a later signature of the same key takes the earlier one's place."""
        new = {one.key_id for one in more}
        return Note(self.text, (*(one for one in self.signatures if one.key_id not in new), *more))

    @classmethod
    def parse(cls, given: str) -> "Note":
        """Raises NoteMalformed."""
        if len(given.encode()) > MAX_NOTE_BYTES:
            raise NoteMalformed("too long")
        text, gap, lines = given.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise NoteMalformed("no signatures")
        signatures = tuple(_signature(line) for line in lines.removesuffix("\n").split("\n"))
        if len(signatures) > MAX_SIGNATURES:
            raise NoteMalformed("too many signatures")
        return cls(f"{text}\n", signatures)


def _signature(line: str) -> Signature:
    match line.split(" "):
        case [dash, name, packed] if dash == DASH and _NAME.fullmatch(name):
            raw = decoded(packed)
            if len(raw) > KEY_ID_BYTES:
                return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])
    raise NoteMalformed("signature line")


def decoded(text: str) -> bytes:
    """Of base64. Raises NoteMalformed."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise NoteMalformed("base64") from error


# --- signing and checking -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signer:
    """A named Ed25519 key that can sign."""

    name: str
    key: Ed25519PrivateKey

    def verifier(self, kind: bytes = ED25519) -> VerifierKey:
        return VerifierKey(self.name, kind, self.key.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        return Signature(self.name, self.verifier().id, self.key.sign(text.encode()))

    def cosign(self, text: str, at: datetime) -> Signature:
        """That the checkpoint was seen, at `at` by the witness's own clock (whole seconds)."""
        seconds = int(at.timestamp())
        raw = struct.pack(">Q", seconds) + self.key.sign(_cosigned(text, seconds))
        return Signature(self.name, self.verifier(COSIGNATURE_V1).id, raw)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def check_signature(note: Note, key: VerifierKey) -> None:
    """Raises NotSigned unless the log key `key` signed the note."""
    raw = _raw_of(note, key)
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(raw, note.text.encode())
    except InvalidSignature as error:
        raise NotSigned(key.name) from error


def cosigned_at(note: Note, key: VerifierKey) -> datetime:
    """When witness `key` saw this checkpoint, by its own clock. Raises NotSigned."""
    raw = _raw_of(note, key)
    if len(raw) != TIME_BYTES + SIGNATURE_BYTES:
        raise NotSigned(key.name)
    seconds: int = struct.unpack(">Q", raw[:TIME_BYTES])[0]
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(
            raw[TIME_BYTES:], _cosigned(note.text, seconds)
        )
    except InvalidSignature as error:
        raise NotSigned(key.name) from error
    return datetime.fromtimestamp(seconds, UTC)


def _raw_of(note: Note, key: VerifierKey) -> bytes:
    for one in note.signatures:
        if one.name == key.name and one.key_id == key.id:
            return one.raw
    raise NotSigned(key.name)


# --- checkpoints ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's head: which log, how many leaves, their root."""

    origin: str
    size: int
    root: bytes
    further: Sequence[str] = ()

    @property
    def text(self) -> str:
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.further))

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Raises NoteMalformed."""
        if not text.endswith("\n"):
            raise NoteMalformed("checkpoint")
        match text.removesuffix("\n").split("\n"):
            case [origin, size, root, *further] if origin and _SIZE.fullmatch(size):
                hash_ = decoded(root)
                if len(hash_) == HASH_BYTES and all(further):
                    return cls(origin, int(size), hash_, tuple(further))
        raise NoteMalformed("checkpoint")

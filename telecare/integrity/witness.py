"""A witness: signs the heads of other people's logs, each only when it follows from the one before
(C2SP tlog-witness). It sees no record and knows no database; what it has signed lies in files.

Fails closed: what it cannot write down it does not sign.
"""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.audit.note import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    Note,
    NoteMalformed,
    NotSigned,
    Signer,
    VerifierKey,
    check_signature,
)
from telecare.audit.tree import EMPTY_ROOT, NotInTree, check_consistency
from telecare.integrity.submission import Submission
from telecare.runtime.clock import Clock
from telecare.runtime.durable import write_durably
from telecare.runtime.errors import CannotStart
from telecare.runtime.sealing import make_key, read_key


class WitnessRefusal(Exception):
    """Nothing was signed; `status` as tlog-witness has it."""

    status: ClassVar[int] = 400


class SubmissionMalformed(WitnessRefusal):
    pass


class LogUnknown(WitnessRefusal):
    status = 404


class NotByTheLog(WitnessRefusal):
    """No signature of a key that the log is known by."""

    status = 403


class AnotherHead(WitnessRefusal):
    """It holds a head of another size, or another head of the same."""

    status = 409

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class DoesNotFollow(WitnessRefusal):
    status = 422


class WitnessUnusable(CannotStart):
    """Its folder, its name or the file of logs cannot be used."""


@dataclass(frozen=True, slots=True)
class WitnessFiles:
    """`witness.key`, `logs.vkeys` (one verifier key a line), and a head for each log."""

    folder: Path

    def key(self) -> Ed25519PrivateKey:
        """Made the first time. Raises KeyUnusable."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_key(self.folder / "witness.key")
        return Ed25519PrivateKey.from_private_bytes(read_key(self.folder / "witness.key"))

    def logs(self) -> Mapping[str, Sequence[VerifierKey]]:
        """The keys of each log, by its origin. Raises WitnessUnusable."""
        file = self.folder / "logs.vkeys"
        found: dict[str, list[VerifierKey]] = {}
        try:
            lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
            keys = [VerifierKey.parse(line) for line in lines if line and line[0] != "#"]
        except (OSError, ValueError) as error:
            raise WitnessUnusable(str(file)) from error
        for key in keys:
            if key.kind != ED25519:
                raise WitnessUnusable(f"{file}: {key.name} is not the key of a log")
            found.setdefault(key.name, []).append(key)
        return found

    def take(self) -> int:
        """Be the only process that writes here, until it ends. Raises WitnessUnusable."""
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise WitnessUnusable(f"{self.folder}: another witness runs here") from error
        return lock

    def head(self, origin: str) -> Note | None:
        """The newest head that it has signed. Raises WitnessUnusable: without it, it could sign
        what does not follow.
        """
        file = self._head(origin)
        try:
            note = Note.parse(file.read_text("utf-8"))
            Checkpoint.parse(note.text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise WitnessUnusable(str(file)) from error
        return note

    def keep_head(self, origin: str, note: Note) -> None:
        write_durably(self._head(origin), str(note))

    def _head(self, origin: str) -> Path:
        return self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"


class Witness:
    """Raises KeyUnusable, WitnessUnusable when it is made."""

    def __init__(self, name: str, files: WitnessFiles, clock: Clock) -> None:
        self._files = files
        self._clock = clock
        self._signer = Signer(name, files.key())
        self.logs = files.logs()
        self._heads = {origin: files.head(origin) for origin in self.logs}
        self._alone = asyncio.Lock()

    @property
    def key(self) -> VerifierKey:
        return self._signer.verifier(COSIGNATURE_V1)

    def head(self, origin: str) -> Note | None:
        """The newest head that it has signed, its own signature under it."""
        return self._heads.get(origin)

    async def add(self, body: bytes) -> str:
        """Sign a head; returns the line of its signature. Raises WitnessRefusal."""
        try:
            sent = Submission.parse(body.decode())
            checkpoint = Checkpoint.parse(sent.note.text)
        except (NoteMalformed, UnicodeDecodeError) as error:
            raise SubmissionMalformed from error
        own = self._signed_by_the_log(sent.note, checkpoint.origin)
        if sent.old > checkpoint.size:
            raise SubmissionMalformed
        async with self._alone:  # what it holds is read and written by one at a time
            self._check_follows(sent, checkpoint)
            signature = self._signer.cosign(own.text, self._clock.now())
            head = own.signed(signature)
            await asyncio.to_thread(self._files.keep_head, checkpoint.origin, head)
            self._heads[checkpoint.origin] = head
        return str(signature)

    def _signed_by_the_log(self, note: Note, origin: str) -> Note:
        """The head with the log's own signature alone. Raises LogUnknown, NotByTheLog."""
        keys = self.logs.get(origin)
        if keys is None:
            raise LogUnknown
        for key in keys:
            try:
                check_signature(note, key)
            except NotSigned:
                continue
            return Note(note.text, tuple(one for one in note.signatures if one.key_id == key.id))
        raise NotByTheLog

    def _check_follows(self, sent: Submission, new: Checkpoint) -> None:
        """Raises AnotherHead, DoesNotFollow."""
        held = self._heads[new.origin]
        last = Checkpoint.parse(held.text) if held else Checkpoint(new.origin, 0, EMPTY_ROOT)
        if sent.old != last.size or (new.size == last.size and new.root != last.root):
            raise AnotherHead(last.size)
        try:
            check_consistency(last.size, last.root, new.size, new.root, sent.proof)
        except NotInTree as error:
            raise DoesNotFollow from error

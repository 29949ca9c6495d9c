"""What a log sends to a witness: which size it believes the witness holds, the proof from there,
and the head to sign (C2SP tlog-witness, add-checkpoint).
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from telecare.audit.note import Note, NoteMalformed, decoded
from telecare.audit.tree import HASH_BYTES

MAX_PROOF = 63
MAX_BYTES = 65_536
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Submission:
    old: int
    proof: Sequence[bytes]
    note: Note

    def __str__(self) -> str:
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.proof)
        return f"old {self.old}\n{hashes}\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> "Submission":
        """Raises NoteMalformed."""
        head, gap, note = text.partition("\n\n")
        old, *lines = head.split("\n")
        match = _OLD.fullmatch(old)
        if not gap or match is None or len(lines) > MAX_PROOF:
            raise NoteMalformed("submission")
        proof = [decoded(line) for line in lines]
        if any(len(one) != HASH_BYTES for one in proof):
            raise NoteMalformed("proof")
        return cls(int(match[1]), proof, Note.parse(note))


def path_of(origin: str) -> str:
    """Where a witness shows the newest head that it has signed of that log."""
    return f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"

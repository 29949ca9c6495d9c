"""Where one log ends and the next begins: the record `log.reopened`, its form and what it excuses
(docs/decisions/0009).
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from telecare.audit.format import Document
from telecare.audit.note import Checkpoint, Note, NoteMalformed


class SeamUnreadable(ValueError):
    """The record is not as `Seam.document` writes it."""


@dataclass(frozen=True, slots=True)
class Seam:
    """`log` goes on where `follows` stopped, at `size` records with `root` (None: its tree has a
    hole). `note` is the last head that `held_by` has of it; `fits`: the tree began with that.
    `largest`: of all heads known, also our own. `missing`: first and last numbers of leaves that
    were signed and are gone. `keys`: those that sign from now on.
    """

    log: int
    follows: int
    note: Note
    held_by: str
    fits: bool
    largest: int
    missing: Sequence[tuple[int, int]]
    size: int
    root: bytes | None
    found: str
    keys: Sequence[bytes]
    decision: str
    by: Sequence[str]

    @property
    def head(self) -> Checkpoint:
        return Checkpoint.parse(self.note.text)

    def is_missing(self, first: int, end: int) -> bool:
        """Whether the record names all leaves from `first` up to but without `end`."""
        return any(one <= first and end - 1 <= last for one, last in self.missing)

    def document(self) -> Document:
        return {
            "by": list(self.by),
            "decision": self.decision,
            "follows": {
                "fits": self.fits,
                "held_by": self.held_by,
                "largest": self.largest,
                "log": self.follows,
                "note": str(self.note),
            },
            "found": self.found,
            "keys": [key.hex() for key in self.keys],
            "log": self.log,
            "missing": [list(one) for one in self.missing],
            "stands": {
                "root": base64.b64encode(self.root).decode() if self.root else None,
                "size": self.size,
            },
        }

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises SeamUnreadable."""
        try:
            what = json.loads(text)
            follows, stands = what["follows"], what["stands"]
            seam = cls(
                log=int(what["log"]),
                follows=int(follows["log"]),
                note=Note.parse(follows["note"]),
                held_by=str(follows["held_by"]),
                fits=bool(follows["fits"]),
                largest=int(follows["largest"]),
                missing=[(int(first), int(last)) for first, last in what["missing"]],
                size=int(stands["size"]),
                root=base64.b64decode(stands["root"]) if stands["root"] else None,
                found=str(what["found"]),
                keys=[bytes.fromhex(key) for key in what["keys"]],
                decision=str(what["decision"]),
                by=[str(name) for name in what["by"]],
            )
            Checkpoint.parse(seam.note.text)
        except (AttributeError, KeyError, TypeError, ValueError, NoteMalformed) as error:
            raise SeamUnreadable from error
        return seam

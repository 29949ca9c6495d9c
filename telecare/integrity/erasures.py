"""Records of erasures (gallring): which texts are gone, by whose decision."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from telecare.integrity.spans import Span, holds, merged


class ErasureUnreadable(ValueError):
    """The text of a record of an erasure that does not say what was erased."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What such a record says. `log`: whose leaves; `month`: of a retention."""

    log: int
    leaves: Sequence[Span]
    kind: str = "records"
    decision: str = ""
    decided_by: str = ""
    done_by: str = ""
    month: str = ""
    held: int = 0
    records: int = 0

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ErasureUnreadable."""
        try:
            what = json.loads(text)
            return cls(
                log=int(what["log"]),
                leaves=merged((int(first), int(last)) for first, last in what["leaves"]),
                kind=str(what.get("kind", "records")),
                decision=str(what.get("decision", "")),
                decided_by=str(what.get("decided_by", "")),
                done_by=str(what.get("done_by", "")),
                month=str(what.get("month", "")),
                held=int(what.get("held", 0)),
                records=int(what.get("records", 0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ErasureUnreadable(text[:80]) from error

    def names(self, log: int, index: int) -> bool:
        return log == self.log and holds(self.leaves, index)


@dataclass(frozen=True, slots=True)
class Erasure:
    """One such record, when it was entered and where it stands; `place` is None while it waits."""

    entry_id: int
    at: datetime
    erased: Erased
    law: str
    place: tuple[int, int] | None

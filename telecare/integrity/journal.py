"""The journal of erasures: a file beside the backups, outside the database they are copies of.

Whoever restores an older state finds there what was erased after it (docs/decisions/0013). Each
line has the record's envelope and its opened texts, so that a line somebody changed is found.
"""

import base64
import binascii
import contextlib
import fcntl
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from telecare.audit.format import commitment
from telecare.integrity import erasing_store as store
from telecare.integrity.erasures import Erased
from telecare.runtime.db import Database
from telecare.runtime.durable import write_durably
from telecare.runtime.errors import CannotStart

NAME = "erasures.jsonl"


class JournalBroken(CannotStart):
    """A line of the journal of erasures is not what was written."""


@dataclass(frozen=True, slots=True)
class Line:
    """A record of an erasure, of the municipality with that short name."""

    slug: str
    entry: bytes
    seed: bytes
    what: str
    basis: str

    @property
    def erased(self) -> Erased:
        return Erased.read(self.what)

    @property
    def law(self) -> str:
        return str(json.loads(self.basis).get("law", ""))

    def __str__(self) -> str:
        return json.dumps(
            {
                "basis": self.basis,
                "entry": base64.b64encode(self.entry).decode(),
                "seed": base64.b64encode(self.seed).decode(),
                "slug": self.slug,
                "what": self.what,
            },
            ensure_ascii=False,
            sort_keys=True,
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises JournalBroken."""
        try:
            line = json.loads(text)
            made = cls(
                str(line["slug"]),
                base64.b64decode(line["entry"], validate=True),
                base64.b64decode(line["seed"], validate=True),
                str(line["what"]),
                str(line["basis"]),
            )
            envelope = json.loads(made.entry)
            fits = envelope["ev"] == "record.erased" and all(
                commitment(section, made.seed, document) == envelope["sd"][section]
                for section, document in (("what", made.what), ("basis", made.basis))
            )
            _ = made.erased, made.law
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise JournalBroken(text[:60]) from error
        if not fits:
            raise JournalBroken(text[:60])
        return made


def lines(file: Path) -> Sequence[Line]:
    """In the order in which they were written; none when there is no file. Raises JournalBroken."""
    with contextlib.suppress(FileNotFoundError):
        return [Line.read(one) for one in file.read_text("utf-8").splitlines() if one.strip()]
    return []


async def keep(database: Database, file: Path) -> int:
    """Write down every record of an erasure that is not in the file (role eraser); how many stand
    there then. What the file has and the database has not stays. Raises JournalBroken.
    """
    async with database.across_tenants() as db:
        tenants = await store.tenants(db)
    there = []
    for tenant, slug in tenants:
        async with database.transaction(tenant) as db:
            made = [Line(slug, *one) for one in await store.entered(db)]
        there += [one for one in made if _is_readable(one)]
    return _merge(file, there)


def _is_readable(line: Line) -> bool:
    """One that is not was put there by somebody else than us, which the check of the log says."""
    try:
        Line.read(str(line))
    except JournalBroken:
        return False
    return True


def _merge(file: Path, there: Sequence[Line]) -> int:
    with _alone(file):
        kept = list(lines(file))
        known = {(one.slug, one.entry) for one in kept}
        new = [one for one in there if (one.slug, one.entry) not in known]
        if new or not file.exists():
            write_durably(file, "".join(f"{one}\n" for one in [*kept, *new]))
    return len(kept) + len(new)


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """One writer at a time, of all processes."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

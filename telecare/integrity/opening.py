"""Opening one record: all of it, and its place in the log."""

from dataclasses import dataclass
from datetime import datetime

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.note import Note, NoteMalformed
from telecare.integrity import erasures_store
from telecare.integrity import opening_store as store
from telecare.integrity.erasures import Erasure
from telecare.integrity.opening_store import InLog
from telecare.integrity.reading import persons_of, record_reading
from telecare.integrity.records import Entered
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound


@dataclass(frozen=True, slots=True)
class Opened:
    """`others_signed`: whose names stand under the head besides the log's own. Whether they hold is
    for the check of the log to say.
    """

    entry: Entered
    place: InLog | None
    signed_at: datetime | None
    others_signed: tuple[str, ...]
    erasure: Erasure | None = None
    """By which its text was erased."""


class Opening:
    """`database` enters that somebody opens it; `reader` (role reader) sees the log."""

    def __init__(self, database: Database, reader: Database) -> None:
        self._database = database
        self._reader = reader

    async def record(self, session: StaffSession, entry_id: int) -> Opened:
        """Raises NotFound."""
        async with self._reader.transaction(session.tenant) as db:
            residents = await store.about_whom(db, entry_id)
        if residents is None:
            raise NotFound
        async with self._database.transaction(session.tenant) as db:
            persons = await persons_of(db, residents)
        await record_reading(
            self._database, session, Action.LOG_RECORD_READ, persons, {"entry": entry_id}
        )
        async with self._reader.transaction(session.tenant) as db:
            entry = await store.one(db, entry_id)
            place = await store.place(db, entry_id)
            erasure = None
            if entry and place and not entry.has_text:
                erasure = await _naming(db, place)
        if entry is None:
            raise NotFound
        head = place.head if place else None
        return Opened(entry, place, head.signed_at if head else None, _others(place), erasure)


async def _naming(db: Transaction, place: InLog) -> Erasure | None:
    found = await erasures_store.erasures(db)
    return next((one for one in found if one.erased.names(place.log, place.index)), None)


def _others(place: InLog | None) -> tuple[str, ...]:
    if place is None or place.head is None:
        return ()
    try:
        note = Note.parse(place.head.note)
    except NoteMalformed:
        return ()
    return tuple(one.name for one in note.signatures if one.name != place.origin)

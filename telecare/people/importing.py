"""Reading in a file of people: first what would become of each row, then some at a time.

Each part is one transaction with its timer: killed in between, it goes on where it stopped, and no
row is read in twice.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access.model import Permission, Staff, StaffSession
from telecare.access.service import require_in, session_now
from telecare.access.staffing import Details as StaffDetails
from telecare.access.staffing import NewRole, Staffing
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, StaffActor, actor_text
from telecare.people import importing_store, keeping_store
from telecare.people.importing_store import Import
from telecare.people.keeping import Details, Keeping
from telecare.people.national_id import NationalIdKeyMissing
from telecare.people.people_file import (
    Fate,
    Kind,
    ReadRow,
    ResidentRow,
    StaffRow,
    read_file,
)
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.runtime.sealing import Sealer
from telecare.runtime.timers import Due, set_timer
from telecare.wire.ids import CareUnitId, new_row_id

IMPORT = "people.import"
CHUNK = 50
PAUSE = timedelta(seconds=0.4)
"""Between two parts, so that no other timer waits for more than one (half a second of work)."""
FORGET = "people.import_forget"
KEPT_FOR = timedelta(hours=1)
"""A file nobody read in is thrown away."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what would become, or became, of it."""

    row: ReadRow
    fate: Fate


@dataclass(frozen=True, slots=True)
class Looked:
    """An import and, while its file is kept, every row's fate."""

    about: Import
    rows: Sequence[Judged]


class Importing:
    """Residents need REGISTER in the unit, staff INVITE; both raise NotPermitted."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        keeping: Keeping,
        staffing: Staffing,
        sealer: Sealer | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keeping = keeping
        self._staffing = staffing
        self._sealer = sealer
        self.chunk = CHUNK

    async def send(
        self, session: StaffSession, kind: Kind, unit_id: CareUnitId, content: bytes
    ) -> UUID:
        """Keep the file, sealed, for its dry run. Nobody is registered yet.

        Raises FileNotUtf8, FileTooLong, FileColumns, FileEmpty, NationalIdKeyMissing.
        """
        now = self._clock.now()
        if self._sealer is None:
            raise NationalIdKeyMissing("file")
        rows = await asyncio.to_thread(read_file, content, kind, now.astimezone(STOCKHOLM).date())
        import_id = new_row_id(now)
        about = Import(
            import_id, kind, unit_id, session.staff.id, session.id, len(rows), 0, 0, now, None, None
        )
        async with self._begun(session) as db:
            require_in(db, session, PERMISSION[kind], unit_id, Action.IMPORT_SENT)
            sealed = self._sealer.seal(f"import {import_id}", content)
            await importing_store.add(db, about, sealed)
            await set_timer(db, FORGET, import_id, now + KEPT_FOR)
            await self._record(db, Action.IMPORT_SENT, session.actor, about)
        return import_id

    async def look(self, session: StaffSession, import_id: UUID) -> Looked:
        """What would become of each row now; of one that runs, how far it has come.

        Raises NotFound for somebody else's.
        """
        async with self._begun(session) as db:
            about, sealed = await self._own(db, session, import_id)
            if sealed is None or about.begun_at is not None:
                return Looked(about, ())
            rows = await self._rows(about, sealed)
            return Looked(about, await self._judged(db, about, rows, session.staff))

    async def begin(self, session: StaffSession, import_id: UUID) -> None:
        """Read in what can be; the rows that cannot are left out. Pressed twice, it runs once."""
        now = self._clock.now()
        async with self._begun(session) as db:
            about, sealed = await self._own(db, session, import_id)
            require_in(db, session, PERMISSION[about.kind], about.unit_id, Action.IMPORT_BEGUN)
            if sealed is None or about.begun_at is not None:
                return
            await importing_store.begin(db, import_id, now)
            await set_timer(db, IMPORT, import_id, now)
            await self._record(db, Action.IMPORT_BEGUN, session.actor, about)

    async def go_on(self, db: Transaction, due: Due, now: datetime) -> None:
        """The next rows (a timer)."""
        found = await importing_store.hold(db, due.subject)
        if found is None or found[1] is None or found[0].finished_at is not None:
            return
        about, sealed = found
        assert sealed is not None  # noqa: S101 - asked above
        sender = await self._sender(db, about, now)
        rows = await self._rows(about, sealed, slice(about.row_done, about.row_done + self.chunk))
        added = 0
        if sender is not None:
            await db.enter(db.tenant, actor_text(sender.actor))
            for judged in await self._judged(db, about, rows, sender.staff):
                if judged.fate == "added":
                    await self._add(db, about, judged.row, sender.actor, now)
                    added += 1
        done = replace(
            about, row_done=about.row_done + len(rows), row_added=about.row_added + added
        )
        is_over = sender is None or done.row_done >= about.row_count
        await importing_store.went_on(db, done, finished_at=now if is_over else None)
        if not is_over:
            await set_timer(db, IMPORT, about.id, now + PAUSE)
        elif sender is not None:
            await self._record(db, Action.IMPORT_FINISHED, sender.actor, done)

    async def forget(self, db: Transaction, due: Due, now: datetime) -> None:
        """Nobody read it in: the file goes (a timer)."""
        del now
        await importing_store.forget_unless_begun(db, due.subject)

    # --- parts --------------------------------------------------------------------------------

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _own(
        self, db: Transaction, session: StaffSession, import_id: UUID
    ) -> tuple[Import, bytes | None]:
        found = await importing_store.hold(db, import_id)
        if found is None or found[0].staff_id != session.staff.id:
            raise NotFound
        return found

    async def _rows(
        self, about: Import, sealed: bytes, part: slice = slice(None)
    ) -> Sequence[ReadRow]:
        assert self._sealer is not None  # noqa: S101 - it sealed the file
        content = self._sealer.open(f"import {about.id}", sealed)
        today = about.sent_at.astimezone(STOCKHOLM).date()
        return await asyncio.to_thread(read_file, content, about.kind, today, part)

    async def _judged(
        self, db: Transaction, about: Import, rows: Sequence[ReadRow], sender: Staff
    ) -> Sequence[Judged]:
        keys = {
            read.n: self._keeping.digest(db.tenant, read.row.national_id)
            for read in rows
            if isinstance(read.row, ResidentRow) and read.row.national_id is not None
        }
        known = set(await keeping_store.taken(db, list(keys.values())))
        if about.kind == "staff":
            names = [read.name for read in rows]
            keys = {read.n: read.name.encode() for read in rows}
            known = {
                n.encode() for n in await importing_store.staff_names(db, about.unit_id, names)
            }
        seen: set[bytes] = set()
        judged = []
        for read in rows:
            judged.append(_judge(read, keys.get(read.n), known, seen, about, sender))
            seen |= {keys[read.n]} if read.n in keys else set()
        return judged

    async def _sender(self, db: Transaction, about: Import, now: datetime) -> StaffSession | None:
        """Who sent it, as she is now; None when she may no longer do it."""
        sender = await session_now(db, about.staff_id, about.staff_session_id, now)
        if sender is None or not sender.staff.may_in(PERMISSION[about.kind], about.unit_id):
            return None
        return sender

    async def _add(
        self, db: Transaction, about: Import, read: ReadRow, actor: StaffActor, now: datetime
    ) -> None:
        match read.row:
            case ResidentRow() as row:
                details = Details(
                    name=row.name,
                    given_name=row.given_name,
                    unit_id=about.unit_id,
                    language=row.language,
                    address=row.address,
                    phone=row.phone,
                    hearing=row.hearing,
                    to_know=row.to_know,
                    priority=row.priority,
                    is_protected=False,
                    national_id=row.national_id.digits if row.national_id else None,
                )
                await self._keeping.register_one(db, details, actor, now)
            case StaffRow() as row:
                staff = StaffDetails(
                    row.name, about.unit_id, (row.language,), row.language, row.ends_at
                )
                role = NewRole(row.role, about.unit_id)
                await self._staffing.add_one(db, staff, role, actor, now)

    async def _record(
        self, db: Transaction, action: Action, actor: StaffActor, about: Import
    ) -> None:
        what: Document = {
            "added": about.row_added,
            "import_id": str(about.id),
            "kind": about.kind,
            "rows": about.row_count,
            "unit_id": str(about.unit_id),
        }
        await append(db, Record(action, actor, what=what))


PERMISSION: dict[Kind, Permission] = {
    "residents": Permission.REGISTER,
    "staff": Permission.INVITE,
}


def _judge(
    read: ReadRow,
    key: bytes | None,
    known: set[bytes],
    seen: set[bytes],
    about: Import,
    sender: Staff,
) -> Judged:
    if isinstance(read.row, StaffRow) and not sender.may_give(read.row.role, about.unit_id):
        return Judged(replace(read, field="roll"), "wrong")
    if read.row is None:
        return Judged(read, "wrong")
    if key is not None and key in known:
        return Judged(read, "known")
    return Judged(read, "twice" if key is not None and key in seen else "added")

"""Own relations: each member of staff states hers; nobody else has a list of them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.people import relations_store as store
from telecare.people.relations_store import RelationKind
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.wire.ids import ResidentId, new_row_id


class Relations:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def mine(self, session: StaffSession) -> Sequence[store.Stated]:
        async with self._by(session) as db:
            return await store.stated_by(db, session.staff.id)

    async def state(
        self, session: StaffSession, resident_id: ResidentId, kind: RelationKind, note: str
    ) -> None:
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            relation = await store.state(
                db,
                new_row_id(now),
                staff_id=session.staff.id,
                resident_id=resident_id,
                kind=kind,
                note=note,
                now=now,
            )
            what: Document = {"kind": kind, "note": note, "relation_id": str(relation)}
            record = Record(Action.RELATION_STATED, session.actor, [resident.person], what)
            await append(db, record)

    async def remove(self, session: StaffSession, relation_id: UUID) -> None:
        async with self._by(session) as db:
            found = await store.remove(db, relation_id, session.staff.id, self._clock.now())
            if found is None:
                raise NotFound
            resident = await known(db, found)
            what = {"relation_id": str(relation_id)}
            record = Record(Action.RELATION_REMOVED, session.actor, [resident.person], what)
            await append(db, record)

    async def give_reason(
        self, session: StaffSession, resident_id: ResidentId, reason: str
    ) -> None:
        """Why she needs to, in spite of the relation; it holds for a quarter of an hour."""
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            kind = await store.kind_of(db, session.staff.id, resident_id)
            if kind is None:
                raise NotFound
            await store.give_reason(db, session.staff.id, resident_id, reason, now)
            what: Document = {"reason": reason, "relation": kind}
            record = Record(Action.REASON_GIVEN, session.actor, [resident.person], what)
            await append(db, record)

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

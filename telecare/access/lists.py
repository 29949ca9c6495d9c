"""The municipality's own lists of words: outcomes (utfall), causes (orsaker), measures (åtgärder).

Insatser have minutes besides their names and are kept by `visits`.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from telecare.access import lists_store
from telecare.access.errors import NameTaken
from telecare.access.model import Permission, StaffSession
from telecare.access.service import require
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.wire.ids import new_row_id

ListName = Literal["outcome", "cause", "measure"]


@dataclass(frozen=True, slots=True)
class Item:
    id: UUID
    list: ListName
    name: str


class Lists:
    """Changing needs CONFIGURE; what was ended stays in what has used it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def items(self, session: StaffSession) -> Sequence[Item]:
        async with self._begun(session) as db:
            return [Item(*row) for row in await lists_store.items(db)]

    async def add(self, session: StaffSession, to: ListName, name: str) -> None:
        """Raises NotPermitted, NameTaken."""
        now = self._clock.now()
        item = new_row_id(now)
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.LIST_CHANGED)
            if not await lists_store.add(db, item, to, name, now):
                raise NameTaken("name")
            await self._record(db, session, {"added": name, "id": str(item), "list": to})

    async def end(self, session: StaffSession, item: UUID) -> None:
        """Raises NotPermitted, NotFound."""
        now = self._clock.now()
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.LIST_CHANGED)
            ended = await lists_store.end(db, item, now)
            if ended is None:
                raise NotFound
            await self._record(db, session, {"ended": ended, "id": str(item)})

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _record(self, db: Transaction, session: StaffSession, what: Document) -> None:
        await append(db, Record(Action.LIST_CHANGED, session.actor, what=what))

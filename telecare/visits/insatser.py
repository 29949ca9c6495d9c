"""The municipality's insatser: what visits are for, how long they take, and when one that nobody
held goes to others.
"""

from collections.abc import Sequence
from uuid import UUID

from telecare.access.errors import NameTaken
from telecare.access.model import Permission, StaffSession
from telecare.access.service import require
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, UniqueViolation
from telecare.runtime.errors import NotFound
from telecare.visits import store
from telecare.visits.model import Insats
from telecare.wire.ids import new_row_id


class Insatser:
    """Changing needs CONFIGURE; visits that are planned keep the one they have."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, session: StaffSession) -> Sequence[Insats]:
        async with self._database.transaction(session.tenant) as db:
            return await store.insatser(db)

    async def add(
        self, session: StaffSession, *, name: str, minutes: int, step_after_min: int
    ) -> None:
        """Raises NotPermitted, NameTaken."""
        insats = Insats(new_row_id(self._clock.now()), name, minutes, step_after_min)
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.CONFIGURE, Action.LIST_CHANGED)
            try:
                async with db.savepoint():
                    await store.add_insats(db, insats)
            except UniqueViolation as error:
                raise NameTaken("name") from error
            what: Document = {
                "added": name,
                "id": str(insats.id),
                "list": "insats",
                "minutes": minutes,
                "step_after_min": step_after_min,
            }
            await append(db, Record(Action.LIST_CHANGED, session.actor, what=what))

    async def end(self, session: StaffSession, insats_id: UUID) -> None:
        """Nothing new is planned with it. Raises NotPermitted, NotFound."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.CONFIGURE, Action.LIST_CHANGED)
            ended = await store.end_insats(db, insats_id, now)
            if ended is None:
                raise NotFound
            what: Document = {"ended": ended, "id": str(insats_id), "list": "insats"}
            await append(db, Record(Action.LIST_CHANGED, session.actor, what=what))

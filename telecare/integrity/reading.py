"""Reading the log is itself an event: its record is committed before anything is shown."""

from collections.abc import Sequence

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Person, Record, actor_text
from telecare.people import store as people_store
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import ResidentId


async def record_reading(
    database: Database,
    session: StaffSession,
    action: Action,
    persons: Sequence[Person],
    what: Document,
) -> None:
    """Enter that she reads; when this has returned the record stands."""
    async with database.transaction(session.tenant, actor_text(session.actor)) as db:
        await append(db, Record(action, session.actor, persons, what))


async def persons_of(db: Transaction, residents: Sequence[ResidentId]) -> list[Person]:
    """Whom a record is about, those with protected identity without a name; by id."""
    found = await people_store.residents(db, residents)
    return sorted((one.person for one in found), key=lambda one: one.id)

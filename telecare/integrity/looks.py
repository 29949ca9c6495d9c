"""Vem har tittat: on her own screen, if she wants it, who has seen or spoken with her.

Looks, calls and robot visits only; who read her card stands in the letter and the extract. What is
under review reads like any other until the review is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from telecare.access.model import ScreenSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record, actor_text
from telecare.integrity import looks_store as store
from telecare.integrity.looks_store import Look, SeenBy
from telecare.integrity.reviews import Reviews
from telecare.people.service import known, resident_topic
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database
from telecare.runtime.errors import NotFound, TelecareError
from telecare.wire.errors import Code

ON_A_PAGE = 3


class LooksHidden(TelecareError):
    """She has not asked to see it here."""

    status = 403
    code = Code.LOOKS_HIDDEN


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. `below`: the next page begins there; None on the last."""

    looks: Sequence[tuple[Look, SeenBy]]
    below: int | None


class Looks:
    """`reader` (role reader) sees the log; `reviews` takes what she asks about."""

    def __init__(
        self, database: Database, reader: Database, clock: Clock, reviews: Reviews
    ) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._reviews = reviews

    async def show(self, session: ScreenSession, *, on: bool) -> None:
        """One OK on her screen; who held the remote is not known."""
        actor = session.actor
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            resident = await known(db, actor.resident_id)
            if not await store.show(db, resident.id, on):
                return
            db.changed(resident_topic(resident.id))
            action = Action.LOOKS_SHOWN if on else Action.LOOKS_HIDDEN
            await append(db, Record(action, actor, [resident.person]))

    async def of_home(self, session: ScreenSession, below: int | None) -> Page:
        """Recorded. Raises LooksHidden."""
        actor = session.actor
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            resident = await known(db, actor.resident_id)
            wanted, _ = await store.shows(db, resident.id)
            if not wanted:
                raise LooksHidden
            await append(db, Record(Action.LOOKS_READ, actor, [resident.person]))
        async with self._reader.transaction(session.tenant) as db:
            found = await store.looks(db, actor.resident_id, below, ON_A_PAGE + 1)
        async with self._database.transaction(session.tenant) as db:
            names = await store.seen_by(db, [one.staff_id for one in found])
        shown = found[:ON_A_PAGE]
        more = len(found) > ON_A_PAGE
        return Page([(one, names[one.staff_id]) for one in shown], shown[-1].n if more else None)

    async def ask(self, session: ScreenSession, n: int) -> None:
        """She wonders about this one: somebody looks at it and answers. Once.

        Raises LooksHidden, NotFound.
        """
        now = self._clock.now()
        actor = session.actor
        async with self._reader.transaction(session.tenant) as db:
            newest = await store.looks(db, actor.resident_id, n + 1, 1)
        look = next((one for one in newest if one.n == n), None)
        if look is None:
            raise NotFound
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            resident = await known(db, actor.resident_id)
            wanted, unit_id = await store.shows(db, resident.id)
            if not wanted:
                raise LooksHidden
            await self._reviews.asked_about(db, look, resident.id, unit_id, now)
            what = {"entry": look.entry_id, "n": n}
            await append(db, Record(Action.LOOK_ASKED, actor, [resident.person], what))

"""Vem har tittat: on the home's own screen, to whom wants it, who has seen or spoken with them.

Looks, calls and robot visits only; who read her card stands in the letter and the extract. What is
under review reads like any other until the review is closed.

A cohabitant who has said yes may have a view of her own: what a yes of hers was needed for. It
is there when she wants it and the resident shows hers, whose screen and whose calls it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.access.model import ScreenSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.integrity import looks_store as store
from telecare.integrity.looks_store import Look, SeenBy, Sharer
from telecare.integrity.reviews import Reviews
from telecare.people.service import known, resident_topic
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, CohabitantId, ResidentId

ON_A_PAGE = 3


class LooksHidden(TelecareError):
    """She has not asked to see it here."""

    status = 403
    code = Code.LOOKS_HIDDEN


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. `below`: the next page begins there; None on the last. `sharers`: cohabitants
    who have said yes.
    """

    looks: Sequence[tuple[Look, SeenBy]]
    below: int | None
    sharers: Sequence[Sharer]


class Looks:
    """`reader` (role reader) sees the log; `reviews` takes what she asks about."""

    def __init__(
        self, database: Database, reader: Database, clock: Clock, reviews: Reviews
    ) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._reviews = reviews

    async def show(
        self, session: ScreenSession, *, on: bool, party: CohabitantId | None = None
    ) -> None:
        """One OK on the screen; who held the remote is not known. `party`: for her.

        Raises NotFound; LooksHidden for a cohabitant where the resident shows nothing.
        """
        actor = session.actor
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            resident = await known(db, actor.resident_id)
            if party is None:
                changed = await store.show(db, resident.id, on)
            else:
                await _shown(db, resident.id, None, now)
                await _sharer(db, resident.id, party, now)
                changed = await store.show_to(db, resident.id, party, on)
            if not changed:
                return
            db.changed(resident_topic(resident.id))
            action = Action.LOOKS_SHOWN if on else Action.LOOKS_HIDDEN
            await append(db, Record(action, actor, [resident.person], _whose(party)))

    async def of_home(
        self, session: ScreenSession, below: int | None, party: CohabitantId | None = None
    ) -> Page:
        """Recorded. `party`: a cohabitant's own. Raises LooksHidden, NotFound."""
        actor = session.actor
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            resident = await known(db, actor.resident_id)
            await _shown(db, resident.id, party, now)
            sharers = await store.sharers(db, resident.id, now)
            await append(db, Record(Action.LOOKS_READ, actor, [resident.person], _whose(party)))
        async with self._reader.transaction(session.tenant) as db:
            found = await store.looks(db, actor.resident_id, below, ON_A_PAGE + 1, party)
        async with self._database.transaction(session.tenant) as db:
            names = await store.seen_by(db, [one.staff_id for one in found])
        shown = found[:ON_A_PAGE]
        more = len(found) > ON_A_PAGE
        listed = [(one, names[one.staff_id]) for one in shown]
        return Page(listed, shown[-1].n if more else None, sharers)

    async def ask(self, session: ScreenSession, n: int, party: CohabitantId | None = None) -> None:
        """She wonders about this one: somebody looks at it and answers her. Once.

        Raises LooksHidden, NotFound.
        """
        now = self._clock.now()
        actor = session.actor
        async with self._reader.transaction(session.tenant) as db:
            newest = await store.looks(db, actor.resident_id, n + 1, 1, party)
        look = next((one for one in newest if one.n == n), None)
        if look is None:
            raise NotFound
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            resident = await known(db, actor.resident_id)
            unit_id = await _shown(db, resident.id, party, now)
            await self._reviews.asked_about(db, look, resident.id, unit_id, now, party)
            what: Document = {**_whose(party), "entry": look.entry_id, "n": n}
            await append(db, Record(Action.LOOK_ASKED, actor, [resident.person], what))


async def _shown(
    db: Transaction, resident_id: ResidentId, party: CohabitantId | None, now: datetime
) -> CareUnitId:
    """Her unit. Raises LooksHidden, NotFound."""
    wanted, unit_id = await store.shows(db, resident_id)
    if not wanted:
        raise LooksHidden
    if party is not None and not (await _sharer(db, resident_id, party, now)).shows:
        raise LooksHidden
    return unit_id


async def _sharer(
    db: Transaction, resident_id: ResidentId, party: CohabitantId, now: datetime
) -> Sharer:
    """Raises NotFound of whoever does not live there, or has said no."""
    found = await store.sharers(db, resident_id, now)
    sharer = next((one for one in found if one.id == party), None)
    if sharer is None:
        raise NotFound
    return sharer


def _whose(party: CohabitantId | None) -> Document:
    return {"cohabitant_id": str(party)} if party else {}

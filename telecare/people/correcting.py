"""Rättelse: a text on the wrong person, or a wrong one, leaves its place and stays struck through.

The records that hold it are not touched, they cannot be; a new one points at what they were about
by kind and id (the server may not read the log to name their numbers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.errors import NotPermitted
from telecare.access.model import Permission, StaffSession
from telecare.access.service import is_new_read, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text, refused
from telecare.people import corrections_store as store
from telecare.people.correctable import Correctable, Written
from telecare.people.model import Resident
from telecare.people.own_relation import reason_for
from telecare.people.service import assigned, known, on_mission
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId, new_row_id

SHOWN = timedelta(days=30)


class TextChanged(TelecareError):
    """It says something else by now, or is gone."""

    code = Code.TEXT_CHANGED


@dataclass(frozen=True, slots=True)
class Correcting:
    """`old_text`: as she saw it. `new_text` empty: nothing takes its place."""

    kind: str
    about_id: UUID
    old_text: str
    why: str
    new_text: str
    right_resident_id: ResidentId | None


@dataclass(frozen=True, slots=True)
class Note:
    written: Written
    may_correct: bool


@dataclass(frozen=True, slots=True)
class Notes:
    """What stands about a resident, and what stood there and was corrected."""

    notes: Sequence[Note]
    corrected: Sequence[store.Listed]


class Corrections:
    """`correctables`: every place that holds a text (app.py)."""

    def __init__(
        self, database: Database, clock: Clock, correctables: Sequence[Correctable]
    ) -> None:
        self._database = database
        self._clock = clock
        self._correctables = {one.kind: one for one in correctables}

    async def notes(self, session: StaffSession, resident_id: ResidentId) -> Notes:
        """Part of the card: assigned staff only, and recorded as a read of it."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
            await assigned(db, session, resident, Action.CARD_READ, now)
            why = await reason_for(db, session, resident, Action.CARD_READ, now)
            only_opened = await access_store.only_in_emergency(
                db, session.staff.id, resident_id, now
            )
            written: list[Written] = []
            for one in self._correctables.values():
                written += await one.written_of(db, resident_id, now - SHOWN)
            corrected = await store.of(db, resident_id, now - SHOWN)
            if await is_new_read(db, session, "card", resident_id, now):
                await append(db, Record(Action.CARD_READ, session.actor, [resident.person], why))
        plans = session.staff.may_in(Permission.PLAN, resident.unit_id)
        may = plans or not only_opened
        return Notes(
            [Note(one, may_correct=may and _may(session, one, resident)) for one in written],
            corrected,
        )

    async def correct(self, session: StaffSession, change: Correcting) -> UUID:
        """By its author while on a mission there, or by whoever plans.

        Raises NotFound (no such kind), TextChanged, NotAssigned, NotPermitted, FieldInvalid.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            if change.kind not in self._correctables:
                raise NotFound
            place = self._correctables[change.kind]
            written = await place.hold(db, change.about_id, change.old_text)
            if written is None:
                raise TextChanged
            wrong = await known(db, written.resident_id)
            await self._check(db, session, written, wrong)
            right = await self._right(db, session, change.right_resident_id, wrong)
            one = store.Correction(
                id=new_row_id(now),
                written=written,
                right_resident_id=right.id if right else None,
                why=change.why,
                new_text=change.new_text or None,
                by=session.staff.id,
                at=now,
            )
            stays = "" if right else change.new_text
            await place.replace(db, written, stays, now)
            await store.add(db, one)
            await self._record(db, session, one, wrong, right)
        return one.id

    async def _check(
        self, db: Transaction, session: StaffSession, written: Written, wrong: Resident
    ) -> None:
        now = self._clock.now()
        if not session.staff.may_in(Permission.PLAN, wrong.unit_id):
            await on_mission(db, session, wrong, Action.CORRECTED, now)
        if not _may(session, written, wrong):
            what = {"about_id": str(written.id), "kind": written.kind}
            record = refused(
                Code.NOT_PERMITTED, Action.CORRECTED, session.actor, [wrong.person], what
            )
            raise NotPermitted(Kept(record))

    async def _right(
        self,
        db: Transaction,
        session: StaffSession,
        resident_id: ResidentId | None,
        wrong: Resident,
    ) -> Resident | None:
        """Whom it was about in truth: somebody she may write about."""
        if resident_id is None:
            return None
        right = await known(db, resident_id)
        if right.id == wrong.id:
            raise FieldInvalid("right_resident_id")
        if not session.staff.may_in(Permission.PLAN, right.unit_id):
            await on_mission(db, session, right, Action.CORRECTED, self._clock.now())
        return right

    async def _record(
        self,
        db: Transaction,
        session: StaffSession,
        one: store.Correction,
        wrong: Resident,
        right: Resident | None,
    ) -> None:
        """One about each person: neither is named in the other's."""
        what: Document = {
            "about_id": str(one.written.id),
            "correction_id": str(one.id),
            "kind": one.written.kind,
            "why": one.why,
        }
        about = [(wrong, "taken_away" if right or not one.new_text else "replaced")]
        if right is not None:
            about.append((right, "moved_here"))
        for resident, outcome in sorted(about, key=lambda each: each[0].id):
            db.changed(unit_topic(resident.unit_id))
            said: Document = {**what, "outcome": outcome}
            await append(db, Record(Action.CORRECTED, session.actor, [resident.person], said))


def _may(session: StaffSession, written: Written, resident: Resident) -> bool:
    """Her own text; or she plans in that unit, and sees to what others wrote."""
    plans = session.staff.may_in(Permission.PLAN, resident.unit_id)
    return plans or written.author_id == session.staff.id

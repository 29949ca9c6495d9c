"""Consents at a moment, as they were known then or are known now; and who could have seen her."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from telecare.access.model import PERMISSIONS, Permission, StaffSession
from telecare.audit.actions import Action
from telecare.audit.format import Document
from telecare.consent.model import Consent
from telecare.integrity import consent_history_store as store
from telecare.integrity.consent_history_store import CouldSee, Stated
from telecare.integrity.reading import record_reading
from telecare.people.model import Resident
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database
from telecare.wire.ids import ResidentId

Knowledge = Literal["then", "now"]
State = Literal["in_force", "hours", "not_yet", "expired", "deny", "withdrawn"]
WORKING_ROLES = [str(role) for role, may in PERMISSIONS.items() if Permission.WORK in may]


@dataclass(frozen=True, slots=True)
class Shown:
    """A party's statement at the moment asked for; `hours`: a yes, but not at that time of day."""

    stated: Stated
    state: State
    entry_id: int | None

    @property
    def held(self) -> bool:
        return self.state == "in_force"


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was believed then and what is known now, where they differ."""

    then: Shown | None
    now: Shown | None


@dataclass(frozen=True, slots=True)
class History:
    resident: Resident
    at: datetime
    knowledge: Knowledge
    shown: Sequence[Shown]
    corrected: Sequence[Corrected]
    """Only when it is asked what is known now: "then" hides everything learned later."""
    assigned: Sequence[CouldSee]
    in_unit: Sequence[CouldSee]


class ConsentHistory:
    """`database` enters that somebody reads; `reader` (role reader) sees the log."""

    def __init__(self, database: Database, reader: Database, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock

    async def at(
        self,
        session: StaffSession,
        resident_id: ResidentId,
        at: datetime | None,
        knowledge: Knowledge,
    ) -> History:
        """`at` None: this moment. Raises NotFound."""
        now = self._clock.now()
        moment = at or now
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
        what: Document = {"asked_at": moment.isoformat(), "known": knowledge}
        persons = [resident.person]
        await record_reading(self._database, session, Action.LOG_CONSENTS_READ, persons, what)
        async with self._reader.transaction(session.tenant) as db:
            records = await store.records(db, resident_id)
        async with self._database.transaction(session.tenant) as db:
            then = await store.known(db, resident_id, moment, moment)
            today = await store.known(db, resident_id, moment, max(now, moment))
            assigned = await store.assigned(db, resident_id, moment)
            in_unit = await store.in_unit(db, resident.unit_id, moment, WORKING_ROLES)

        def shown(stated: Sequence[Stated]) -> Sequence[Shown]:
            return [
                Shown(one, state_of(one.consent, moment), records.get(one.consent.id))
                for one in stated
            ]

        believed, is_known = shown(then), shown(today)
        named = {one.staff_id for one in assigned}
        return History(
            resident=resident,
            at=moment,
            knowledge=knowledge,
            shown=believed if knowledge == "then" else is_known,
            corrected=_corrected(believed, is_known) if knowledge == "now" else (),
            assigned=assigned,
            in_unit=[one for one in in_unit if one.staff_id not in named],
        )


def state_of(consent: Consent, at: datetime) -> State:
    """What the gate would have made of it (consent/model.py)."""
    if consent.decision != "permit":
        return consent.decision
    if at < consent.valid_from:
        return "not_yet"
    if consent.valid_until is not None and at >= consent.valid_until:
        return "expired"
    if consent.hours is not None and not consent.hours.contain(at):
        return "hours"
    return "in_force"


def _corrected(then: Sequence[Shown], now: Sequence[Shown]) -> Sequence[Corrected]:
    """Where what is known now is another statement than what was known then."""
    before, after = ({_party(one): one for one in side} for side in (then, now))
    differing = [
        party
        for party in sorted({*before, *after}, key=str)
        if _id(before.get(party)) != _id(after.get(party))
    ]
    return [Corrected(before.get(party), after.get(party)) for party in differing]


def _party(shown: Shown) -> tuple[str, str]:
    consent = shown.stated.consent
    return str(consent.purpose), str(consent.cohabitant_id or "")


def _id(shown: Shown | None) -> str:
    return str(shown.stated.consent.id) if shown else ""

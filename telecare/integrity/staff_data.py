"""Rules on staff's own data (address, relatives, rostered shift): decided by two, fed with keyed
hashes, compared where a review is drawn. Until then everything reads "ej kontrollerat".

What is sent in is hashed with the key outside the database before it is stored; clear values are
kept nowhere (docs/decisions/0015).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text, refused
from telecare.integrity import staff_data_store as store
from telecare.integrity.preservation_store import Proposed
from telecare.integrity.rules import Check, Compared, Hit, Sent, StaffRule, staff_hits
from telecare.integrity.staff_data_store import Decision, Fact, Import, NewDecision, Question
from telecare.integrity.staff_file import Kin, Lives, Rostered, Told, read_staff_file, template
from telecare.integrity.street import Street, read_street
from telecare.people.national_id import NationalIdKeyMissing, digest_of
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, Refusal, TelecareError
from telecare.runtime.sealing import Sealer
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId, StaffId, TenantId, new_row_id

CHUNK = 2_000
"""Compared in one statement: each has its time limit."""
_COUNTED: Mapping[store.Kind, str] = {
    "street": "addresses",
    "self": "own_numbers",
    "relative": "relatives",
    "shift": "shifts",
}


class StaffDataDecided(TelecareError):
    """A decision is in force or waits; another is noted when that one is withdrawn."""

    code = Code.STAFF_DATA_DECIDED


class StaffDataClosed(TelecareError):
    """Somebody has decided already."""

    code = Code.STAFF_DATA_CLOSED


class StaffDataNeedsAnother(Refusal):
    """Whoever noted the decision does not approve it."""

    code = Code.STAFF_DATA_NEEDS_ANOTHER


class StaffDataNotDecided(TelecareError):
    """Nothing is taken in for a rule that no decision in force names."""

    code = Code.STAFF_DATA_NOT_DECIDED


@dataclass(frozen=True, slots=True)
class Access:
    """One reading or call to compare with; `resident_id` when it is about one person."""

    staff_id: StaffId
    resident_id: ResidentId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    decision: Decision | None
    imports: dict[StaffRule, Import]


class StaffData:
    """`sealer`: None without a key file; then nothing can be taken in."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer | None) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer

    async def shown(self, session: StaffSession) -> Shown:
        """What is decided, and what was sent in: how much, by whom, when."""
        async with self._by(session) as db:
            return Shown(await store.decision(db), await store.imports(db))

    # --- the decision -------------------------------------------------------------------------

    async def propose(self, session: StaffSession, what: NewDecision) -> UUID:
        """Raises StaffDataDecided."""
        now = self._clock.now()
        decision_id = new_row_id(now)
        async with self._by(session) as db:
            if not await store.propose(db, decision_id, what, session.staff.id, now):
                raise StaffDataDecided
            await append(db, _record(Action.STAFF_DATA_PROPOSED, session, decision_id, what))
        return decision_id

    async def approve(self, session: StaffSession, decision_id: UUID) -> None:
        """Raises NotFound, StaffDataClosed, StaffDataNeedsAnother."""
        async with self._by(session) as db:
            found = await self._held(db, decision_id)
            if found.approved is not None:
                raise StaffDataClosed
            if found.proposed.by == session.staff.id:
                what: Document = {"decision_id": str(decision_id)}
                record = refused(
                    Code.STAFF_DATA_NEEDS_ANOTHER, Action.STAFF_DATA_APPROVED, session.actor, (),
                    what,
                )  # fmt: skip
                raise StaffDataNeedsAnother(Kept(record))
            await self._decide(db, session, found, "approved", Action.STAFF_DATA_APPROVED)

    async def decline(self, session: StaffSession, decision_id: UUID) -> None:
        """Also by whoever noted it. Raises NotFound, StaffDataClosed."""
        async with self._by(session) as db:
            found = await self._held(db, decision_id)
            if found.approved is not None:
                raise StaffDataClosed
            await self._decide(db, session, found, "declined", Action.STAFF_DATA_DECLINED)

    async def withdraw(self, session: StaffSession, decision_id: UUID) -> None:
        """Off at once, by anyone, and everything that was sent in goes in the same transaction.

        Raises NotFound, StaffDataClosed.
        """
        async with self._by(session) as db:
            found = await self._held(db, decision_id)
            if found.approved is None:
                raise StaffDataClosed
            await store.forget(db)
            await self._decide(db, session, found, "withdrawn", Action.STAFF_DATA_WITHDRAWN)

    async def _held(self, db: Transaction, decision_id: UUID) -> Decision:
        """Raises NotFound."""
        found = await store.decision(db, hold=True)
        if found is None or found.id != decision_id:
            raise NotFound
        return found

    async def _decide(
        self,
        db: Transaction,
        session: StaffSession,
        found: Decision,
        how: Literal["approved", "declined", "withdrawn"],
        action: Action,
    ) -> None:
        await store.decide(db, found.id, how, session.staff.id, self._clock.now())
        await append(db, _record(action, session, found.id, found.what))

    # --- what is sent in ----------------------------------------------------------------------

    async def template(self, session: StaffSession, rule: StaffRule) -> str:
        """A file to fill in, with everybody who works here but those with protected identity."""
        async with self._by(session) as db:
            found = await store.staff(db)
        open_ = [one for one in found if not (one.is_protected or one.is_revoked)]
        return template(rule, [(one.id, one.name, one.unit_name) for one in open_])

    async def take_in(self, session: StaffSession, rule: StaffRule, content: bytes) -> None:
        """Hash it, in place of what the rule went by before; the record tells how many rows.

        Raises NationalIdKeyMissing, StaffDataNotDecided, FileNotUtf8, StaffFileTooLong,
        FileColumns, FileEmpty, StaffFileRows.
        """
        sealer = self._sealer
        if sealer is None:
            raise NationalIdKeyMissing("file")
        now = self._clock.now()
        async with self._by(session) as db:
            employed = {one.id: one for one in await store.staff(db)}
        told = await asyncio.to_thread(
            read_staff_file, content, rule, {UUID(str(one)): one for one in employed},
            now.astimezone(STOCKHOLM).date(),
        )  # fmt: skip
        open_ = [(who, one) for who, one in told if not employed[who].is_protected]
        facts = await asyncio.to_thread(_hashed, sealer, session.tenant, open_)
        sent = Import(
            rule=rule,
            row_count=len(open_),
            staff_count=len({who for who, _ in open_}),
            left_out=len(told) - len(open_),
            key_digest=_key_digest(sealer, session.tenant),
            sent=Proposed(session.staff.id, "", now),
        )
        async with self._by(session) as db:
            found = await store.decision(db, hold=True)
            if found is None or not found.holds_for(rule):
                raise StaffDataNotDecided
            await store.take_in(db, found.id, sent, facts)
            what: Document = {
                **Counter(_COUNTED[fact.kind] for fact in facts if fact.kind in _COUNTED),
                "decision_id": str(found.id),
                "employed": sent.staff_count,
                "left_out": sent.left_out,
                "rows": sent.row_count,
                "rule": rule,
            }
            basis: Document = {"decision": found.what.decision, "law": found.what.law}
            await append(db, Record(Action.STAFF_DATA_SENT, session.actor, (), what, basis))

    # --- comparing ----------------------------------------------------------------------------

    async def checked(
        self, db: Transaction, accesses: Sequence[Access]
    ) -> Sequence[tuple[list[Hit], list[Check]]]:
        """Of each, what hits and what it was held against; in the caller's transaction."""
        sent = await self._sent(db)
        if all(one.why is not None for one in sent):
            return [([], [Check(one.rule, why=one.why) for one in sent]) for _ in accesses]
        residents = {one.resident_id for one in accesses if one.resident_id is not None}
        homes = {one.id: one for one in await store.homes(db, list(residents))}
        digests = {
            one.id: self._digests(db.tenant, read_street(one.address)) for one in homes.values()
        }
        staff = await store.protected(db, list({one.staff_id for one in accesses}))
        asked = []
        for one in accesses:
            home = homes.get(one.resident_id) if one.resident_id else None
            street, place = digests[home.id] if home else (None, None)
            is_protected = one.staff_id in staff or (home is not None and home.is_protected)
            asked.append(
                Question(one.staff_id, one.resident_id, one.at, is_protected, street, place)
            )
        found: list[Compared] = []
        for n in range(0, len(asked), CHUNK):
            found += await store.compared(db, asked[n : n + CHUNK])
        return [staff_hits(sent, one) for one in found]

    async def _sent(self, db: Transaction) -> list[Sent]:
        decision, imports = await store.decision(db), await store.imports(db)
        found = []
        for rule in StaffRule:
            sent = imports.get(rule)
            if decision is None or not decision.holds_for(rule):
                found.append(Sent(rule, None, "no_decision"))
            elif sent is None:
                found.append(Sent(rule, None, "no_data"))
            elif self._sealer is None or sent.key_digest != _key_digest(self._sealer, db.tenant):
                found.append(Sent(rule, None, "other_key"))
            else:
                found.append(Sent(rule, sent.sent.at.astimezone(STOCKHOLM).date(), None))
        return found

    def _digests(
        self, tenant: TenantId, street: Street | None
    ) -> tuple[bytes | None, bytes | None]:
        if street is None or self._sealer is None:
            return None, None
        place = _place(self._sealer, tenant, street) if street.place else None
        return _street(self._sealer, tenant, street), place

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


def _hashed(
    sealer: Sealer, tenant: TenantId, told: Sequence[tuple[StaffId, Told]]
) -> Sequence[Fact]:
    facts: list[Fact] = []
    for who, one in told:
        match one:
            case Lives(street):
                facts.append(Fact(who, "street", _street(sealer, tenant, street)))
                if street.place:
                    facts.append(Fact(who, "place", _place(sealer, tenant, street)))
            case Kin(relation, national_id):
                facts.append(Fact(who, relation, digest_of(sealer, tenant, national_id)))
            case Rostered(since, until):
                facts.append(Fact(who, "shift", since=since, until=until))
    return facts


def _street(sealer: Sealer, tenant: TenantId, street: Street) -> bytes:
    return sealer.digest(f"street {tenant}", street.key)


def _place(sealer: Sealer, tenant: TenantId, street: Street) -> bytes:
    return sealer.digest(f"place {tenant}", street.place)


def _key_digest(sealer: Sealer, tenant: TenantId) -> bytes:
    return sealer.digest(f"key {tenant}", "staff data")


def _record(action: Action, session: StaffSession, decision_id: UUID, what: NewDecision) -> Record:
    said: Document = {
        "consulted": what.consulted,
        "decided_on": what.decided_on.isoformat(),
        "decision_id": str(decision_id),
        "rules": [str(rule) for rule in what.rules],
    }
    basis: Document = {"decision": what.decision, "law": what.law}
    return Record(action, session.actor, (), said, basis)

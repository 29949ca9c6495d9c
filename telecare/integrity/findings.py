"""Findings, and the personal data breaches (personuppgiftsincident, GDPR art. 33 and 34) that
somebody makes of them: when it became known, what was decided and why, who was told.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Record, actor_text
from telecare.integrity import findings_store as store
from telecare.integrity.findings_store import Decision, Finding, Incident, NewFinding, Told
from telecare.integrity.reading import persons_of, record_reading
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId, new_row_id

NOTIFY_WITHIN = timedelta(hours=72)
"""From when it became known until the supervisory authority is told (GDPR art. 33.1)."""
LIST = 200


class FindingClosed(TelecareError):
    """Somebody has closed it, or made it part of an incident."""

    code = Code.FINDING_CLOSED


class IncidentClosed(TelecareError):
    """What is closed, or decided, stands."""

    code = Code.INCIDENT_CLOSED


class IncidentNotDone(TelecareError):
    """Closed only when it is decided, notified where that was decided, and said who was told."""

    code = Code.INCIDENT_NOT_DONE


@dataclass(frozen=True, slots=True)
class Overview:
    incidents: Sequence[Incident]
    open: Sequence[Finding]
    closed: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """All that is kept of one."""

    incident: Incident
    findings: Sequence[Finding]

    @property
    def due_at(self) -> datetime:
        return self.incident.known_at + NOTIFY_WITHIN


async def found(
    db: Transaction, findings: Sequence[NewFinding], actor: Actor, now: datetime
) -> int:
    """Open those that are new; each is a record about whom it concerns. How many were new."""
    new = 0
    for one in sorted(findings, key=lambda one: str(one.resident_id)):
        finding_id = new_row_id(now)
        if not await store.add(db, finding_id, one, now):
            continue
        new += 1
        persons = await persons_of(db, [one.resident_id] if one.resident_id else [])
        what: Document = {
            **one.what,
            "about": one.key,
            "finding_id": str(finding_id),
            "finding": one.kind,
        }
        await append(db, Record(Action.FINDING_OPENED, actor, persons, what))
    return new


class Findings:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def overview(self, session: StaffSession) -> Overview:
        """Recorded: it names people."""
        async with self._by(session) as db:
            seen = Overview(
                await store.incidents(db, LIST),
                await store.listed(db, LIST, still_open=True),
                await store.listed(db, LIST, still_open=False),
            )
        await self._record_reading(session, [*seen.open, *seen.closed], {"list": "findings"})
        return seen

    async def of_incident(self, session: StaffSession, incident_id: UUID) -> IncidentFile:
        """Recorded. Raises NotFound."""
        async with self._by(session) as db:
            incident = await store.incident(db, incident_id)
            if incident is None:
                raise NotFound
            findings = await store.of_incident(db, incident_id, LIST)
        await self._record_reading(session, findings, {"incident_id": str(incident_id)})
        return IncidentFile(incident, findings)

    async def close(self, session: StaffSession, finding_id: UUID, note: str) -> None:
        """What it was. Raises NotFound, FindingClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            finding = await self._open(db, finding_id)
            await store.close(db, finding.id, note, by=session.staff.id, now=now)
            persons = await persons_of(db, _whom([finding]))
            what: Document = {"finding_id": str(finding.id), "finding": finding.kind, "note": note}
            await append(db, Record(Action.FINDING_CLOSED, session.actor, persons, what))

    async def make_incident(
        self, session: StaffSession, finding_id: UUID, title: str, known_at: datetime
    ) -> UUID:
        """The 72 hours run from `known_at`, at latest now. Raises NotFound, FindingClosed,
        FieldInvalid.
        """
        now = self._clock.now()
        if known_at > now:
            raise FieldInvalid("known_at")
        async with self._by(session) as db:
            finding = await self._open(db, finding_id)
            incident_id = new_row_id(now)
            await store.add_incident(db, incident_id, title, known_at, by=session.staff.id, now=now)
            await store.join_incident(db, finding.id, incident_id)
            persons = await persons_of(db, _whom([finding]))
            what: Document = {
                "finding_id": str(finding.id),
                "incident_id": str(incident_id),
                "known_at": known_at.isoformat(),
                "title": title,
            }
            await append(db, Record(Action.INCIDENT_OPENED, session.actor, persons, what))
        return incident_id

    async def decide(
        self, session: StaffSession, incident_id: UUID, decision: Decision, reason: str
    ) -> None:
        """Once. Raises NotFound, IncidentClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            incident = await self._held(db, incident_id)
            if incident.decision is not None:
                raise IncidentClosed
            await store.decide(db, incident_id, decision, reason, by=session.staff.id, now=now)
            what: Document = {"decision_made": decision, "decision_reason": reason}
            await self._record(db, session, Action.INCIDENT_DECIDED, incident_id, what)

    async def notified(
        self, session: StaffSession, incident_id: UUID, at: datetime, diary_number: str
    ) -> None:
        """The authority has been told. Raises NotFound, IncidentClosed, FieldInvalid."""
        async with self._by(session) as db:
            incident = await self._held(db, incident_id)
            if incident.decision != "notify" or incident.notified_at is not None:
                raise IncidentClosed
            if not incident.known_at <= at <= self._clock.now():
                raise FieldInvalid("at")
            await store.notified(db, incident_id, at, diary_number)
            what: Document = {
                "diary_number": diary_number,
                "late": at > incident.known_at + NOTIFY_WITHIN,
                "notified_at": at.isoformat(),
            }
            await self._record(db, session, Action.INCIDENT_NOTIFIED, incident_id, what)

    async def told(self, session: StaffSession, incident_id: UUID, whether: Told, how: str) -> None:
        """Those concerned (art. 34), or why not. Once. Raises NotFound, IncidentClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            incident = await self._held(db, incident_id)
            if incident.persons_told is not None:
                raise IncidentClosed
            await store.told(db, incident_id, whether, how, by=session.staff.id, now=now)
            what: Document = {"persons_told": whether, "told_how": how}
            await self._record(db, session, Action.INCIDENT_TOLD, incident_id, what)

    async def close_incident(self, session: StaffSession, incident_id: UUID) -> None:
        """Raises NotFound, IncidentClosed, IncidentNotDone."""
        now = self._clock.now()
        async with self._by(session) as db:
            incident = await self._held(db, incident_id)
            notified = incident.decision == "do_not_notify" or incident.notified_at is not None
            if incident.decision is None or incident.persons_told is None or not notified:
                raise IncidentNotDone
            await store.close_incident(db, incident_id, by=session.staff.id, now=now)
            await self._record(db, session, Action.INCIDENT_CLOSED, incident_id, {})

    # --- parts --------------------------------------------------------------------------------

    async def _open(self, db: Transaction, finding_id: UUID) -> Finding:
        finding = await store.hold(db, finding_id)
        if finding is None:
            raise NotFound
        if finding.closed_at is not None or finding.incident_id is not None:
            raise FindingClosed
        return finding

    async def _held(self, db: Transaction, incident_id: UUID) -> Incident:
        incident = await store.hold_incident(db, incident_id)
        if incident is None:
            raise NotFound
        if incident.closed_at is not None:
            raise IncidentClosed
        return incident

    async def _record(
        self,
        db: Transaction,
        session: StaffSession,
        action: Action,
        incident_id: UUID,
        what: Document,
    ) -> None:
        """About everybody whom its findings concern."""
        findings = await store.of_incident(db, incident_id, LIST)
        persons = await persons_of(db, _whom(findings))
        full: Document = {**what, "incident_id": str(incident_id)}
        await append(db, Record(action, session.actor, persons, full))

    async def _record_reading(
        self, session: StaffSession, findings: Sequence[Finding], what: Document
    ) -> None:
        async with self._database.transaction(session.tenant) as db:
            persons = await persons_of(db, _whom(findings))
        await record_reading(self._database, session, Action.FINDINGS_READ, persons, what)

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


def _whom(findings: Sequence[Finding]) -> list[ResidentId]:
    return sorted({one.resident_id for one in findings if one.resident_id is not None})

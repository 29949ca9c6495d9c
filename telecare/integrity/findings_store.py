"""SQL of findings and of personal data breaches (role app)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import ResidentId, StaffId

Decision = Literal["notify", "do_not_notify"]
Told = Literal["told", "not_needed"]

ADD = """
insert into finding (tenant_id, id, kind, key, resident_id, call_id, entry_id, what, found_at)
values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9)
on conflict (tenant_id, kind, key) do nothing
returning id
"""
FINDING = """
select f.id, f.kind, f.key, f.resident_id, shown_name(r) as resident_name, f.call_id, f.entry_id,
    f.what, f.found_at, f.incident_id, f.note, f.closed_at, shown_name(c) as closed_name
from finding f
left join resident r on r.tenant_id = f.tenant_id and r.id = f.resident_id
left join staff c on c.tenant_id = f.tenant_id and c.id = f.closed_by
where f.tenant_id = $1
"""
ONE = FINDING + "and f.id = $2"
LISTED = (
    FINDING
    + """and (f.closed_at is null) = $2 and f.incident_id is null
order by f.found_at desc, f.id limit $3"""
)
OF_INCIDENT = FINDING + "and f.incident_id = $2 order by f.found_at, f.id limit $3"
HOLD = "select id from finding where tenant_id = $1 and id = $2 for update"
CLOSE = """
update finding set note = $3, closed_at = $4, closed_by = $5
where tenant_id = $1 and id = $2
"""
JOIN_INCIDENT = "update finding set incident_id = $3 where tenant_id = $1 and id = $2"
ADD_INCIDENT = """
insert into incident (tenant_id, id, title, known_at, opened_at, opened_by)
values ($1, $2, $3, $4, $5, $6)
"""
INCIDENT = """
select i.id, i.title, i.known_at, i.opened_at, shown_name(o) as opened_name, i.decision, i.reason,
    i.decided_at, shown_name(d) as decided_name, i.notified_at, i.diary_number, i.persons_told,
    i.told_how, i.told_at, shown_name(t) as told_name, i.closed_at, shown_name(c) as closed_name
from incident i
join staff o on o.tenant_id = i.tenant_id and o.id = i.opened_by
left join staff d on d.tenant_id = i.tenant_id and d.id = i.decided_by
left join staff t on t.tenant_id = i.tenant_id and t.id = i.told_by
left join staff c on c.tenant_id = i.tenant_id and c.id = i.closed_by
where i.tenant_id = $1
"""
ONE_INCIDENT = INCIDENT + "and i.id = $2"
INCIDENTS = INCIDENT + "order by i.closed_at is not null, i.known_at desc, i.id limit $2"
HOLD_INCIDENT = "select id from incident where tenant_id = $1 and id = $2 for update"
DECIDE = """
update incident set decision = $3, reason = $4, decided_at = $5, decided_by = $6
where tenant_id = $1 and id = $2
"""
NOTIFIED = """
update incident set notified_at = $3, diary_number = $4 where tenant_id = $1 and id = $2
"""
TOLD = """
update incident set persons_told = $3, told_how = $4, told_at = $5, told_by = $6
where tenant_id = $1 and id = $2
"""
CLOSE_INCIDENT = """
update incident set closed_at = $3, closed_by = $4 where tenant_id = $1 and id = $2
"""


@dataclass(frozen=True, slots=True)
class NewFinding:
    """`key`: what it is about; the same kind and key is found once. `what`: values of its text."""

    kind: str
    key: str
    resident_id: ResidentId | None = None
    call_id: UUID | None = None
    entry_id: int | None = None
    what: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    id: UUID
    kind: str
    key: str
    resident_id: ResidentId | None
    resident_name: str | None
    call_id: UUID | None
    entry_id: int | None
    what: Mapping[str, str | int]
    found_at: datetime
    incident_id: UUID | None
    note: str | None
    closed_at: datetime | None
    closed_name: str | None


@dataclass(frozen=True, slots=True)
class Incident:
    """A personal data breach (personuppgiftsincident). Names are empty of somebody protected."""

    id: UUID
    title: str
    known_at: datetime
    opened_at: datetime
    opened_name: str
    decision: Decision | None
    reason: str | None
    decided_at: datetime | None
    decided_name: str | None
    notified_at: datetime | None
    diary_number: str | None
    persons_told: Told | None
    told_how: str | None
    told_at: datetime | None
    told_name: str | None
    closed_at: datetime | None
    closed_name: str | None


async def add(db: Transaction, finding_id: UUID, new: NewFinding, now: datetime) -> bool:
    """False when the same has been found before."""
    added = await db.fetchval(
        ADD, db.tenant, finding_id, new.kind, new.key, new.resident_id, new.call_id, new.entry_id,
        json.dumps(dict(new.what)), now,
    )  # fmt: skip
    return added is not None


async def listed(db: Transaction, limit: int, *, still_open: bool) -> Sequence[Finding]:
    """Newest first, those that are part of no incident."""
    return [_finding(row) for row in await db.fetch(LISTED, db.tenant, still_open, limit)]


async def of_incident(db: Transaction, incident_id: UUID, limit: int) -> Sequence[Finding]:
    return [_finding(row) for row in await db.fetch(OF_INCIDENT, db.tenant, incident_id, limit)]


async def one(db: Transaction, finding_id: UUID) -> Finding | None:
    row = await db.fetchrow(ONE, db.tenant, finding_id)
    return _finding(row) if row else None


async def hold(db: Transaction, finding_id: UUID) -> Finding | None:
    """Locked until commit."""
    await db.fetchrow(HOLD, db.tenant, finding_id)
    return await one(db, finding_id)


async def close(
    db: Transaction, finding_id: UUID, note: str, *, by: StaffId, now: datetime
) -> None:
    await db.execute(CLOSE, db.tenant, finding_id, note, now, by)


async def join_incident(db: Transaction, finding_id: UUID, incident_id: UUID) -> None:
    await db.execute(JOIN_INCIDENT, db.tenant, finding_id, incident_id)


async def add_incident(
    db: Transaction, incident_id: UUID, title: str, known_at: datetime, *, by: StaffId,
    now: datetime,
) -> None:  # fmt: skip
    await db.execute(ADD_INCIDENT, db.tenant, incident_id, title, known_at, now, by)


async def incidents(db: Transaction, limit: int) -> Sequence[Incident]:
    """Those not closed first, newest first."""
    return [Incident(**row) for row in await db.fetch(INCIDENTS, db.tenant, limit)]


async def incident(db: Transaction, incident_id: UUID) -> Incident | None:
    row = await db.fetchrow(ONE_INCIDENT, db.tenant, incident_id)
    return Incident(**row) if row else None


async def hold_incident(db: Transaction, incident_id: UUID) -> Incident | None:
    """Locked until commit."""
    await db.fetchrow(HOLD_INCIDENT, db.tenant, incident_id)
    return await incident(db, incident_id)


async def decide(
    db: Transaction, incident_id: UUID, decision: Decision, reason: str, *, by: StaffId,
    now: datetime,
) -> None:  # fmt: skip
    await db.execute(DECIDE, db.tenant, incident_id, decision, reason, now, by)


async def notified(db: Transaction, incident_id: UUID, at: datetime, diary_number: str) -> None:
    await db.execute(NOTIFIED, db.tenant, incident_id, at, diary_number)


async def told(
    db: Transaction, incident_id: UUID, whether: Told, how: str, *, by: StaffId, now: datetime
) -> None:
    await db.execute(TOLD, db.tenant, incident_id, whether, how, now, by)


async def close_incident(db: Transaction, incident_id: UUID, *, by: StaffId, now: datetime) -> None:
    await db.execute(CLOSE_INCIDENT, db.tenant, incident_id, now, by)


def _finding(row: Row) -> Finding:
    return Finding(**{**row, "what": json.loads(row["what"])})

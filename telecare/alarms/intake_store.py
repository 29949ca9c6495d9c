"""SQL of what other makers' units have said."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.alarms.model import State
from telecare.alarms.receivers.arrived import Arrived
from telecare.alarms.technical.model import Kind
from telecare.runtime.db import Transaction
from telecare.wire.ids import AlarmId, AlarmUnitId, ResidentId

# One account's messages one after the other, so that two ways of the same one are one.
HOLD_ACCOUNT = "select pg_advisory_xact_lock(hashtextextended($1, 0))"
# Of one whose alarm is closed the reference may be used anew.
CAME_BEFORE = """
select exists (
    select from alarm_unit_message m
    left join alarm a on a.tenant_id = m.tenant_id and a.id = m.alarm_id
    where m.tenant_id = $1 and m.protocol = $2 and m.account = $3 and m.reference = $4
        and m.received_at > $5 and m.fingerprint = $6
        and (m.alarm_unit_id is not null or not $7)
        and (a.state is null or a.state <> all($8))
)
"""
ADD = """
insert into alarm_unit_message (tenant_id, id, protocol, receiver, account, source, reference,
    fingerprint, kind, received_at, alarm_unit_id, alarm_id, said, technical_alarm_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
SHOWN_UNKNOWN = """
select t.id from alarm_unit_message m
join technical_alarm t on t.tenant_id = m.tenant_id and t.id = m.technical_alarm_id
where m.tenant_id = $1 and m.protocol = $2 and m.account = $3 and t.kind = 'unknown_sender'
    and t.ended_at is null and t.closed_at is null
limit 1
"""
SHOWN_TROUBLE = """
select id from technical_alarm
where tenant_id = $1 and kind = $2 and resident_id = $3 and device = $4 and endpoint_id is null
    and ended_at is null and closed_at is null
limit 1
"""
END_TROUBLE = """
update technical_alarm set ended_at = $5
where tenant_id = $1 and kind = $2 and resident_id = $3 and device = $4 and endpoint_id is null
    and ended_at is null
returning id, closed_at is null as was_open
"""
DROP_MESSAGES = "select drop_alarm_unit_messages($1, $2)"
OPEN_ALARMS = """
select id from alarm
where tenant_id = $1 and source = $2 and source_id = $3 and state in ('new', 'taken', 'handled')
order by received_at
"""


@dataclass(frozen=True, slots=True)
class Became:
    """What a message has raised, if anything."""

    alarm_id: AlarmId | None = None
    technical_alarm_id: UUID | None = None


async def hold_account(db: Transaction, arrived: Arrived) -> None:
    claim = arrived.claim
    await db.execute(HOLD_ACCOUNT, f"{db.tenant} {claim.protocol} {claim.account}")


async def came_before(
    db: Transaction, arrived: Arrived, unit_id: AlarmUnitId | None, now: datetime
) -> bool:
    """What came unproven before does not stand for what is proven now."""
    claim = arrived.claim
    found: bool = await db.fetchval(
        CAME_BEFORE, db.tenant, claim.protocol, claim.account, arrived.reference,
        now - arrived.same_for, arrived.fingerprint, unit_id is not None,
        [str(State.CLOSED), str(State.CANCELLED)],
    )  # fmt: skip
    return found


async def add(
    db: Transaction,
    message_id: UUID,
    arrived: Arrived,
    unit_id: AlarmUnitId | None,
    became: Became,
    now: datetime,
) -> None:
    claim = arrived.claim
    said = json.dumps(arrived.codes, ensure_ascii=False)
    await db.execute(
        ADD, db.tenant, message_id, claim.protocol, claim.receiver, claim.account, claim.source,
        arrived.reference, arrived.fingerprint, arrived.kind, now, unit_id, became.alarm_id,
        said, became.technical_alarm_id,
    )  # fmt: skip


async def drop_messages(db: Transaction, before: datetime, limit: int) -> int:
    """How many, of any municipality. What nobody has seen to yet stays."""
    dropped: int = await db.fetchval(DROP_MESSAGES, before, limit)
    return dropped


async def open_alarms(db: Transaction, source: str, unit_id: AlarmUnitId) -> list[AlarmId]:
    rows = await db.fetch(OPEN_ALARMS, db.tenant, source, str(unit_id))
    return [AlarmId(row["id"]) for row in rows]


async def shown_unknown(db: Transaction, protocol: str, account: str) -> UUID | None:
    """What is shown of this sender, while nobody has seen to it."""
    found: UUID | None = await db.fetchval(SHOWN_UNKNOWN, db.tenant, protocol, account)
    return found


async def shown_trouble(
    db: Transaction, kind: Kind, resident_id: ResidentId, account: str
) -> UUID | None:
    found: UUID | None = await db.fetchval(SHOWN_TROUBLE, db.tenant, kind, resident_id, account)
    return found


async def end_trouble(
    db: Transaction, kind: Kind, resident_id: ResidentId, account: str, now: datetime
) -> UUID | None:
    """None when nobody had still to see to it."""
    rows = await db.fetch(END_TROUBLE, db.tenant, kind, resident_id, account, now)
    return next((row["id"] for row in rows if row["was_open"]), None)

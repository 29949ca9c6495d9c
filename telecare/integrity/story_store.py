"""What the story of a call is made of: its records (reader), what the home's unit wrote (app)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.integrity.records import Entered, entered
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CallId, EndpointId, ResidentId

MOST_RECORDS = 500

WHOSE = """
select distinct s.resident_id
from audit.body b
join audit.subject_entry s on s.tenant_id = b.tenant_id and s.entry_id = b.entry_id
where b.tenant_id = $1 and b.call_id = $2
order by s.resident_id
limit $3
"""
OF_CALL = """
select b.entry_id, b.recorded_at, b.event, b.actor, b.what, b.basis, b.subject, b.persons
from audit.body b
where b.tenant_id = $1 and b.call_id = $2
order by b.entry_id
limit $3
"""
OF_UNIT = """
select unit_id, occurred_at, clock_ok, received_at, payload
from edge_event
where tenant_id = $1 and kind = 'camera.turned' and payload ->> 'call_id' = $2
order by unit_id, (payload ->> 'number')::bigint
limit $3
"""
ENDPOINT_KIND = "select kind from endpoint where tenant_id = $1 and id = $2"
COHABITANT_NAMES = """
select id, name from cohabitant where tenant_id = $1 and id = any($2)
"""


@dataclass(frozen=True, slots=True)
class CameraSaid:
    """A camera record of a home unit, signed by it. `at` is the unit's own clock."""

    unit: str
    number: int
    on: bool
    at: datetime
    clock_ok: bool
    received_at: datetime
    reason: str
    seconds: int | None


async def whose(db: Transaction, call: CallId) -> Sequence[ResidentId]:
    """Empty: no record speaks of such a call."""
    rows = await db.fetch(WHOSE, db.tenant, str(call), MOST_RECORDS)
    return [ResidentId(row["resident_id"]) for row in rows]


async def of_call(db: Transaction, call: CallId) -> Sequence[Entered]:
    rows = await db.fetch(OF_CALL, db.tenant, str(call), MOST_RECORDS)
    return [entered(row) for row in rows]


async def of_unit(db: Transaction, call: CallId) -> Sequence[CameraSaid]:
    """By unit and number."""
    rows = await db.fetch(OF_UNIT, db.tenant, str(call), MOST_RECORDS)
    return [said(row) for row in rows]


def said(row: Row) -> CameraSaid:
    payload: dict[str, object] = json.loads(row["payload"])
    number, seconds = payload["number"], payload.get("seconds")
    assert isinstance(number, int)  # noqa: S101 - checked when it came in (wire/edge.py)
    return CameraSaid(
        unit=row["unit_id"],
        number=number,
        on=payload["on"] is True,
        at=row["occurred_at"],
        clock_ok=row["clock_ok"],
        received_at=row["received_at"],
        reason=str(payload["reason"]),
        seconds=seconds if isinstance(seconds, int) else None,
    )


async def endpoint_kind(db: Transaction, endpoint: EndpointId) -> str | None:
    kind: str | None = await db.fetchval(ENDPOINT_KIND, db.tenant, endpoint)
    return kind


async def cohabitant_names(db: Transaction, ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = await db.fetch(COHABITANT_NAMES, db.tenant, ids)
    return {row["id"]: row["name"] for row in rows}

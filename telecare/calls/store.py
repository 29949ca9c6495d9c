"""SQL of calls, leases and signals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.calls.model import Call, Kind, Reason, State
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import (
    CallId,
    CareUnitId,
    EndpointId,
    ResidentId,
    StaffId,
    TenantId,
)
from telecare.wire.signalling import Language, SignalKind

LIMIT = 100
Party = Literal["staff", "home"]

ADD = """
insert into call (tenant_id, id, kind, state, resident_id, unit_id, staff_id, staff_session_id,
    visit_id, endpoint_id, created_at, ring_until, answers_itself_at, purpose, basis,
    first_language, early_endpoint_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
BY_ID = """
select id, kind, state, resident_id, unit_id, staff_id, staff_session_id, visit_id, endpoint_id,
    created_at, ring_until, answers_itself_at, answered_by_itself, opened_at, seen_at, dark_at,
    must_end, ended_at, end_reason, home_picture, home_sound, basis, first_language,
    speech, early_endpoint_id
from call
where tenant_id = $1 and id = $2
"""
HOLD = f"{BY_ID}for update\n"
LIVE_OF_RESIDENT = """
select id from call where tenant_id = $1 and resident_id = $2 and state <> 'ended'
"""
LIVE_AT_HOME = """
select id from call
where tenant_id = $1 and resident_id = $2 and state <> 'ended' and kind <> 'look'
"""
LIVE_OF_STAFF = """
select id from call
where tenant_id = $1 and staff_id = $2 and state not in ('ended', 'ready')
"""
SAVE = """
update call set state = $3, unit_id = $4, staff_id = $5, staff_session_id = $6, endpoint_id = $7,
    answers_itself_at = $8, answered_by_itself = $9, opened_at = $10, seen_at = $11, dark_at = $12,
    must_end = $13, ended_at = $14, end_reason = $15, home_picture = $16, home_sound = $17,
    basis = $18, speech = $19, version = version + 1
where tenant_id = $1 and id = $2
"""
BY_PRESS = "select id from call where tenant_id = $1 and press = $2"
SET_PRESS = "update call set press = $3 where tenant_id = $1 and id = $2"
STAFF_PAGE = "update call set staff_page = $3 where tenant_id = $1 and id = $2"
HOME_PAGE = "update call set home_page = $3 where tenant_id = $1 and id = $2"
PAGES = "select staff_page, home_page from call where tenant_id = $1 and id = $2"
ADD_LEASE = "insert into call_lease (tenant_id, call_id) values ($1, $2)"
END_LEASE = "delete from call_lease where tenant_id = $1 and call_id = $2"
END_SIGNALS = "delete from call_signal where tenant_id = $1 and call_id = $2"
DUE_LEASES = "select tenant_id, call_id, n from due_lease()"
ADD_SIGNAL = """
with going as (
    select id from call where tenant_id = $1 and id = $2 and state <> 'ended' for share
)
insert into call_signal (tenant_id, call_id, to_party, generation, kind, body)
select $1, id, $3, $4, $5, $6 from going
returning n
"""
SIGNALS = """
select n, generation, kind, body from call_signal
where tenant_id = $1 and call_id = $2 and to_party = $3 and n > $4
order by n
limit $5
"""


def _call(row: Row) -> Call:
    return Call(
        id=CallId(row["id"]),
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        resident_id=ResidentId(row["resident_id"]),
        unit_id=CareUnitId(row["unit_id"]),
        staff_id=row["staff_id"],
        staff_session_id=row["staff_session_id"],
        visit_id=row["visit_id"],
        endpoint_id=row["endpoint_id"],
        created_at=row["created_at"],
        ring_until=row["ring_until"],
        answers_itself_at=row["answers_itself_at"],
        answered_by_itself=row["answered_by_itself"],
        opened_at=row["opened_at"],
        seen_at=row["seen_at"],
        dark_at=row["dark_at"],
        must_end=row["must_end"],
        ended_at=row["ended_at"],
        end_reason=Reason(row["end_reason"]) if row["end_reason"] else None,
        home_picture=row["home_picture"],
        home_sound=row["home_sound"],
        basis=row["basis"],
        first_language=row["first_language"],
        speech=row["speech"],
        early_endpoint_id=row["early_endpoint_id"],
    )


async def add(db: Transaction, call: Call) -> None:
    """Raises UniqueViolation when the home or the caller is in a call."""
    await db.execute(
        ADD, db.tenant, call.id, str(call.kind), str(call.state), call.resident_id, call.unit_id,
        call.staff_id, call.staff_session_id, call.visit_id, call.endpoint_id, call.created_at,
        call.ring_until, call.answers_itself_at, str(call.policy.purpose), call.basis,
        call.first_language, call.early_endpoint_id,
    )  # fmt: skip


async def by_id(db: Transaction, call_id: CallId) -> Call | None:
    row = await db.fetchrow(BY_ID, db.tenant, call_id)
    return _call(row) if row else None


async def hold(db: Transaction, call_id: CallId) -> Call | None:
    """Lock the call until commit. Comes after staff, assignment and gate (architecture §1.11)."""
    row = await db.fetchrow(HOLD, db.tenant, call_id)
    return _call(row) if row else None


async def live_of_resident(db: Transaction, resident_id: ResidentId) -> CallId | None:
    found: CallId | None = await db.fetchval(LIVE_OF_RESIDENT, db.tenant, resident_id)
    return found


async def live_at_home(db: Transaction, resident_id: ResidentId) -> CallId | None:
    """What a screen of hers shows: a look shows nothing there."""
    found: CallId | None = await db.fetchval(LIVE_AT_HOME, db.tenant, resident_id)
    return found


async def live_of_staff(db: Transaction, staff_id: StaffId) -> CallId | None:
    found: CallId | None = await db.fetchval(LIVE_OF_STAFF, db.tenant, staff_id)
    return found


async def save(db: Transaction, call: Call) -> None:
    await db.execute(
        SAVE, db.tenant, call.id, str(call.state), call.unit_id, call.staff_id,
        call.staff_session_id, call.endpoint_id, call.answers_itself_at, call.answered_by_itself,
        call.opened_at, call.seen_at, call.dark_at, call.must_end, call.ended_at,
        str(call.end_reason) if call.end_reason else None, call.home_picture, call.home_sound,
        call.basis, call.speech,
    )  # fmt: skip


async def by_press(db: Transaction, press: UUID) -> CallId | None:
    found: CallId | None = await db.fetchval(BY_PRESS, db.tenant, press)
    return found


async def set_press(db: Transaction, call_id: CallId, press: UUID) -> None:
    await db.execute(SET_PRESS, db.tenant, call_id, press)


async def set_page(db: Transaction, call_id: CallId, party: Party, page: UUID | None) -> None:
    """The page that speaks for this end from now on; None: whichever comes."""
    await db.execute(STAFF_PAGE if party == "staff" else HOME_PAGE, db.tenant, call_id, page)


async def page_of(db: Transaction, call_id: CallId, party: Party) -> UUID | None:
    row = await db.fetchrow(PAGES, db.tenant, call_id)
    if row is None:
        return None
    page: UUID | None = row["staff_page"] if party == "staff" else row["home_page"]
    return page


async def add_lease(db: Transaction, call_id: CallId) -> None:
    await db.execute(ADD_LEASE, db.tenant, call_id)


async def end_lease(db: Transaction, call_id: CallId) -> None:
    """Nothing is renewed after this commit; the signals' SDP goes too."""
    await db.execute(END_LEASE, db.tenant, call_id)
    await db.execute(END_SIGNALS, db.tenant, call_id)


@dataclass(frozen=True, slots=True)
class Renewed:
    tenant: TenantId
    call_id: CallId
    n: int


async def renew_leases(db: Transaction) -> Sequence[Renewed]:
    """Every lease that no other process is renewing at this moment."""
    rows = await db.fetch(DUE_LEASES)
    return [Renewed(TenantId(r["tenant_id"]), CallId(r["call_id"]), r["n"]) for r in rows]


@dataclass(frozen=True, slots=True)
class StoredSignal:
    n: int
    generation: int
    kind: SignalKind
    body: str


async def add_signal(
    db: Transaction, call_id: CallId, to: Party, *, generation: int, kind: SignalKind, body: str
) -> bool:
    """False when the call has ended: what was deleted with it does not come back."""
    n = await db.fetchval(ADD_SIGNAL, db.tenant, call_id, to, generation, kind, body)
    return n is not None


async def signals(
    db: Transaction, call_id: CallId, to: Party, *, after: int
) -> Sequence[StoredSignal]:
    rows = await db.fetch(SIGNALS, db.tenant, call_id, to, after, LIMIT)
    return [StoredSignal(r["n"], r["generation"], r["kind"], r["body"]) for r in rows]


VIEW = """
select c.id, c.kind, c.state, c.resident_id, c.unit_id, c.staff_id, c.staff_session_id, c.visit_id,
    c.endpoint_id, c.created_at, c.ring_until, c.answers_itself_at, c.answered_by_itself,
    c.opened_at, c.seen_at, c.dark_at, c.must_end, c.ended_at, c.end_reason, c.home_picture,
    c.home_sound, c.basis, c.first_language, c.speech, c.early_endpoint_id,
    c.staff_page, c.home_page,
    t.relay_only, r.name as resident_name, r.given_name as resident_given_name,
    shown_name(s) as staff_name, shown_given_name(s) as staff_given_name, u.name as unit_name,
    u.phone as unit_phone, e.kind as endpoint_kind
from call c
join tenant t on t.id = c.tenant_id
join resident r on r.tenant_id = c.tenant_id and r.id = c.resident_id
join care_unit u on u.tenant_id = c.tenant_id and u.id = c.unit_id
left join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
left join endpoint e on e.tenant_id = c.tenant_id and e.id = c.endpoint_id
where c.tenant_id = $1 and c.id = $2
"""


@dataclass(frozen=True, slots=True)
class View:
    """A call with what its two screens call each other, and which page speaks for each end."""

    call: Call
    resident_name: str
    resident_given_name: str
    staff_name: str | None
    staff_given_name: str | None
    unit_name: str
    unit_phone: str
    endpoint_kind: Literal["tv", "unit"] | None
    relay_only: bool
    pages: Mapping[Party, UUID | None]


async def view(db: Transaction, call_id: CallId) -> View | None:
    row = await db.fetchrow(VIEW, db.tenant, call_id)
    if row is None:
        return None
    return View(
        _call(row), row["resident_name"], row["resident_given_name"], row["staff_name"] or None,
        row["staff_given_name"] or None, row["unit_name"], row["unit_phone"], row["endpoint_kind"],
        row["relay_only"], {"staff": row["staff_page"], "home": row["home_page"]},
    )  # fmt: skip


WAITING = """
select c.id, c.created_at, c.unit_id, c.resident_id, shown_name(r) as resident_name,
    r.language as resident_language, c.first_language, e.kind as endpoint_kind, u.next_unit_id
from call c
join resident r on r.tenant_id = c.tenant_id and r.id = c.resident_id
join care_unit u on u.tenant_id = c.tenant_id and u.id = c.unit_id
left join endpoint e on e.tenant_id = c.tenant_id and e.id = c.endpoint_id
where c.tenant_id = $1 and c.unit_id = any($2) and c.kind = 'call_in' and c.state = 'ringing'
order by c.created_at
limit $3
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call-in in a unit's queue."""

    id: CallId
    since: datetime
    resident_id: ResidentId
    resident_name: str
    resident_language: Language
    first_language: Language | None
    source: Literal["tv", "unit"]
    has_next_unit: bool
    unit_id: CareUnitId


async def waiting(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Waiting]:
    rows = await db.fetch(WAITING, db.tenant, list(units), LIMIT)
    return [
        Waiting(
            CallId(r["id"]), r["created_at"], ResidentId(r["resident_id"]), r["resident_name"],
            r["resident_language"], r["first_language"], r["endpoint_kind"] or "tv",
            r["next_unit_id"] is not None, CareUnitId(r["unit_id"]),
        )
        for r in rows
    ]  # fmt: skip


LAST_OF = """
select id, opened_at, ended_at from call
where tenant_id = $1 and resident_id = $2 and opened_at is not null and state = 'ended' and id <> $3
order by ended_at desc
limit 1
"""
FACES_DUE = """
select c.id from call c
where c.tenant_id = $1 and c.endpoint_id = $2 and c.state = 'ended' and c.seen_at is not null
    and c.ended_at > $3
    and not exists (
        select from face f
        join call fc on fc.tenant_id = f.tenant_id and fc.id = f.call_id
        where f.tenant_id = c.tenant_id and fc.resident_id = c.resident_id and f.asked_at >= $4
    )
order by c.ended_at desc
limit 1
"""
ADD_FACE = """
insert into face (tenant_id, call_id, face, asked_at) values ($1, $2, $3, $4)
on conflict do nothing
"""


async def last_of(
    db: Transaction, resident_id: ResidentId, but: UUID
) -> tuple[datetime, datetime] | None:
    """Opened and ended of the newest ended conversation other than `but`."""
    row = await db.fetchrow(LAST_OF, db.tenant, resident_id, but)
    return (row["opened_at"], row["ended_at"]) if row else None


async def faces_due(
    db: Transaction, endpoint_id: EndpointId, *, since: datetime, day_start: datetime
) -> CallId | None:
    """A conversation on this screen that ended after `since`, when none was asked about today."""
    found: CallId | None = await db.fetchval(FACES_DUE, db.tenant, endpoint_id, since, day_start)
    return found


async def add_face(
    db: Transaction, call_id: CallId, face: Literal["good", "so_so", "bad"] | None, now: datetime
) -> None:
    await db.execute(ADD_FACE, db.tenant, call_id, face, now)

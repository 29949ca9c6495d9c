"""SQL of the log review: what can be drawn (role reader), what was the case then and what a
reviewer found (role app).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from telecare.audit.actions import Action
from telecare.integrity.records import Entered, entered
from telecare.integrity.rules import Check, Facts, Hit, Rule, StaffRule
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CareUnitId, CohabitantId, ResidentId, StaffId, new_row_id

Drawn = Literal["sample", "rule", "break_glass", "asked"]
Verdict = Literal["justified", "unjustified"]

ACCESSES = (
    Action.CARD_READ, Action.CALL_RUNG, Action.CALL_OPENED, Action.SEARCHED, Action.VISIT_READ,
    Action.LIST_PRINTED, Action.REGISTER_READ, Action.LOG_SEARCHED, Action.LOG_RECORD_READ,
    Action.LOG_PERSON_READ, Action.LOG_CALL_READ, Action.LOG_CONSENTS_READ,
)  # fmt: skip
"""What a review is drawn from: reading about people, and seeing them. A call is rung by staff and
opened by whoever answers.
"""
MOST = 20_000

POPULATION = """
select b.entry_id, b.recorded_at, b.event, b.actor, b.what, b.basis, b.subject, b.persons, l.log,
    l.leaf_index
from audit.body b
join audit.leaf l on l.tenant_id = b.tenant_id and l.entry_id = b.entry_id
where b.tenant_id = $1 and b.recorded_at >= $2 and b.recorded_at < $3 and b.event = any($4)
    and b.actor::jsonb ->> 'unit_id' = $5
order by b.recorded_at, b.entry_id
limit $6
"""
HEADS_SINCE = """
select c.log, c.size, c.note from audit.checkpoint c
where c.tenant_id = $1 and c.signed_at >= $2
    and (not $3 or exists (
        select from audit.cosignature w
        where w.tenant_id = c.tenant_id and w.log = c.log and w.size = c.size
    ))
order by c.log, c.size
limit $4
"""
UNSEQUENCED_IN = """
select exists (
    select from audit.entry e
    where e.tenant_id = $1 and e.recorded_at < $2 and not exists (
        select from audit.leaf l where l.tenant_id = e.tenant_id and l.entry_id = e.entry_id
    )
)
"""
FACTS = """
select
    coalesce(a.was_assigned, false) as was_assigned,
    coalesce(a.only_glass, false) as by_break_glass,
    exists (
        select from visit v where v.tenant_id = $1 and v.resident_id = q.resident_id
            and v.starts_at between q.at - $5::interval
                and q.at + $5::interval + make_interval(mins => v.minutes)
    ) or exists (
        select from call c where c.tenant_id = $1 and c.resident_id = q.resident_id
            and c.created_at between q.at - $5::interval and q.at + $5::interval
    ) or exists (
        select from dispatch d where d.tenant_id = $1 and d.resident_id = q.resident_id
            and d.asked_at <= q.at + $5::interval
            and coalesce(d.done_at, q.at) >= q.at - $5::interval
    ) or exists (
        select from follow_up f where f.tenant_id = $1 and f.resident_id = q.resident_id
            and f.kind <> 'break_glass' and f.created_at <= q.at + $5::interval
            and coalesce(f.closed_at, q.at) >= q.at - $5::interval
    ) or exists (
        select from alarm m where m.tenant_id = $1 and m.resident_id = q.resident_id
            and m.received_at <= q.at + $5::interval
            and coalesce(m.closed_at, q.at) >= q.at - $5::interval
    ) as something_near,
    (
        select o.kind from own_relation o where o.tenant_id = $1 and o.staff_id = q.staff_id
            and o.resident_id = q.resident_id and (o.removed_at is null or o.removed_at > q.at)
        limit 1
    ) as relation,
    r.is_protected,
    (s.revoked_at is null or s.revoked_at > q.at) and (s.ends_at is null or s.ends_at > q.at)
        as was_employed,
    q.call_id is not null and exists (
        select from (
            select distinct on (n.cohabitant_id) n.decision, n.recorded_at
            from consent n
            where n.tenant_id = $1 and n.resident_id = q.resident_id and n.purpose = 'video_visit'
                and n.recorded_at <= k.opened_at
            order by n.cohabitant_id, n.ordinal desc
        ) newest
        where newest.decision <> 'permit' and k.home_picture
    ) as withdrawn,
    coalesce(ceil(extract(epoch from k.ended_at - k.must_end)), 0)::int as seconds_over
from unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $6::uuid[])
    with ordinality as q(staff_id, resident_id, at, call_id, i)
join resident r on r.tenant_id = $1 and r.id = q.resident_id
join staff s on s.tenant_id = $1 and s.id = q.staff_id
left join call k on k.tenant_id = $1 and k.id = q.call_id
left join lateral (
    select true as was_assigned, bool_and(g.source = 'break_glass') as only_glass
    from assignment g
    where g.tenant_id = $1 and g.staff_id = q.staff_id and g.resident_id = q.resident_id
        and g.valid_from <= q.at and (g.valid_until is null or g.valid_until > q.at)
    having count(*) > 0
) a on true
order by q.i
"""
ADD_REVIEW = """
insert into log_review (tenant_id, id, unit_id, since, until, drawn_at, drawn_by, seed_log,
    seed_size, seed_root, seed_witness, population)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (tenant_id, unit_id, since, until) do nothing
returning id
"""
ADD_ITEM = """
insert into review_item (tenant_id, id, review_id, entry_id, at, event, staff_id, unit_id,
    resident_id, drawn, hits, due_at, checks)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13::jsonb)
on conflict (tenant_id, entry_id) do nothing
returning id
"""
KEEP_CHECKS = "update log_review set checks = $3::jsonb where tenant_id = $1 and id = $2"
TAKE_IN_OPENINGS = """
update review_item i set review_id = $2
from staff s
where i.tenant_id = $1 and i.drawn = 'break_glass' and i.review_id is null
    and i.at >= $4 and i.at < $5
    and s.tenant_id = i.tenant_id and s.id = i.staff_id and s.unit_id = $3
"""
REVIEW = """
select v.id, v.unit_id, u.name as unit_name, v.since, v.until, v.drawn_at,
    shown_name(d) as drawn_name, v.seed_log, v.seed_size, v.seed_root, v.seed_witness,
    v.population, v.checks, v.signed_at, shown_name(g) as signed_name, v.statement,
    (select count(*) from review_item i where i.tenant_id = v.tenant_id and i.review_id = v.id)
        as items,
    (
        select count(*) from review_item i
        where i.tenant_id = v.tenant_id and i.review_id = v.id and i.closed_at is not null
    ) as closed
from log_review v
join care_unit u on u.tenant_id = v.tenant_id and u.id = v.unit_id
join staff d on d.tenant_id = v.tenant_id and d.id = v.drawn_by
left join staff g on g.tenant_id = v.tenant_id and g.id = v.signed_by
where v.tenant_id = $1 and ($2::uuid is null or v.id = $2)
order by v.until desc, u.name, v.id
limit $3
"""
ITEM = """
select i.id, i.review_id, i.entry_id, i.at, i.event, i.staff_id, shown_name(s) as staff_name,
    i.unit_id, u.name as unit_name, i.resident_id, shown_name(r) as resident_name, i.drawn,
    i.hits, i.checks, i.due_at, i.overdue_at, i.asked_at, shown_name(a) as asked_name, i.question,
    f.note, f.closed_at as answered_at, shown_name(h) as answered_name, i.outcome, i.comment,
    i.closed_at, shown_name(c) as closed_name
from review_item i
join staff s on s.tenant_id = i.tenant_id and s.id = i.staff_id
join care_unit u on u.tenant_id = i.tenant_id and u.id = i.unit_id
left join resident r on r.tenant_id = i.tenant_id and r.id = i.resident_id
left join staff a on a.tenant_id = i.tenant_id and a.id = i.asked_by
left join staff c on c.tenant_id = i.tenant_id and c.id = i.closed_by
left join follow_up f on f.tenant_id = i.tenant_id and f.about_id = i.id
    and f.kind = 'log_question'
left join staff h on h.tenant_id = f.tenant_id and h.id = f.closed_by
"""
ONE_ITEM = ITEM + "where i.tenant_id = $1 and i.id = $2"
OF_REVIEW = ITEM + "where i.tenant_id = $1 and i.review_id = $2 order by i.at, i.entry_id limit $3"
OPENINGS = (
    ITEM
    + """where i.tenant_id = $1 and i.drawn in ('break_glass', 'asked')
    and (i.closed_at is null or exists (
        select from look_question q
        where q.tenant_id = i.tenant_id and q.item_id = i.id and q.letter_printed_at is null
    ))
order by i.due_at, i.id limit $2"""
)
ADD_QUESTION = """
insert into look_question (tenant_id, id, item_id, cohabitant_id, asked_at)
select $1, $2, i.id, $4, $5 from review_item i where i.tenant_id = $1 and i.entry_id = $3
on conflict do nothing
"""
# Whoever asked, and the cohabitants whose yes the record quotes.
PARTIES = """
select c.id, c.name, q.asked_at, q.letter_printed_at
from (
    select q.cohabitant_id, q.asked_at, q.letter_printed_at
    from look_question q where q.tenant_id = $1 and q.item_id = $2
    union all
    select n.id, null, null from unnest($3::uuid[]) as n (id)
    where not exists (
        select from look_question q
        where q.tenant_id = $1 and q.item_id = $2 and q.cohabitant_id = n.id
    )
) q
left join cohabitant c on c.tenant_id = $1 and c.id = q.cohabitant_id
order by c.name nulls first, c.id
"""
PRINTED = """
update look_question set letter_printed_at = $4
where tenant_id = $1 and item_id = $2 and cohabitant_id is not distinct from $3
    and letter_printed_at is null
"""
HOLD_ITEM = "select id from review_item where tenant_id = $1 and id = $2 for update"
JUDGE = """
update review_item set outcome = $3, comment = $4, closed_at = $5, closed_by = $6
where tenant_id = $1 and id = $2 and closed_at is null
"""
ASK = """
update review_item set question = $3, asked_at = $4, asked_by = $5
where tenant_id = $1 and id = $2 and closed_at is null and asked_at is null
"""
OVERDUE = """
update review_item set overdue_at = coalesce(overdue_at, $3)
where tenant_id = $1 and id = $2 and closed_at is null
"""
SIGN = """
update log_review set signed_at = $3, signed_by = $4, statement = $5
where tenant_id = $1 and id = $2 and signed_at is null
"""


@dataclass(frozen=True, slots=True)
class Access:
    """A record that can be drawn, and its place in the log."""

    entry: Entered
    log: int
    index: int

    @property
    def staff_id(self) -> StaffId:
        return StaffId(UUID(str(self.entry.actor["id"])))

    @property
    def resident_id(self) -> ResidentId | None:
        """Whom it is about, when it is about one person."""
        if len(self.entry.persons) != 1:
            return None
        return ResidentId(UUID(self.entry.persons[0].id))

    @property
    def call_id(self) -> UUID | None:
        found = self.entry.what.get("call_id")
        return UUID(str(found)) if found else None


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head; `witness`: the outsider who signed it too, as a verifier key."""

    log: int
    size: int
    root: bytes
    witness: str | None


@dataclass(frozen=True, slots=True)
class NewItem:
    """`unit_id`: whose head is asked."""

    id: UUID
    entry_id: int
    at: datetime
    event: str
    staff_id: StaffId
    unit_id: CareUnitId
    resident_id: ResidentId | None
    drawn: Drawn
    hits: Sequence[Hit] = ()
    review_id: UUID | None = None
    due_at: datetime | None = None
    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """One period of one unit. Who drew it and signed it by name; empty of somebody protected."""

    id: UUID
    unit_id: CareUnitId
    unit_name: str
    since: datetime
    until: datetime
    drawn_at: datetime
    drawn_name: str
    seed_log: int
    seed_size: int
    seed_root: bytes
    seed_witness: str | None
    population: int
    signed_at: datetime | None
    signed_name: str | None
    statement: str | None
    items: int
    closed: int
    checks: Sequence[tuple[Check, int]] = ()
    """What the rules on staff's own data came to, over everything; how often."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a letter may go to; `id` None: the resident. She may have asked, and have had it."""

    id: CohabitantId | None
    name: str
    asked_at: datetime | None
    printed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Item:
    """One record under review. `note`: what the unit's head answered; `checks`: the rules on
    staff's own data, as it was when it was drawn.
    """

    id: UUID
    review_id: UUID | None
    entry_id: int
    at: datetime
    event: str
    staff_id: StaffId
    staff_name: str
    unit_id: CareUnitId
    unit_name: str
    resident_id: ResidentId | None
    resident_name: str | None
    drawn: Drawn
    hits: Sequence[Hit]
    checks: Sequence[Check]
    due_at: datetime | None
    overdue_at: datetime | None
    asked_at: datetime | None
    asked_name: str | None
    question: str | None
    note: str | None
    answered_at: datetime | None
    answered_name: str | None
    outcome: Verdict | None
    comment: str
    closed_at: datetime | None
    closed_name: str | None


async def population(
    db: Transaction, unit_id: CareUnitId, since: datetime, until: datetime
) -> Sequence[Access]:
    """Oldest first, at most MOST + 1 (role reader)."""
    events = [str(one) for one in ACCESSES]
    rows = await db.fetch(
        POPULATION, db.tenant, since, until, events, str(unit_id), MOST + 1
    )  # fmt: skip
    return [Access(entered(row), row["log"], row["leaf_index"]) for row in rows]


async def has_unsequenced(db: Transaction, before: datetime) -> bool:
    """Some record from before has no place in a log yet (role reader)."""
    found: bool = await db.fetchval(UNSEQUENCED_IN, db.tenant, before)
    return found


async def heads_since(
    db: Transaction, at: datetime, limit: int, *, cosigned: bool
) -> Sequence[tuple[int, int, str]]:
    """Log, size and note of those signed since, the first first (role reader)."""
    rows = await db.fetch(HEADS_SINCE, db.tenant, at, cosigned, limit)
    return [(row["log"], row["size"], row["note"]) for row in rows]


async def facts(db: Transaction, accesses: Sequence[Access], near: timedelta) -> Sequence[Facts]:
    """What was the case at each, which are about one person each (role app)."""
    rows = await db.fetch(
        FACTS,
        db.tenant,
        [one.staff_id for one in accesses],
        [one.resident_id for one in accesses],
        [one.entry.at for one in accesses],
        near,
        [one.call_id for one in accesses],
    )
    return [Facts(**row) for row in rows]


async def add_review(db: Transaction, review: Review, by: StaffId) -> bool:
    """False when this period of this unit was drawn before."""
    added = await db.fetchval(
        ADD_REVIEW, db.tenant, review.id, review.unit_id, review.since, review.until,
        review.drawn_at, by, review.seed_log, review.seed_size, review.seed_root,
        review.seed_witness, review.population,
    )  # fmt: skip
    return added is not None


async def add_item(db: Transaction, item: NewItem) -> bool:
    """Once per record; False when it is under review already."""
    told = json.dumps([{"rule": str(hit.rule), "values": dict(hit.values)} for hit in item.hits])
    added = await db.fetchval(
        ADD_ITEM, db.tenant, item.id, item.review_id, item.entry_id, item.at, item.event,
        item.staff_id, item.unit_id, item.resident_id, item.drawn, told, item.due_at,
        json.dumps({one.rule: _told(one) for one in item.checks}),
    )  # fmt: skip
    return added is not None


async def keep_checks(
    db: Transaction, review_id: UUID, counted: Sequence[tuple[Check, int]]
) -> None:
    told = [{**_told(one), "rule": one.rule, "n": n} for one, n in counted]
    await db.execute(KEEP_CHECKS, db.tenant, review_id, json.dumps(told))


async def take_in_openings(db: Transaction, review: Review) -> None:
    """Openings without a mission by the unit's staff belong to its review too."""
    await db.execute(
        TAKE_IN_OPENINGS, db.tenant, review.id, review.unit_id, review.since, review.until
    )


async def reviews(db: Transaction, limit: int) -> Sequence[Review]:
    return [_review(row) for row in await db.fetch(REVIEW, db.tenant, None, limit)]


async def review(db: Transaction, review_id: UUID) -> Review | None:
    row = await db.fetchrow(REVIEW, db.tenant, review_id, 1)
    return _review(row) if row else None


async def items(db: Transaction, review_id: UUID, limit: int) -> Sequence[Item]:
    return [_item(row) for row in await db.fetch(OF_REVIEW, db.tenant, review_id, limit)]


async def openings(db: Transaction, limit: int) -> Sequence[Item]:
    """Openings without a mission, and what residents ask about, that nobody has judged yet; the
    most urgent first.
    """
    return [_item(row) for row in await db.fetch(OPENINGS, db.tenant, limit)]


async def item(db: Transaction, item_id: UUID) -> Item | None:
    row = await db.fetchrow(ONE_ITEM, db.tenant, item_id)
    return _item(row) if row else None


async def add_question(
    db: Transaction, entry_id: int, party: CohabitantId | None, now: datetime
) -> None:
    """Of the item about this record; once."""
    await db.execute(ADD_QUESTION, db.tenant, new_row_id(now), entry_id, party, now)


async def parties(
    db: Transaction, item_id: UUID, quoted: Sequence[CohabitantId]
) -> Sequence[Party]:
    """Whoever asked, and those whose yes the record quotes."""
    rows = await db.fetch(PARTIES, db.tenant, item_id, list(quoted))
    return [
        Party(row["id"], row["name"] or "", row["asked_at"], row["letter_printed_at"])
        for row in rows
    ]


async def printed(
    db: Transaction, item_id: UUID, party: CohabitantId | None, now: datetime
) -> None:
    """A letter that was asked for has been printed."""
    await db.execute(PRINTED, db.tenant, item_id, party, now)


async def hold_item(db: Transaction, item_id: UUID) -> Item | None:
    """Locked until commit."""
    await db.fetchrow(HOLD_ITEM, db.tenant, item_id)
    return await item(db, item_id)


async def judge(
    db: Transaction, item_id: UUID, verdict: Verdict, comment: str, *, by: StaffId, now: datetime
) -> None:
    await db.execute(JUDGE, db.tenant, item_id, verdict, comment, now, by)


async def ask(db: Transaction, item_id: UUID, question: str, *, by: StaffId, now: datetime) -> None:
    await db.execute(ASK, db.tenant, item_id, question, now, by)


async def overdue(db: Transaction, item_id: UUID, now: datetime) -> None:
    """Since when it has been, the first time."""
    await db.execute(OVERDUE, db.tenant, item_id, now)


async def sign(
    db: Transaction, review_id: UUID, statement: str, *, by: StaffId, now: datetime
) -> None:
    await db.execute(SIGN, db.tenant, review_id, now, by, statement)


def _item(row: Row) -> Item:
    told = json.loads(row["hits"])
    found = [Hit(Rule(one["rule"]), one["values"]) for one in told]
    kept = json.loads(row["checks"])
    checks = [_check(rule, kept.get(rule, _NOT_DECIDED)) for rule in StaffRule]
    return Item(**{**row, "hits": found, "checks": checks})


def _review(row: Row) -> Review:
    checks = [(_check(one["rule"], one), one["n"]) for one in json.loads(row["checks"])]
    return Review(**{**row, "checks": checks})


_NOT_DECIDED = {"why": "no_decision"}
"""What was drawn before there were such rules."""


def _told(check: Check) -> dict[str, str]:
    return {"day": check.day.isoformat()} if check.day else {"why": check.why or "no_data"}


def _check(rule: str, told: dict[str, Any]) -> Check:
    day = told.get("day")
    return Check(StaffRule(rule), date.fromisoformat(day) if day else None, told.get("why"))

"""SQL of gate rows, consents, policies and objections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.consent.model import Consent, Hours, Policy, Purpose
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import ConsentId, ResidentId, StaffId
from telecare.wire.signalling import Language

LIMIT = 100

ADD_GATE = """
insert into consent_gate (tenant_id, resident_id, purpose) values ($1, $2, $3)
on conflict do nothing
"""
HOLD_GATE = """
select resident_id from consent_gate
where tenant_id = $1 and resident_id = $2 and purpose = $3
for share
"""
SHUT_GATE = """
select resident_id from consent_gate
where tenant_id = $1 and resident_id = $2 and purpose = $3
for update
"""
POLICY = """
select id, purpose, parties, stand_ins, yes_comes_by, objection_pauses, review_months, board, law,
    record_domain
from purpose_policy
where tenant_id = $1 and purpose = $2 and valid_from <= $3
    and (valid_until is null or valid_until > $3)
order by valid_from desc
limit 1
"""
ADD_POLICY = """
insert into purpose_policy (tenant_id, id, purpose, valid_from, parties, stand_ins, yes_comes_by,
    objection_pauses, review_months, board, law, record_domain, decision)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
END_POLICIES = """
update purpose_policy set valid_until = $3
where tenant_id = $1 and purpose = $2 and (valid_until is null or valid_until > $3)
"""
POLICIES = """
select id, purpose, parties, stand_ins, yes_comes_by, objection_pauses, review_months, board, law,
    record_domain, valid_from, valid_until, decision
from purpose_policy
where tenant_id = $1
order by purpose, valid_from desc
limit $2
"""
NEWEST = """
select distinct on (cohabitant_id) id, purpose, cohabitant_id, decision, valid_from, valid_until,
    ask_again_on, hours_from, hours_until, callers, answer_after_s, information_version,
    information_language, given, recorded_at, stands_in, emergency_allowed
from consent
where tenant_id = $1 and resident_id = $2 and purpose = $3
order by cohabitant_id, ordinal desc
"""
ALL_NEWEST = """
select distinct on (purpose, cohabitant_id) id, purpose, cohabitant_id, decision, valid_from,
    valid_until, ask_again_on, hours_from, hours_until, callers, answer_after_s,
    information_version, information_language, given, recorded_at, stands_in, emergency_allowed
from consent
where tenant_id = $1 and resident_id = $2
order by purpose, cohabitant_id, ordinal desc
"""
BY_ID = """
select id, purpose, cohabitant_id, decision, valid_from, valid_until, ask_again_on, hours_from,
    hours_until, callers, answer_after_s, information_version, information_language, given,
    recorded_at, stands_in, emergency_allowed, resident_id
from consent
where tenant_id = $1 and id = $2
"""
HAS_OBJECTION = """
select exists (
    select from objection
    where tenant_id = $1 and resident_id = $2 and purpose = $3 and closed_at is null
)
"""
ADD = """
insert into consent (tenant_id, id, resident_id, purpose, cohabitant_id, decision, valid_from,
    valid_until, ask_again_on, hours_from, hours_until, callers, answer_after_s,
    information_version, information_language, present, will_shown, ability, given, asked_by,
    recorded_at, stands_in, emergency_allowed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23)
"""
ADD_OBJECTION = """
insert into objection (tenant_id, id, resident_id, purpose, by_kind, by_name, body, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
OBJECTIONS = """
select id, purpose, by_kind, by_name, body, made_at from objection
where tenant_id = $1 and resident_id = $2 and closed_at is null
order by made_at
limit $3
"""
ADD_INFORMATION = """
insert into information_text (tenant_id, purpose, version, language, body, published_at)
values ($1, $2, $3, $4, $5, $6)
"""
INFORMATION = """
select purpose, version, min(published_at) as published_at,
    array_agg(language order by language) as languages, array_agg(body order by language) as bodies
from information_text
where tenant_id = $1
group by purpose, version
order by purpose, version desc
limit $2
"""
NEWEST_INFORMATION = """
select max(version) from information_text where tenant_id = $1 and purpose = $2
"""


def consent(row: Row) -> Consent:
    """From all its columns."""
    hours = Hours(row["hours_from"], row["hours_until"]) if row["hours_from"] is not None else None
    return Consent(
        id=ConsentId(row["id"]),
        purpose=Purpose(row["purpose"]),
        cohabitant_id=row["cohabitant_id"],
        decision=row["decision"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        ask_again_on=row["ask_again_on"],
        hours=hours,
        callers=None if row["callers"] is None else frozenset(map(StaffId, row["callers"])),
        answer_after_s=row["answer_after_s"],
        information_version=row["information_version"],
        information_language=row["information_language"],
        given=row["given"],
        recorded_at=row["recorded_at"],
        stands_in=row["stands_in"],
        emergency_allowed=row["emergency_allowed"],
    )


async def add_gates(db: Transaction, resident_id: ResidentId) -> None:
    """Gate rows for every purpose: made with the resident."""
    for purpose in Purpose:
        await db.execute(ADD_GATE, db.tenant, resident_id, str(purpose))


async def hold_gate(db: Transaction, resident_id: ResidentId, purpose: Purpose) -> bool:
    """Lock out withdrawals until commit; False when there is no gate, which means no."""
    return await db.fetchval(HOLD_GATE, db.tenant, resident_id, str(purpose)) is not None


async def shut_gate(db: Transaction, resident_id: ResidentId, purpose: Purpose) -> bool:
    """Wait for starts in flight and lock out new ones until commit."""
    return await db.fetchval(SHUT_GATE, db.tenant, resident_id, str(purpose)) is not None


async def shut_gates(db: Transaction, resident_id: ResidentId) -> None:
    """Of every purpose, in one order."""
    for purpose in Purpose:
        await shut_gate(db, resident_id, purpose)


def _policy(row: Row) -> Policy:
    return Policy(
        id=str(row["id"]),
        purpose=Purpose(row["purpose"]),
        parties=frozenset(row["parties"]),
        stand_ins=frozenset(row["stand_ins"]),
        yes_comes_by=frozenset(row["yes_comes_by"]),
        objection_pauses=row["objection_pauses"],
        review_months=row["review_months"],
        board=row["board"],
        law=row["law"],
        record_domain=row["record_domain"],
    )


async def policy(db: Transaction, purpose: Purpose, at: datetime) -> Policy | None:
    row = await db.fetchrow(POLICY, db.tenant, str(purpose), at)
    return _policy(row) if row else None


async def policies(
    db: Transaction,
) -> Sequence[tuple[Policy, datetime, datetime | None, str]]:
    """Every policy of the municipality: itself, from, until, and the decision it rests on."""
    rows = await db.fetch(POLICIES, db.tenant, LIMIT)
    return [(_policy(r), r["valid_from"], r["valid_until"], r["decision"]) for r in rows]


async def end_policies(db: Transaction, purpose: Purpose, at: datetime) -> None:
    """None of them holds after `at`; one that was to begin later never does."""
    await db.execute(END_POLICIES, db.tenant, str(purpose), at)


async def add_policy(
    db: Transaction,
    policy_id: UUID,
    policy: Policy,
    valid_from: datetime,
    *,
    decision: str = "",
) -> None:
    await db.execute(
        ADD_POLICY, db.tenant, policy_id, str(policy.purpose), valid_from, sorted(policy.parties),
        sorted(policy.stand_ins), sorted(policy.yes_comes_by), policy.objection_pauses,
        policy.review_months, policy.board, policy.law, policy.record_domain, decision,
    )  # fmt: skip


async def newest(db: Transaction, resident_id: ResidentId, purpose: Purpose) -> Sequence[Consent]:
    """The newest statement of each party; earlier ones no longer count."""
    rows = await db.fetch(NEWEST, db.tenant, resident_id, str(purpose))
    return [consent(row) for row in rows]


async def all_newest(db: Transaction, resident_id: ResidentId) -> Sequence[Consent]:
    return [consent(row) for row in await db.fetch(ALL_NEWEST, db.tenant, resident_id)]


async def by_id(db: Transaction, consent_id: ConsentId) -> tuple[Consent, ResidentId] | None:
    row = await db.fetchrow(BY_ID, db.tenant, consent_id)
    return (consent(row), ResidentId(row["resident_id"])) if row else None


async def has_objection(db: Transaction, resident_id: ResidentId, purpose: Purpose) -> bool:
    found: bool = await db.fetchval(HAS_OBJECTION, db.tenant, resident_id, str(purpose))
    return found


@dataclass(frozen=True, slots=True)
class Documentation:
    """How a statement was given and taken down."""

    present: str | None = None
    will_shown: Literal["spoken", "sign", "written", "other"] | None = None
    ability: Literal["clear", "doubtful"] | None = None
    asked_by: Literal["resident", "cohabitant", "by_phone", "not_said"] | None = None


async def add(
    db: Transaction, resident_id: ResidentId, consent: Consent, how: Documentation
) -> None:
    """A new statement. Recorded by the table's trigger."""
    await db.execute(
        ADD, db.tenant, consent.id, resident_id, str(consent.purpose), consent.cohabitant_id,
        consent.decision, consent.valid_from, consent.valid_until, consent.ask_again_on,
        consent.hours.start if consent.hours else None,
        consent.hours.end if consent.hours else None,
        None if consent.callers is None else sorted(consent.callers), consent.answer_after_s,
        consent.information_version, consent.information_language, how.present, how.will_shown,
        how.ability, consent.given, how.asked_by, consent.recorded_at, consent.stands_in,
        consent.emergency_allowed,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Objection:
    id: UUID
    purpose: Purpose
    by_kind: Literal["guardian", "relative", "cohabitant", "staff"]
    by_name: str
    body: str
    made_at: datetime


async def add_objection(db: Transaction, resident_id: ResidentId, objection: Objection) -> None:
    await db.execute(
        ADD_OBJECTION, db.tenant, objection.id, resident_id, str(objection.purpose),
        objection.by_kind, objection.by_name, objection.body, objection.made_at,
    )  # fmt: skip


async def objections(db: Transaction, resident_id: ResidentId) -> Sequence[Objection]:
    rows = await db.fetch(OBJECTIONS, db.tenant, resident_id, LIMIT)
    return [
        Objection(
            r["id"], Purpose(r["purpose"]), r["by_kind"], r["by_name"], r["body"], r["made_at"]
        )
        for r in rows
    ]


async def add_information(
    db: Transaction, purpose: Purpose, *, version: int, language: str, body: str, now: datetime
) -> None:
    await db.execute(ADD_INFORMATION, db.tenant, str(purpose), version, language, body, now)


async def newest_information(db: Transaction, purpose: Purpose) -> int | None:
    version: int | None = await db.fetchval(NEWEST_INFORMATION, db.tenant, str(purpose))
    return version


async def information(
    db: Transaction,
) -> Sequence[tuple[Purpose, int, datetime, Mapping[Language, str]]]:
    """Purpose, version, when it was published, and the text in each language."""
    rows = await db.fetch(INFORMATION, db.tenant, LIMIT)
    return [
        (
            Purpose(r["purpose"]),
            r["version"],
            r["published_at"],
            dict(zip(r["languages"], r["bodies"], strict=True)),
        )
        for r in rows
    ]

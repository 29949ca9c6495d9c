"""SQL of agreements, cameras and impact assessments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from telecare.nightchecks.agreement import (
    Agreement,
    Camera,
    Modality,
    Papers,
    Slot,
    Substitute,
)
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import (
    AgreementId,
    CameraId,
    CareUnitId,
    EndpointId,
    ResidentId,
    StaffId,
)

LIMIT = 500

ADD = """
insert into night_agreement (tenant_id, id, resident_id, unit_id, camera_id, look_s, picture,
    may_be_clearer, may_speak, retry_min, phone_first, notice, substitute, declined_herself,
    window_min, alternatives, informed_on, informed_by, dpia, reassess_on, to_know, valid_from,
    made_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23)
"""
ADD_SLOTS = """
insert into night_slot (tenant_id, agreement_id, at, modality)
select $1, $2, s.at, s.modality from unnest($3::time[], $4::text[]) as s (at, modality)
"""
AGREEMENT = """
select a.id, a.resident_id, a.unit_id, a.camera_id, a.look_s, a.picture, a.may_be_clearer,
    a.may_speak, a.retry_min, a.phone_first, a.notice, a.substitute, a.declined_herself,
    a.window_min, a.alternatives, a.informed_on, a.informed_by, a.dpia, a.reassess_on, a.to_know,
    a.valid_from, a.ended_at,
    (select array_agg(s.at order by s.at) from night_slot s
        where s.tenant_id = a.tenant_id and s.agreement_id = a.id) as times,
    (select array_agg(s.modality order by s.at) from night_slot s
        where s.tenant_id = a.tenant_id and s.agreement_id = a.id) as modalities
from night_agreement a
where a.tenant_id = $1"""
BY_ID = f"{AGREEMENT} and a.id = $2"
OF_RESIDENT = f"{AGREEMENT} and a.resident_id = $2 and a.ended_at is null"
HOLD_OF_RESIDENT = f"{OF_RESIDENT} for update of a"
OF_UNIT = f"""{AGREEMENT} and a.unit_id = $2 and a.ended_at is null
order by a.id
limit $3
"""
LISTED = f"""
select found.*, shown_name(r) as resident_name, u.name as unit_name,
    coalesce(c.place, '') as place, c.activated_at is not null and c.blocked_at is null
        and c.closed_at is null as is_active
from ({AGREEMENT} and a.ended_at is null) as found
join resident r on r.tenant_id = $1 and r.id = found.resident_id
join care_unit u on u.tenant_id = $1 and u.id = found.unit_id
left join night_camera c on c.tenant_id = $1 and c.id = found.camera_id
where r.unit_id = any($2) or found.unit_id = any($2)
order by r.name, found.id
limit $3
"""  # noqa: S608 - a constant of ours
END = "update night_agreement set ended_at = $3 where tenant_id = $1 and id = $2"
REOPEN = """
update night_agreement set ended_at = null where tenant_id = $1 and id = $2 and not exists (
    select from night_agreement other
    where other.tenant_id = $1 and other.resident_id = night_agreement.resident_id
        and other.ended_at is null
)
returning id
"""
NEWEST = f"""{AGREEMENT} and a.resident_id = $2
order by a.valid_from desc, a.id desc
limit 1
"""
ADD_CAMERA = """
insert into night_camera (tenant_id, id, resident_id, endpoint_id, name, place, added_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
CAMERA = """
select c.id, c.resident_id, c.endpoint_id, c.name, c.place, c.activated_at, c.blocked_at,
    c.closed_at, e.ended_at is null as is_paired
from night_camera c
join endpoint e on e.tenant_id = c.tenant_id and e.id = c.endpoint_id
where c.tenant_id = $1"""
CAMERA_BY_ID = f"{CAMERA} and c.id = $2"
HOLD_CAMERA = f"{CAMERA_BY_ID} for update of c"
CAMERAS = f"{CAMERA} and c.resident_id = $2 and c.closed_at is null order by c.place, c.id"
ACTIVATE = """
update night_camera set activated_at = $3, activated_by = $4, blocked_at = null, blocked_why = null
where tenant_id = $1 and id = $2
"""
BLOCK = """
update night_camera set blocked_at = $3, blocked_why = $4 where tenant_id = $1 and id = $2
"""
CLOSE = "update night_camera set closed_at = $3 where tenant_id = $1 and id = $2"
ADD_ASSESSMENT = """
insert into impact_assessment (tenant_id, id, reference, decided_on, set_by, set_at)
values ($1, $2, $3, $4, $5, $6)
"""
ASSESSMENT = """
select reference, decided_on from impact_assessment
where tenant_id = $1
order by set_at desc, id desc
limit 1
"""


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A camera, and whether the home unit it hangs on is paired now."""

    camera: Camera
    endpoint_id: EndpointId
    is_paired: bool

    @property
    def is_usable(self) -> bool:
        return self.camera.is_usable and self.is_paired


@dataclass(frozen=True, slots=True)
class Assessment:
    reference: str
    decided_on: date


def _agreement(row: Row) -> Agreement:
    return Agreement(
        id=AgreementId(row["id"]),
        resident_id=ResidentId(row["resident_id"]),
        unit_id=CareUnitId(row["unit_id"]),
        slots=tuple(
            Slot(at, Modality(modality))
            for at, modality in zip(row["times"], row["modalities"], strict=True)
        ),
        camera_id=CameraId(row["camera_id"]) if row["camera_id"] else None,
        look_s=row["look_s"],
        picture=row["picture"],
        may_be_clearer=row["may_be_clearer"],
        may_speak=row["may_speak"],
        retry_min=row["retry_min"],
        phone_first=row["phone_first"],
        notice=row["notice"],
        substitute=Substitute(row["substitute"]),
        declined_herself=row["declined_herself"],
        window_min=row["window_min"],
        papers=Papers(row["alternatives"], row["informed_on"], row["informed_by"], row["dpia"]),
        reassess_on=row["reassess_on"],
        to_know=row["to_know"],
        valid_from=row["valid_from"],
        ended_at=row["ended_at"],
    )


def _camera(row: Row) -> CameraRow:
    camera = Camera(
        id=CameraId(row["id"]),
        resident_id=ResidentId(row["resident_id"]),
        name=row["name"],
        place=row["place"],
        activated_at=row["activated_at"],
        blocked_at=row["blocked_at"],
        closed_at=row["closed_at"],
    )
    return CameraRow(camera, EndpointId(row["endpoint_id"]), row["is_paired"])


async def add(db: Transaction, agreement: Agreement, by: StaffId) -> None:
    papers = agreement.papers
    await db.execute(
        ADD, db.tenant, agreement.id, agreement.resident_id, agreement.unit_id,
        agreement.camera_id, agreement.look_s, agreement.picture, agreement.may_be_clearer,
        agreement.may_speak, agreement.retry_min, agreement.phone_first, agreement.notice,
        str(agreement.substitute), agreement.declined_herself, agreement.window_min,
        papers.alternatives, papers.informed_on, papers.informed_by, papers.dpia,
        agreement.reassess_on, agreement.to_know, agreement.valid_from, by,
    )  # fmt: skip
    times = [slot.at for slot in agreement.slots]
    modalities = [str(slot.modality) for slot in agreement.slots]
    await db.execute(ADD_SLOTS, db.tenant, agreement.id, times, modalities)


async def by_id(db: Transaction, agreement_id: AgreementId) -> Agreement | None:
    row = await db.fetchrow(BY_ID, db.tenant, agreement_id)
    return _agreement(row) if row else None


async def of_resident(db: Transaction, resident_id: ResidentId) -> Agreement | None:
    """The one in force."""
    row = await db.fetchrow(OF_RESIDENT, db.tenant, resident_id)
    return _agreement(row) if row else None


async def hold_of_resident(db: Transaction, resident_id: ResidentId) -> Agreement | None:
    row = await db.fetchrow(HOLD_OF_RESIDENT, db.tenant, resident_id)
    return _agreement(row) if row else None


async def newest(db: Transaction, resident_id: ResidentId) -> Agreement | None:
    """In force, or the one that ended last."""
    row = await db.fetchrow(NEWEST, db.tenant, resident_id)
    return _agreement(row) if row else None


async def of_unit(db: Transaction, unit_id: CareUnitId) -> Sequence[Agreement]:
    """Those in force whose checks are on this unit's rounds; at most LIMIT."""
    return [_agreement(row) for row in await db.fetch(OF_UNIT, db.tenant, unit_id, LIMIT)]


@dataclass(frozen=True, slots=True)
class Listed:
    """An agreement in a list; an empty name is protected."""

    agreement: Agreement
    resident_name: str
    unit_name: str
    place: str
    is_active: bool
    """Its camera may be looked through."""


async def listed(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Listed]:
    """In force, of these units' residents and rounds; at most LIMIT."""
    rows = await db.fetch(LISTED, db.tenant, list(units), LIMIT)
    return [
        Listed(
            _agreement(row), row["resident_name"] or "", row["unit_name"], row["place"],
            bool(row["is_active"]),
        )
        for row in rows
    ]  # fmt: skip


async def end(db: Transaction, agreement_id: AgreementId, at: datetime) -> None:
    await db.execute(END, db.tenant, agreement_id, at)


async def reopen(db: Transaction, agreement_id: AgreementId) -> bool:
    """False when she has another one in force."""
    return await db.fetchval(REOPEN, db.tenant, agreement_id) is not None


async def add_camera(
    db: Transaction, camera: Camera, endpoint_id: EndpointId, now: datetime
) -> None:
    """Raises UniqueViolation when the unit has one of that name."""
    await db.execute(
        ADD_CAMERA, db.tenant, camera.id, camera.resident_id, endpoint_id, camera.name,
        camera.place, now,
    )  # fmt: skip


async def camera(db: Transaction, camera_id: CameraId) -> CameraRow | None:
    row = await db.fetchrow(CAMERA_BY_ID, db.tenant, camera_id)
    return _camera(row) if row else None


async def hold_camera(db: Transaction, camera_id: CameraId) -> CameraRow | None:
    row = await db.fetchrow(HOLD_CAMERA, db.tenant, camera_id)
    return _camera(row) if row else None


async def cameras(db: Transaction, resident_id: ResidentId) -> Mapping[CameraId, CameraRow]:
    """Hers that are not closed."""
    found = [_camera(row) for row in await db.fetch(CAMERAS, db.tenant, resident_id)]
    return {row.camera.id: row for row in found}


async def activate(db: Transaction, camera_id: CameraId, by: StaffId, now: datetime) -> None:
    """It may be looked through; a block is over."""
    await db.execute(ACTIVATE, db.tenant, camera_id, now, by)


async def block(db: Transaction, camera_id: CameraId, why: str, now: datetime) -> None:
    await db.execute(BLOCK, db.tenant, camera_id, now, why)


async def close_camera(db: Transaction, camera_id: CameraId, now: datetime) -> None:
    await db.execute(CLOSE, db.tenant, camera_id, now)


async def set_assessment(
    db: Transaction, id_: UUID, assessment: Assessment, by: StaffId, now: datetime
) -> None:
    await db.execute(
        ADD_ASSESSMENT, db.tenant, id_, assessment.reference, assessment.decided_on, by, now
    )


async def assessment(db: Transaction) -> Assessment | None:
    """The one that counts now."""
    row = await db.fetchrow(ASSESSMENT, db.tenant)
    return Assessment(row["reference"], row["decided_on"]) if row else None

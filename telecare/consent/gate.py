"""The gate: the one place that decides whether a person may be seen, heard or read about.

Fails closed. `admit` takes its locks in the order staff, assignment, gate (architecture §1.11) and
holds them until the caller's commit, so that no withdrawal, revocation or ended assignment can
commit beside something that was just allowed.
"""

from datetime import datetime

from telecare.absences import store as absence_store
from telecare.access import store as access_store
from telecare.access.errors import NotAssigned, StaffGone
from telecare.audit.actions import Action
from telecare.audit.append import Kept
from telecare.audit.model import HomeActor, StaffActor, refused
from telecare.consent import store
from telecare.consent.model import Allowed, Basis, Known, Purpose, decide
from telecare.endings import store as ending_store
from telecare.people import store as people_store
from telecare.people.model import Resident
from telecare.people.service import ResidentGone, still_with_us
from telecare.runtime.db import Transaction
from telecare.runtime.errors import Refusal
from telecare.wire.errors import Code


class ResidentAbsent(Refusal):
    """She is away: nothing rings in her home and no camera opens."""

    code = Code.RESIDENT_ABSENT


class ConsentMissing(Refusal):
    code = Code.CONSENT_MISSING


class ConsentWithdrawnBefore(ConsentMissing):
    code = Code.CONSENT_WITHDRAWN


class ConsentExpired(ConsentMissing):
    code = Code.CONSENT_EXPIRED


class ConsentOutsideHours(ConsentMissing):
    code = Code.CONSENT_OUTSIDE_HOURS


class CohabitantConsentMissing(ConsentMissing):
    code = Code.COHABITANT_CONSENT_MISSING


class CallerNotAllowed(ConsentMissing):
    code = Code.CALLER_NOT_ALLOWED


class ObjectionPauses(ConsentMissing):
    code = Code.OBJECTION_PAUSES


class EmergencyExcluded(ConsentMissing):
    """Her yes does not hold for somebody who opened without a mission."""

    code = Code.EMERGENCY_EXCLUDED


class PolicyMissing(ConsentMissing):
    code = Code.POLICY_MISSING


REFUSALS: dict[Code, type[Refusal]] = {
    refusal.code: refusal
    for refusal in (
        ResidentGone,
        ResidentAbsent,
        ConsentMissing,
        ConsentWithdrawnBefore,
        ConsentExpired,
        ConsentOutsideHours,
        CohabitantConsentMissing,
        CallerNotAllowed,
        ObjectionPauses,
        EmergencyExcluded,
        PolicyMissing,
    )
}


async def admit(
    db: Transaction,
    actor: StaffActor,
    resident: Resident,
    purpose: Purpose,
    at: datetime,
    *,
    tried: Action,
) -> Basis:
    """Why `actor` may do this to `resident` now, locked until commit.

    Raises StaffGone, NotAssigned, ResidentAbsent, ResidentGone, or a ConsentMissing with its
    reason; each is a recorded refusal.
    """
    if not await access_store.hold_staff(db, actor.id, at):
        raise StaffGone(_kept(Code.STAFF_REVOKED, tried, actor, resident, purpose))
    assignment = await access_store.hold_assignment(db, actor.id, resident.id, at)
    if assignment is None:
        raise NotAssigned(_kept(Code.NOT_ASSIGNED, tried, actor, resident, purpose))
    allowed = await covered(db, actor, resident, purpose, at)
    if isinstance(allowed, Code):
        raise REFUSALS[allowed](_kept(allowed, tried, actor, resident, purpose))
    ends = [e for e in (allowed.ends_at, assignment.valid_until) if e is not None]
    return Basis(
        purpose=purpose,
        resident_id=resident.id,
        policy=allowed.policy,
        consents=allowed.consents,
        assignment_id=assignment.id,
        assignment_source=assignment.source,
        ends_at=min(ends, default=None),
    )


async def covered(
    db: Transaction, actor: StaffActor, resident: Resident, purpose: Purpose, at: datetime
) -> Allowed | Code:
    """Whether consents cover this now, the gate locked until commit; the reason when not.

    For callers that go on with less (sound only, no countdown); everything else uses `admit`.
    """
    known = await _known(db, resident, purpose, at)
    if known is None:
        return Code.CONSENT_MISSING
    in_emergency = await access_store.only_in_emergency(db, actor.id, resident.id, at)
    return decide(known, caller=actor.id, at=at, in_emergency=in_emergency)


async def stands(
    db: Transaction, resident: Resident, purpose: Purpose, at: datetime
) -> Allowed | Code:
    """As `covered`, for nobody in particular: whether it could be allowed to whoever has a mission.

    Allows nothing: for plans, which choose another way while there is time.
    """
    known = await _known(db, resident, purpose, at)
    return Code.CONSENT_MISSING if known is None else decide(known, caller=None, at=at)


async def _known(
    db: Transaction, resident: Resident, purpose: Purpose, at: datetime
) -> Known | None:
    """Under the gate's lock; None: there is no gate."""
    if not await store.hold_gate(db, resident.id, purpose):
        return None
    cohabitants = await people_store.cohabitants(db, resident.id, at)
    return Known(
        policy=await store.policy(db, purpose, at),
        consents=await store.newest(db, resident.id, purpose),
        cohabitants=[c.id for c in cohabitants],
        has_objection=await store.has_objection(db, resident.id, purpose),
        absences=await absence_store.not_over(db, resident.id, at),
        ended_from=await ending_store.ended_from(db, resident.id),
    )


async def hold_with_us(
    db: Transaction, actor: HomeActor, resident: Resident, at: datetime, *, tried: Action
) -> None:
    """For what she herself begins, which needs no consent: an ending cannot commit beside it.

    Raises ResidentGone.
    """
    await store.hold_gate(db, resident.id, Purpose.VIDEO_VISIT)
    await still_with_us(db, actor, resident, tried, at)


def _kept(
    code: Code, tried: Action, actor: StaffActor, resident: Resident, purpose: Purpose
) -> Kept:
    what = {"purpose": str(purpose)}
    return Kept(refused(code, tried, actor, [resident.person], what))

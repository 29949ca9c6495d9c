"""Consents, policies and the decision itself. Pure: what is known goes in, a basis or a code
comes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from telecare.absences.model import Absence
from telecare.audit.format import Document
from telecare.wire.errors import Code
from telecare.wire.ids import AssignmentId, CohabitantId, ConsentId, ResidentId, StaffId

STOCKHOLM = ZoneInfo("Europe/Stockholm")

Decision = Literal["permit", "deny", "withdrawn"]
StandIn = Literal["relative", "guardian", "attorney"]
Given = Literal["in_person", "paper", "phone", "tv", "unit"]


class Purpose(StrEnum):
    VIDEO_VISIT = "video_visit"
    """Her picture and sound to staff, in a visit or any call."""
    AUTO_ANSWER = "auto_answer"
    """The screen answers by itself after a countdown."""
    CAMERA_CHECK = "camera_check"
    """Staff look in by camera at night (Nattfrid)."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Local time of day, from inclusive, until exclusive; from > until spans midnight."""

    start: time
    end: time

    def contain(self, at: datetime) -> bool:
        now = at.astimezone(STOCKHOLM).time()
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def end_after(self, at: datetime) -> datetime:
        """When the hours that contain `at` end; right over both DST nights."""
        local = at.astimezone(STOCKHOLM)
        day = local.date()
        if self.start > self.end and local.time() >= self.start:
            day += timedelta(days=1)
        return datetime.combine(day, self.end, STOCKHOLM)


@dataclass(frozen=True, slots=True)
class Consent:
    """One statement of one party, as known now. `cohabitant_id` None: the resident herself."""

    id: ConsentId
    purpose: Purpose
    cohabitant_id: CohabitantId | None
    decision: Decision
    valid_from: datetime
    valid_until: datetime | None
    ask_again_on: date | None
    hours: Hours | None
    callers: frozenset[StaffId] | None
    answer_after_s: int | None
    information_version: int | None
    information_language: str | None
    given: Given
    recorded_at: datetime
    stands_in: StandIn | None = None
    """Who said it in her place, where the policy of the day allows that."""
    emergency_allowed: bool = False
    """It holds for somebody who opened in an emergency too (break-glass); unsaid, it does not."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a municipality requires for a purpose, from a date."""

    id: str
    purpose: Purpose
    parties: frozenset[str]
    stand_ins: frozenset[str]
    yes_comes_by: frozenset[str]
    objection_pauses: bool
    review_months: int
    board: str
    law: Literal["SoL", "LSS", "HSL"]
    record_domain: str


@dataclass(frozen=True, slots=True)
class Known:
    """Everything the gate knows about one resident and purpose when it decides."""

    policy: Policy | None
    consents: Sequence[Consent]
    """The newest of each party."""
    cohabitants: Sequence[CohabitantId]
    has_objection: bool
    absences: Sequence[Absence] = ()
    """Hers that are not over, those ahead too."""
    ended_from: datetime | None = None
    """From when on she is no longer with us."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Why something was allowed; what the record quotes."""

    purpose: Purpose
    resident_id: ResidentId
    policy: Policy
    consents: tuple[Consent, ...]
    assignment_id: AssignmentId | None
    assignment_source: str | None
    ends_at: datetime | None
    """The earliest moment one of the consents stops covering this."""

    @property
    def answer_after_s(self) -> int | None:
        return self.consents[0].answer_after_s

    def document(self) -> Document:
        return {
            "assignment_id": str(self.assignment_id) if self.assignment_id else None,
            "assignment_source": self.assignment_source,
            "board": self.policy.board,
            "consents": [
                {
                    "cohabitant_id": str(c.cohabitant_id) if c.cohabitant_id else None,
                    "consent_id": str(c.id),
                    "information_language": c.information_language,
                    "information_version": c.information_version,
                    "stands_in": c.stands_in,
                }
                for c in self.consents
            ],
            "law": self.policy.law,
            "policy_id": self.policy.id,
            "purpose": str(self.purpose),
            "record_domain": self.policy.record_domain,
        }


@dataclass(frozen=True, slots=True)
class Allowed:
    policy: Policy
    consents: tuple[Consent, ...]
    ends_at: datetime | None


def decide(
    known: Known, *, caller: StaffId | None, at: datetime, in_emergency: bool = False
) -> Allowed | Code:
    """Every required party has said yes, now, in these hours, to this caller; else the reason.
    `in_emergency`: the caller has opened without a mission (break-glass).

    Fails closed: without a policy nothing is allowed.
    """
    away = _away(known, at)
    if away is not None:
        return away
    policy = known.policy
    if policy is None:
        return Code.POLICY_MISSING
    if known.has_objection and policy.objection_pauses:
        return Code.OBJECTION_PAUSES
    required: list[CohabitantId | None] = [None] if "resident" in policy.parties else []
    if "cohabitant" in policy.parties:
        required.extend(known.cohabitants)
    newest = {consent.cohabitant_id: consent for consent in known.consents}
    used: list[Consent] = []
    for party in required:
        consent = newest.get(party)
        reason = _missing(consent, party, caller=caller, at=at, in_emergency=in_emergency)
        if reason is not None:
            return reason
        assert consent is not None  # noqa: S101 - _missing says so
        used.append(consent)
    if not used:
        return Code.CONSENT_MISSING
    return Allowed(policy, tuple(used), _ends_at(known, used, at))


def _away(known: Known, at: datetime) -> Code | None:
    if known.ended_from is not None and at >= known.ended_from:
        return Code.RESIDENT_ENDED
    if any(absence.covers(at) for absence in known.absences):
        return Code.RESIDENT_ABSENT
    return None


def _missing(  # noqa: PLR0911 - one for each reason
    consent: Consent | None,
    party: CohabitantId | None,
    *,
    caller: StaffId | None,
    at: datetime,
    in_emergency: bool,
) -> Code | None:
    nobody = Code.CONSENT_MISSING if party is None else Code.COHABITANT_CONSENT_MISSING
    if consent is None:
        return nobody
    if consent.decision == "withdrawn":
        return Code.CONSENT_WITHDRAWN
    if consent.decision == "deny" or at < consent.valid_from:
        return nobody
    if consent.valid_until is not None and at >= consent.valid_until:
        return Code.CONSENT_EXPIRED
    if consent.hours is not None and not consent.hours.contain(at):
        return Code.CONSENT_OUTSIDE_HOURS
    if consent.callers is not None and caller is not None and caller not in consent.callers:
        return Code.CALLER_NOT_ALLOWED
    if in_emergency and not consent.emergency_allowed:
        return Code.EMERGENCY_EXCLUDED
    return None


def _ends_at(known: Known, used: Sequence[Consent], at: datetime) -> datetime | None:
    ends = [c.valid_until for c in used if c.valid_until is not None]
    ends += [a.from_at for a in known.absences if a.from_at > at and not a.is_over(a.from_at)]
    ends += [known.ended_from] if known.ended_from is not None else []
    ends += [c.hours.end_after(at) for c in used if c.hours is not None]
    return min(ends, default=None)


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    """A yes is gone: whatever rested on it ends in this transaction."""

    resident_id: ResidentId
    purpose: Purpose
    at: datetime


@dataclass(frozen=True, slots=True)
class AbilityDoubtful:
    """A yes was given, but that day's ability to decide was judged doubtful."""

    resident_id: ResidentId
    consent_id: ConsentId
    at: datetime

"""What has been agreed about a person's nights: when somebody looks to her, how, and what instead.
Pure.

The insats (a check at two in the morning) and the camera are two things: a slot stands in the
agreement whether or not a camera may be used for it, and no check is left out because one may not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal

from telecare.consent.model import Hours
from telecare.runtime.clock import STOCKHOLM, from_local
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import AgreementId, CameraId, CareUnitId, ResidentId

NOON = time(12)
"""Where one night's list ends and the next begins, local."""
WINDOW = timedelta(minutes=30)
"""A check may be made this long before and after its time, unless agreed otherwise."""
REASSESS_AFTER = timedelta(days=182)
"""Half a year: when it is asked anew whether the camera is still right."""
MAX_SLOTS = 12
ROUND_GAP = timedelta(minutes=60)
"""Checks of one unit that follow each other closer than this are one round."""


class Modality(StrEnum):
    """How a slot is carried out. Per slot, not per person: camera at 02, a person at 06."""

    CAMERA = "camera"
    VISIT = "visit"
    PHONE = "phone"


class Substitute(StrEnum):
    """What happens when a camera slot cannot or may not use its camera."""

    VISIT = "visit"
    PHONE = "phone"
    NOTHING = "nothing"
    """Only when she herself has declined the supervision then."""


PictureMode = Literal["clear", "blurred"]
Notice = Literal["lamp", "lamp_and_sound", "none"]
"""How the home says that somebody looks; "none" only where she was told in another way."""
Informed = Literal["in_person", "paper", "phone"]


class AgreementIncomplete(TelecareError):
    """A record is missing without which no camera is activated; `field` says which."""

    status = 422
    code = Code.AGREEMENT_INCOMPLETE


@dataclass(frozen=True, slots=True)
class Slot:
    """One check of each night, at a local wall time."""

    at: time
    modality: Modality


@dataclass(frozen=True, slots=True)
class Papers:
    """Three of the four records without which no camera is activated; the fourth are the consents,
    which the gate asks for at every look (SoLPuL 2001:454 9 §; GDPR art. 13, 35).
    """

    alternatives: str
    """What was tried or considered before a camera, and why it did not do."""
    informed_on: date | None
    informed_by: Informed | None
    dpia: str
    """The municipality's reference to its impact assessment (konsekvensbedömning)."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One for each person whose nights are looked after; a later one replaces it."""

    id: AgreementId
    resident_id: ResidentId
    unit_id: CareUnitId
    """Whose round it is on."""
    slots: tuple[Slot, ...]
    camera_id: CameraId | None
    look_s: int
    """Longest a camera is open in one look, 10 to 60 s."""
    picture: PictureMode
    may_be_clearer: bool
    """One look may be made clear, with a reason."""
    may_speak: bool
    retry_min: int
    """Minutes to the second look when she was not seen, 3 to 30."""
    phone_first: bool
    """Ring her before somebody drives."""
    notice: Notice
    substitute: Substitute
    declined_herself: bool
    """She has said herself that nobody need come instead."""
    window_min: int
    papers: Papers
    reassess_on: date
    to_know: str
    valid_from: datetime
    ended_at: datetime | None = None

    @property
    def uses_camera(self) -> bool:
        return any(slot.modality is Modality.CAMERA for slot in self.slots)

    def require_papers(self) -> None:
        """Raises AgreementIncomplete with the first record that is missing."""
        papers = self.papers
        missing = {
            "alternatives": not papers.alternatives.strip(),
            "informed_on": papers.informed_on is None or papers.informed_by is None,
            "dpia": not papers.dpia.strip(),
            "camera_id": self.camera_id is None,
        }
        for field, is_missing in missing.items():
            if is_missing:
                raise AgreementIncomplete(field)


def checked(agreement: Agreement) -> Agreement:
    """The agreement as it may be kept. Raises AgreementIncomplete.

    "Nothing instead" is hers to choose: without her word it would leave her alone.
    """
    if not 1 <= len(agreement.slots) <= MAX_SLOTS:
        raise AgreementIncomplete("slots")
    if len({slot.at for slot in agreement.slots}) != len(agreement.slots):
        raise AgreementIncomplete("slots")
    if agreement.substitute is Substitute.NOTHING and not agreement.declined_herself:
        raise AgreementIncomplete("declined_herself")
    if agreement.notice == "none" and agreement.papers.informed_by is None:
        raise AgreementIncomplete("notice")
    if agreement.uses_camera:
        agreement.require_papers()
    return agreement


def night_of(at: datetime) -> date:
    """The night `at` belongs to, by the day it began: from noon to noon, local."""
    local = at.astimezone(STOCKHOLM)
    return local.date() if local.time() >= NOON else local.date() - timedelta(days=1)


def night_begins(night: date) -> datetime:
    """The noon when the list of that night opens."""
    return from_local(datetime.combine(night, NOON))


def starts_at(slot: Slot, night: date) -> datetime:
    """UTC of a slot in a night: once, also where an hour is missing or comes twice."""
    day = night if slot.at >= NOON else night + timedelta(days=1)
    return from_local(datetime.combine(day, slot.at))


@dataclass(frozen=True, slots=True)
class Window:
    """When a check may be made."""

    opens_at: datetime
    closes_at: datetime


def window(starts: datetime, minutes: int, hours: Sequence[Hours]) -> Window:
    """± `minutes` around its time, inside the hours consented to while those contain its time.

    A time outside the hours keeps its full window: the check is due all the same, and the gate
    will say why it is without a camera.
    """
    reach = timedelta(minutes=minutes)
    opens, closes = starts - reach, starts + reach
    for each in hours:
        if each.contain(starts):
            closes = min(closes, each.end_after(starts).astimezone(UTC))
            if not each.contain(opens):
                opens = max(opens, _begins_before(each, starts))
    return Window(opens, closes)


def _begins_before(hours: Hours, at: datetime) -> datetime:
    local = at.astimezone(STOCKHOLM)
    day = local.date()
    if local.time() < hours.start:
        day -= timedelta(days=1)
    return from_local(datetime.combine(day, hours.start))


@dataclass(frozen=True, slots=True)
class Planned:
    """One check to be made in a night, before it has a row."""

    agreement_id: AgreementId
    resident_id: ResidentId
    starts_at: datetime
    modality: Modality
    window: Window


def occurrences(
    agreement: Agreement, night: date, hours: Sequence[Hours] = ()
) -> Sequence[Planned]:
    """Its checks of one night, by their time; none once it has ended or before it holds."""
    found = []
    for slot in agreement.slots:
        at = starts_at(slot, night)
        if at < agreement.valid_from or (
            agreement.ended_at is not None and at >= agreement.ended_at
        ):
            continue
        reach = window(at, agreement.window_min, hours)
        found.append(Planned(agreement.id, agreement.resident_id, at, slot.modality, reach))
    return sorted(found, key=lambda one: one.starts_at)


def joins(at: datetime, first: datetime, last: datetime) -> bool:
    """Whether a check at this time belongs to the round from `first` to `last`."""
    return first - ROUND_GAP < at < last + ROUND_GAP


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera in a home, as the server knows it; what it is stays in the unit."""

    id: CameraId
    resident_id: ResidentId
    name: str
    """In the home unit's own configuration, e.g. `bedroom`."""
    place: str
    activated_at: datetime | None
    """The installation test was passed together with the person."""
    blocked_at: datetime | None = None
    """Wrong home or moved: no look until a new test."""
    closed_at: datetime | None = None

    @property
    def is_usable(self) -> bool:
        return self.activated_at is not None and self.blocked_at is None and self.closed_at is None

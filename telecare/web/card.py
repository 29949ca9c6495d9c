"""The resident's card: one read, recorded, of what staff need before they call."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from aiohttp import web

from telecare.absences import store as absence_store
from telecare.access import store as access_store
from telecare.access.http import STAFF, path_id
from telecare.access.model import Permission, StaffSession
from telecare.access.service import is_new_read
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record
from telecare.calls import store as call_store
from telecare.consent import store as consent_store
from telecare.consent import words
from telecare.consent.gate import covered
from telecare.consent.model import Consent, Purpose
from telecare.devices import store as device_store
from telecare.devices.model import Endpoint, screen_of
from telecare.dispatches import store as dispatch_store
from telecare.endings import store as ending_store
from telecare.people import break_glass_store, keeping_store, relations_store
from telecare.people import store as people_store
from telecare.people.model import Cohabitant, Resident
from telecare.people.own_relation import reason_for
from telecare.people.service import assigned, known, without_address
from telecare.runtime.clock import STOCKHOLM, local_day
from telecare.runtime.db import Transaction
from telecare.runtime.http import Answer, Route, json_answer
from telecare.visits import store as visit_store
from telecare.visits.model import VisitState
from telecare.web.board_rows import visit_row
from telecare.web.floor import FLOOR
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId
from telecare.wire.signalling import AbsenceKind, Language, VisitRow

HISTORY = timedelta(days=30)


class CardConsent(Answer):
    id: UUID
    purpose: str
    party: str
    party_name: str
    decision: Literal["permit", "deny", "withdrawn"]
    sentence: str
    given: str
    valid_until: datetime | None
    ask_again_on: date | None
    active: bool


class CardObjection(Answer):
    id: UUID
    purpose: str
    by: str
    name: str
    text: str
    at: datetime


class CardCohabitant(Answer):
    id: UUID
    name: str
    relation: str


class CardAbsence(Answer):
    """One that is not over; with `from_at` ahead it has not begun."""

    id: UUID
    kind: AbsenceKind
    from_at: datetime
    until_at: datetime | None
    reported_by: str
    note: str


class CardEnding(Answer):
    id: UUID
    reason: Literal["deceased", "moved", "declined"]
    on_date: date
    is_carried_out: bool
    """False: it lies ahead."""


class CardDevice(Answer):
    id: UUID
    kind: Literal["tv", "unit"]
    label: str
    state: Literal["here", "silent", "off", "none"]
    heard_at: datetime | None


class Happened(Answer):
    at: datetime
    text_key: str
    values: dict[str, str | int]


class CardPolicy(Answer):
    """What the municipality's policy of today says of a purpose; the gate tests the same row."""

    purpose: Purpose
    parties: list[str]
    """Who must have said yes: `resident`, `cohabitant`."""
    stand_ins: list[str]
    """Who may say yes in her place; nobody as it ships."""
    yes_comes_by: list[str]
    board: str


class CardInformation(Answer):
    version: int
    texts: dict[Language, str]


class Contact(Answer):
    """Who may be rung about her: a relative, or who stands for her."""

    name: str
    what: str
    """Her relation, or the kind of representative."""
    phone: str
    stands_for_her: bool
    may_be_told: str = ""
    """What she has agreed that a relative is told when an alarm has come; empty: nothing."""


class Card(Answer):
    """See docs/protocol.md."""

    id: UUID
    name: str
    given_name: str
    language: str
    address: str
    """Of somebody with protected identity: empty but on an accepted mission there."""
    is_protected: bool
    age: int | None
    phone: str
    hearing: str
    priority: int
    contacts: list[Contact]
    to_know: list[str]
    can_call: bool
    why_not: str | None
    today: list[VisitRow]
    absences: list[CardAbsence]
    ending: CardEnding | None
    consents: list[CardConsent]
    objections: list[CardObjection]
    opened_until: datetime | None
    """She has opened without a mission; then all that rests on it ends."""
    cohabitants: list[CardCohabitant]
    devices: list[CardDevice]
    happened: list[Happened]
    callers: list[CardCohabitant]
    information: dict[str, CardInformation]
    """What is told before a yes, by purpose, as it is published now."""
    policies: list[CardPolicy]
    """None for a purpose that no policy allows today."""


async def card(request: web.Request) -> web.Response:
    """Open a resident's card. Assigned staff only; recorded once per 15 minutes."""
    floor = request.app[FLOOR]
    session = request[STAFF]
    now = floor.clock.now()
    async with floor.database.transaction(session.tenant) as db:
        resident = await known(db, ResidentId(path_id(request)))
        await _may_read(db, session, resident, now)
        why = await reason_for(db, session, resident, Action.CARD_READ, now)
        if resident.is_protected and not await dispatch_store.is_on_mission(
            db, session.staff.id, resident.id
        ):
            resident = without_address(resident)
        answer = await _card(db, session, resident, now)
        if await is_new_read(db, session, "card", resident.id, now):
            await append(db, Record(Action.CARD_READ, session.actor, [resident.person], why))
    return json_answer(answer)


async def _may_read(
    db: Transaction, session: StaffSession, resident: Resident, now: datetime
) -> None:
    """Those assigned. Nobody is to somebody who has been ended: then who plans for her unit."""
    ending = await ending_store.of_resident(db, resident.id)
    plans = session.staff.may_in(Permission.PLAN, resident.unit_id)
    if ending is None or ending.carried_out_at is None or not plans:
        await assigned(db, session, resident, Action.CARD_READ, now)


async def _card(db: Transaction, session: StaffSession, resident: Resident, now: datetime) -> Card:
    start, end = local_day(now)
    endpoints = await device_store.endpoints(db, resident.id)
    cohabitants = await people_store.cohabitants(db, resident.id, now)
    consents = await consent_store.all_newest(db, resident.id)
    allowed = await covered(db, session.actor, resident, Purpose.VIDEO_VISIT, now)
    why_not = allowed if isinstance(allowed, Code) else None
    if why_not is None and not endpoints:
        why_not = Code.NO_ENDPOINT
    if why_not is None and await call_store.live_of_resident(db, resident.id) is not None:
        why_not = Code.BUSY
    screen = screen_of(endpoints, now)
    opening = await break_glass_store.standing(db, session.staff.id, resident.id, now)
    ending = await ending_store.of_resident(db, resident.id)
    today = await visit_store.of_resident(db, resident.id, start, end)
    history = await visit_store.of_resident(db, resident.id, start - HISTORY, now)
    language = session.staff.language
    related = await relations_store.related_to(db, resident.id)
    colleagues = [
        one
        for one in await access_store.colleagues(db, resident.unit_id, now)
        if one.id not in related
    ]
    return Card(
        id=resident.id,
        name=resident.name,
        given_name=resident.given_name,
        language=resident.language,
        address=resident.address,
        is_protected=resident.is_protected,
        age=_age(resident.born_on, now),
        phone=resident.phone,
        hearing=resident.hearing,
        priority=resident.priority,
        contacts=await _contacts(db, resident, now.astimezone(STOCKHOLM).date()),
        to_know=list(resident.to_know),
        can_call=why_not is None,
        why_not=str(why_not) if why_not else None,
        today=[visit_row(listed, screen, None) for listed in today],
        absences=[
            CardAbsence(
                id=absence.id,
                kind=absence.kind,
                from_at=absence.from_at,
                until_at=absence.until_at,
                reported_by=absence.reported_by,
                note=absence.note,
            )
            for absence in await absence_store.not_over(db, resident.id, now)
        ],
        ending=CardEnding(
            id=ending.id,
            reason=ending.reason,
            on_date=ending.on_date,
            is_carried_out=ending.carried_out_at is not None,
        )
        if ending
        else None,
        consents=[_consent(c, resident, cohabitants, language, now) for c in consents],
        objections=[
            CardObjection(
                id=o.id,
                purpose=str(o.purpose),
                by=o.by_kind,
                name=o.by_name,
                text=o.body,
                at=o.made_at,
            )
            for o in await consent_store.objections(db, resident.id)
        ],
        opened_until=opening.until_at if opening else None,
        cohabitants=[
            CardCohabitant(id=c.id, name=c.name, relation=c.relation) for c in cohabitants
        ],
        devices=[_device(endpoint, now) for endpoint in endpoints],
        happened=_happened(history),
        callers=[CardCohabitant(id=c.id, name=c.name, relation="") for c in colleagues],
        information=await _information(db),
        policies=await _policies(db, now),
    )


async def _contacts(db: Transaction, resident: Resident, today: date) -> list[Contact]:
    """Relatives who are rung first, the other relatives, then who stands for her today."""
    relatives = await keeping_store.relatives(db, resident.id)
    representatives = await keeping_store.representatives(db, resident.id)
    return [
        *(
            Contact(
                name=one.name,
                what=one.relation,
                phone=one.phone,
                stands_for_her=False,
                may_be_told=one.may_be_told,
            )
            for one in relatives
        ),
        *(
            Contact(name=one.name, what=one.kind, phone=one.phone, stands_for_her=True)
            for one in representatives
            if one.stands(today)
        ),
    ]


async def _information(db: Transaction) -> dict[str, CardInformation]:
    newest: dict[str, CardInformation] = {}
    for purpose, version, _, bodies in await consent_store.information(db):
        newest.setdefault(str(purpose), CardInformation(version=version, texts=dict(bodies)))
    return newest


async def _policies(db: Transaction, now: datetime) -> list[CardPolicy]:
    found = [await consent_store.policy(db, purpose, now) for purpose in Purpose]
    return [
        CardPolicy(
            purpose=policy.purpose,
            parties=sorted(policy.parties),
            stand_ins=sorted(policy.stand_ins),
            yes_comes_by=sorted(policy.yes_comes_by),
            board=policy.board,
        )
        for policy in found
        if policy is not None
    ]


def _consent(
    consent: Consent,
    resident: Resident,
    cohabitants: Sequence[Cohabitant],
    language: str,
    now: datetime,
) -> CardConsent:
    names = {c.id: c.name for c in cohabitants}
    party = resident.given_name
    if consent.cohabitant_id is not None:
        party = names.get(consent.cohabitant_id, "")
    active = consent.decision == "permit" and (
        consent.valid_until is None or consent.valid_until > now
    )
    return CardConsent(
        id=consent.id,
        purpose=str(consent.purpose),
        party="resident" if consent.cohabitant_id is None else str(consent.cohabitant_id),
        party_name=party,
        decision=consent.decision,
        sentence=words.sentence(consent, language),
        given=words.given(consent, party, language),
        valid_until=consent.valid_until,
        ask_again_on=consent.ask_again_on,
        active=active,
    )


def _device(endpoint: Endpoint, now: datetime) -> CardDevice:
    return CardDevice(
        id=endpoint.id,
        kind=endpoint.kind,
        label=endpoint.label,
        state=screen_of([endpoint], now),
        heard_at=endpoint.seen_at,
    )


def _happened(history: Sequence[visit_store.Listed]) -> list[Happened]:
    """Concluded visits, newest first."""
    done = [listed for listed in history if listed.visit.state is VisitState.DONE]
    return [
        Happened(
            at=listed.visit.starts_at,
            text_key=f"card.happened.{listed.visit.outcome}",
            values={"insats": listed.insats_name, "who": listed.staff_name or ""},
        )
        for listed in reversed(done)
    ]


def _age(born_on: date | None, now: datetime) -> int | None:
    if born_on is None:
        return None
    today = now.astimezone(STOCKHOLM).date()
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (0 if had_birthday else 1)


ROUTES = (
    Route("GET", "/api/residents/{id}", card, "staff", Action.CARD_READ, answer=Card,
          errors=(Code.NOT_ASSIGNED, Code.REASON_NEEDED)),
)  # fmt: skip

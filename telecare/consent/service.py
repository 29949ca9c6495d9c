"""Taking down a yes or a no, taking it back, and objections."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal
from uuid import UUID

from dateutil.relativedelta import relativedelta

from telecare.access.model import ScreenSession, StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import Kept
from telecare.audit.model import SystemActor, actor_text, refused
from telecare.consent import store
from telecare.consent.model import (
    STOCKHOLM,
    AbilityDoubtful,
    Consent,
    ConsentWithdrawn,
    Given,
    Hours,
    Known,
    Policy,
    Purpose,
    StandIn,
    decide,
)
from telecare.people import store as people_store
from telecare.people.model import Resident
from telecare.people.service import known, make_follow_up, on_mission, resident_topic
from telecare.runtime.clock import Clock, from_local
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, Refusal, TelecareError
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import CohabitantId, ConsentId, ResidentId, StaffId, new_row_id

ASK_AGAIN = "consent.ask_again"
ASK_AGAIN_AT = time(8)
"""Swedish time of the day a yes comes up for asking again."""

React = Callable[[Transaction, object], Awaitable[None]]


class RelativeCannotConsent(Refusal):
    """Swedish law gives a relative no power to say yes for somebody else (FB 17:1)."""

    code = Code.RELATIVE_CANNOT_CONSENT


class YesNotFromTv(Refusal):
    """A yes of this kind does not come this way (purpose_policy.yes_comes_by)."""

    code = Code.YES_NOT_FROM_TV


class PartyUnknown(TelecareError):
    """Nobody with that id lives there now."""

    status = 422
    code = Code.PARTY_UNKNOWN


class PolicyUnknown(TelecareError):
    code = Code.POLICY_MISSING


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said, as taken down. `party` None: the resident herself."""

    purpose: Purpose
    decision: Literal["permit", "deny"]
    party: CohabitantId | None
    information_version: int
    information_language: Literal["sv", "fi", "en"]
    present: str
    will_shown: Literal["spoken", "sign", "written", "other"]
    ability: Literal["clear", "doubtful"]
    given: Given
    valid_until: date | None = None
    """The last day it holds, Swedish calendar."""
    hours: tuple[time, time] | None = None
    callers: tuple[StaffId, ...] | None = None
    answer_after_s: int | None = None
    stands_in: StandIn | None = None
    emergency_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement makes of the gate."""

    consent: Consent
    gate_is_open: bool
    waiting_for: tuple[str, ...]
    """Names of cohabitants whose yes is still missing."""


class Consents:
    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    async def record(
        self, session: StaffSession, resident_id: ResidentId, statement: Statement
    ) -> Outcome:
        """A yes or a no, taken down by staff. Raises NotAssigned, RelativeCannotConsent, …"""
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            resident = await known(db, resident_id)
            await on_mission(db, session, resident, Action.CONSENT_GIVEN, now)
            outcome = await self._state(db, session, resident, statement, now)
            how = store.Documentation(
                present=statement.present,
                will_shown=statement.will_shown,
                ability=statement.ability,
            )
            await store.shut_gate(db, resident.id, statement.purpose)
            await store.add(db, resident.id, outcome.consent, how)
            if statement.decision == "permit":
                await _ask_again(db, outcome.consent)
            db.changed(resident_topic(resident.id))
            if statement.decision == "deny":
                await self._react(db, ConsentWithdrawn(resident.id, statement.purpose, now))
            elif statement.ability == "doubtful":
                await self._react(db, AbilityDoubtful(resident.id, outcome.consent.id, now))
        return outcome

    async def ask_again(self, db: Transaction, due: Due, now: datetime) -> None:
        """A yes that still stands comes up for asking again, before it ends."""
        found = await store.by_id(db, ConsentId(due.subject))
        if found is None:
            return
        consent, resident_id = found
        newest = await store.newest(db, resident_id, consent.purpose)
        if consent.id not in {c.id for c in newest}:
            return
        resident = await known(db, resident_id)
        await make_follow_up(
            db,
            "ask_again",
            resident,
            unit_id=resident.unit_id,
            about_id=consent.id,
            actor=SystemActor("consent timer"),
            now=now,
        )

    async def stop_asking(self, db: Transaction, resident_id: ResidentId) -> None:
        for consent in await store.all_newest(db, resident_id):
            await cancel_timers(db, [ASK_AGAIN], consent.id)

    async def go_on_asking(self, db: Transaction, resident_id: ResidentId) -> None:
        for consent in await store.all_newest(db, resident_id):
            if consent.decision == "permit":
                await _ask_again(db, consent)

    async def preview(
        self, session: StaffSession, resident_id: ResidentId, statement: Statement
    ) -> tuple[Outcome, Resident]:
        """What `record` would make of it; nothing is stored. Raises as `record` does."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
            await on_mission(db, session, resident, Action.CONSENT_GIVEN, now)
            return await self._state(db, session, resident, statement, now), resident

    async def _state(
        self,
        db: Transaction,
        session: StaffSession,
        resident: Resident,
        statement: Statement,
        now: datetime,
    ) -> Outcome:
        policy = await store.policy(db, statement.purpose, now)
        if policy is None:
            raise PolicyUnknown
        _check_party(session, resident, statement, policy)
        cohabitants = await people_store.cohabitants(db, resident.id, now)
        if statement.party is not None and statement.party not in {c.id for c in cohabitants}:
            raise PartyUnknown("party")
        consent = _consent(statement, policy, now)
        others = [
            c
            for c in await store.newest(db, resident.id, statement.purpose)
            if c.cohabitant_id != statement.party
        ]
        would = Known(
            policy=policy,
            consents=[*others, consent],
            cohabitants=[c.id for c in cohabitants],
            has_objection=await store.has_objection(db, resident.id, statement.purpose),
        )
        has_said_yes = {c.cohabitant_id for c in would.consents if c.decision == "permit"}
        waiting = tuple(
            c.name
            for c in cohabitants
            if "cohabitant" in policy.parties and c.id not in has_said_yes
        )
        decision = decide(would, caller=None, at=_covered_moment(consent, now))
        return Outcome(consent, not isinstance(decision, Code), waiting)

    async def withdraw(
        self,
        session: StaffSession,
        consent_id: ConsentId,
        asked_by: Literal["resident", "cohabitant", "by_phone", "not_said"],
    ) -> None:
        """Effective at the commit; whatever runs on it ends in the same transaction.

        Anybody on the staff who hears a no may enter it: it needs no assignment (fails closed).
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            found = await store.by_id(db, consent_id)
            if found is None:
                raise NotFound
            consent, resident_id = found
            given: Given = "phone" if asked_by == "by_phone" else "in_person"
            await self._take_back(
                db,
                resident_id,
                consent.purpose,
                party=consent.cohabitant_id,
                given=given,
                asked_by=asked_by,
                now=now,
            )

    async def withdraw_at_home(self, session: ScreenSession, purpose: Purpose) -> None:
        """One OK on the TV. Who held the remote is not known: the record says "from her TV"."""
        now = self._clock.now()
        actor = session.actor
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            await self._take_back(
                db,
                actor.resident_id,
                purpose,
                party=None,
                given=actor.device,
                asked_by=None,
                now=now,
            )

    async def _take_back(
        self,
        db: Transaction,
        resident_id: ResidentId,
        purpose: Purpose,
        *,
        party: CohabitantId | None,
        given: Given,
        asked_by: Literal["resident", "cohabitant", "by_phone", "not_said"] | None,
        now: datetime,
    ) -> None:
        await store.shut_gate(db, resident_id, purpose)
        withdrawn = Consent(
            id=ConsentId(new_row_id(now)),
            purpose=purpose,
            cohabitant_id=party,
            decision="withdrawn",
            valid_from=now,
            valid_until=None,
            ask_again_on=None,
            hours=None,
            callers=None,
            answer_after_s=None,
            information_version=None,
            information_language=None,
            given=given,
            recorded_at=now,
        )
        await self._react(db, ConsentWithdrawn(resident_id, purpose, now))
        db.changed(resident_topic(resident_id))
        await store.add(db, resident_id, withdrawn, store.Documentation(asked_by=asked_by))

    async def object_to(
        self,
        session: StaffSession,
        resident_id: ResidentId,
        purpose: Purpose,
        *,
        by_kind: Literal["guardian", "relative", "cohabitant", "staff"],
        by_name: str,
        body: str,
    ) -> UUID:
        """An invändning, from anyone; pauses the purpose where policy says so."""
        now = self._clock.now()
        objection = store.Objection(new_row_id(now), purpose, by_kind, by_name, body, now)
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            resident = await known(db, resident_id)
            await store.shut_gate(db, resident.id, purpose)
            policy = await store.policy(db, purpose, now)
            if policy is not None and policy.objection_pauses:
                await self._react(db, ConsentWithdrawn(resident.id, purpose, now))
            db.changed(resident_topic(resident.id))
            await store.add_objection(db, resident.id, objection)
        return objection.id


async def standing(db: Transaction, resident_id: ResidentId, now: datetime) -> Sequence[ConsentId]:
    """Every party's yes that holds."""
    return [
        consent.id
        for consent in await store.all_newest(db, resident_id)
        if consent.decision == "permit"
        and (consent.valid_until is None or consent.valid_until > now)
    ]


async def _ask_again(db: Transaction, consent: Consent) -> None:
    if consent.ask_again_on is not None:
        morning = datetime.combine(consent.ask_again_on, ASK_AGAIN_AT, STOCKHOLM)
        await set_timer(db, ASK_AGAIN, consent.id, morning.astimezone(UTC))


def _covered_moment(consent: Consent, now: datetime) -> datetime:
    """Now, or the start of the consent's hours when it is not in them at this moment."""
    if consent.hours is None or consent.hours.contain(now):
        return now
    day = now.astimezone(STOCKHOLM).date() + relativedelta(days=1)
    return datetime.combine(day, consent.hours.start, STOCKHOLM).astimezone(UTC)


def _check_party(
    session: StaffSession, resident: Resident, statement: Statement, policy: Policy
) -> None:
    def kept(code: Code) -> Kept:
        what = {"purpose": str(statement.purpose), "stands_in": statement.stands_in}
        return Kept(refused(code, Action.CONSENT_GIVEN, session.actor, [resident.person], what))

    is_yes = statement.decision == "permit"
    if statement.stands_in and is_yes and statement.stands_in not in policy.stand_ins:
        raise RelativeCannotConsent(kept(Code.RELATIVE_CANNOT_CONSENT), "stands_in")
    if is_yes and statement.given not in policy.yes_comes_by:
        raise YesNotFromTv(kept(Code.YES_NOT_FROM_TV), "given")


def _consent(statement: Statement, policy: Policy, now: datetime) -> Consent:
    today = now.astimezone(STOCKHOLM).date()
    until = None
    if statement.valid_until is not None:
        if statement.valid_until < today:
            raise FieldInvalid("valid_until")
        day_after = statement.valid_until + relativedelta(days=1)
        until = from_local(datetime(day_after.year, day_after.month, day_after.day))  # noqa: DTZ001
    is_auto = statement.purpose is Purpose.AUTO_ANSWER and statement.decision == "permit"
    if is_auto and (statement.answer_after_s is None or statement.hours is None):
        raise FieldInvalid("answer_after_s", "hours")
    ask_again = today + relativedelta(months=policy.review_months)
    if statement.valid_until is not None:
        ask_again = min(ask_again, statement.valid_until - relativedelta(days=30))
    return Consent(
        id=ConsentId(new_row_id(now)),
        purpose=statement.purpose,
        cohabitant_id=statement.party,
        decision=statement.decision,
        valid_from=now,
        valid_until=until,
        ask_again_on=max(ask_again, today),
        hours=Hours(*statement.hours) if statement.hours else None,
        callers=None if statement.callers is None else frozenset(statement.callers),
        answer_after_s=statement.answer_after_s,
        information_version=statement.information_version,
        information_language=statement.information_language,
        given=statement.given,
        recorded_at=now,
        stands_in=statement.stands_in,
        emergency_allowed=statement.emergency_allowed and statement.decision == "permit",
    )

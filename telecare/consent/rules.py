"""The legal basis as dated configuration (architecture §1.15): policies and information texts.

A policy begins at a midnight far enough ahead that no call spans it; one that has begun is never
changed, only followed by another.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from telecare.access.model import Permission, StaffSession
from telecare.access.service import require
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.consent import store
from telecare.consent.model import Policy, Purpose
from telecare.runtime.clock import Clock, from_local
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import new_row_id
from telecare.wire.signalling import Language

AHEAD = timedelta(hours=4)
"""Longer than any call lasts (calls/model.py): the gate decides each by one policy."""


class PolicyTooSoon(TelecareError):
    """A call that runs now could go on under a rule that no longer holds."""

    status = 422
    code = Code.POLICY_TOO_SOON


@dataclass(frozen=True, slots=True)
class Dated:
    """A policy, since when and until when, and the decision it rests on (number and date)."""

    policy: Policy
    valid_from: datetime
    valid_until: datetime | None
    decision: str


@dataclass(frozen=True, slots=True)
class Information:
    """What is told before a yes, as it was published."""

    purpose: Purpose
    version: int
    published_at: datetime
    bodies: Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class Book:
    policies: Sequence[Dated]
    """Of each purpose: in force, ahead and before, newest first."""
    information: Sequence[Information]


class Rules:
    """Reading and changing both need CONFIGURE."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def book(self, session: StaffSession) -> Book:
        async with self._begun(session) as db:
            return Book(
                [Dated(*row) for row in await store.policies(db)],
                [Information(*row) for row in await store.information(db)],
            )

    async def set_policy(
        self, session: StaffSession, policy: Policy, *, first_day: date, decision: str
    ) -> None:
        """From the midnight that begins `first_day`; what was to follow is followed by this.

        Recorded by the table's trigger. Raises NotPermitted, FieldInvalid, PolicyTooSoon.
        """
        now = self._clock.now()
        midnight = datetime(first_day.year, first_day.month, first_day.day)  # noqa: DTZ001
        starts = from_local(midnight)
        if starts < now + AHEAD:
            raise PolicyTooSoon("first_day")
        if not policy.parties or not policy.yes_comes_by:
            raise FieldInvalid("parties" if not policy.parties else "yes_comes_by")
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.POLICY_SET)
            await store.end_policies(db, policy.purpose, starts)
            await store.add_policy(db, new_row_id(now), policy, starts, decision=decision)

    async def publish(
        self, session: StaffSession, purpose: Purpose, bodies: Mapping[Language, str]
    ) -> None:
        """A new version in every language; those who said yes to an older one keep theirs.

        Raises NotPermitted.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.TEXT_PUBLISHED)
            version = (await store.newest_information(db, purpose) or 0) + 1
            for language, body in bodies.items():
                await store.add_information(
                    db, purpose, version=version, language=language, body=body, now=now
                )
            what: Document = {
                "purpose": str(purpose),
                "texts": {str(language): body for language, body in bodies.items()},
                "version": version,
            }
            await append(db, Record(Action.TEXT_PUBLISHED, session.actor, what=what))

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

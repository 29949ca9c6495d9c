"""Handing out an extract that was decided on: made of the log each time, never kept.

Each time is entered with the digest of what left, before it leaves.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from telecare.access import store as access_store
from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.audit.note import VerifierKey
from telecare.integrity import extract, harm_test
from telecare.integrity import requests_store as store
from telecare.integrity.extract import NotSequencedYet, Order
from telecare.integrity.harm_test import HarmTest
from telecare.integrity.requests import found, texts_of
from telecare.integrity.requests_store import Decision, Part, Registered
from telecare.people.model import Resident
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import ExtractRequestId, new_row_id

IN_HER_PLACE = frozenset({"self", "proxy", "guardian"})


class NotGranted(TelecareError):
    """It is not decided, or the decision was no."""

    code = Code.REQUEST_NOT_GRANTED


class ExtractWaits(TelecareError):
    """No signed head covers all of it yet; it comes in a moment."""

    code = Code.EXTRACT_WAITS


@dataclass(frozen=True, slots=True)
class Handed:
    """What leaves: `name` says nothing of whose it is."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Granted:
    request: Registered
    resident: Resident
    tests: Sequence[HarmTest]
    decision: Decision
    numbers: tuple[int, int]
    municipality: str


class Issuing:
    """`database` enters that it leaves; `reader` (role reader) sees the log."""

    def __init__(
        self, database: Database, reader: Database, clock: Clock, witnesses: Sequence[VerifierKey]
    ) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._witnesses = witnesses

    async def hand_out(
        self, session: StaffSession, request_id: ExtractRequestId, part: Part
    ) -> Handed:
        """The package, or the report alone. Raises NotFound, NotGranted, ExtractWaits."""
        async with self._database.transaction(session.tenant) as db:
            granted = await self._granted(db, request_id)
        async with self._reader.transaction(session.tenant) as db:
            resident_id = granted.resident.id
            texts, _ = await texts_of(db, resident_id, granted.numbers)
        weighed = await asyncio.to_thread(harm_test.weigh, granted.tests, texts)
        order = self._order(granted, weighed.withheld)
        async with self._reader.transaction(session.tenant) as db:
            try:
                made = await extract.make(db, order)
            except NotSequencedYet as error:
                raise ExtractWaits from error
        make = extract.on_paper if part == "report" else extract.zipped
        content = await asyncio.to_thread(make, made)
        await self._record(session, granted, made.sizes, part, hashlib.sha256(content).hexdigest())
        ending, kind = (
            ("pdf", "application/pdf") if part == "report" else ("zip", "application/zip")
        )
        name = f"utdrag-{granted.decision.decided_at:%Y%m%d}-{str(request_id)[-8:]}.{ending}"
        return Handed(name, kind, content)

    async def _granted(self, db: Transaction, request_id: ExtractRequestId) -> _Granted:
        request = await found(db, request_id)
        decision = await store.decision(db, request_id)
        if decision is None or decision.numbers is None:
            raise NotGranted
        return _Granted(
            request=request,
            resident=await known(db, request.asked.resident_id),
            tests=await store.tests(db, request_id),
            decision=decision,
            numbers=decision.numbers,
            municipality=(await access_store.tenant(db)).name,
        )

    def _order(self, granted: _Granted, withheld: harm_test.Withheld) -> Order:
        asked = granted.request.asked
        first, last = granted.numbers
        return Order(
            resident_id=asked.resident_id,
            name=granted.resident.person.shown_name,
            first_number=first,
            last_number=last,
            language=asked.language,
            made_at=granted.decision.decided_at,
            municipality=granted.municipality,
            case=asked.diary_number,
            is_hers=asked.capacity in IN_HER_PLACE,
            withheld=withheld,
            witnesses=self._witnesses,
        )

    async def _record(
        self,
        session: StaffSession,
        granted: _Granted,
        sizes: Sequence[tuple[int, int]],
        part: Part,
        digest: str,
    ) -> None:
        """Its numbers and the heads that prove them: a record shown later with one of these numbers
        convicts whoever keeps the log.
        """
        now = self._clock.now()
        request_id = granted.request.id
        first, last = granted.numbers
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            is_first = not await store.issues(db, request_id)
            await store.add_issue(
                db, request_id, new_row_id(now), part, digest, session.staff.id, now
            )
            what: Document = {
                "case": granted.request.asked.diary_number,
                "digest": digest,
                "first_number": first,
                "heads": [{"log": log, "size": size} for log, size in sizes],
                "last_number": last,
                "part": part,
                "request_id": str(request_id),
            }
            action = Action.EXTRACT_ISSUED if is_first else Action.EXTRACT_FETCHED
            await append(db, Record(action, session.actor, [granted.resident.person], what))

"""The log beside what the homes' units wrote and signed themselves: every night, and when asked.

It is the only answer to a server that was made to skip its log: a camera that was on without a
record, a record without a camera, a missing number, more than half a second between the two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Record, SystemActor, actor_text
from telecare.integrity import reconciling_store as store
from telecare.integrity.findings import found
from telecare.integrity.findings_store import NewFinding
from telecare.integrity.reconciling_store import Activation, Gap, OpenedCall
from telecare.integrity.records import Entered
from telecare.integrity.story import compare
from telecare.runtime.clock import STOCKHOLM, Clock, from_local
from telecare.runtime.db import Database
from telecare.wire.ids import TenantId, new_row_id

AT_NIGHT = time(3)
"""Swedish time after which last day's is compared."""
SETTLED = timedelta(minutes=15)
"""A call must be over for so long: units send what they wrote when they are connected again."""
FIRST_SPAN = timedelta(days=7)
SYSTEM = SystemActor("nightly comparison")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`new`: findings that were not known before. `until`: how far it came."""

    since: datetime
    until: datetime
    calls: int
    activations: int
    new: int


class Reconciling:
    """`reader` (role reader) sees the log; what the units wrote is the app's."""

    def __init__(self, database: Database, reader: Database, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock

    async def go_on(self) -> None:
        """The night's, for every municipality."""
        async with self._database.across_tenants() as db:
            tenants = await store.tenants(db)
        for tenant in tenants:
            await self.nightly(tenant)

    async def nightly(self, tenant: TenantId) -> None:
        """Unless it has been done since three o'clock."""
        async with self._database.transaction(tenant) as db:
            last = await store.last(db)
        now = self._clock.now()
        three = from_local(datetime.combine(now.astimezone(STOCKHOLM).date(), AT_NIGHT))
        if now < three:
            three -= timedelta(days=1)
        if last is None or last.ran_at < three:
            await self.run(tenant, SYSTEM)

    async def now(self, session: StaffSession) -> Outcome:
        """When somebody asks for it."""
        return await self.run(session.tenant, session.actor)

    async def last(self, session: StaffSession) -> store.Ran | None:
        """The newest comparison; it names nobody."""
        async with self._database.transaction(session.tenant) as db:
            return await store.last(db)

    async def run(self, tenant: TenantId, actor: Actor) -> Outcome:
        """From where the last one came to what has settled, read twice where the two meet.

        Each finding in a transaction of its own: nobody's record waits for the others. Killed on
        the way it is done again, and finds nothing twice.
        """
        now = self._clock.now()
        until = now - SETTLED
        async with self._database.transaction(tenant) as db:
            last = await store.last(db)
            since = min(last.until - SETTLED if last else until - FIRST_SPAN, until - SETTLED)
            calls = await store.opened(db, since, until)
            said = await store.activations(db, [call.id for call in calls], since, until)
            gaps = await store.gaps(db, since, until)
        of_calls = {*(call.id for call in calls), *(one.call_id for one in said)} - {None}
        async with self._reader.transaction(tenant) as db:
            entries = await store.records(db, [one for one in of_calls if one is not None])
        new = 0
        for one in [*_compared(calls, said, entries), *map(_gap, gaps)]:
            async with self._database.transaction(tenant, actor_text(actor)) as db:
                new += await found(db, [one], actor, now)
        outcome = Outcome(since, until, len(calls), len(said), new)
        async with self._database.transaction(tenant, actor_text(actor)) as db:
            await store.add(db, new_row_id(now), since, until, now, outcome)
            what: Document = {
                "activations": len(said),
                "calls": len(calls),
                "new_findings": new,
                "since": since.isoformat(),
                "until": until.isoformat(),
            }
            await append(db, Record(Action.LOG_COMPARED, actor, (), what))
        return outcome


def _compared(
    calls: Sequence[OpenedCall], said: Sequence[Activation], entries: Sequence[tuple[str, Entered]]
) -> Iterable[NewFinding]:
    """By call: what both sides say of it."""
    of_log = {
        call_id: [entry for _, entry in group]
        for call_id, group in groupby(entries, key=lambda one: one[0])
    }
    by_unit: dict[str, list[Activation]] = {}
    for one in said:
        by_unit.setdefault(str(one.call_id), []).append(one)
    for call in calls:
        turned = by_unit.pop(str(call.id), [])
        if turned or (call.keeps_book and call.home_picture):
            yield from _of_call(call, turned, of_log.get(str(call.id), []))
    for turned in by_unit.values():
        ons = [one for one in turned if one.said.on]
        yield from (_without_record(one) for one in ons if not of_log.get(str(one.call_id)))


def _of_call(
    call: OpenedCall, turned: Sequence[Activation], entries: Sequence[Entered]
) -> Iterable[NewFinding]:
    opened = next((one for one in entries if one.event == Action.CALL_OPENED), None)
    ons = [one for one in turned if one.said.on]
    if opened is None:
        yield from map(_without_record, ons)
        return
    if not ons and call.keeps_book and call.home_picture:
        yield NewFinding(
            "record_without_camera", str(call.id), call.resident_id, call.id, opened.entry_id
        )
        return
    rows = compare(entries, [one.said for one in turned])
    if any(one.what == "on" and one.verdict == "missing" and one.server is None for one in rows):
        yield _without_record(ons[-1])
    apart = [one.apart for one in rows if one.verdict == "differs" and one.apart is not None]
    if apart:
        tenths = round(max(apart) / timedelta(milliseconds=100))
        yield NewFinding(
            "times_differ",
            str(call.id),
            call.resident_id,
            call.id,
            opened.entry_id,
            {"tenths_of_seconds": tenths},
        )


def _without_record(one: Activation) -> NewFinding:
    return NewFinding(
        "camera_without_record",
        f"{one.said.unit}/{one.said.number}",
        one.resident_id,
        one.call_id,
        what={"number": one.said.number, "at": one.said.at.isoformat()},
    )


def _gap(gap: Gap) -> NewFinding:
    return NewFinding(
        "numbers_missing",
        f"{gap.unit}/{gap.after}-{gap.before}",
        gap.resident_id,
        what={"first": gap.after + 1, "last": gap.before - 1},
    )

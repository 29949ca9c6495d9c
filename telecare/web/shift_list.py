"""The shift on paper: whom to see today, where and when, and what to do when the system is gone.

Names and addresses leave the system here: only while on shift in the unit, and each time recorded
with everybody who stands on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from aiohttp import web

from telecare.access import store as access_store
from telecare.access.http import STAFF
from telecare.access.model import CareUnit
from telecare.access.service import on_shift_for
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record
from telecare.dispatches import store as dispatch_store
from telecare.people import store as people_store
from telecare.people.model import FollowUpKind, Resident
from telecare.runtime.clock import STOCKHOLM, local_day
from telecare.runtime.db import Transaction
from telecare.runtime.http import Route
from telecare.runtime.texts import text
from telecare.visits import store as visit_store
from telecare.visits.model import VisitState
from telecare.web.floor import FLOOR
from telecare.web.html import TEMPLATES
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, ResidentId

WAITS = (
    VisitState.PLANNED, VisitState.IN_CALL, VisitState.UNFINISHED, VisitState.NEEDS_STEP,
    VisitState.STEPPED,
)  # fmt: skip
"""Visits that somebody has still to do something about."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something to do at a local time ("14:05"; empty: when it can be done)."""

    at: str
    what: str
    to_do: Sequence[str]
    who: str


@dataclass(frozen=True, slots=True)
class OnPaper:
    resident: Resident
    things: Sequence[Thing]


@dataclass(frozen=True, slots=True)
class Words:
    """What things without a name of their own are called, in the reader's language."""

    dispatch: str
    tasks: Mapping[str, str]


async def on_paper(
    db: Transaction, units: Sequence[CareUnitId], words: Words, now: datetime
) -> Sequence[OnPaper]:
    """Everybody with something to do today, in the order of the day."""
    start, end = local_day(now)
    things: dict[ResidentId, list[Thing]] = {}
    for listed in await visit_store.day(db, units, start, end):
        visit = listed.visit
        if visit.state in WAITS:
            at = (visit.step_at or visit.starts_at).astimezone(STOCKHOLM)
            thing = Thing(f"{at:%H:%M}", listed.insats_name, visit.to_do, listed.staff_name or "")
            things.setdefault(visit.resident_id, []).append(thing)
    for asked in await dispatch_store.open_in(db, units):
        thing = Thing("", words.dispatch, (), asked.accepted_name or "")
        things.setdefault(asked.dispatch.resident_id, []).append(thing)
    for task in await people_store.open_follow_ups(db, units):
        kind = task.follow_up.kind
        thing = Thing("", words.tasks[kind], (), task.taken_name or "")
        things.setdefault(task.follow_up.resident_id, []).append(thing)
    residents = await people_store.residents(db, list(things))
    papers = [OnPaper(resident, things[resident.id]) for resident in residents]
    return sorted(papers, key=lambda one: (one.things[0].at or "24", one.resident.name))


async def shift_list(request: web.Request) -> web.StreamResponse:
    """The printed list of the shift she is in."""
    session = request[STAFF]
    staff, floor = session.staff, request.app[FLOOR]
    templates = request.app[TEMPLATES]
    now = floor.clock.now()
    local = now.astimezone(STOCKHOLM)
    async with floor.database.transaction(session.tenant) as db:
        await on_shift_for(db, session, staff.works_in, Action.LIST_PRINTED, (), now=now)
        covered = await access_store.covered_now(db, staff.works_in, local=local)
        units = [staff.works_in, *covered]
        papers = await on_paper(db, units, _words(staff.language), now)
        phones: Sequence[CareUnit] = await access_store.units(db)
        persons = sorted((one.resident.person for one in papers), key=lambda one: one.id)
        what: Document = {"list": "shift", "units": [str(unit) for unit in units]}
        await append(db, Record(Action.LIST_PRINTED, session.actor, persons, what))
    return templates.page(
        request,
        "staff/shift-list.html",
        staff.language,
        unit_name=staff.shift_unit_name or staff.unit_name,
        printed_at=f"{local:%Y-%m-%d %H:%M}",
        printed_by=staff.shown_name,
        papers=papers,
        units=phones,
    )


def _words(language: str) -> Words:
    kinds = {kind: text(language, f"task.{kind}") for kind in get_args(FollowUpKind)}
    return Words(text(language, "dispatch.asked"), kinds)


ROUTES = (
    Route("GET", "/shift/list", shift_list, "staff", Action.LIST_PRINTED, kind="page",
          errors=(Code.NOT_ON_SHIFT,)),
)  # fmt: skip

"""Finding residents, taking over, closing follow-ups. The card itself: web/card.py."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from telecare.access.http import STAFF, Made, path_id
from telecare.audit.actions import Action
from telecare.people.break_glass import BreakGlass
from telecare.people.break_glass_store import BreakGlassKind
from telecare.people.correcting import Correcting, Corrections
from telecare.people.relations import Relations
from telecare.people.service import People
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import FollowUpId, ResidentId

BREAK_GLASS = web.AppKey("break_glass", BreakGlass)
PEOPLE = web.AppKey("people", People)
CORRECTIONS = web.AppKey("corrections", Corrections)
RELATIONS = web.AppKey("relations", Relations)
MAX_LIST = 100


class FoundResident(Answer):
    id: UUID
    name: str
    unit_name: str


class Residents(Answer):
    items: list[FoundResident]
    next: str | None


class TakenOverRow(Answer):
    id: UUID
    at: AwareDatetime
    staff_name: str
    resident_id: UUID
    resident_name: str
    kind: str | None
    """Of who opened without a mission, with her reason; None: "Ta över"."""
    reason: str | None


class TakenOverList(Answer):
    items: list[TakenOverRow]


class FollowUpEndBody(Body):
    note: str = Field(default="", max_length=1000)


class ReasonBody(Body):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]


class CorrectionBody(Body):
    kind: str = Field(max_length=20)
    about_id: UUID
    old_text: str = Field(min_length=1, max_length=2000)
    """As it was seen: it is refused when it says something else by now."""
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]
    new_text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""
    right_resident_id: UUID | None = None


class CorrectableNote(Answer):
    kind: str
    id: UUID
    text: str
    by: str
    at: AwareDatetime
    may_correct: bool


class CorrectedNote(Answer):
    """`moved_here`: it stood on somebody else and is about this person."""

    id: UUID
    kind: str
    old_text: str
    new_text: str | None
    why: str
    by: str
    at: AwareDatetime
    moved_here: bool


class BreakGlassBody(Body):
    kind: BreakGlassKind
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=1000)]
    minutes: int = Field(default=30, ge=5, le=30)


class OpenedUntil(Answer):
    until: AwareDatetime


class ClosedCard(Answer):
    name: str
    """Empty of somebody with protected identity."""
    unit_name: str


class NoteList(Answer):
    notes: list[CorrectableNote]
    corrected: list[CorrectedNote]


class SearchBody(Body):
    q: str = Field(default="", max_length=80)
    """Part of a name; all when empty."""
    after: UUID | None = None
    """`next` of the page before."""
    limit: int = Field(default=50, ge=1, le=MAX_LIST)


async def search(request: web.Request) -> web.Response:
    """Residents by name, which stands in the body: addresses end up in other people's logs. Each
    search is recorded with its words.
    """
    body = await read_body(request, SearchBody)
    limit = body.limit
    found = await request.app[PEOPLE].search(
        request[STAFF], body.q.strip(), after=body.after, limit=limit
    )
    items = [FoundResident(id=r.id, name=r.name, unit_name=r.unit_name) for r in found]
    more = str(found[-1].id) if len(found) == limit else None
    return json_answer(Residents(items=items, next=more))


async def take_over(request: web.Request) -> web.Response:
    """ "Ta över": on shift in the unit, or in one that covers it now."""
    await read_body(request, Empty)
    await request.app[PEOPLE].take_over(request[STAFF], ResidentId(path_id(request)))
    return nothing()


async def closed_card(request: web.Request) -> web.Response:
    """Whose card stays closed: what a search says of her, and no more."""
    found = await request.app[BREAK_GLASS].of(request[STAFF], ResidentId(path_id(request)))
    return json_answer(ClosedCard(name=found.name, unit_name=found.unit_name))


async def open_anyway(request: web.Request) -> web.Response:
    """ "Öppna ändå": no mission, and somebody may come to harm. Reviewed by somebody else."""
    body = await read_body(request, BreakGlassBody)
    opening = await request.app[BREAK_GLASS].open(
        request[STAFF],
        ResidentId(path_id(request)),
        body.kind,
        body.reason,
        timedelta(minutes=body.minutes),
    )
    return json_answer(OpenedUntil(until=opening.until_at), status=201)


async def close_opened(request: web.Request) -> web.Response:
    """ "Stäng nu"."""
    await read_body(request, Empty)
    await request.app[BREAK_GLASS].close(request[STAFF], ResidentId(path_id(request)))
    return nothing()


async def give_reason(request: web.Request) -> web.Response:
    """Why she needs to, in spite of the relation she has stated."""
    body = await read_body(request, ReasonBody)
    await request.app[RELATIONS].give_reason(
        request[STAFF], ResidentId(path_id(request)), body.reason
    )
    return nothing()


async def notes(request: web.Request) -> web.Response:
    """What stands about her, and what was corrected; a part of the card."""
    resident_id = ResidentId(path_id(request))
    found = await request.app[CORRECTIONS].notes(request[STAFF], resident_id)
    return json_answer(
        NoteList(
            notes=[
                CorrectableNote(
                    kind=one.written.kind,
                    id=one.written.id,
                    text=one.written.text,
                    by=one.written.author_name,
                    at=one.written.at,
                    may_correct=one.may_correct,
                )
                for one in found.notes
            ],
            corrected=[
                CorrectedNote(
                    id=one.id,
                    kind=one.kind,
                    old_text=one.old_text,
                    new_text=one.new_text,
                    why=one.why,
                    by=one.corrected_name,
                    at=one.corrected_at,
                    moved_here=one.resident_id != resident_id,
                )
                for one in found.corrected
            ],
        )
    )


async def correct(request: web.Request) -> web.Response:
    """ "Rätta": the text leaves its place, and stands struck through."""
    body = await read_body(request, CorrectionBody)
    right = ResidentId(body.right_resident_id) if body.right_resident_id else None
    made = await request.app[CORRECTIONS].correct(
        request[STAFF],
        Correcting(
            kind=body.kind,
            about_id=body.about_id,
            old_text=body.old_text,
            why=body.why,
            new_text=body.new_text,
            right_resident_id=right,
        ),
    )
    return json_answer(Made(id=made), status=201)


async def taken_over(request: web.Request) -> web.Response:
    """For the unit's head: who took over whom, newest first."""
    found = await request.app[PEOPLE].taken_over(request[STAFF])
    items = [
        TakenOverRow(
            id=row.id,
            at=row.at,
            staff_name=row.staff_name,
            resident_id=row.resident_id,
            resident_name=row.resident_name,
            kind=row.kind,
            reason=row.reason,
        )
        for row in found
    ]
    return json_answer(TakenOverList(items=items))


async def take_follow_up(request: web.Request) -> web.Response:
    """ "Jag tar det"."""
    await read_body(request, Empty)
    await request.app[PEOPLE].take_follow_up(request[STAFF], FollowUpId(path_id(request)))
    return nothing()


async def close_follow_up(request: web.Request) -> web.Response:
    body = await read_body(request, FollowUpEndBody)
    await request.app[PEOPLE].close_follow_up(
        request[STAFF], FollowUpId(path_id(request)), body.note
    )
    return nothing()


ROUTES = (
    Route(
        "POST", "/api/residents/search", search, "staff", Action.SEARCHED, SearchBody, Residents,
    ),
    Route(
        "POST", "/api/residents/{id}/take-over", take_over, "staff", Action.ASSIGNMENT_BEGUN,
        Empty, errors=(Code.NOT_ON_SHIFT, Code.REASON_NEEDED, Code.RESIDENT_ENDED), status=204,
    ),
    Route(
        "GET", "/api/residents/{id}/closed", closed_card, "staff", Action.LIST_READ,
        answer=ClosedCard,
    ),
    Route(
        "POST", "/api/residents/{id}/open-anyway", open_anyway, "staff",
        Action.BREAK_GLASS_OPENED, BreakGlassBody, OpenedUntil,
        (Code.ALREADY_ASSIGNED, Code.TAKE_OVER_INSTEAD, Code.RESIDENT_ENDED, Code.STAFF_REVOKED),
        status=201,
    ),
    Route(
        "POST", "/api/residents/{id}/close-opened", close_opened, "staff",
        Action.BREAK_GLASS_CLOSED, Empty, status=204,
    ),
    Route(
        "POST", "/api/residents/{id}/reason", give_reason, "staff", Action.REASON_GIVEN,
        ReasonBody, status=204,
    ),
    Route(
        "GET", "/api/residents/{id}/notes", notes, "staff", Action.CARD_READ, answer=NoteList,
        errors=(Code.NOT_ASSIGNED, Code.REASON_NEEDED),
    ),
    Route(
        "POST", "/api/corrections", correct, "staff", Action.CORRECTED, CorrectionBody, Made,
        (Code.TEXT_CHANGED, Code.NOT_ASSIGNED, Code.NOT_PERMITTED), status=201,
    ),
    Route(
        "GET", "/api/taken-over", taken_over, "staff", Action.LIST_READ, answer=TakenOverList,
        errors=(Code.NOT_PERMITTED,), permission="lead",
    ),
    Route(
        "POST", "/api/follow-ups/{id}/take", take_follow_up, "staff", Action.FOLLOW_UP_TAKEN,
        Empty, errors=(Code.FOLLOW_UP_CLOSED, Code.FOLLOW_UP_TAKEN, Code.NOT_ON_SHIFT,
                       Code.REASON_NEEDED),
        status=204,
    ),
    Route(
        "POST", "/api/follow-ups/{id}/close", close_follow_up, "staff", Action.FOLLOW_UP_CLOSED,
        FollowUpEndBody, errors=(Code.FOLLOW_UP_CLOSED,), status=204,
    ),
)  # fmt: skip

"""Log review: drawing, judging one by one, signing off; and the letter to whom it was about."""

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import ACCESS, STAFF, path_id
from telecare.audit.actions import Action
from telecare.integrity.protocol import protocol
from telecare.integrity.report import as_pdf
from telecare.integrity.reviews import ANSWER_WITHIN, WITHIN, Reviews
from telecare.integrity.sampling import LEAST, ONE_IN
from telecare.runtime.clock import from_local
from telecare.runtime.errors import FieldInvalid
from telecare.runtime.http import Body, Route
from telecare.web.audit_frame import YEARS, audit_page, read_query
from telecare.web.floor import FLOOR
from telecare.web.html import Outcome, Sent, form_route
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, CohabitantId

REVIEWS = web.AppKey("reviews", Reviews)
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


class DrawForm(Body):
    """Swedish calendar days, both included."""

    unit_id: UUID
    since: date
    until: date

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Raises FieldInvalid."""
        for name, day in (("since", self.since), ("until", self.until)):
            if day.year not in YEARS:
                raise FieldInvalid(name)
        if self.until < self.since:
            raise FieldInvalid("until")
        return _begin(self.since), _begin(self.until + timedelta(days=1))


class JudgeForm(Body):
    verdict: Literal["justified", "ask", "unjustified"]
    comment: Text = ""


class SignForm(Body):
    statement: Annotated[Text, Field(min_length=3)]


def _begin(day: date) -> datetime:
    return from_local(datetime.combine(day, time()))


async def overview(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What has been drawn, and the openings without a mission that wait."""
    session = request[STAFF]
    found = await request.app[REVIEWS].overview(session)
    now = request.app[FLOOR].clock.now()
    this_month = now.date().replace(day=1)
    last = this_month - timedelta(days=1)
    return await audit_page(
        request, "reviews", "reviews", sent=sent, found=found, now=now,
        units=await request.app[ACCESS].units(session), within=int(WITHIN.total_seconds()) // 3600,
        last_month=(last.replace(day=1), last), least=LEAST, one_in=ONE_IN,
    )  # fmt: skip


async def draw(request: web.Request, form: DrawForm) -> Outcome:
    since, until = form.span
    drawn = await request.app[REVIEWS].draw(request[STAFF], CareUnitId(form.unit_id), since, until)
    return f"/audit/reviews/{drawn}"


async def review(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """One review: its items, how it was drawn, and its end. It prints as the protocol."""
    shown = await request.app[REVIEWS].of_review(request[STAFF], path_id(request))
    return await audit_page(
        request, "review", "reviews", sent=sent, shown=shown,
        path=request.path,
    )  # fmt: skip


async def sign(request: web.Request, form: SignForm) -> Outcome:
    await request.app[REVIEWS].sign_off(request[STAFF], path_id(request), form.statement)
    return request.path


async def item(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """One record under review, with why it was drawn."""
    shown = await request.app[REVIEWS].of_item(request[STAFF], path_id(request))
    return await audit_page(
        request, "item", "reviews", sent=sent, shown=shown,
        path=request.path, days=ANSWER_WITHIN.days,
    )  # fmt: skip


async def judge(request: web.Request, form: JudgeForm) -> Outcome:
    """Then to the next that nobody has judged; the last leads back to the review."""
    reviews, session, item_id = request.app[REVIEWS], request[STAFF], path_id(request)
    if form.verdict != "justified" and not form.comment:
        raise FieldInvalid("comment")
    if form.verdict == "ask":
        judged = await reviews.ask(session, item_id, form.comment)
    else:
        judged = await reviews.judge(session, item_id, form.verdict, form.comment)
    if judged.review_id is None:
        return "/audit/reviews"
    following = await reviews.following(session, judged)
    return f"/audit/items/{following}" if following else f"/audit/reviews/{judged.review_id}"


class To(Body):
    """A cohabitant's id; nothing: the person herself."""

    to: UUID | None = None


async def letter(request: web.Request) -> web.StreamResponse:
    """What she is told, on paper."""
    to = read_query(request, To).to
    found, told = await request.app[REVIEWS].letter(
        request[STAFF], path_id(request), CohabitantId(to) if to else None
    )
    return await audit_page(request, "letter", "reviews", item=found, letter=told)


async def on_paper(request: web.Request) -> web.StreamResponse:
    """The protocol of a review."""
    session = request[STAFF]
    shown = await request.app[REVIEWS].of_review(session, path_id(request))
    tenant = await request.app[ACCESS].tenant(session.tenant)
    assert shown.review is not None  # noqa: S101 - of_review raises without one
    made = protocol(shown.review, shown.items, tenant.name, session.staff.language)
    return web.Response(
        body=await asyncio.to_thread(as_pdf, made),
        content_type="application/pdf",
        headers={"Content-Disposition": 'attachment; filename="loggkontroll.pdf"'},
    )


_ITEM = (Code.NOT_FOUND, Code.REVIEW_ITEM_CLOSED, Code.REVIEW_OWN_ACT)
ROUTES = (
    Route("GET", "/audit/reviews", overview, "staff", Action.REVIEW_READ, kind="page",
          permission="review"),
    form_route("/audit/reviews", draw, overview, Action.REVIEW_BEGUN, DrawForm,
               errors=(Code.NOT_FOUND, Code.REVIEW_TOO_EARLY, Code.REVIEW_TOO_LONG,
                       Code.REVIEW_DRAWN), permission="review"),
    Route("GET", "/audit/reviews/{id}", review, "staff", Action.REVIEW_READ, kind="page",
          errors=(Code.NOT_FOUND,), permission="review"),
    Route("GET", "/audit/reviews/{id}/protocol", on_paper, "staff", Action.REVIEW_READ,
          kind="page", errors=(Code.NOT_FOUND,), permission="review"),
    form_route("/audit/reviews/{id}", sign, review, Action.REVIEW_SIGNED, SignForm,
               errors=(Code.NOT_FOUND, Code.REVIEW_ITEM_CLOSED, Code.REVIEW_NOT_DONE),
               permission="review"),
    Route("GET", "/audit/items/{id}", item, "staff", Action.REVIEW_READ, kind="page",
          errors=(Code.NOT_FOUND,), permission="review"),
    form_route("/audit/items/{id}", judge, item, Action.REVIEW_JUDGED, JudgeForm, errors=_ITEM,
               permission="review"),
    Route("GET", "/audit/items/{id}/letter", letter, "staff", Action.LETTER_PRINTED, kind="page",
          errors=(Code.NOT_FOUND, Code.REVIEW_NOT_DONE, Code.FIELD_INVALID),
          permission="review"),
)  # fmt: skip

"""Gallring and bevarandestopp: what was erased, what may not be, and who decides it."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import StringConstraints

from telecare.access.http import STAFF
from telecare.audit.actions import Action
from telecare.integrity.preservation import MOST_ERASURES, Preservation
from telecare.integrity.preservation_store import Scope
from telecare.runtime.http import Body, Route
from telecare.runtime.texts import text
from telecare.web.audit_frame import WallTime, audit_page, from_wall, read_query
from telecare.web.html import OneForm, Sent, form_route, language_of
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId

PRESERVATION = web.AppKey("preservation", Preservation)
PATH = "/audit/keeping"

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
Decision = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Asked(Body):
    """Whom a hold is to be proposed for."""

    resident: UUID | None = None


class HoldForm(Body):
    """Wall times are Swedish; `until` counts to the end of its minute."""

    resident: UUID | None = None
    press: UUID | None = None
    event: Action | None = None
    since: WallTime | None = None
    until: WallTime | None = None
    reason: Reason
    decision: Decision

    @property
    def scope(self) -> Scope:
        until = from_wall(self.until)
        return Scope(
            ResidentId(self.resident) if self.resident else None,
            str(self.event) if self.event else None,
            from_wall(self.since),
            until + timedelta(minutes=1) if until else None,
        )


class LiftForm(OneForm):
    reason: Reason


async def keeping(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Recorded, with whoever a hold names."""
    if sent is None:
        resident = read_query(request, Asked).resident
    else:
        resident = _uuid(next(iter(sent.values.get("resident", ())), ""))
    language = language_of(request)
    shown = await request.app[PRESERVATION].shown(
        request[STAFF], ResidentId(resident) if resident else None
    )
    actions = sorted((text(language, f"action.{one}"), str(one)) for one in Action)
    return await audit_page(
        request, "keeping", "keeping", sent=sent, shown=shown, actions=actions,
        me_id=request[STAFF].staff.id, most_erasures=MOST_ERASURES,
    )  # fmt: skip


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


async def propose(request: web.Request, form: HoldForm) -> str:
    await request.app[PRESERVATION].propose(
        request[STAFF], form.scope, reason=form.reason, decision=form.decision, press=form.press
    )
    return PATH


async def approve(request: web.Request, form: OneForm) -> str:
    await request.app[PRESERVATION].approve(request[STAFF], form.one)
    return PATH


async def decline(request: web.Request, form: OneForm) -> str:
    await request.app[PRESERVATION].decline(request[STAFF], form.one)
    return PATH


async def propose_lift(request: web.Request, form: LiftForm) -> str:
    await request.app[PRESERVATION].propose_lift(request[STAFF], form.one, form.reason)
    return PATH


async def decline_lift(request: web.Request, form: OneForm) -> str:
    await request.app[PRESERVATION].decline_lift(request[STAFF], form.one)
    return PATH


async def lift(request: web.Request, form: OneForm) -> str:
    await request.app[PRESERVATION].lift(request[STAFF], form.one)
    return PATH


_DECIDED = (Code.NOT_FOUND, Code.HOLD_CLOSED)
_ANOTHER = (*_DECIDED, Code.HOLD_NEEDS_ANOTHER)

ROUTES = (
    Route("GET", PATH, keeping, "staff", Action.HOLDS_READ, kind="page", permission="review",
          errors=(Code.NOT_FOUND, Code.FIELD_INVALID)),
    form_route(f"{PATH}/holds", propose, keeping, Action.HOLD_PROPOSED, HoldForm,
               errors=(Code.NOT_FOUND, Code.HOLD_NAMES_NOTHING, Code.END_BEFORE_START),
               permission="review"),
    form_route(f"{PATH}/approve", approve, keeping, Action.HOLD_APPROVED, OneForm,
               errors=_ANOTHER, permission="review"),
    form_route(f"{PATH}/decline", decline, keeping, Action.HOLD_DECLINED, OneForm,
               errors=_DECIDED, permission="review"),
    form_route(f"{PATH}/lift", propose_lift, keeping, Action.HOLD_LIFT_PROPOSED, LiftForm,
               errors=_DECIDED, permission="review"),
    form_route(f"{PATH}/lift/decline", decline_lift, keeping, Action.HOLD_LIFT_DECLINED, OneForm,
               errors=_DECIDED, permission="review"),
    form_route(f"{PATH}/lift/approve", lift, keeping, Action.HOLD_LIFTED, OneForm,
               errors=_ANOTHER, permission="review"),
)  # fmt: skip

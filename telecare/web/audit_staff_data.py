"""Staff's own data in the log review: the municipality's decision, and what is compared with."""

from datetime import date
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from telecare.access.http import STAFF
from telecare.audit.actions import Action
from telecare.integrity.rules import StaffRule
from telecare.integrity.staff_data import StaffData
from telecare.integrity.staff_data_store import NewDecision
from telecare.integrity.staff_file import COLUMNS, WHO
from telecare.runtime.errors import FieldInvalid
from telecare.runtime.http import Body, Exempt, Route, as_refusal
from telecare.web.audit_frame import YEARS, audit_page
from telecare.web.html import OneForm, Sent, form_route, read_upload, submitted
from telecare.wire.errors import Code

STAFF_DATA = web.AppKey("staff_data", StaffData)
PATH = "/audit/staff-data"

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=300)]
Number = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class DecisionForm(Body):
    rules: Annotated[tuple[StaffRule, ...], Field(min_length=1, max_length=3)]
    decision: Number
    decided_on: date
    law: Line
    consulted: Line

    @property
    def what(self) -> NewDecision:
        """Raises FieldInvalid."""
        if self.decided_on.year not in YEARS:
            raise FieldInvalid("decided_on")
        rules = tuple(rule for rule in StaffRule if rule in self.rules)
        return NewDecision(rules, self.decision, self.decided_on, self.law, self.consulted)


class FileForm(Body):
    """Besides the file itself."""

    rule: StaffRule


async def staff_data(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    shown = await request.app[STAFF_DATA].shown(request[STAFF])
    wrong = sent is not None and sent.code is Code.STAFF_FILE_ROWS
    return await audit_page(
        request, "staff-data", "reviews", sent=sent, shown=shown, rules=list(StaffRule),
        columns={rule: (*WHO, *COLUMNS[rule]) for rule in StaffRule}, path=PATH,
        me_id=request[STAFF].staff.id,
        rows=[one.split(" ") for one in sent.fields] if sent is not None and wrong else [],
    )  # fmt: skip


async def propose(request: web.Request, form: DecisionForm) -> str:
    await request.app[STAFF_DATA].propose(request[STAFF], form.what)
    return PATH


async def approve(request: web.Request, form: OneForm) -> str:
    await request.app[STAFF_DATA].approve(request[STAFF], form.one)
    return PATH


async def decline(request: web.Request, form: OneForm) -> str:
    await request.app[STAFF_DATA].decline(request[STAFF], form.one)
    return PATH


async def withdraw(request: web.Request, form: OneForm) -> str:
    await request.app[STAFF_DATA].withdraw(request[STAFF], form.one)
    return PATH


async def template(request: web.Request) -> web.StreamResponse:
    """A file for those who keep the personnel system to fill in."""
    rule = _rule(request.match_info["rule"])
    made = await request.app[STAFF_DATA].template(request[STAFF], rule)
    return web.Response(
        text=made,
        content_type="text/csv",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{rule}.csv"',
        },
    )


def _rule(given: str) -> StaffRule:
    try:
        return TypeAdapter(StaffRule).validate_python(given)
    except ValidationError as error:
        raise as_refusal(error) from error


async def send(request: web.Request) -> web.StreamResponse:
    return await submitted(request, _send, staff_data)


async def _send(request: web.Request) -> str:
    form, content = await read_upload(request, FileForm)
    await request.app[STAFF_DATA].take_in(request[STAFF], form.rule, content)
    return PATH


_FILE = (
    Code.FIELD_INVALID, Code.NOT_PERMITTED, Code.BODY_TOO_LARGE, Code.FILE_NOT_UTF8,
    Code.STAFF_FILE_TOO_LONG, Code.FILE_COLUMNS, Code.FILE_EMPTY, Code.NATIONAL_ID_KEY_MISSING,
    Code.STAFF_DATA_NOT_DECIDED, Code.STAFF_FILE_ROWS,
)  # fmt: skip
_CLOSED = (Code.NOT_FOUND, Code.STAFF_DATA_CLOSED)

ROUTES = (
    Route("GET", PATH, staff_data, "staff", Exempt("shows who decided what, no resident"),
          kind="page", permission="review"),
    form_route(PATH, propose, staff_data, Action.STAFF_DATA_PROPOSED, DecisionForm,
               errors=(Code.STAFF_DATA_DECIDED,), permission="review"),
    form_route(f"{PATH}/approve", approve, staff_data, Action.STAFF_DATA_APPROVED, OneForm,
               errors=(*_CLOSED, Code.STAFF_DATA_NEEDS_ANOTHER), permission="review"),
    form_route(f"{PATH}/decline", decline, staff_data, Action.STAFF_DATA_DECLINED, OneForm,
               errors=_CLOSED, permission="review"),
    form_route(f"{PATH}/withdraw", withdraw, staff_data, Action.STAFF_DATA_WITHDRAWN, OneForm,
               errors=_CLOSED, permission="review"),
    Route("GET", f"{PATH}/template/{{rule}}", template, "staff",
          Exempt("shows staff, no resident"), kind="page", permission="review",
          errors=(Code.FIELD_INVALID,)),
    Route("POST", f"{PATH}/file", send, "staff", Action.STAFF_DATA_SENT, errors=_FILE,
          kind="page", permission="review"),
)  # fmt: skip

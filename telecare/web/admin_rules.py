"""Administration of the municipality's own words and rules: lists, policies, information texts."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import STAFF
from telecare.access.lists import ListName, Lists
from telecare.audit.actions import Action
from telecare.consent.model import Policy, Purpose
from telecare.consent.rules import Rules
from telecare.runtime.http import Body, Exempt, Route
from telecare.visits.insatser import Insatser
from telecare.web.admin import Name, admin_page, after
from telecare.web.html import Sent, read_form, submitted
from telecare.wire.errors import Code
from telecare.wire.signalling import Language

LISTS = web.AppKey("lists", Lists)
INSATSER = web.AppKey("insatser", Insatser)
RULES = web.AppKey("rules", Rules)

Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=20, max_length=4000)]


class InsatsForm(Body):
    name: Name
    minutes: int = Field(ge=1, le=240)
    step_after_min: int = Field(default=10, ge=1, le=240)


class ItemForm(Body):
    list: ListName
    name: Name


class OneForm(Body):
    one: UUID


class PolicyForm(Body):
    purpose: Purpose
    first_day: date
    decision: Annotated[str, StringConstraints(min_length=3, max_length=200)]
    parties: tuple[Literal["resident", "cohabitant"], ...] = ()
    stand_ins: tuple[Literal["guardian"], ...] = ()
    yes_comes_by: tuple[Literal["in_person", "paper", "phone", "tv"], ...] = ()
    objection_pauses: bool = False
    review_months: int = Field(ge=1, le=60)
    board: Name
    law: Literal["SoL", "LSS", "HSL"]

    @property
    def policy(self) -> Policy:
        return Policy(
            id="",
            purpose=self.purpose,
            parties=frozenset(self.parties),
            stand_ins=frozenset(self.stand_ins),
            yes_comes_by=frozenset(self.yes_comes_by),
            objection_pauses=self.objection_pauses,
            review_months=self.review_months,
            board=self.board,
            law=self.law,
            record_domain="HSL" if self.law == "HSL" else "SoL",
        )


class TextForm(Body):
    purpose: Purpose
    sv: Paragraph
    fi: Paragraph
    en: Paragraph


async def lists(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    session = request[STAFF]
    return await admin_page(
        request,
        "lists",
        "lists",
        sent=sent,
        insatser=await request.app[INSATSER].listed(session),
        items=await request.app[LISTS].items(session),
    )


async def add_insats(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, InsatsForm)
        await request.app[INSATSER].add(
            request[STAFF],
            name=form.name,
            minutes=form.minutes,
            step_after_min=form.step_after_min,
        )
        return after("/admin/lists", "added")

    return await submitted(request, act, lists)


async def end_insats(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, OneForm)
        await request.app[INSATSER].end(request[STAFF], form.one)
        return after("/admin/lists", "ended")

    return await submitted(request, act, lists)


async def add_item(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, ItemForm)
        await request.app[LISTS].add(request[STAFF], form.list, form.name)
        return after("/admin/lists", "added")

    return await submitted(request, act, lists)


async def end_item(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, OneForm)
        await request.app[LISTS].end(request[STAFF], form.one)
        return after("/admin/lists", "ended")

    return await submitted(request, act, lists)


async def rules(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What must be so before somebody may be seen, since when, by which decision."""
    book = await request.app[RULES].book(request[STAFF])
    return await admin_page(request, "rules", "rules", sent=sent, book=book, purposes=list(Purpose))


async def set_policy(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, PolicyForm)
        await request.app[RULES].set_policy(
            request[STAFF], form.policy, first_day=form.first_day, decision=form.decision
        )
        return after("/admin/rules", "saved")

    return await submitted(request, act, rules)


async def publish(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, TextForm)
        bodies: dict[Language, str] = {"sv": form.sv, "fi": form.fi, "en": form.en}
        await request.app[RULES].publish(request[STAFF], form.purpose, bodies)
        return after("/admin/rules", "saved")

    return await submitted(request, act, rules)


_WORDS = Exempt("no personal data")
_FORM = (Code.FIELD_INVALID, Code.NOT_PERMITTED, Code.NAME_TAKEN)

ROUTES = (
    Route("GET", "/admin/lists", lists, "staff", _WORDS, kind="page", permission="configure"),
    Route("POST", "/admin/lists/insatser", add_insats, "staff", Action.LIST_CHANGED, InsatsForm,
          errors=_FORM, kind="page", permission="configure"),
    Route("POST", "/admin/lists/insatser/end", end_insats, "staff", Action.LIST_CHANGED, OneForm,
          errors=_FORM, kind="page", permission="configure"),
    Route("POST", "/admin/lists/items", add_item, "staff", Action.LIST_CHANGED, ItemForm,
          errors=_FORM, kind="page", permission="configure"),
    Route("POST", "/admin/lists/items/end", end_item, "staff", Action.LIST_CHANGED, OneForm,
          errors=_FORM, kind="page", permission="configure"),
    Route("GET", "/admin/rules", rules, "staff", _WORDS, kind="page", permission="configure"),
    Route("POST", "/admin/rules/policies", set_policy, "staff", Action.POLICY_SET, PolicyForm,
          errors=(*_FORM, Code.POLICY_TOO_SOON), kind="page", permission="configure"),
    Route("POST", "/admin/rules/texts", publish, "staff", Action.TEXT_PUBLISHED, TextForm,
          errors=_FORM, kind="page", permission="configure"),
)  # fmt: skip

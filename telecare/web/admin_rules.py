"""Administration of the municipality's own words and rules: lists, policies, information texts."""

from datetime import date
from typing import Annotated, Literal

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
from telecare.web.html import OneForm, Sent, form_route
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


async def add_insats(request: web.Request, form: InsatsForm) -> str:
    await request.app[INSATSER].add(
        request[STAFF], name=form.name, minutes=form.minutes, step_after_min=form.step_after_min
    )
    return after("/admin/lists", "added")


async def end_insats(request: web.Request, form: OneForm) -> str:
    await request.app[INSATSER].end(request[STAFF], form.one)
    return after("/admin/lists", "ended")


async def add_item(request: web.Request, form: ItemForm) -> str:
    await request.app[LISTS].add(request[STAFF], form.list, form.name)
    return after("/admin/lists", "added")


async def end_item(request: web.Request, form: OneForm) -> str:
    await request.app[LISTS].end(request[STAFF], form.one)
    return after("/admin/lists", "ended")


async def rules(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What must be so before somebody may be seen, since when, by which decision."""
    book = await request.app[RULES].book(request[STAFF])
    return await admin_page(request, "rules", "rules", sent=sent, book=book, purposes=list(Purpose))


async def set_policy(request: web.Request, form: PolicyForm) -> str:
    await request.app[RULES].set_policy(
        request[STAFF], form.policy, first_day=form.first_day, decision=form.decision
    )
    return after("/admin/rules", "saved")


async def publish(request: web.Request, form: TextForm) -> str:
    bodies: dict[Language, str] = {"sv": form.sv, "fi": form.fi, "en": form.en}
    await request.app[RULES].publish(request[STAFF], form.purpose, bodies)
    return after("/admin/rules", "saved")


_WORDS = Exempt("no personal data")

ROUTES = (
    Route("GET", "/admin/lists", lists, "staff", _WORDS, kind="page", permission="configure"),
    form_route("/admin/lists/insatser", add_insats, lists, Action.LIST_CHANGED, InsatsForm,
               errors=(Code.NAME_TAKEN,), permission="configure"),
    form_route("/admin/lists/insatser/end", end_insats, lists, Action.LIST_CHANGED, OneForm,
               errors=(Code.NAME_TAKEN,), permission="configure"),
    form_route("/admin/lists/items", add_item, lists, Action.LIST_CHANGED, ItemForm,
               errors=(Code.NAME_TAKEN,), permission="configure"),
    form_route("/admin/lists/items/end", end_item, lists, Action.LIST_CHANGED, OneForm,
               errors=(Code.NAME_TAKEN,), permission="configure"),
    Route("GET", "/admin/rules", rules, "staff", _WORDS, kind="page", permission="configure"),
    form_route("/admin/rules/policies", set_policy, rules, Action.POLICY_SET, PolicyForm,
               errors=(Code.NAME_TAKEN, Code.POLICY_TOO_SOON), permission="configure"),
    form_route("/admin/rules/texts", publish, rules, Action.TEXT_PUBLISHED, TextForm,
               errors=(Code.NAME_TAKEN,), permission="configure"),
)  # fmt: skip

"""Reading in residents or staff from a file: choose it, see each row's fate, read in, progress."""

from typing import Literal
from uuid import UUID

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from telecare.access.http import ACCESS, STAFF, path_id
from telecare.audit.actions import Action
from telecare.people.importing import PERMISSION, Importing, Judged
from telecare.people.people_file import COLUMNS, Kind
from telecare.runtime.http import (
    OWN,
    Body,
    Empty,
    Exempt,
    Route,
    as_refusal,
)
from telecare.runtime.texts import text
from telecare.web.admin import admin_page
from telecare.web.html import Sent, form_route, language_of, read_upload, submitted
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId

IMPORTING = web.AppKey("importing", Importing)
SHOWN = 200
"""Rows on one page."""
FATES: tuple[Literal["wrong", "twice", "known", "added"], ...] = (
    "wrong", "twice", "known", "added",
)  # fmt: skip


class FileForm(Body):
    """Besides the file itself."""

    kind: Kind
    unit_id: UUID


async def choose(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    session = request[STAFF]
    units = [
        (kind, unit.id, unit.name)
        for kind, permission in PERMISSION.items()
        for unit in await request.app[ACCESS].units(session)
        if session.staff.may_in(permission, unit.id)
    ]
    return await admin_page(request, "import", "people", sent=sent, units=units, columns=COLUMNS)


async def template(request: web.Request) -> web.StreamResponse:
    """An empty file with the headings."""
    kind = _kind(request.match_info["kind"])
    headings = "\N{ZERO WIDTH NO-BREAK SPACE}" + ";".join(COLUMNS[kind]) + "\r\n"
    return web.Response(
        text=headings,
        content_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{kind}.csv"'},
    )


def _kind(given: str) -> Kind:
    try:
        kind: Kind = TypeAdapter(Kind).validate_python(given)
    except ValidationError as error:
        raise as_refusal(error) from error
    return kind


async def send(request: web.Request) -> web.StreamResponse:
    return await submitted(request, _send, choose)


async def _send(request: web.Request) -> str:
    form, content = await read_upload(request, FileForm)
    unit_id = CareUnitId(form.unit_id)
    import_id = await request.app[IMPORTING].send(request[STAFF], form.kind, unit_id, content)
    return f"/admin/import/{import_id}"


async def look(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Each row's fate, before; how far it has come, after."""
    looked = await request.app[IMPORTING].look(request[STAFF], path_id(request))
    page = _page(request, len(looked.rows))
    counts = {fate: sum(row.fate == fate for row in looked.rows) for fate in FATES}
    return await admin_page(
        request,
        "imported",
        "people",
        sent=sent,
        about=looked.about,
        rows=looked.rows[page * SHOWN : (page + 1) * SHOWN],
        counts=counts,
        page=page,
        pages=range((len(looked.rows) + SHOWN - 1) // SHOWN),
        fate_text=lambda row: _fate_text(language_of(request), row),
    )


def _page(request: web.Request, count: int) -> int:
    asked = request.query.get("page", "0")
    last = max(0, (count - 1) // SHOWN)
    return min(int(asked), last) if asked.isascii() and asked.isdigit() and len(asked) < 5 else 0  # noqa: PLR2004 - at most 9999


def _fate_text(language: str, judged: Judged) -> str:
    if judged.fate == "wrong":
        column = judged.row.field
        return text(language, "import.fate.columns" if column == "file" else "import.fate.wrong",
                    column=column)  # fmt: skip
    return text(language, f"import.fate.{judged.fate}")


async def begin(request: web.Request, _: Empty) -> str:
    import_id = path_id(request)
    await request.app[IMPORTING].begin(request[STAFF], import_id)
    return f"/admin/import/{import_id}"


_FILE = (
    Code.FIELD_INVALID, Code.NOT_PERMITTED, Code.BODY_TOO_LARGE, Code.FILE_NOT_UTF8,
    Code.FILE_TOO_LONG, Code.FILE_COLUMNS, Code.FILE_EMPTY, Code.NATIONAL_ID_KEY_MISSING,
)  # fmt: skip

ROUTES = (
    Route("GET", "/admin/import", choose, "staff", Exempt("no personal data"), kind="page",
          permission="invite"),
    Route("GET", "/admin/import/template/{kind}", template, "staff", Exempt("no personal data"),
          kind="page", permission=OWN, errors=(Code.FIELD_INVALID,)),
    Route("POST", "/admin/import", send, "staff", Action.IMPORT_SENT, errors=_FILE, kind="page",
          permission="invite"),
    Route("GET", "/admin/import/{id}", look, "staff", Exempt("her own file, recorded when sent"),
          kind="page", permission="invite"),
    form_route("/admin/import/{id}", begin, look, Action.IMPORT_BEGUN, Empty, permission="invite"),
)  # fmt: skip

"""What only the demo has: choosing who you are, and a TV that is paired by its address.

`telecare serve` does not import this package: no switch there can turn it on.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from aiohttp import web

from telecare.access import store as access_store
from telecare.access.http import (
    ACCESS,
    SCREEN_COOKIE,
    STAFF_COOKIE,
    drop_cookie,
    keep_cookie,
    screen_of,
    session_of,
)
from telecare.access.model import ScreenSession, StaffSession
from telecare.access.service import SIGN_IN_LIMIT, begin_session, count_try, new_token, token_hash
from telecare.alarms.arriving import Arrivals
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Person, Record
from telecare.demo import seed
from telecare.devices import store as device_store
from telecare.runtime.errors import NotFound, TelecareError
from telecare.runtime.http import Empty, Exempt, Route, nothing, read_body
from telecare.web.floor import FLOOR
from telecare.web.html import TEMPLATES, language_of
from telecare.web.pages import front
from telecare.wire.edge import AlarmRaised
from telecare.wire.errors import Code
from telecare.wire.ids import EndpointId, TenantId, new_row_id


@dataclass(frozen=True, slots=True)
class DemoTenant:
    id: TenantId


DEMO = web.AppKey("demo", DemoTenant)
TV_DAYS = 3650


async def choose(request: web.Request) -> web.StreamResponse:
    """The staff app, or the list of invented people."""
    try:
        await session_of(request, STAFF_COOKIE)
    except TelecareError:
        pass
    else:
        return await front(request)
    answer = request.app[TEMPLATES].page(
        request,
        "staff/sign-in-demo.html",
        language_of(request),
        tenant_name="Norrvika kommun",
        staff=[
            {"id": str(p.id), "name": p.name, "initials": _initials(p.name), "what": p.what}
            for p in seed.STAFF
        ],
        homes=[
            {"url": f"/demo/tv/{home.key}", "name": home.name.split()[0]}
            for home in seed.HOMES
            if not home.has_unit
        ],
    )
    drop_cookie(answer, STAFF_COOKIE)
    return answer


def _initials(name: str) -> str:
    return "".join(part[0] for part in name.split())


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Be somebody. Recorded as `signed_in_by: demo`."""
    floor = request.app[FLOOR]
    now = floor.clock.now()
    await count_try(floor.database, SIGN_IN_LIMIT, request.remote or "", now)
    chosen = str((await request.post()).get("staff_id", ""))
    person = next((p for p in seed.STAFF if str(p.id) == chosen), None)
    if person is None:
        raise NotFound
    async with floor.database.transaction(request.app[DEMO].id) as db:
        token = await begin_session(db, person.id, "demo", now)
    answer = web.Response(status=303, headers={"Location": "/"})
    keep_cookie(answer, STAFF_COOKIE, token, days=1)
    return answer


async def unlock(request: web.Request) -> web.Response:
    """A locked page goes on without a passkey, in the demo only."""
    await read_body(request, Empty)
    session = await session_of(request, STAFF_COOKIE)
    if isinstance(session, StaffSession):
        await request.app[ACCESS].unlock(session)
    return nothing()


async def tv(request: web.Request) -> web.StreamResponse:
    """Be the TV in somebody's home: pairs this browser, unless it is that home's TV already."""
    floor = request.app[FLOOR]
    now = floor.clock.now()
    home = next((h for h in seed.HOMES if h.key == request.match_info["home"]), None)
    if home is None:
        raise NotFound
    answer = web.Response(status=303, headers={"Location": "/tv"})
    try:
        before = await screen_of(request)
    except TelecareError:
        before = None
    if isinstance(before, ScreenSession) and before.actor.resident_id == home.id:
        return answer
    token = await pair_browser(request, home, now)
    keep_cookie(answer, SCREEN_COOKIE, token, days=TV_DAYS)
    return answer


async def pair_browser(request: web.Request, home: seed.Home, now: datetime) -> str:
    token = new_token()
    endpoint = EndpointId(new_row_id(now))
    async with request.app[FLOOR].database.transaction(request.app[DEMO].id) as db:
        await device_store.add_endpoint(
            db, endpoint, home.id, kind="tv", label="", has_picture=True, now=now
        )
        row = access_store.SessionRow(
            tenant=db.tenant,
            id=uuid4(),
            kind="tv",
            staff_id=None,
            endpoint_id=endpoint,
            resident_id=home.id,
            signed_in_by="demo",
            used_at=now,
            expires_at=None,
            page_locked_at=None,
        )
        await access_store.add_session(db, row, token_hash=token_hash(token))
        what = {"endpoint_id": str(endpoint)}
        await append(
            db, Record(Action.SCREEN_PAIRED, seed.ACTOR, [Person(home.id, home.name)], what)
        )
    return token


async def button(request: web.Request) -> web.StreamResponse:
    """The alarm button in a home, for whoever has none at hand."""
    home = _home_with_unit(request)
    return request.app[TEMPLATES].page(
        request,
        "staff/button-demo.html",
        language_of(request),
        tenant_name="Norrvika kommun",
        at_home=home.name.split()[0],
        pressed="pressed" in request.query,
    )


async def press(request: web.Request) -> web.StreamResponse:
    """As if the home's unit had said so. Raises NotFound before that unit is enrolled."""
    floor, tenant = request.app[FLOOR], request.app[DEMO].id
    now = floor.clock.now()
    home = _home_with_unit(request)
    await count_try(floor.database, SIGN_IN_LIMIT, request.remote or "", now)
    async with floor.database.transaction(tenant) as db:
        endpoints = await device_store.endpoints(db, home.id)
    units = await floor.devices.units([one.unit_id for one in endpoints if one.unit_id])
    if not units:
        raise NotFound
    event = AlarmRaised(
        boot=uuid4(), seq=1, occurred_at=now, trigger="button", device="armband", place="sovrum"
    )
    arrivals = Arrivals(floor.database, floor.clock)
    await arrivals.take_in(tenant, [(next(iter(units.values())), event)])
    return web.Response(status=303, headers={"Location": f"{request.path}?pressed"})


def _home_with_unit(request: web.Request) -> seed.Home:
    for home in seed.HOMES:
        if home.has_unit and home.key == request.match_info["home"]:
            return home
    raise NotFound


ROUTES = (
    Route("GET", "/demo/button/{home}", button, "public", Exempt("nobody is shown"), kind="page"),
    Route("POST", "/demo/button/{home}", press, "public", Action.ALARM_RAISED, kind="page",
          errors=(Code.NOT_FOUND,), status=303),
    Route("GET", "/", choose, "public", Exempt("shows the signed-in person what is hers"),
          kind="page"),
    Route("POST", "/sign-in/demo", sign_in, "public", Action.SIGNED_IN, kind="page",
          errors=(Code.NOT_FOUND,), status=303),
    Route("POST", "/api/unlock", unlock, "public", Exempt("the page only becomes readable again"),
          Empty, errors=(Code.SIGN_IN_NEEDED,), status=204),
    Route("GET", "/demo/tv/{home}", tv, "public", Action.SCREEN_PAIRED, kind="page", status=303),
)  # fmt: skip

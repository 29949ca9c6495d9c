"""What anybody may fetch of a log: its newest head and the hashes below it (C2SP tlog-tiles).

Hashes of envelopes, which hold no names; what a head's size tells stands in docs/privacy.md.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from telecare.access import store as access_store
from telecare.access.service import Limit, count_try
from telecare.audit.tree import TILE_WIDTH, NotInTree, read_tile_path, width_of
from telecare.integrity import tree_store, witness_store
from telecare.integrity.tree_store import Signed, TreeIncomplete
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.runtime.http import Exempt, Route
from telecare.wire.errors import Code

READER = web.AppKey("log_reader", Database)
LIMIT = Limit("public-log", 3_000, timedelta(minutes=1))
"""Of one address: five million records' tiles in seven minutes, and a head each second beside."""


@dataclass(frozen=True, slots=True)
class Turnstile:
    """Counts what each address fetches."""

    database: Database
    clock: Clock
    limit: Limit = LIMIT

    async def pass_through(self, request: web.Request) -> None:
        """Raises RateLimited."""
        await count_try(self.database, self.limit, request.remote or "", self.clock.now())


TURNSTILE = web.AppKey("log_turnstile", Turnstile)
FOREVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=3600"
"""A partial tile never changes, but is soon of no use."""
_SLUG = re.compile(r"[a-z][a-z0-9-]{1,40}")
_LOG = re.compile(r"[1-9][0-9]{0,8}")


@asynccontextmanager
async def _head(request: web.Request) -> AsyncIterator[tuple[Transaction, int, Signed]]:
    """A transaction of the municipality in the path, the log, its newest head.

    Raises RateLimited, NotFound.
    """
    slug, log = request.match_info["slug"], request.match_info["log"]
    await request.app[TURNSTILE].pass_through(request)
    if not (_SLUG.fullmatch(slug) and _LOG.fullmatch(log)):
        raise NotFound
    async with request.app[READER].across_tenants() as db:
        tenant = await access_store.tenant_by_slug(db, slug)
        if tenant is None:
            raise NotFound
        await db.enter(tenant.id, "")
        signed = await tree_store.newest_checkpoint(db, int(log))
        if signed is None:
            raise NotFound
        yield db, int(log), signed


async def checkpoint(request: web.Request) -> web.Response:
    """The log's newest head as a signed note, with what witnesses have signed of it."""
    async with _head(request) as (db, log, signed):
        given = await witness_store.cosignatures(db, log, signed.size)
    text = signed.note + "".join(one.line for one in given)
    return web.Response(text=text, headers={"Cache-Control": "no-cache"})


async def tile(request: web.Request) -> web.Response:
    """Hashes of the tree, as far as the newest head goes."""
    try:
        level, n, width = read_tile_path(f"tile/{request.match_info['tile']}")
        async with _head(request) as (db, log, signed):
            if width > width_of(level, n, signed.size):
                raise NotFound
            packed = await tree_store.tile(db, log, level, n, width)
    except (NotInTree, TreeIncomplete) as error:
        raise NotFound from error
    cache = FOREVER if width == TILE_WIDTH else A_WHILE
    return web.Response(
        body=packed, content_type="application/octet-stream", headers={"Cache-Control": cache}
    )


_SAME_FOR_ALL = Exempt("the same for everybody: hashes, without personal data")
_LIMITED = (Code.NOT_FOUND, Code.RATE_LIMITED)
ROUTES = (
    Route(
        "GET",
        "/t/{slug}/audit/{log}/checkpoint",
        checkpoint,
        "public",
        _SAME_FOR_ALL,
        kind="file",
        errors=_LIMITED,
    ),
    Route(
        "GET",
        "/t/{slug}/audit/{log}/tile/{tile:.+}",
        tile,
        "public",
        _SAME_FOR_ALL,
        kind="file",
        errors=_LIMITED,
    ),
)

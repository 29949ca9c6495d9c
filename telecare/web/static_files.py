"""Static files: read once, one hash for the whole tree, cached for ever under it, gzipped once."""

import gzip
import hashlib
import json
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from aiohttp import web

from telecare.runtime.http import Exempt, Route
from telecare.runtime.texts import LANGUAGES
from telecare.web.page_texts import of_staff_later, of_tv_later

FOREVER = "public, max-age=31536000, immutable"
SMALLEST_ZIPPED = 512
TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".txt": "text/plain"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    body: bytes
    zipped: bytes | None
    content_type: str


class StaticFiles:
    """Everything under telecare/web/static, and texts that a page fetches when it needs them.

    `version` changes when any byte does.
    """

    def __init__(self) -> None:
        self.files: dict[str, StaticFile] = {}
        digest = hashlib.sha256()
        root = resources.files("telecare.web") / "static"
        for name, node in sorted(_walk(root, "")):
            body = node.read_bytes()
            digest.update(name.encode() + b"\0" + body)
            self.files[name] = _file(name, body)
        for language in LANGUAGES:
            later = {"": of_staff_later(language), "tv-": of_tv_later(language)}
            for page, texts in later.items():
                name = f"texts/{page}{language}.json"
                body = json.dumps(texts, ensure_ascii=False).encode()
                digest.update(name.encode() + b"\0" + body)
                self.files[name] = _file(name, body)
        self.version = digest.hexdigest()[:12]

    @classmethod
    @cache
    def of_package(cls) -> "StaticFiles":
        """One a process: what is packed small is packed once."""
        return cls()

    @property
    def prefix(self) -> str:
        return f"/static/{self.version}"

    def answer(self, name: str, request: web.Request, *, cache: str = FOREVER) -> web.Response:
        """Raises 404 for what is not there."""
        found = self.files.get(name)
        if found is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
        body = found.body
        if found.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = found.zipped
        return web.Response(body=body, content_type=found.content_type, headers=headers)


STATIC = web.AppKey("static", StaticFiles)


def _walk(node: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for child in node.iterdir():
        name = f"{prefix}{child.name}"
        if child.is_dir():
            found += _walk(child, f"{name}/")
        else:
            found.append((name, child))
    return found


def _file(name: str, body: bytes) -> StaticFile:
    ending = "." + name.rsplit(".", 1)[-1]
    content_type = TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    worth = ending != ".woff2" and len(body) >= SMALLEST_ZIPPED
    zipped = gzip.compress(body, 9, mtime=0) if worth else None
    return StaticFile(body, zipped, content_type)


async def static_file(request: web.Request) -> web.Response:
    """A file of this version; an older page that asks with its own hash gets 404 and reloads."""
    files = request.app[STATIC]
    if request.match_info["version"] != files.version:
        raise web.HTTPNotFound
    return files.answer(request.match_info["name"], request)


async def page_worker(request: web.Request) -> web.Response:
    """A page's service worker stands at the root, so that it may serve that page."""
    return request.app[STATIC].answer("page-worker.js", request, cache="no-cache")


_PUBLIC = Exempt("the same for everybody, without personal data")
ROUTES = (
    Route("GET", "/static/{version}/{name:.+}", static_file, "public", _PUBLIC, kind="file"),
    Route("GET", "/tv-worker.js", page_worker, "public", _PUBLIC, kind="file"),
    Route("GET", "/staff-worker.js", page_worker, "public", _PUBLIC, kind="file"),
)

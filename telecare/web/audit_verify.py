"""Checking the log: the button, what was found, and what is proved by it. Never more than that."""

import re
from collections.abc import Callable

from aiohttp import web

from telecare.access.http import STAFF
from telecare.audit.actions import Action
from telecare.integrity import program
from telecare.integrity.publications import Publications
from telecare.integrity.verifying import (
    State,
    Verdict,
    Verifying,
    record_of,
)
from telecare.integrity.words import AuditWords
from telecare.runtime.http import Empty, Exempt, Route
from telecare.runtime.qr import qr_path
from telecare.runtime.texts import catalogue
from telecare.web.audit_frame import audit_page
from telecare.web.html import Outcome, Sent, form_route, language_of
from telecare.wire.errors import Code

VERIFYING = web.AppKey("verifying", Verifying)
PUBLICATIONS = web.AppKey("publications", Publications)
MOST_FINDINGS = 50
CODE_BYTES = 1500
"""ISO/IEC 18004: a code of level M holds 2331; fewer are read from paper too."""
ABOUT = (
    ("record", re.compile(r"log (?P<log>\d+) record (?P<index>\d+)")),
    ("tile", re.compile(r"log (?P<log>\d+) tile (?P<tile>\d+/\d+)")),
    ("head_of", re.compile(r"log (?P<log>\d+) head (?P<size>\d+) of (?P<holder>.+)")),
    ("head", re.compile(r"log (?P<log>\d+) head (?P<size>\d+)")),
    ("log", re.compile(r"log (?P<log>\d+)")),
    ("entry", re.compile(r"entry (?P<entry>-?\d+)")),
    ("resident", re.compile(r"resident (?P<resident>\S+)")),
)
Named = tuple[str, dict[str, str], int | None]
"""A text `audit.about.<kind>`, what fills it in, and the entry to open."""


async def verify(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What the log is now, and the button."""
    return await _page(request, sent, None)


async def check(request: web.Request, _: Empty) -> Outcome:
    """The whole log, now. Recorded with what was found."""
    verdict = await request.app[VERIFYING].check(request[STAFF])
    return await _page(request, None, verdict)


async def _page(request: web.Request, sent: Sent | None, verdict: Verdict | None) -> web.Response:
    words = AuditWords(language_of(request))
    verifying = request.app[VERIFYING]
    state = await verifying.state(request[STAFF])
    stamped = await request.app[PUBLICATIONS].stamped(request[STAFF])
    mailed = await request.app[PUBLICATIONS].mailed(request[STAFF])
    head = state.newest.head if state.newest else None
    return await audit_page(
        request, "verify", "verify", sent=sent, state=state, verdict=verdict, mailed=mailed,
        stamped=stamped,
        until=_until(words, state), stopped_because=_stopped(words, state),
        qr=qr_path(_for_a_code(head.note)) if head else None, named=_named(verdict),
        most_findings=MOST_FINDINGS, most_records=verifying.most_records,
        program_digest=program.digest(), limit_s=int(verifying.longest.total_seconds()),
    )  # fmt: skip


def _for_a_code(note: str) -> str:
    """With all its signatures while they find room; else what they sign."""
    signed, _, _ = note.partition("\n\n")
    return note if len(note.encode()) <= CODE_BYTES else f"{signed}\n"


def _until(words: AuditWords, state: State) -> str:
    """Up to which signed head the verdict holds."""
    newest = state.newest
    if newest is None or newest.head is None:
        return words.say("audit.verify.no_head")
    at = words.moment(newest.head.signed_at)
    return words.say("audit.verify.until", at=at, size=newest.head.size, log=newest.log)


def _stopped(words: AuditWords, state: State) -> str:
    if state.stopped is None:
        return ""
    because = state.stopped.stopped_because
    key = f"audit.stopped.{because.get('found')}"
    if key not in catalogue(words.language):
        key = "audit.stopped.other"
    expected, found = because.get("expected_size", ""), because.get("found_size", "")
    return words.say(key, expected=str(expected), found=str(found))


def _named(verdict: Verdict | None) -> Callable[[str], Named]:
    def named(about: str) -> Named:
        place = record_of(about)
        entry = verdict.entries.get(place) if verdict and place else None
        for kind, form in ABOUT:
            if match := form.fullmatch(about):
                values = match.groupdict()
                if kind == "entry" and int(values["entry"]) > 0:
                    entry = int(values["entry"])
                return kind, values, entry
        return "other", {"about": about}, None

    return named


_NOBODY = Exempt("heads and keys of the log; nothing about anybody")
ROUTES = (
    Route("GET", "/audit/verify", verify, "staff", _NOBODY, kind="page", permission="review"),
    form_route("/audit/verify", check, verify, Action.LOG_VERIFIED, Empty, permission="review",
               errors=(Code.CHECK_RUNNING, Code.CHECK_TOO_LONG, Code.LOG_TOO_LONG)),
)  # fmt: skip

"""The story of one call: what the server entered, beside what the home's unit wrote itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Literal
from uuid import UUID

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.format import Document
from telecare.consent import store as consent_store
from telecare.consent.model import Consent
from telecare.integrity import story_store as store
from telecare.integrity.reading import persons_of, record_reading
from telecare.integrity.records import Entered
from telecare.integrity.story_store import CameraSaid
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.wire.ids import CallId, ConsentId, EndpointId

TOLERANCE = timedelta(milliseconds=500)
LIGHT = (Action.CALL_OPENED, Action.CALL_LIT_AGAIN)
DARK = (Action.CALL_WENT_DARK, Action.CALL_ENDED)
Verdict = Literal["same", "differs", "missing", "clock"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that both sides say. Verdict `clock`: the unit doubted its own clock."""

    what: Literal["on", "off", "seconds", "in_log", "numbers"]
    server: datetime | timedelta | int | None
    unit: datetime | timedelta | int | None
    verdict: Verdict
    apart: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A consent that the opening rested on, and the party's name ("": the resident herself)."""

    consent: Consent
    party: str


@dataclass(frozen=True, slots=True)
class Story:
    """`keeps_book`: the screen that answered was a home unit, which signs what its camera does."""

    call_id: CallId
    entries: Sequence[Entered]
    basis: Document
    consents: Sequence[Given]
    keeps_book: bool
    had_picture: bool
    compared: Sequence[Compared]
    said: Sequence[CameraSaid]

    @property
    def agrees(self) -> bool:
        return all(one.verdict == "same" for one in self.compared)


class Stories:
    """`database` enters that somebody reads; `reader` (role reader) sees the log."""

    def __init__(self, database: Database, reader: Database) -> None:
        self._database = database
        self._reader = reader

    async def of_call(self, session: StaffSession, call_id: CallId) -> Story:
        """Raises NotFound."""
        async with self._reader.transaction(session.tenant) as db:
            residents = await store.whose(db, call_id)
        if not residents:
            raise NotFound
        async with self._database.transaction(session.tenant) as db:
            persons = await persons_of(db, residents)
        what = {"read_call_id": str(call_id)}
        await record_reading(self._database, session, Action.LOG_CALL_READ, persons, what)
        async with self._reader.transaction(session.tenant) as db:
            entries = await store.of_call(db, call_id)
        async with self._database.transaction(session.tenant) as db:
            return await _story(db, call_id, entries)


async def _story(db: Transaction, call_id: CallId, entries: Sequence[Entered]) -> Story:
    opened = next((one for one in entries if one.event == Action.CALL_OPENED), None)
    said = await store.of_unit(db, call_id)
    keeps_book = False
    if opened is not None and (endpoint := _uuid(opened.what.get("endpoint_id"))):
        keeps_book = await store.endpoint_kind(db, EndpointId(endpoint)) == "unit"
    had_picture = opened is not None and opened.what.get("home_picture") is True
    basis = opened.basis if opened else next((one.basis for one in entries if one.basis), {})
    return Story(
        call_id=call_id,
        entries=entries,
        basis=basis,
        consents=await _consents(db, basis),
        keeps_book=keeps_book,
        had_picture=had_picture,
        compared=compare(entries, said) if said or (keeps_book and had_picture) else (),
        said=said,
    )


async def _consents(db: Transaction, basis: Document) -> Sequence[Given]:
    listed = basis.get("consents")
    quoted = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    given = []
    for one in quoted:
        consent_id, party = _uuid(one.get("consent_id")), _uuid(one.get("cohabitant_id"))
        found = await consent_store.by_id(db, ConsentId(consent_id)) if consent_id else None
        names = await store.cohabitant_names(db, [party]) if party else {}
        if found is not None:
            given.append(Given(found[0], names.get(party, "") if party else ""))
    return given


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


# --- the two sides beside each other --------------------------------------------------------------


def compare(entries: Sequence[Entered], said: Sequence[CameraSaid]) -> Sequence[Compared]:
    """The server's light and dark beside the camera's on and off, in order; then counts."""
    return [
        *_times("on", _lights(entries), [one for one in said if one.on]),
        *_times("off", _darks(entries), [one for one in said if not one.on]),
        _seconds(entries, said),
        _in_log(entries, said),
        _numbers(said),
    ]


def _lights(entries: Sequence[Entered]) -> Sequence[datetime]:
    return [one.at for one in entries if one.event in LIGHT]


def _darks(entries: Sequence[Entered]) -> Sequence[datetime]:
    """An end in the dark turned nothing off."""
    found, is_lit = [], False
    for one in entries:
        if one.event in LIGHT:
            is_lit = True
        elif one.event in DARK and is_lit:
            found.append(one.at)
            is_lit = False
    return found


def _times(
    what: Literal["on", "off"], server: Sequence[datetime], unit: Sequence[CameraSaid]
) -> Sequence[Compared]:
    return [_time(what, ours, theirs) for ours, theirs in zip_longest(server, unit)]


def _time(what: Literal["on", "off"], ours: datetime | None, theirs: CameraSaid | None) -> Compared:
    at = theirs.at if theirs else None
    if ours is None or theirs is None:
        return Compared(what, ours, at, "missing")
    apart = abs(theirs.at - ours)
    if not theirs.clock_ok:
        return Compared(what, ours, at, "clock", apart)
    return Compared(what, ours, at, "same" if apart <= TOLERANCE else "differs", apart)


def _seconds(entries: Sequence[Entered], said: Sequence[CameraSaid]) -> Compared:
    """How long it was light, each by its own clock: what two clocks differ by is no matter."""
    lit = sum(
        ((off - on) for on, off in zip(_lights(entries), _darks(entries), strict=False)),
        timedelta(),
    )
    ons, offs = [one.at for one in said if one.on], [one.at for one in said if not one.on]
    shone = sum(((off - on) for on, off in zip(ons, offs, strict=False)), timedelta())
    ours, theirs = (lit if _darks(entries) else None), (shone if offs else None)
    if ours is None or theirs is None:
        return Compared("seconds", ours, theirs, "missing")
    apart = abs(lit - shone)
    return Compared("seconds", ours, theirs, "same" if apart <= TOLERANCE else "differs", apart)


def _in_log(entries: Sequence[Entered], said: Sequence[CameraSaid]) -> Compared:
    """Every record of the unit is in the log, and the log has no other."""
    ours = {one.what.get("number") for one in entries if one.event == Action.CAMERA_TURNED}
    theirs = {one.number for one in said}
    return Compared("in_log", len(ours), len(theirs), "same" if ours == theirs else "missing")


def _numbers(said: Sequence[CameraSaid]) -> Compared:
    """The unit numbers its records: one left out between two of them is missed."""
    numbers = sorted(one.number for one in said)
    if not numbers:
        return Compared("numbers", None, None, "missing")
    expected = numbers[-1] - numbers[0] + 1
    verdict: Verdict = "same" if len(numbers) == expected else "missing"
    return Compared("numbers", expected, len(numbers), verdict)

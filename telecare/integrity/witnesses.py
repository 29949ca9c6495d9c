"""How a log speaks with its witnesses (C2SP tlog-witness). What they answer is checked here: a head
is theirs only with their signature, and ours only with ours.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import aiohttp

from telecare.audit.note import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    Note,
    NoteMalformed,
    NotSigned,
    VerifierKey,
    check_signature,
    cosigned_at,
)
from telecare.integrity.submission import MAX_BYTES, SIZE_TYPE, Submission, path_of
from telecare.integrity.witness_store import Cosignature
from telecare.runtime.errors import CannotStart

ANSWER_S = 5.0
OK, MISSING, CONFLICT = 200, 404, 409


class WitnessesUnusable(CannotStart):
    """TELECARE_WITNESSES is not a list of addresses, each with its verifier key."""


class WitnessSilent(Exception):
    """It did not answer, or not so that the answer can be used."""


class HoldsAnother(Exception):
    """It holds a head of this size."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class WitnessRefused(Exception):
    """It answered, and did not sign."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    url: str
    key: VerifierKey


@dataclass(frozen=True, slots=True)
class Held:
    """A head of ours that a witness holds: our signature and its own have been checked."""

    note: Note
    checkpoint: Checkpoint
    seen_at: datetime


def addresses(words: Sequence[str]) -> Sequence[WitnessAddress]:
    """Raises WitnessesUnusable."""
    if len(words) % 2:
        raise WitnessesUnusable("an address without a key")
    return [_address(url, key) for url, key in zip(words[::2], words[1::2], strict=True)]


def _address(url: str, vkey: str) -> WitnessAddress:
    try:
        key = VerifierKey.parse(vkey)
        parts = urlsplit(url)
    except ValueError as error:
        raise WitnessesUnusable(f"{url} {vkey}") from error
    if key.kind != COSIGNATURE_V1 or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise WitnessesUnusable(f"{url} {vkey}")
    return WitnessAddress(url.rstrip("/"), key)


def speaking() -> aiohttp.ClientSession:
    """The connection to witnesses, for the life of the block."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())


async def held(
    http: aiohttp.ClientSession, witness: WitnessAddress, origin: str, keys: Iterable[bytes]
) -> Held | None:
    """The newest head it holds of the log with these keys; None: none. Raises WitnessSilent."""
    status, _, text = await _ask(http, "GET", witness.url + path_of(origin))
    if status == MISSING:
        return None
    try:
        note = Note.parse(text)
        checkpoint = Checkpoint.parse(note.text)
        seen_at = cosigned_at(note, witness.key)
    except (NoteMalformed, NotSigned) as error:
        raise WitnessSilent from error
    if checkpoint.origin != origin or signing_key(note, origin, keys) is None:
        raise WitnessSilent
    return Held(note, checkpoint, seen_at)


def signing_key(note: Note, origin: str, keys: Iterable[bytes]) -> VerifierKey | None:
    """Which of a log's keys signed it."""
    for public in keys:
        key = VerifierKey(origin, ED25519, public)
        try:
            check_signature(note, key)
        except NotSigned:
            continue
        return key
    return None


def verified(
    note: Note, given: Sequence[Cosignature], witnesses: Sequence[VerifierKey]
) -> Sequence[Cosignature]:
    """Those of our witnesses, as far as their signatures hold: the database is not believed."""
    keys = {str(key): key for key in witnesses}
    held = []
    for one in given:
        try:
            seen_at = cosigned_at(Note.parse(f"{note.text}\n{one.line}"), keys[one.witness])
        except (KeyError, NoteMalformed, NotSigned):
            continue
        held.append(Cosignature(one.witness, one.line, seen_at))
    return held


async def submit(
    http: aiohttp.ClientSession, witness: WitnessAddress, sent: Submission
) -> Cosignature:
    """Its signature on a head. Raises WitnessSilent, HoldsAnother, WitnessRefused."""
    status, kind, text = await _ask(http, "POST", f"{witness.url}/add-checkpoint", str(sent))
    if status == CONFLICT and kind == SIZE_TYPE and text.strip().isdecimal():
        raise HoldsAnother(int(text))
    if status != OK:
        raise WitnessRefused(status)
    try:
        note = Note.parse(f"{sent.note.text}\n{text}")
        seen_at = cosigned_at(note, witness.key)
    except (NoteMalformed, NotSigned) as error:
        raise WitnessSilent from error
    key = witness.key
    [line] = [one for one in note.signatures if (one.name, one.key_id) == (key.name, key.id)][:1]
    return Cosignature(str(key), str(line), seen_at)


async def _ask(
    http: aiohttp.ClientSession, method: str, url: str, body: str | None = None
) -> tuple[int, str, str]:
    """Status, content type and text. Raises WitnessSilent."""
    data = body.encode() if body is not None else None
    try:
        async with (
            asyncio.timeout(ANSWER_S),
            http.request(method, url, data=data, allow_redirects=False) as answer,
        ):
            read = b""
            async for part in answer.content.iter_any():
                read += part
                if len(read) > MAX_BYTES:
                    raise WitnessSilent
            return answer.status, answer.content_type, read.decode()
    except (aiohttp.ClientError, OSError, TimeoutError, UnicodeDecodeError) as error:
        raise WitnessSilent from error

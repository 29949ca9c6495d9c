"""`telecare audit verify`: an extract, or a whole log with everything that others hold of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from cryptography.x509 import Certificate

from telecare.access.store import TenantRow
from telecare.audit import verify
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record, actor_text
from telecare.audit.note import Checkpoint, Note, NoteMalformed
from telecare.audit.tree import HASH_BYTES
from telecare.integrity import checking_store, stamp_store, witness_store
from telecare.integrity.checking import Checked, Outside, check
from telecare.integrity.checking_store import LogToCheck
from telecare.integrity.cosigned import cosigned
from telecare.integrity.examining import Hands
from telecare.integrity.keys import LogFiles
from telecare.integrity.publish_command import DIFFERS, FITS, Told, municipality
from telecare.integrity.stamp_store import Stamped
from telecare.integrity.stamping import StampWrong, roots
from telecare.integrity.stamping import checked as stamp_checked
from telecare.integrity.witnesses import (
    WitnessAddress,
    WitnessSilent,
    addresses,
    held,
    signing_key,
    speaking,
)
from telecare.runtime.clock import from_local
from telecare.runtime.config import Config
from telecare.runtime.db import Database, open_database
from telecare.runtime.errors import CannotStart

WRONG = "DOES NOT FIT:"
AGAINST_STAFF_ONLY = (
    "No head of another's was compared: the log is tamper-evident against staff, "
    "not against the operator."
)


class KeyMalformed(CannotStart):
    """--key is not 32 bytes in hexadecimal."""


class DateMalformed(CannotStart):
    """--since is not a date as 2026-11-23."""


class CheckpointUnreadable(CannotStart):
    """The file holds no signed head."""


class CheckpointOfAnotherLog(CannotStart):
    """The head is of a log that this is not."""


class CheckpointNotSigned(CannotStart):
    """No key of this log has signed that head."""


class ExtractUnreadable(CannotStart):
    """The file is no extract, or a broken one."""


class ExtractOfAnother(CannotStart):
    """The extract is from another municipality's log."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the log or the extract is compared with, and from when texts are read."""

    key: bytes | None
    checkpoints: Sequence[tuple[str, Note, Checkpoint]]
    """Each with the name of its file."""
    since: datetime | None

    @classmethod
    def read(cls, key: str, files: Sequence[str], since: str) -> Self:
        """Raises KeyMalformed, CheckpointUnreadable, DateMalformed."""
        return cls(_key(key), [_checkpoint(one) for one in files], _start(since))


def _key(given: str) -> bytes | None:
    try:
        key = bytes.fromhex(given)
    except ValueError as error:
        raise KeyMalformed(given) from error
    if key and len(key) != HASH_BYTES:
        raise KeyMalformed(given)
    return key or None


def _checkpoint(file: str) -> tuple[str, Note, Checkpoint]:
    try:
        note = Note.parse(Path(file).read_text("utf-8"))
        return file, note, Checkpoint.parse(note.text)
    except (OSError, ValueError) as error:
        raise CheckpointUnreadable(file) from error


def _start(given: str) -> datetime | None:
    try:
        day = date.fromisoformat(given) if given else None
    except ValueError as error:
        raise DateMalformed(given) from error
    return from_local(datetime(day.year, day.month, day.day)) if day else None  # noqa: DTZ001 - local


# --- an extract -----------------------------------------------------------------------------------


def verify_extract(file: str, wanted: Wanted, *, of: str) -> Told:
    """As the program inside it does, and against what the caller holds.

    Raises ExtractUnreadable, ExtractOfAnother, CheckpointOfAnotherLog.
    """
    try:
        report = verify.check(file)
        package = verify.Package(file)
        public = {
            log: verify.Key.read(package.text(f"log-{log}.vkey")).public for log in report.heads
        }
    except verify.Refused as error:
        return Told([f"DOES NOT FIT: {error}"], DIFFERS)
    except verify.UNREADABLE as error:
        raise ExtractUnreadable(f"{file} (a whole log is checked with --full)") from error
    origins = [origin for origin, _ in report.keys]
    if of and any(origin.split("/")[-3:-2] != [of] for origin in origins):
        raise ExtractOfAnother(", ".join(origins))
    wrong = []
    if wanted.key and wanted.key not in public.values():
        wrong.append("DOES NOT FIT: signed with another key than the one given")
    said = list(verify.told(report, "en"))
    heads = dict(zip(origins, report.heads.values(), strict=True))
    for name, _, head in wanted.checkpoints:
        if head.origin not in heads:
            raise CheckpointOfAnotherLog(f"{name}: {head.origin}")
        size, root = heads[head.origin]
        if size != head.size:
            said.append(f"Not compared with {name}: {head.size} records, and here {size}.")
        elif root != head.root:
            wrong.append(f"DOES NOT FIT: {name} has another root at {size} records")
        else:
            said.append(f"The head is the one in {name}.")
    return Told([*said, *wrong], DIFFERS if wrong else FITS)


# --- a whole log ----------------------------------------------------------------------------------


async def verify_log(config: Config, slug: str, wanted: Wanted, *, login: str) -> Told:
    """All of a municipality's logs; leaves a record that it was done.

    Raises TenantUnknown, WitnessesUnusable, StampsUnusable, CheckpointOfAnotherLog,
    CheckpointNotSigned.
    """
    witnesses = addresses(config.witnesses)
    trusted = roots(config.tsa_roots) if config.tsa_roots else None
    files = LogFiles(Path(config.log_key_dir)) if config.log_key_dir else None
    async with open_database(config.role_url("reader"), size=1) as database:
        tenant = await municipality(database, slug)
        outside, silent = await _outside(database, tenant, wanted, witnesses, files)
        async with database.transaction(tenant.id) as db:
            hands = Hands(config.role_url("reader"))
            checked = await check(db, outside, wanted.key, wanted.since, hands)
            stamps = await stamp_store.every(db)
    stamped = await asyncio.to_thread(_stamped, stamps, trusted)
    await _record(config, tenant, checked, wanted, len(outside), login)
    fits = not checked.findings and not any(one.startswith(WRONG) for one in stamped)
    said = [*_told(checked, tenant, outside), *silent, *stamped]
    return Told(said, FITS if fits else DIFFERS)


def _stamped(stamps: Sequence[Stamped], trusted: Sequence[Certificate] | None) -> Sequence[str]:
    """What the newest stamp of each log shows, and which are of another head or authority."""
    if trusted is None:
        count = len(stamps)
        return [f"Not checked: {count} time stamps (no TELECARE_TSA_ROOTS)."] if stamps else []
    said: dict[int, str] = {}
    wrong = []
    for one in stamps:
        try:
            name, at = stamp_checked(one.token, one.note, trusted)
        except StampWrong:
            wrong.append(f"{WRONG} time stamp, log {one.log} head {one.size}")
            continue
        until = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        said.setdefault(
            one.log,
            f"Stamped by {name} at {until}: log {one.log}, {one.size} records were there then; "
            "a stamp does not say that there was no other log.",
        )
    return [*said.values(), *wrong]


async def _outside(
    database: Database,
    tenant: TenantRow,
    wanted: Wanted,
    witnesses: Sequence[WitnessAddress],
    files: LogFiles | None,
) -> tuple[Sequence[Outside], Sequence[str]]:
    """What others hold, and what is said of those who did not answer."""
    async with database.transaction(tenant.id) as db:
        logs = await checking_store.logs(db)
        keys = [*await witness_store.keys(db), *([wanted.key] if wanted.key else [])]
        found = await cosigned(db, [witness.key for witness in witnesses])
    found += [_given(one, logs, keys) for one in wanted.checkpoints]
    if files is not None:
        found += [one for log in logs for one in _kept(files, tenant.slug, log)]
    silent = []
    async with speaking() as http:
        for log in logs:
            for witness in witnesses:
                name = witness.key.name
                try:
                    given = await held(http, witness, log.origin, keys)
                except WitnessSilent:
                    silent.append(f"Not compared: {name} gave no answer on {log.origin}.")
                    continue
                if given is None:
                    silent.append(f"Not compared: {name} holds nothing of {log.origin}.")
                else:
                    found.append(Outside(name, given.checkpoint, given.seen_at))
    return found, silent


def _given(
    one: tuple[str, Note, Checkpoint], logs: Sequence[LogToCheck], keys: Sequence[bytes]
) -> Outside:
    name, note, head = one
    if head.origin not in {log.origin for log in logs}:
        raise CheckpointOfAnotherLog(f"{name}: {head.origin}")
    if signing_key(note, head.origin, keys) is None:
        raise CheckpointNotSigned(name)
    return Outside(name, head)


def _kept(files: LogFiles, slug: str, log: LogToCheck) -> Sequence[Outside]:
    """What the sequencer signed last, when this user may read it."""
    try:
        note = files.last_signed(slug, log.log)
        return [Outside("the file beside the key", Checkpoint.parse(note.text))] if note else []
    except (OSError, NoteMalformed):
        return []


def _told(checked: Checked, tenant: TenantRow, outside: Sequence[Outside]) -> Sequence[str]:
    counts = f"{checked.records} records and {checked.heads} heads checked"
    said = [f"{tenant.slug}: {counts}; {checked.erased} erased by a recorded decision."]
    for one in outside:
        head = one.checkpoint
        at = f", seen {one.seen_at:%Y-%m-%d %H:%M} UTC" if one.seen_at else ""
        said.append(f"Compared with {one.holder}: {head.origin}, {head.size} records{at}.")
    if checked.outside is not None:
        until = f"{checked.outside.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        said.append(f"A witness vouches until {until}; what came after is the operator's word.")
    else:
        said.append(AGAINST_STAFF_ONLY)
    for seam in checked.seams:
        said.append(
            f"Known: log {seam.log} follows log {seam.follows} by decision {seam.decision} of "
            f"{' and '.join(seam.by)}; the old log stood at {seam.size} records, and the head of "
            f"{seam.head.size} that {seam.held_by} has {'fits' if seam.fits else 'does not fit'}."
        )
        said += [
            f"Known to be missing: log {seam.follows} records {first} to {last}."
            for first, last in seam.missing
        ]
    for finding in checked.findings:
        told = f"DOES NOT FIT: {finding.kind}, {finding.about}"
        if finding.expected or finding.found:
            told += f": expected {finding.expected}, found {finding.found or 'nothing'}"
        said.append(told)
    count = len(checked.findings)
    said.append(f"{count} things do not fit." if count else "Nothing was found that does not fit.")
    return said


async def _record(
    config: Config, tenant: TenantRow, checked: Checked, wanted: Wanted, outside: int, login: str
) -> None:
    """That it was done, and how much was looked at; never what was found."""
    actor = CommandLineActor(login)
    what = {
        "erased": checked.erased,
        "findings": len(checked.findings),
        "heads": checked.heads,
        "outside": outside,
        "records": checked.records,
        "seams": len(checked.seams),
        "since": wanted.since.isoformat() if wanted.since else None,
    }
    async with (
        open_database(config.role_url("app"), size=1) as database,
        database.transaction(tenant.id, actor_text(actor)) as db,
    ):
        await append(db, Record(Action.LOG_VERIFIED, actor, what=what))

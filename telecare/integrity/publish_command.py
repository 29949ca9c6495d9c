"""`telecare audit publish`: the newest head to each witness, and the page for the diary."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from telecare.access import store as access_store
from telecare.access.store import TenantRow
from telecare.audit.note import Note
from telecare.integrity import printed, tree_store, witness_store
from telecare.integrity.keys import LogFiles
from telecare.integrity.publishing import NotOurTree, Publisher, Witnessed
from telecare.integrity.witnesses import (
    WitnessAddress,
    WitnessRefused,
    WitnessSilent,
    addresses,
    signing_key,
    speaking,
    verified,
)
from telecare.runtime.config import Config
from telecare.runtime.db import Database, open_database
from telecare.runtime.errors import CannotStart

FITS, DIFFERS = 0, 1


class TenantUnknown(CannotStart):
    """No municipality has that short name."""


class NoHead(CannotStart):
    """Nothing of this log has been signed yet."""


class NobodyToTell(CannotStart):
    """Neither TELECARE_WITNESSES nor --page was given."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a command says, and the status it ends with."""

    lines: Sequence[str]
    status: int


async def municipality(database: Database, slug: str) -> TenantRow:
    """Raises TenantUnknown."""
    async with database.across_tenants() as db:
        found = await access_store.tenant_by_slug(db, slug)
    if found is None:
        raise TenantUnknown(slug)
    return found


async def publish(config: Config, slug: str, *, page: str, language: str) -> Told:
    """`page`: the file to write, or nothing. Status 1 unless every witness has signed.

    Raises WitnessesUnusable, NobodyToTell, TenantUnknown, NoHead.
    """
    witnesses = addresses(config.witnesses)
    if not witnesses and not page:
        raise NobodyToTell
    files = LogFiles(Path(config.log_key_dir)) if config.log_key_dir else None
    async with open_database(config.role_url("sequencer"), size=1) as database, speaking() as http:
        tenant = await municipality(database, slug)
        publisher = Publisher(database, files, http)
        told = [await _tell(publisher, tenant, one) for one in witnesses]
        if page:
            written = await _printed(database, tenant, witnesses, language)
            Path(page).write_text(written, "utf-8")  # noqa: ASYNC240 - a command, alone
    status = FITS if all(is_signed for _, is_signed in told) else DIFFERS
    return Told([line for line, _ in told], status)


async def _tell(
    publisher: Publisher, tenant: TenantRow, witness: WitnessAddress
) -> tuple[str, bool]:
    """What is said of one witness, and whether it has signed the newest head. Raises NoHead."""
    name = witness.key.name
    try:
        outcome = await publisher.publish(tenant.id, tenant.slug, witness)
    except WitnessSilent:
        return f"{name}: does not answer, or not so that the answer can be used", False
    except WitnessRefused as error:
        return f"{name}: refuses (status {error.status}); does it know this log and its key?", False
    match outcome:
        case Witnessed(size=size, given=given):
            return f"{name}: has signed {size} records at {given.seen_at:%Y-%m-%d %H:%M} UTC", True
        case NotOurTree(held=None):
            return f"{name}: refuses, and does not say what it holds", False
        case NotOurTree(held=found) if found is not None:
            newest = await publisher.newest_log(tenant.id)
            if newest and await publisher.fits(tenant.id, newest, found.checkpoint):
                return f"{name}: holds a newer head, which fits", True
            size = found.checkpoint.size
            return f"{name}: holds {size} records that THE LOG DOES NOT BEGIN WITH", False
    raise NoHead(tenant.slug)


async def _printed(
    database: Database, tenant: TenantRow, witnesses: Sequence[WitnessAddress], language: str
) -> str:
    """Raises NoHead."""
    async with database.transaction(tenant.id) as db:
        newest = await tree_store.newest_log(db)
        signed = await tree_store.newest_checkpoint(db, newest.log) if newest else None
        if newest is None or signed is None:
            raise NoHead(tenant.slug)
        note = Note.parse(signed.note)
        key = signing_key(note, newest.origin, await witness_store.keys(db))
        if key is None:
            raise NoHead(tenant.slug)
        given = await witness_store.cosignatures(db, newest.log, signed.size)
        held = verified(note, given, [one.key for one in witnesses])
    return printed.page(printed.Printed(tenant.name, note, key, signed.signed_at, held), language)

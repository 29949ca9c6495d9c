"""`telecare audit publish`: the newest head to witnesses and mailboxes, and the diary's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from telecare.access import store as access_store
from telecare.access.store import TenantRow
from telecare.integrity import printed
from telecare.integrity.keys import LogFiles
from telecare.integrity.mailing import Mailing, MailRefused, MailSilent, post
from telecare.integrity.printed import Printed
from telecare.integrity.publishing import NotOurTree, Publisher, Witnessed
from telecare.integrity.stamping import Authority, Stamping, StampSilent, authority
from telecare.integrity.witnesses import (
    WitnessAddress,
    WitnessRefused,
    WitnessSilent,
    addresses,
    speaking,
)
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import Database, open_database
from telecare.runtime.errors import CannotStart

FITS, DIFFERS = 0, 1


class TenantUnknown(CannotStart):
    """No municipality has that short name."""


class NoHead(CannotStart):
    """Nothing of this log has been signed yet."""


class PageUnwritable(CannotStart):
    """The page could not be written there; --page names another file."""


class NobodyToTell(CannotStart):
    """None of TELECARE_WITNESSES, TELECARE_PUBLISH_TO, TELECARE_TSA_URL and --page was given."""


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


async def publish(config: Config, slug: str, *, page: str, language: str, clock: Clock) -> Told:
    """`page`: the file to write, or nothing. Status 1 unless every witness has signed and every
    letter was taken, and the head was stamped.

    Raises WitnessesUnusable, MailUnusable, StampsUnusable, NobodyToTell, TenantUnknown, NoHead,
    PageUnwritable.
    """
    witnesses, letters = addresses(config.witnesses), post(config)
    keys, tsa = [one.key for one in witnesses], authority(config)
    files = LogFiles(Path(config.log_key_dir)) if config.log_key_dir else None
    async with open_database(config.role_url("sequencer"), size=1) as database, speaking() as http:
        tenant = await municipality(database, slug)
        recipients = letters.of(slug) if letters else ()
        if not (witnesses or recipients or tsa or page):
            raise NobodyToTell
        publisher = Publisher(database, files, http)
        told = [await _tell(publisher, tenant, one) for one in witnesses]
        if tsa:
            stamping = Stamping(database, publisher, http, tsa, clock)
            told.append(await _stamp(stamping, tenant, tsa))
        if page or recipients:
            head = await publisher.printed(tenant, keys)
            if head is None:
                raise NoHead(slug)
            mailing = Mailing(database, publisher, letters, keys, clock)
            told += [await _send(mailing, tenant, head, one, language) for one in recipients]
            if page:
                told.append((_write(page, printed.page(head, language)), True))
    status = FITS if all(is_reached for _, is_reached in told) else DIFFERS
    return Told([line for line, _ in told], status)


def _write(page: str, written: str) -> str:
    """What is said of it. Raises PageUnwritable."""
    try:
        Path(page).write_text(written, "utf-8")
    except OSError as error:
        raise PageUnwritable(page) from error
    return f"{page}: the page for the diary"


async def _stamp(stamping: Stamping, tenant: TenantRow, tsa: Authority) -> tuple[str, bool]:
    """Raises NoHead."""
    try:
        stamped = await stamping.stamp(tenant.id)
    except StampSilent:
        return f"{tsa.url}: gives no stamp that its certificates vouch for", False
    if stamped is None:
        raise NoHead(tenant.slug)
    at = f"{stamped.stamped_at:%Y-%m-%d %H:%M} UTC"
    return f"{stamped.authority}: has stamped {stamped.size} records at {at}", True


async def _send(
    mailing: Mailing, tenant: TenantRow, head: Printed, address: str, language: str
) -> tuple[str, bool]:
    """What is said of one letter, and whether the mail server took it."""
    try:
        size = await mailing.send(tenant, head, address, language)
    except MailSilent:
        return (
            f"{address}: the mail server does not answer, or not so that it can be trusted",
            False,
        )
    except MailRefused as error:
        return f"{address}: the mail server refuses (status {error.status})", False
    return f"{address}: the mail server took the head of {size} records", True


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

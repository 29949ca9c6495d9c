"""Personnummer and samordningsnummer (folkbokföringslagen 1991:481 18 § and 18 b §): read, checked,
kept sealed. Their grammar and check digit are the library `personnummer`'s.
"""

from dataclasses import dataclass
from datetime import date

from personnummer.personnummer import (  # type: ignore[import-untyped] # ships no types
    Personnummer,
    PersonnummerException,
)

from telecare.runtime.errors import TelecareError
from telecare.runtime.sealing import Sealer
from telecare.wire.errors import Code
from telecare.wire.ids import TenantId

OLDEST_YEARS = 125


class NationalIdWrong(TelecareError):
    """No such number can exist: its date or its check digit is wrong."""

    status = 422
    code = Code.NATIONAL_ID_WRONG


class NationalIdTaken(TelecareError):
    """Somebody in this municipality is registered with it."""

    code = Code.NATIONAL_ID_TAKEN


class NationalIdKeyMissing(TelecareError):
    """The server has no key to seal it with."""

    status = 503
    code = Code.NATIONAL_ID_KEY_MISSING


@dataclass(frozen=True, slots=True)
class NationalId:
    digits: str
    """Twelve, century first."""
    born_on: date

    @property
    def text(self) -> str:
        return f"{self.digits[:8]}-{self.digits[8:]}"


def read_national_id(typed: str, today: date) -> NationalId:
    """Ten or twelve digits, with or without a hyphen. Raises NationalIdWrong."""
    tidy = typed.replace(" ", "").replace("\N{EN DASH}", "-")
    if not tidy.isascii():
        raise NationalIdWrong("national_id")
    try:
        found = Personnummer(tidy)
    except PersonnummerException as error:
        raise NationalIdWrong("national_id") from error
    born_on: date = found.get_date()
    if not date(today.year - OLDEST_YEARS, 1, 1) <= born_on <= today:
        raise NationalIdWrong("national_id")
    return NationalId(found.format(long_format=True), born_on)


def digest_of(sealer: Sealer, tenant: TenantId, national_id: NationalId) -> bytes:
    """What a number is found by, in this municipality."""
    return sealer.digest(f"national_id {tenant}", national_id.digits)

"""One typed configuration, read from the environment once, in the commands."""

import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict

from telecare.runtime.errors import CannotStart


class ConfigMissing(CannotStart):
    """Set it in the environment: it has no safe default. docs/start.md says what it is."""


class DaysMalformed(CannotStart):
    """A number of days is a whole number, 1 at least."""


class SlugMalformed(CannotStart):
    """A municipality's short name is 2 to 41 of a–z, 0–9 and -, and begins with a letter."""


SLUG = re.compile(r"[a-z][a-z0-9-]{1,40}")


def check_slug(slug: str) -> None:
    """As the table of municipalities has it. Raises SlugMalformed."""
    if not SLUG.fullmatch(slug):
        raise SlugMalformed(slug)


def _days(environment: Mapping[str, str], name: str, usual: int) -> int:
    """Raises DaysMalformed."""
    given = environment.get(name, "") or str(usual)
    if not (given.isascii() and given.isdigit() and int(given) > 0):
        raise DaysMalformed(name)
    return int(given)


class Config(BaseModel):
    """Where the outside things are. `database_url` names no role: each login is put in."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    database_url: str
    public_url: str
    """http://localhost:PORT or https://…; passkeys and Origin checks are bound to it."""
    mqtt_url: str = ""
    broker_url_for_units: str = ""
    second_broker_url_for_units: str = ""
    """Tried by the homes themselves when the first does not answer, e.g. over a mobile network."""
    broker_ca_dir: str = ""
    """`server/` of what `telecare devices broker-config` has written; empty: no certificates."""
    broker_revoked_file: str = ""
    """The broker's list of certificates that are good no longer, written here."""
    receivers: tuple[str, ...] = ()
    """For other makers' units: `municipality=scaip+udp://host:port`, … (docs/receivers.md)."""
    receiver_names: tuple[str, ...] = ()
    """`host=municipality`: whose a message is that came to a port shared by several."""
    receiver_certificate: str = ""
    receiver_key: str = ""
    exchanges: tuple[str, ...] = ()
    """`municipality=sip:…`: whom other makers' units call for voice."""
    turn_urls: tuple[str, ...] = ()
    turn_secret: str = ""
    """coturn's `static-auth-secret`; never in the database."""
    person_key_file: str = ""
    """Seals personnummer (runtime/sealing.py). Without it none can be taken down."""
    event_days: int = 93
    """How long a month of the homes' events is kept after its end, and what another maker's unit
    said after it came.
    """
    erasure_journal: str = ""
    """A file on the backups' disk: what to erase again after a restore (integrity/journal.py)."""
    log_key_dir: str = ""
    """What the sequencer alone reads: keys of the log, and what was signed last."""
    witnesses: tuple[str, ...] = ()
    """Who signs the log's heads too: an address, its verifier key, the next address, …"""
    mail_url: str = ""
    """smtps://user@host:465, or smtp://… which then must speak STARTTLS."""
    mail_password_file: str = ""
    mail_from: str = ""
    publish_to: tuple[str, ...] = ()
    """Who gets the log's head each day: addresses, each for all or as `slug:address`."""
    tsa_url: str = ""
    """A time-stamping authority (RFC 3161), which stamps the log's head each day."""
    tsa_roots: str = ""
    """A file with the certificates (PEM) that its stamps must lead to."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *also_needed: str) -> Self:
        """`also_needed`: fields besides database and public address that this command lives on.

        Raises ConfigMissing naming the variable.
        """
        for field in ("database_url", "public_url", *also_needed):
            name = f"TELECARE_{field.upper()}"
            if not environment.get(name):
                raise ConfigMissing(name)
        return cls(
            database_url=environment["TELECARE_DATABASE_URL"],
            public_url=environment["TELECARE_PUBLIC_URL"],
            mqtt_url=environment.get("TELECARE_MQTT_URL", ""),
            broker_url_for_units=environment.get("TELECARE_BROKER_URL_FOR_UNITS", ""),
            second_broker_url_for_units=environment.get("TELECARE_SECOND_BROKER_URL_FOR_UNITS", ""),
            broker_ca_dir=environment.get("TELECARE_BROKER_CA_DIR", ""),
            broker_revoked_file=environment.get("TELECARE_BROKER_REVOKED_FILE", ""),
            receivers=tuple(environment.get("TELECARE_RECEIVERS", "").split()),
            receiver_names=tuple(environment.get("TELECARE_RECEIVER_NAMES", "").split()),
            receiver_certificate=environment.get("TELECARE_RECEIVER_CERTIFICATE", ""),
            receiver_key=environment.get("TELECARE_RECEIVER_KEY", ""),
            exchanges=tuple(environment.get("TELECARE_EXCHANGES", "").split()),
            turn_urls=tuple(environment.get("TELECARE_TURN_URLS", "").split()),
            turn_secret=environment.get("TELECARE_TURN_SECRET", ""),
            person_key_file=environment.get("TELECARE_PERSON_KEY_FILE", ""),
            event_days=_days(environment, "TELECARE_EVENT_DAYS", 93),
            erasure_journal=environment.get("TELECARE_ERASURE_JOURNAL", ""),
            log_key_dir=environment.get("TELECARE_LOG_KEY_DIR", ""),
            witnesses=tuple(environment.get("TELECARE_WITNESSES", "").split()),
            mail_url=environment.get("TELECARE_MAIL_URL", ""),
            mail_password_file=environment.get("TELECARE_MAIL_PASSWORD_FILE", ""),
            mail_from=environment.get("TELECARE_MAIL_FROM", ""),
            publish_to=tuple(environment.get("TELECARE_PUBLISH_TO", "").split()),
            tsa_url=environment.get("TELECARE_TSA_URL", ""),
            tsa_roots=environment.get("TELECARE_TSA_ROOTS", ""),
        )

    def role_url(self, role: str, passwords: Mapping[str, str] | None = None) -> str:
        """The database address for one login role (`app`, `owner`, …)."""
        parts = urlsplit(self.database_url)
        host = parts.netloc.rsplit("@", 1)[-1]
        password = (passwords or {}).get(role)
        login = f"telecare_{role}" + (f":{quote(password, safe='')}" if password else "")
        return urlunsplit(parts._replace(netloc=f"{login}@{host}"))


class WitnessConfig(BaseModel):
    """What a witness needs, which knows no database and no server of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: str
    """Its key, the logs it knows, and the newest head that it has signed of each."""
    name: str
    """How its signatures are named: a host and a path of its own, without spaces."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Raises ConfigMissing naming the variable."""
        for name in ("TELECARE_WITNESS_DIR", "TELECARE_WITNESS_NAME"):
            if not environment.get(name):
                raise ConfigMissing(name)
        return cls(
            folder=environment["TELECARE_WITNESS_DIR"], name=environment["TELECARE_WITNESS_NAME"]
        )

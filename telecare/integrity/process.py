"""`telecare sequencer`: the process that keeps the tree, and lets texts fall when it is time."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from telecare.alarms import falling as messages_
from telecare.alarms.falling import FallingMessages
from telecare.audit.note import ED25519, VerifierKey
from telecare.devices import falling as falling_
from telecare.devices.falling import FallingEvents
from telecare.integrity import mailing as mailing_
from telecare.integrity import retention as retention_
from telecare.integrity import stamping as stamping_
from telecare.integrity.keys import KeyMissing, LogFiles
from telecare.integrity.mailing import Mailing, post
from telecare.integrity.publishing import ROUND, ROUND_LIMIT, Publisher, Rounds
from telecare.integrity.retention import Retention
from telecare.integrity.sequencer import TICK, TICK_LIMIT, Sequencer
from telecare.integrity.stamping import Stamping, authority
from telecare.integrity.witnesses import addresses, speaking
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.errors import DatabaseUnavailable
from telecare.runtime.tasks import every, running

LAST_TICK_S = 3.0


def origin_host(config: Config) -> str:
    """What the origins of this installation's logs begin with."""
    return urlsplit(config.public_url).netloc


def origin_of(config: Config, slug: str, number: int) -> str:
    return f"{origin_host(config)}/{slug}/audit/{number}"


def verifier_keys(config: Config, files: LogFiles, slug: str, number: int) -> Sequence[VerifierKey]:
    """What a witness knows that log by: the key that signs, and the one that will follow.

    Raises KeyMissing.
    """
    keys = [key for key in (files.key(slug), files.next_key(slug)) if key is not None]
    if not keys:
        raise KeyMissing(slug)
    origin = origin_of(config, slug, number)
    return [VerifierKey(origin, ED25519, key.public_key().public_bytes_raw()) for key in keys]


async def sequence(config: Config, clock: Clock) -> None:
    """Until it is cancelled; then what has been entered gets its place before this returns.

    Raises WitnessesUnusable, MailUnusable, StampsUnusable.
    """
    witnesses, letters = addresses(config.witnesses), post(config)
    tsa = authority(config)
    files = LogFiles(Path(config.log_key_dir))
    async with (
        open_database(config.role_url("sequencer"), size=3) as database,
        open_database(config.role_url("eraser"), size=2, least=0) as eraser,
        speaking() as http,
    ):
        retention = Retention(
            eraser, clock, Path(config.erasure_journal) if config.erasure_journal else None
        )
        sequencer = Sequencer(
            database, clock, files, origin_host(config), has_witnesses=bool(witnesses)
        )
        publisher = Publisher(database, files, http)
        rounds = Rounds(publisher, sequencer, witnesses, clock)
        keys = [one.key for one in witnesses]
        mailing = Mailing(database, publisher, letters, keys, clock)
        stamping = Stamping(database, publisher, http, tsa, clock)
        falling = FallingEvents(eraser, clock, config.event_days)
        messages = FallingMessages(eraser, clock, config.event_days)
        try:
            async with running(
                rounds=every(ROUND, rounds.go_round, limit=ROUND_LIMIT),
                stamping=every(stamping_.ROUND, stamping.go_round, limit=stamping_.ROUND_LIMIT),
                mailing=every(mailing_.ROUND, mailing.go_round, limit=mailing_.ROUND_LIMIT),
                events=every(falling_.ROUND, falling.go_round, limit=falling_.ROUND_LIMIT),
                messages=every(messages_.ROUND, messages.go_round, limit=messages_.ROUND_LIMIT),
                retention=every(retention_.ROUND, retention.go_round, limit=retention_.ROUND_LIMIT),
            ):
                await every(TICK, sequencer.tick, limit=TICK_LIMIT)
        finally:
            with contextlib.suppress(DatabaseUnavailable, TimeoutError):
                async with asyncio.timeout(LAST_TICK_S):
                    await sequencer.tick()

"""What must reach somebody outside and may not be lost: a row, sent until it is taken.

At least once: a process that dies between sending and its row sends again, under the same key.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import TenantId

log = logging.getLogger(__name__)

ROUND = timedelta(seconds=0.5)
ROUND_LIMIT = timedelta(seconds=30)
AT_ONCE = 10
MOST_TRIES = 20

PUT = """
insert into outbox (tenant_id, channel, dedupe_key, payload, next_try_at)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, dedupe_key) do nothing
"""
CLAIM = """
select tenant_id, id, channel, dedupe_key, payload, attempts from claim_letters($1, $2, $3)
"""
SENT = """
update outbox set sent_at = $3 where tenant_id = $1 and id = $2 and sent_at is null returning id
"""


@dataclass(frozen=True, slots=True)
class Letter:
    """`key`: the same however often it is sent; whoever gets it may tell a repeat by it."""

    tenant: TenantId
    id: int
    channel: str
    key: str
    payload: Mapping[str, str]


class Channel(Protocol):
    async def deliver(self, letter: Letter) -> bool:
        """Whether it was taken. Outside any transaction; at most some seconds."""

    async def taken(self, db: Transaction, letter: Letter, now: datetime) -> None:
        """What follows, in the transaction that marks it as sent."""


async def put(
    db: Transaction, channel: str, key: str, payload: Mapping[str, str], now: datetime
) -> None:
    """In the transaction of what it tells of; the same key once."""
    await db.execute(PUT, db.tenant, channel, key, json.dumps(payload), now)


class Outbox:
    def __init__(self, database: Database, clock: Clock, channels: Mapping[str, Channel]) -> None:
        self._database = database
        self._clock = clock
        self._channels = channels

    async def send_due(self) -> None:
        """What is due now, at most ten, none waiting for another."""
        async with self._database.across_tenants() as db:
            rows = await db.fetch(CLAIM, self._clock.now(), MOST_TRIES, AT_ONCE)
        letters = [
            Letter(
                TenantId(row["tenant_id"]), row["id"], row["channel"], row["dedupe_key"],
                json.loads(row["payload"]),
            )
            for row in rows
        ]  # fmt: skip
        async with asyncio.TaskGroup() as group:
            for letter in letters:
                group.create_task(self._send(letter), name="outbox")

    async def _send(self, letter: Letter) -> None:
        channel = self._channels[letter.channel]
        if not await channel.deliver(letter):
            log.warning("not taken outside", extra={"kind": letter.channel})
            return
        now = self._clock.now()
        async with self._database.transaction(letter.tenant) as db:
            if await db.fetchval(SENT, db.tenant, letter.id, now) is not None:
                await channel.taken(db, letter, now)

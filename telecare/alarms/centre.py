"""An alarm centre (larmcentral) is rung by webhook, in the form of Standard Webhooks 1.0.

It hears that an alarm waits and where: nothing about anybody. Whoever opens that page signs in.
A status of 2xx is its answer that it has the alarm before it.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from uuid import UUID

import aiohttp

from telecare.alarms import asking, chain_store
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.outbox import Letter
from telecare.wire.ids import AlarmId, CareUnitId

ANSWER = aiohttp.ClientTimeout(total=5.0)
TAKEN = range(200, 300)


class AlarmCentres:
    """The outbox's channel. `public_url`: where the staff page is."""

    def __init__(
        self, database: Database, clock: Clock, http: aiohttp.ClientSession, public_url: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._http = http
        self._public_url = public_url

    async def deliver(self, letter: Letter) -> bool:
        """A centre that has been removed since is rung no more, and has not answered."""
        async with self._database.transaction(letter.tenant) as db:
            centre = await chain_store.centre(db, _unit(letter))
        if centre is None:
            return False
        alarm_id = letter.payload["alarm_id"]
        body = json.dumps(
            {
                "type": "alarm.waiting",
                "timestamp": letter.payload["since"],
                "data": {"alarm_id": alarm_id, "url": f"{self._public_url}/#/alarm/{alarm_id}"},
            }
        )
        headers = signed(centre.secret, letter.key, body, self._clock.now())
        try:
            async with self._http.post(
                centre.url, data=body, headers=headers, timeout=ANSWER, allow_redirects=False
            ) as answer:
                return answer.status in TAKEN
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def taken(self, db: Transaction, letter: Letter, now: datetime) -> None:
        alarm_id = AlarmId(UUID(letter.payload["alarm_id"]))
        await asking.centre_answered(db, alarm_id, _unit(letter), now)


def signed(secret: bytes, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """Headers by which the centre knows that it is we who ring, and a repeat from a new alarm."""
    at = str(int(now.timestamp()))
    digest = hmac.digest(secret, f"{message_id}.{at}.{body}".encode(), hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "webhook-timestamp": at,
    }


def secret_text(secret: bytes) -> str:
    """As the other side's library reads it."""
    return f"whsec_{base64.b64encode(secret).decode()}"


def _unit(letter: Letter) -> CareUnitId:
    return CareUnitId(UUID(letter.payload["unit_id"]))

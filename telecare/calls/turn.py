"""Short-lived TURN credentials as coturn's `use-auth-secret` reads them (REST API for TURN,
draft-uberti-behave-turn-rest-00). Expiry does not end a live allocation: ends stop at the source.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from telecare.wire.ids import CallId

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TurnServer:
    urls: tuple[str, ...]
    secret: str


@dataclass(frozen=True, slots=True)
class TurnCredential:
    urls: tuple[str, ...]
    username: str
    credential: str


def credential(server: TurnServer, call_id: CallId, now: datetime) -> TurnCredential:
    """Good for LIFETIME, for whoever holds it; bound to nobody but this random call id."""
    username = f"{int((now + LIFETIME).timestamp())}:{call_id}"
    digest = hmac.new(server.secret.encode(), username.encode(), hashlib.sha1).digest()
    return TurnCredential(server.urls, username, base64.b64encode(digest).decode())

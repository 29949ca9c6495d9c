"""Short-lived TURN credentials as coturn's `use-auth-secret` reads them (REST API for TURN,
draft-uberti-behave-turn-rest-00). Expiry does not end a live allocation: ends stop at the source.
"""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import timedelta

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


def credential(server: TurnServer, call_id: CallId) -> TurnCredential:
    """Good for LIFETIME, for whoever holds it; bound to nobody but this random call id.

    Expiry is read by coturn on the machine's own clock, which a demo's or test's Clock is not.
    """
    username = f"{int(time.time() + LIFETIME.total_seconds())}:{call_id}"
    digest = hmac.new(server.secret.encode(), username.encode(), hashlib.sha1).digest()
    return TurnCredential(server.urls, username, base64.b64encode(digest).decode())

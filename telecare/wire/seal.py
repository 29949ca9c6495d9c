"""HMAC around every MQTT message, both ways (architecture §5).

The seal travels as MQTT 5 user properties `c` (rising counter, decimal) and `m` (HMAC-SHA256,
base64url without padding, over topic 0x00 counter 0x00 payload). Without a valid seal nothing is
stored and no camera opens. The caller keeps the counters: a receiver takes a message only when its
counter is higher than the last one taken on that lane of that connection's boot.
"""

import base64
import hmac
from typing import Literal

COUNTER = "c"
MAC = "m"
MAX_DIGITS = 19


def seal(key: bytes, topic: str, counter: int, payload: bytes) -> list[tuple[str, str]]:
    """The user properties to send with `payload`."""
    return [(COUNTER, str(counter)), (MAC, _mac(key, topic, str(counter), payload))]


def opened(key: bytes, topic: str, properties: list[tuple[str, str]], payload: bytes) -> int | None:
    """The counter of a genuine message; None when the seal is missing, malformed or wrong."""
    values = dict(properties)
    counter, mac = values.get(COUNTER, ""), values.get(MAC, "")
    if not (counter.isascii() and counter.isdigit() and len(counter) <= MAX_DIGITS):
        return None
    if not hmac.compare_digest(mac.encode(), _mac(key, topic, counter, payload).encode()):
        return None
    return int(counter)


def proof(key: bytes, said: Literal["closed", "wiped"], unit: str, challenge: str) -> str:
    """Outside MQTT: the server's word that the unit is closed, the unit's that it is wiping itself.
    The unit has chosen `challenge` for this once. No topic begins so: it is no message's seal.
    """
    return _digest(key, (b"telecare unit", said.encode(), unit.encode(), challenge.encode()))


def is_proof(
    given: str, key: bytes, said: Literal["closed", "wiped"], unit: str, challenge: str
) -> bool:
    return hmac.compare_digest(given.encode(), proof(key, said, unit, challenge).encode())


def _mac(key: bytes, topic: str, counter: str, payload: bytes) -> str:
    return _digest(key, (topic.encode(), counter.encode(), payload))


def _digest(key: bytes, parts: tuple[bytes, ...]) -> str:
    message = b"\0".join(parts)
    digest = hmac.digest(key, message, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

"""Messages to a home unit, sealed with its key, as effects that follow the commit."""

import threading
import time
from dataclasses import dataclass

from pydantic import BaseModel

from telecare.runtime.broker import Publish
from telecare.wire import topics
from telecare.wire.ids import UnitId
from telecare.wire.seal import seal


@dataclass(frozen=True, slots=True)
class Addressee:
    """A unit and the key its messages are sealed with."""

    unit_id: UnitId
    mac_key: bytes


class _Counter:
    """Rises with every message, also over restarts: microseconds since 1970, never the same."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            return self._last


_COUNTER = _Counter()


def to_unit(
    addressee: Addressee, lane: topics.Down, message: BaseModel, *, qos: int = 1
) -> Publish:
    topic = topics.down(addressee.unit_id, lane)
    payload = message.model_dump_json().encode()
    sealed = seal(addressee.mac_key, topic, _COUNTER.next(), payload)
    return Publish(topic, payload, tuple(sealed), qos)

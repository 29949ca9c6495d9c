"""A light home: what it says, sealed as a real unit seals it, and what it has no receipt for. Pure.

It keeps all in memory and has no camera, voice or lamp: `edge` is the real thing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from pydantic import BaseModel

from telecare.runtime.broker import Publish
from telecare.wire import edge, seal, topics
from telecare.wire.ids import UnitId

VERSION = "simulated"
RESEND_S: dict[topics.Up, float] = {topics.Up.ALARM: 2.0, topics.Up.EVENT: 10.0}
"""As a home unit does (edge/delivery.py)."""
MICROSECONDS = 1_000_000


@dataclass(slots=True)
class Waiting:
    """Said, and not receipted. Seconds are of the monotonic clock."""

    lane: Literal[topics.Up.ALARM, topics.Up.EVENT]
    event: edge.EdgeEvent
    first_sent_s: float
    sent_s: float = 0.0
    sendings: int = 0


@dataclass(slots=True)
class LightHome:
    """`counter`: higher than any that this unit has ever sealed with; its clock's microseconds."""

    unit: UnitId
    mac_key: bytes = field(repr=False)
    counter: int
    boot: UUID = field(default_factory=uuid4)
    waiting: dict[int, Waiting] = field(default_factory=dict)
    _seq: int = 0

    @classmethod
    def begun(cls, unit: UnitId, mac_key: bytes, now: datetime) -> "LightHome":
        return cls(unit, mac_key, int(now.timestamp() * MICROSECONDS))

    def door(self, now: datetime, now_s: float) -> Publish:
        event = edge.SensorChanged(
            boot=self.boot, seq=self._next(), occurred_at=now, sensor="door", device="door",
            place="hall", is_on=self._seq % 2 == 0,
        )  # fmt: skip
        return self._kept(topics.Up.EVENT, event, now_s)

    def press(self, now: datetime, now_s: float, *, device: str = "button") -> Publish:
        alarm = edge.AlarmRaised(
            boot=self.boot, seq=self._next(), occurred_at=now, trigger="button", device=device
        )
        return self._kept(topics.Up.ALARM, alarm, now_s)

    def status(self, now_s: float) -> Publish:
        """A sign of life; it may be lost."""
        stamp = edge.Stamp(boot=self.boot, monotonic_ms=int(now_s * 1000))
        said = edge.UnitStatus(
            online=True, stamp=stamp, version=VERSION, waiting=len(self.waiting), screen="off"
        )
        return self._sealed(topics.Up.STATUS, _json(said), qos=0)

    def receipted(self, receipt: edge.Receipt, now_s: float) -> list[tuple[topics.Up, float]]:
        """(lane, seconds since it was said first) of what may be forgotten now."""
        if receipt.boot != self.boot:
            return []
        gone = [self.waiting.pop(seq) for seq in receipt.seqs if seq in self.waiting]
        return [(one.lane, now_s - one.first_sent_s) for one in gone]

    def due(self, now_s: float) -> list[Publish]:
        """What has had no receipt for too long, alarms first; said again."""
        late = [one for one in self.waiting.values() if now_s - one.sent_s >= RESEND_S[one.lane]]
        late.sort(key=lambda one: one.lane is not topics.Up.ALARM)
        return [self._sent(one, now_s) for one in late]

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _kept(
        self, lane: Literal[topics.Up.ALARM, topics.Up.EVENT], event: edge.EdgeEvent, now_s: float
    ) -> Publish:
        self.waiting[event.seq] = one = Waiting(lane, event, now_s)
        return self._sent(one, now_s)

    def _sent(self, one: Waiting, now_s: float) -> Publish:
        """An alarm says which sending of it this is."""
        one.sent_s = now_s
        one.sendings += 1
        event = one.event
        if isinstance(event, edge.AlarmRaised):
            event = event.model_copy(update={"attempt": one.sendings})
        return self._sealed(one.lane, _json(event))

    def _sealed(self, lane: topics.Up, payload: bytes, *, qos: int = 1) -> Publish:
        self.counter += 1
        topic = topics.up(self.unit, lane)
        properties = seal.seal(self.mac_key, topic, self.counter, payload)
        return Publish(topic, payload, tuple(properties), qos=qos)


def _json(message: BaseModel) -> bytes:
    return message.model_dump_json(exclude_none=True).encode()

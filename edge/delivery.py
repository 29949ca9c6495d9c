"""Sends what waits in the outbox until the server's receipt, alarms first, paced."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import assert_never

from pydantic import ValidationError

from edge.link import Link
from edge.outbox import DISK_FAULTS, Lane, Outbox, Waiting
from edge.pipe import monotonic_ms
from telecare.wire.edge import UP_ALARM, AlarmRaised
from telecare.wire.topics import Up

log = logging.getLogger(__name__)

ALARM_RESEND_MS = 2_000
RESEND_MS = 10_000
WINDOW = 1_000
"""Events on their way without a receipt; alarms stand first in it."""
BURST = 100
PAUSE_MS = 100
"""At most BURST events each PAUSE: a replay of thousands leaves room for a call."""


@dataclass(slots=True)
class Plan:
    """When each waiting event was last sent, and how often. Pure: `now_ms` is given."""

    sent_at_ms: dict[int, int] = field(default_factory=dict)
    sendings: dict[int, int] = field(default_factory=dict)

    def due(self, waiting: list[Waiting], now_ms: int) -> tuple[list[Waiting], int]:
        """What to send now, and after how many milliseconds to look again."""
        self.sent_at_ms = {
            event.seq: self.sent_at_ms[event.seq]
            for event in waiting
            if event.seq in self.sent_at_ms
        }
        self.sendings = {
            event.seq: self.sendings[event.seq] for event in waiting if event.seq in self.sendings
        }
        left_ms = {event.seq: self._left_ms(event, now_ms) for event in waiting}
        due = [event for event in waiting if left_ms[event.seq] <= 0]
        if len(due) > BURST:
            return due[:BURST], PAUSE_MS
        again_ms = [left_ms[e.seq] if left_ms[e.seq] > 0 else interval_ms(e) for e in waiting]
        return due, min(again_ms, default=RESEND_MS)

    def sent(self, seq: int, now_ms: int) -> None:
        self.sent_at_ms[seq] = now_ms
        self.sendings[seq] = self.sendings.get(seq, 0) + 1

    def start_over(self) -> None:
        self.sent_at_ms.clear()

    def _left_ms(self, event: Waiting, now_ms: int) -> int:
        sent = self.sent_at_ms.get(event.seq)
        if sent is None:
            return 0
        return sent + interval_ms(event) - now_ms


def interval_ms(event: Waiting) -> int:
    return ALARM_RESEND_MS if event.lane is Lane.ALARM else RESEND_MS


class Delivery:
    """`run` for the life of the agent; `wake` after each new event."""

    def __init__(self, outbox: Outbox, link: Link) -> None:
        self._outbox = outbox
        self._link = link
        self._plan = Plan()
        self._connection = 0
        self._is_readable = True
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def start_over(self) -> None:
        """The server may have missed anything: send all that has no receipt."""
        self._plan.start_over()
        self._woken.set()

    async def run(self) -> None:
        while True:
            await self._link.connected.wait()
            if self._connection != self._link.connections:
                self._connection = self._link.connections
                self._plan.start_over()
            self._woken.clear()
            pause_ms = await self._send_due()
            try:
                async with asyncio.timeout(pause_ms / 1000):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _send_due(self) -> int:
        """Milliseconds until something is due again; a disk that cannot be read is asked again."""
        try:
            pause_ms = await self._send_readable()
        except DISK_FAULTS:
            if self._is_readable:
                log.exception("the outbox cannot be read")
            self._is_readable = False
            return ALARM_RESEND_MS
        self._is_readable = True
        return pause_ms

    async def _send_readable(self) -> int:
        waiting = await asyncio.wrap_future(self._outbox.waiting(WINDOW))
        due, pause_ms = self._plan.due(waiting, monotonic_ms())
        lanes = {event.seq: event.lane for event in due}
        payloads = await asyncio.wrap_future(self._outbox.payloads(list(lanes)))
        for seq, payload in payloads:
            if self._link.is_full and lanes[seq] is not Lane.ALARM:
                break  # woken when there is room again
            if not self._link.send(topic_lane(lanes[seq]), self._as_sent(seq, lanes[seq], payload)):
                break
            self._plan.sent(seq, monotonic_ms())
        return max(pause_ms, 1)

    def _as_sent(self, seq: int, lane: Lane, payload: bytes) -> bytes:
        """What an earlier run stored may have been sent by it: nobody knows how often."""
        if lane is not Lane.ALARM or not self._outbox.is_of_this_run(seq):
            return payload
        return numbered(payload, self._plan.sendings.get(seq, 0) + 1)


def numbered(payload: bytes, attempt: int) -> bytes:
    """An alarm says which sending of it this is; everything else is sent as it was stored."""
    try:
        said = UP_ALARM.validate_json(payload)
    except ValidationError:
        return payload
    if not isinstance(said, AlarmRaised):
        return payload
    told = said.model_copy(update={"attempt": attempt})
    return told.model_dump_json(exclude_none=True).encode()


def topic_lane(lane: Lane) -> Up:
    match lane:
        case Lane.ALARM:
            return Up.ALARM
        case Lane.EVENT:
            return Up.EVENT
        case Lane.VITAL:
            return Up.VITAL
        case _:
            assert_never(lane)

"""Her alarms: stored before anything is said, sent, and told of until they are closed.

Fails loud: what no disk takes is sent from memory, and what cannot be sent either is said at once.
`edge.alarm.HomeAlarms` decides what is said, `edge.announcer` says it, `edge.delivery` sends.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack

from pydantic import ValidationError

from edge.alarm import Effect, HomeAlarms, Patience
from edge.announcer import Announcer
from edge.clock import HomeClock
from edge.delivery import Delivery
from edge.link import Link
from edge.outbox import DISK_FAULTS, Lane, Outbox, Place
from edge.pipe import monotonic_ms
from edge.sensing import Alarm
from telecare.wire.edge import UP_ALARM, AlarmCancelled, AlarmIs, AlarmRaised, Receipt
from telecare.wire.topics import Up

log = logging.getLogger(__name__)

STORE_S = 2
"""A disk that has not taken an alarm by then is not waited for: twice is better than never."""
TICK_S = 1
MOST_RESTORED = 1_000
MOST_ASKED = 20
"""About so many of her newest alarms, when the line is back."""


class LiveAlarms:
    """`run` for the life of the agent; an alarm before that is stored, and shown when it runs."""

    def __init__(
        self,
        outbox: Outbox,
        link: Link,
        delivery: Delivery,
        announcer: Announcer,
        *,
        clock: HomeClock,
        patience: Patience | None = None,
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._delivery = delivery
        self._announcer = announcer
        self._clock = clock
        self._alarms = HomeAlarms(monotonic_ms(), patience or Patience())
        self._sent: dict[Place, bytes] = {}
        """Of open alarms, for asking again what has become of them."""
        self._spare: Outbox | None = None
        self._spare_delivery: Delivery | None = None
        self._until_end = ExitStack()
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        with self._until_end:
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._announcer.run(), name="voice")
                await self._restore()
                await self._watch()

    def raise_alarm(self, alarm: Alarm, *, battery_percent: int | None) -> None:
        """Its place in the order is that of this call."""
        at = self._clock.now()
        is_clock_right = self._clock.is_right(at)

        def write(place: Place) -> bytes:
            raised = AlarmRaised(
                boot=place.boot,
                seq=place.seq,
                occurred_at=at,
                clock_ok=is_clock_right,
                trigger=alarm.trigger,
                device=alarm.device,
                place=alarm.place,
                battery_percent=battery_percent,
                is_test=alarm.is_test,
            )
            return raised.model_dump_json(exclude_none=True).encode()

        storing = self._begin_to_store(write)
        if self._group is not None:
            self._group.create_task(self._see_to(storing, write, alarm), name="alarm")

    def cancel_newest(self) -> None:
        """ "Jag tryckte fel": an event of its own, of the same boot as the alarm."""
        place = self._alarms.newest
        if place is not None and self._group is not None:
            self._group.create_task(self._cancel(place), name="mistake")

    async def receipted(self, receipt: Receipt) -> None:
        spare = self._spare
        if spare is not None and receipt.boot == spare.boot:
            await asyncio.wrap_future(spare.receipted(receipt))
        now_ms = monotonic_ms()
        for seq in receipt.seqs:
            self._tell(self._alarms.receipted(Place(receipt.boot, seq), now_ms))
        self.heard()

    def told(self, news: AlarmIs) -> None:
        """Of an alarm of another outbox nothing is known here."""
        spare = self._spare
        if news.boot == self._outbox.boot or (spare is not None and news.boot == spare.boot):
            place = Place(news.boot, news.seq)
            self._tell(self._alarms.told(place, news.state, news.by, monotonic_ms()))
            if news.state == "closed":
                self._sent.pop(place, None)
        self.heard()

    def heard(self) -> None:
        """Server and database answer."""
        self._link.heard()
        self._tell(self._alarms.heard(monotonic_ms()))

    def start_over(self) -> None:
        """The server may have missed anything, and so may we: an alarm that comes again is stored
        once, and answered with what has become of it.
        """
        if self._spare_delivery is not None:
            self._spare_delivery.start_over()
        self._sent = {p: said for p, said in self._sent.items() if self._alarms.is_open(p)}
        for place in self._alarms.arrived[-MOST_ASKED:]:
            if place in self._sent:
                self._link.send(Up.ALARM, self._sent[place])

    def is_urgent(self) -> bool:
        return self._alarms.waits_for_receipt()

    # --- storing -----------------------------------------------------------------------------

    def _begin_to_store(self, write: Callable[[Place], bytes]) -> Future[Place] | None:
        try:
            return self._outbox.put(Lane.ALARM, write)
        except DISK_FAULTS:
            return None

    async def _see_to(
        self, storing: Future[Place] | None, write: Callable[[Place], bytes], alarm: Alarm
    ) -> None:
        place = await self._stored(storing, write)
        is_on_disk = place is not None and self._outbox.is_durable
        if place is None:
            place = await self._kept_in_memory(write)
        self._sent[place] = write(place)
        is_safe = is_on_disk or self._link.connected.is_set()
        now_ms = monotonic_ms()
        self._tell(self._alarms.pressed(place, now_ms, is_test=alarm.is_test, is_safe=is_safe))
        self._delivery.wake()
        self._link.hurry()

    async def _stored(
        self, storing: Future[Place] | None, write: Callable[[Place], bytes]
    ) -> Place | None:
        """Where it stands on the disk; None when the disk does not take it."""
        place = await in_time(storing)
        if place is not None:
            return place
        log.error("an alarm could not be stored; trying harder")
        try:
            return await in_time(self._outbox.put_at_any_price(write))
        except (OSError, *DISK_FAULTS):
            return None

    async def _kept_in_memory(self, write: Callable[[Place], bytes]) -> Place:
        log.error("an alarm is in memory only")
        if self._spare is None or self._spare_delivery is None:
            self._spare = self._until_end.enter_context(Outbox(None, now=self._clock.now))
            self._spare_delivery = Delivery(self._spare, self._link)
            if self._group is not None:
                self._group.create_task(self._spare_delivery.run(), name="spare delivery")
        place = await asyncio.wrap_future(self._spare.put(Lane.ALARM, write))
        self._spare_delivery.wake()
        return place

    async def _cancel(self, alarm: Place) -> None:
        at = self._clock.now()
        is_clock_right = self._clock.is_right(at)

        def write(place: Place) -> bytes:
            cancelled = AlarmCancelled(
                boot=place.boot,
                seq=place.seq,
                occurred_at=at,
                clock_ok=is_clock_right,
                alarm=alarm.seq,
            )
            return cancelled.model_dump_json().encode()

        spare = self._spare
        outbox = spare if spare is not None and alarm.boot == spare.boot else self._outbox
        try:
            await asyncio.wrap_future(outbox.put(Lane.ALARM, write))
        except DISK_FAULTS:
            log.exception("a mistaken alarm stays unmarked")
            return
        self._tell(self._alarms.mistaken(alarm, monotonic_ms()))
        self._delivery.wake()
        if self._spare_delivery is not None:
            self._spare_delivery.wake()

    # --- telling -----------------------------------------------------------------------------

    async def _restore(self) -> None:
        """What an earlier run stored and nobody has receipted; one sentence for all of them."""
        effects: list[Effect] = []
        try:
            waiting = await asyncio.wrap_future(self._outbox.waiting(MOST_RESTORED))
            seqs = [event.seq for event in waiting if event.lane is Lane.ALARM]
            stored = await asyncio.wrap_future(self._outbox.payloads(seqs))
        except DISK_FAULTS:
            log.exception("waiting alarms cannot be read")
            return
        for seq, payload in stored:
            try:
                alarm = UP_ALARM.validate_json(payload)
            except ValidationError:
                continue
            if isinstance(alarm, AlarmRaised):
                place = Place(self._outbox.boot, seq)
                self._sent[place] = payload
                effects = self._alarms.pressed(place, monotonic_ms(), is_test=alarm.is_test)
        self._tell(effects)

    async def _watch(self) -> None:
        """Time alone has things to say; and a line that looks dead is left."""
        while True:
            now_ms = monotonic_ms()
            self._tell(self._alarms.tick(now_ms))
            await self._link.reconsider(
                silent_ms=now_ms - self._alarms.heard_at_ms,
                waiting_ms=self._alarms.waiting_ms(now_ms),
            )
            due_ms = self._alarms.due_ms(monotonic_ms())
            left_s = TICK_S if due_ms is None else (due_ms - monotonic_ms()) / 1000
            await asyncio.sleep(max(0.0, min(TICK_S, left_s)))

    def _tell(self, effects: list[Effect]) -> None:
        self._announcer.tell(effects)


async def in_time(storing: Future[Place] | None) -> Place | None:
    """None when the disk refuses, or is too slow; a job that has not begun is then undone."""
    if storing is None:
        return None
    try:
        async with asyncio.timeout(STORE_S):
            return await asyncio.wrap_future(storing)
    except (TimeoutError, *DISK_FAULTS):
        return None

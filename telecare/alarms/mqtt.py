"""up/alarm: a connection, a queue and a pool of its own, so that nothing stands before it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from pydantic import ValidationError

from telecare.alarms.arriving import Arrivals
from telecare.devices.model import Unit
from telecare.devices.mqtt import Genuine, Receipts, Send, Unsealing, not_taken
from telecare.devices.service import Devices
from telecare.devices.store import Reject
from telecare.runtime.broker import Message
from telecare.runtime.errors import TelecareError
from telecare.wire import edge
from telecare.wire.errors import Code
from telecare.wire.ids import TenantId

log = logging.getLogger(__name__)

LANE = "alarm"
SHARE = 50
"""Of what has come together, so much of each sender is looked at: more than a home has pressed."""


class AlarmLane:
    def __init__(
        self, unsealing: Unsealing, devices: Devices, arrivals: Arrivals, send: Send
    ) -> None:
        self._unsealing = unsealing
        self._devices = devices
        self._arrivals = arrivals
        self._send = send

    async def take(self, messages: Sequence[Message]) -> None:
        """One municipality's trouble is no other's. An unreachable database means no receipt: the
        units send again, every two seconds.
        """
        try:
            genuine = await self._unsealing.opened(in_turn(messages))
        except TelecareError as error:
            not_taken(error, LANE)
            return
        by_tenant: dict[TenantId, list[Genuine]] = {}
        for message in genuine:
            by_tenant.setdefault(message.unit.tenant, []).append(message)
        async with asyncio.TaskGroup() as group:
            for tenant, theirs in by_tenant.items():
                group.create_task(self._take(tenant, theirs), name="alarms of a municipality")

    async def _take(self, tenant: TenantId, messages: Sequence[Genuine]) -> None:
        try:
            receipts = await self._store(tenant, messages)
        except TelecareError as error:
            not_taken(error, LANE)
            return
        await receipts.send(self._send)

    async def _store(self, tenant: TenantId, messages: Sequence[Genuine]) -> Receipts:
        receipts = Receipts()
        said: list[tuple[Unit, edge.UnitAlarm]] = []
        rejects: list[Reject] = []
        for message in messages:
            try:
                said.append((message.unit, edge.UP_ALARM.validate_json(message.payload)))
            except ValidationError:
                rejects.append(message.refused(Code.MESSAGE_MALFORMED))
                receipts.add_place(message)
        if said:
            for unit, event in await self._arrivals.take_in(tenant, said):
                receipts.add(unit, event.boot, event.seq)
        if rejects:
            await self._devices.reject(rejects)
        return receipts


def in_turn(messages: Sequence[Message]) -> Sequence[Message]:
    """In their order, without what is more than a sender's share: nobody's alarm waits for a flood
    in one unit's name. What is left out has no receipt, so a real unit says it again.
    """
    of_sender: Counter[str] = Counter()
    taken = []
    for message in messages:
        of_sender[message.topic] += 1
        if of_sender[message.topic] <= SHARE:
            taken.append(message)
    if left_out := len(messages) - len(taken):
        log.warning("more than a unit's share of alarms", extra={"count": left_out})
    return taken

"""up/alarm: a connection, a queue and transactions of its own, so that nothing stands before it."""

import logging
from collections.abc import Sequence

from pydantic import ValidationError

from telecare.alarms.service import Alarms
from telecare.devices.model import Unit
from telecare.devices.mqtt import Genuine, Receipts, Send, Unsealing
from telecare.devices.service import Devices
from telecare.devices.store import Reject
from telecare.runtime.broker import Message
from telecare.runtime.errors import TelecareError
from telecare.runtime.log import tell_if_unrecorded
from telecare.wire import edge
from telecare.wire.errors import Code
from telecare.wire.ids import TenantId

log = logging.getLogger(__name__)


class AlarmLane:
    def __init__(self, unsealing: Unsealing, devices: Devices, alarms: Alarms, send: Send) -> None:
        self._unsealing = unsealing
        self._devices = devices
        self._alarms = alarms
        self._send = send

    async def take(self, messages: Sequence[Message]) -> None:
        """One municipality's trouble is no other's. An unreachable database means no receipt: the
        units send again, every two seconds.
        """
        try:
            genuine = await self._unsealing.opened(messages)
        except TelecareError as error:
            _tell(error)
            return
        by_tenant: dict[TenantId, list[Genuine]] = {}
        for message in genuine:
            by_tenant.setdefault(message.unit.tenant, []).append(message)
        for tenant, theirs in by_tenant.items():
            try:
                await self._take(tenant, theirs)
            except TelecareError as error:
                _tell(error)

    async def _take(self, tenant: TenantId, messages: Sequence[Genuine]) -> None:
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
            for unit, event in await self._alarms.take_in(tenant, said):
                receipts.add(unit, event.boot, event.seq)
        if rejects:
            await self._devices.reject(rejects)
        receipts.send(self._send)


def _tell(error: TelecareError) -> None:
    tell_if_unrecorded(error)
    log.error("alarms not stored", extra={"code": str(error.code)})

"""What home units say: opened (registry and seal), then handed to the use case of its lane.

Nothing is receipted before it is stored; what is malformed is counted, never obeyed.
"""

import logging
from collections.abc import Callable

from pydantic import BaseModel, ValidationError

from telecare.calls.liveness import Liveness
from telecare.calls.service import Calls
from telecare.devices.model import Unit
from telecare.devices.outgoing import Addressee, to_unit
from telecare.devices.service import Devices
from telecare.runtime.broker import Message, Publish
from telecare.runtime.errors import FieldInvalid, TelecareError
from telecare.runtime.log import tell_if_unrecorded
from telecare.wire import edge, seal, topics
from telecare.wire.errors import Code
from telecare.wire.ids import CallId, UnitId

log = logging.getLogger(__name__)


class Inbox:
    """One per process. `publish` sends receipts."""

    def __init__(
        self,
        devices: Devices,
        calls: Calls,
        liveness: Liveness,
        publish: Callable[[Publish], None],
    ) -> None:
        self._devices = devices
        self._calls = calls
        self._liveness = liveness
        self._publish = publish
        self._counters: dict[tuple[UnitId, topics.Up], int] = {}

    async def take(self, message: Message) -> None:
        """Refusals are logged by code; an unreachable database means no receipt."""
        try:
            await self._take(message)
        except TelecareError as error:
            tell_if_unrecorded(error)
            log.warning("message from a unit not carried out", extra={"code": str(error.code)})

    async def _take(self, message: Message) -> None:
        parsed = topics.parse_up(message.topic)
        if parsed is None:
            return
        unit_id, lane = parsed
        if not message.payload:
            return  # a cleared retained status
        if len(message.payload) > edge.MAX_PAYLOAD_BYTES:
            await self._devices.reject(message.topic, str(Code.SIGNAL_TOO_LARGE), message.payload)
            return
        unit = await self._devices.unit(unit_id)
        if unit is None:
            await self._devices.reject(message.topic, str(Code.UNIT_UNKNOWN), message.payload)
            await self._tell_revoked(message, unit_id, lane)
            return
        if not self._is_genuine(unit, message, lane):
            await self._devices.reject(message.topic, str(Code.SEAL_WRONG), message.payload)
            return
        try:
            await self._lane(unit, lane, message.payload)
        except (ValidationError, FieldInvalid):
            reason = str(Code.MESSAGE_MALFORMED)
            await self._devices.reject(message.topic, reason, message.payload)

    async def _tell_revoked(self, message: Message, unit_id: UnitId, lane: topics.Up) -> None:
        """A closed unit that was away when it was told hears it now. Of what it says only one
        thing is heeded: that it has wiped itself.
        """
        unit = await self._devices.revoked(unit_id)
        if unit is None or not self._is_genuine(unit, message, lane):
            return
        if lane is topics.Up.SIGNAL and _says_wiped(message.payload):
            await self._devices.wiped(unit)
        else:
            self._send(unit, topics.Down.CONFIG, edge.Wipe())

    def _is_genuine(self, unit: Unit, message: Message, lane: topics.Up) -> bool:
        """Sealed with the unit's key, and never taken before."""
        properties = list(message.properties)
        counter = seal.opened(unit.mac_key, message.topic, properties, message.payload)
        return counter is not None and self._is_newer(unit.id, lane, counter)

    def _is_newer(self, unit_id: UnitId, lane: topics.Up, counter: int) -> bool:
        """Replays are dropped; a retained status seen again after our restart is not one."""
        last = self._counters.get((unit_id, lane), -1)
        if counter <= last:
            return lane is topics.Up.STATUS and counter == last
        self._counters[unit_id, lane] = counter
        return True

    async def _lane(self, unit: Unit, lane: topics.Up, payload: bytes) -> None:
        match lane:
            case topics.Up.STATUS:
                await self._devices.status(unit, edge.UnitStatus.model_validate_json(payload))
            case topics.Up.SIGNAL:
                await self._signal(unit, edge.UP_SIGNAL.validate_json(payload))
            case topics.Up.EVENT | topics.Up.ALARM | topics.Up.VITAL:
                event = edge.UP_EVENT.validate_json(payload)
                await self._devices.event(unit, event)
                receipt = edge.Receipt(boot=event.boot, seqs=[event.seq])
                self._send(unit, topics.Down.RECEIPT, receipt)

    async def _signal(self, unit: Unit, signal: BaseModel) -> None:
        calls = self._calls
        match signal:
            case edge.UnitAnswered():
                await self._answered(unit, signal)
            case edge.UnitDeclined():
                await calls.decline(unit, CallId(signal.call_id))
            case edge.UnitHungUp():
                await calls.hang_up_at_home(unit, CallId(signal.call_id))
            case edge.UnitCallsIn():
                call_id = await calls.call_in(unit, signal.press)
                await self._rung_in(unit, call_id, signal)
            case edge.UnitSdp():
                await calls.signal(
                    unit,
                    CallId(signal.call_id),
                    generation=signal.n,
                    kind="answer",
                    body=signal.sdp,
                )
            case edge.UnitAlive():
                call_id = CallId(signal.call_id)
                if self._liveness.hear(call_id, unit, signal.stamp):
                    await calls.back(unit, call_id)
            case edge.UnitReport():
                if signal.what in ("first_frame", "dark", "lit"):
                    await calls.report(unit, CallId(signal.call_id), signal.what)

    async def _answered(self, unit: Unit, signal: edge.UnitAnswered) -> None:
        """Said again until it is opened: a repeat, and a call she began, only need the news."""
        call_id = CallId(signal.call_id)
        self._liveness.hear(call_id, unit, signal.stamp)
        if await self._calls.open_again(unit, call_id, signal.stamp):
            return
        await self._calls.answer(unit, call_id, by_itself=signal.by_itself, stamp=signal.stamp)

    async def _rung_in(self, unit: Unit, call_id: CallId, signal: edge.UnitCallsIn) -> None:
        ring = edge.Ring(
            call_id=call_id,
            caller="",
            from_unit="",
            language="sv",
            ring_s=180,
            press=signal.press,
        )
        self._send(unit, topics.Down.CALL, ring)

    def _send(self, unit: Unit, lane: topics.Down, message: BaseModel) -> None:
        self._publish(to_unit(Addressee(unit.id, unit.mac_key), lane, message))


def _says_wiped(payload: bytes) -> bool:
    try:
        return isinstance(edge.UP_SIGNAL.validate_json(payload), edge.UnitWiped)
    except ValidationError:
        return False

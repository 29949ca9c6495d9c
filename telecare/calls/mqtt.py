"""What home units say about themselves and about calls, handed to the use case of its lane."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from telecare.calls.liveness import Liveness
from telecare.calls.service import Calls
from telecare.devices.model import Unit
from telecare.devices.mqtt import Genuine, Send, Unsealing, not_taken, say
from telecare.devices.service import Devices
from telecare.runtime.broker import Message
from telecare.runtime.errors import FieldInvalid, TelecareError
from telecare.wire import edge, topics
from telecare.wire.errors import Code
from telecare.wire.ids import CallId


class Inbox:
    """up/status and up/signal, in their order. One per process."""

    def __init__(
        self,
        unsealing: Unsealing,
        devices: Devices,
        calls: Calls,
        liveness: Liveness,
        send: Send,
    ) -> None:
        self._unsealing = unsealing
        self._devices = devices
        self._calls = calls
        self._liveness = liveness
        self._send = send

    async def take(self, messages: Sequence[Message]) -> None:
        """Refusals are logged by code; what an unreachable database loses is said again."""
        try:
            genuine = await self._unsealing.opened(messages)
        except TelecareError as error:
            not_taken(error, "signal")
            return
        for message in genuine:
            try:
                await self._take(message)
            except TelecareError as error:
                not_taken(error, message.lane)

    async def _take(self, message: Genuine) -> None:
        try:
            await self._lane(message.unit, message.lane, message.payload)
        except (ValidationError, FieldInvalid):
            await self._devices.reject([message.refused(Code.MESSAGE_MALFORMED)])

    async def _lane(self, unit: Unit, lane: topics.Up, payload: bytes) -> None:
        if lane is topics.Up.STATUS:
            await self._devices.status(unit, edge.UnitStatus.model_validate_json(payload))
        elif lane is topics.Up.SIGNAL:
            await self._signal(unit, edge.UP_SIGNAL.validate_json(payload))

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
                    await calls.open_again(unit, call_id, signal.stamp)
            case edge.UnitReport():
                await self._reported(unit, signal)

    async def _reported(self, unit: Unit, signal: edge.UnitReport) -> None:
        call_id = CallId(signal.call_id)
        if signal.what in ("first_frame", "dark", "lit"):
            await self._calls.report(unit, call_id, signal.what)
        elif signal.what == "speaks":
            await self._calls.lets_speak(unit, call_id)
        elif signal.what == "stopped":
            await self._calls.stopped_at_home(unit, call_id)

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
        say(self._send, unit, topics.Down.CALL, ring)

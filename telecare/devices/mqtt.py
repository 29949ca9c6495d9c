"""What home units say, opened by registry and seal; and the lane of their events.

Nothing is receipted before it is stored; what is malformed is kept as a digest, counted, and
receipted, or it would come for ever. The lanes of calls and alarms begin with the same `Unsealing`.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel, ValidationError

from telecare.devices.ingest import Ingest
from telecare.devices.model import Unit
from telecare.devices.outgoing import Addressee, to_unit
from telecare.devices.service import Devices
from telecare.devices.store import Reject, StoredEvent
from telecare.runtime.broker import Message, Publish
from telecare.runtime.errors import FieldInvalid, TelecareError
from telecare.runtime.log import tell_if_unrecorded
from telecare.runtime.turns import by_turns
from telecare.wire import edge, seal, topics
from telecare.wire.errors import Code
from telecare.wire.ids import UnitId

log = logging.getLogger(__name__)

Send = Callable[[Publish], None]
Follow = Callable[[Unit, edge.UnitEvent], Awaitable[None]]
"""What else follows from an event that is stored; said again when the event comes again."""
MOST_IN_A_RECEIPT = 1_000
NUMBERED = frozenset({topics.Up.SIGNAL, topics.Up.STATUS})
"""Lanes where an old message would do harm. An event is stored once, however often it comes."""


@dataclass(frozen=True, slots=True)
class Genuine:
    """A message that a unit in the registry has sealed."""

    unit: Unit
    lane: topics.Up
    topic: str
    payload: bytes

    def refused(self, reason: Code) -> Reject:
        return refused(self.topic, self.payload, reason)


def refused(topic: str, payload: bytes, reason: Code) -> Reject:
    return Reject(topic[:200], str(reason), hashlib.sha256(payload).digest())


class Unsealing:
    """One per process: it remembers the newest number of each unit and lane."""

    def __init__(self, devices: Devices, send: Send) -> None:
        self._devices = devices
        self._send = send
        self._counters: dict[tuple[UnitId, topics.Up], int] = {}

    async def opened(self, messages: Sequence[Message]) -> Sequence[Genuine]:
        """Those that are genuine, in their order; one question to the registry for all of them,
        and one more about those that it does not know.

        Raises DatabaseUnavailable.
        """
        parsed = [(message, topics.parse_up(message.topic)) for message in messages]
        asked = {found[0] for message, found in parsed if found and message.payload}
        known = await self._devices.units(asked) if asked else {}
        strange = asked - known.keys()
        closed = await self._devices.revoked(strange) if strange else {}
        genuine, rejects = [], []
        async for message, found in by_turns(parsed):
            if found is None or not message.payload:
                continue  # another's topic, or a cleared retained status
            unit_id, lane = found
            unit = known.get(unit_id)
            if len(message.payload) > edge.MAX_PAYLOAD_BYTES:
                rejects.append(refused(message.topic, message.payload, Code.SIGNAL_TOO_LARGE))
            elif unit is None:
                rejects.append(refused(message.topic, message.payload, Code.UNIT_UNKNOWN))
                if unit_id in closed and self._is_genuine(closed[unit_id], message, lane):
                    await self._tell_closed(closed[unit_id], message, lane)
            elif not self._is_genuine(unit, message, lane):
                rejects.append(refused(message.topic, message.payload, Code.SEAL_WRONG))
            else:
                genuine.append(Genuine(unit, lane, message.topic, message.payload))
        if rejects:
            await self._devices.reject(rejects)
        return genuine

    async def _tell_closed(self, unit: Unit, message: Message, lane: topics.Up) -> None:
        """A closed unit that was away when it was told hears it now. Of what it says only one
        thing is heeded: that it has wiped itself.
        """
        if lane is topics.Up.SIGNAL and _says_wiped(message.payload):
            await self._devices.wiped(unit)
        else:
            say(self._send, unit, topics.Down.CONFIG, edge.Wipe())

    def _is_genuine(self, unit: Unit, message: Message, lane: topics.Up) -> bool:
        """Sealed with the unit's key, and never taken before."""
        properties = list(message.properties)
        counter = seal.opened(unit.mac_key, message.topic, properties, message.payload)
        return counter is not None and (
            lane not in NUMBERED or self._is_newer(unit.id, lane, counter)
        )

    def _is_newer(self, unit_id: UnitId, lane: topics.Up, counter: int) -> bool:
        """Replays are dropped; a retained status seen again after our restart is not one."""
        last = self._counters.get((unit_id, lane), -1)
        if counter <= last:
            return lane is topics.Up.STATUS and counter == last
        self._counters[unit_id, lane] = counter
        return True


class EventLane:
    """up/event and up/vital, stored together, then what follows from some of them; a camera record
    in its own transaction, which enters it in the log too.
    """

    def __init__(
        self, unsealing: Unsealing, devices: Devices, ingest: Ingest, follow: Follow, send: Send
    ) -> None:
        self._unsealing = unsealing
        self._follow = follow
        self._devices = devices
        self._ingest = ingest
        self._send = send

    async def take(self, messages: Sequence[Message]) -> None:
        """An unreachable database means no receipt: the units send again."""
        try:
            await self._take(await self._unsealing.opened(messages))
        except TelecareError as error:
            not_taken(error, "event")

    async def _take(self, messages: Sequence[Genuine]) -> None:
        receipts = Receipts()
        together: list[tuple[Unit, edge.UnitEvent]] = []
        rejects: list[Reject] = []
        async for message in by_turns(messages):
            try:
                event = edge.UP_EVENT.validate_json(message.payload)
                if isinstance(event, edge.CameraTurned):
                    await self._devices.camera_turned(message.unit, event)
                else:
                    together.append((message.unit, event))
            except (ValidationError, FieldInvalid):
                rejects.append(message.refused(Code.MESSAGE_MALFORMED))
                receipts.add_place(message)
            else:
                receipts.add(message.unit, event.boot, event.seq)
        if together:
            stored = [StoredEvent.of(unit, event) async for unit, event in by_turns(together)]
            await self._ingest.add(stored)
        for unit, event in together:
            await self._follow(unit, event)
        if rejects:
            await self._devices.reject(rejects)
        await receipts.send(self._send)


class Receipts:
    """What may be forgotten in the homes, said to each unit once."""

    def __init__(self) -> None:
        self._seqs: dict[tuple[UnitId, UUID], list[int]] = {}
        self._units: dict[UnitId, Unit] = {}

    def add_place(self, message: Genuine) -> None:
        """Of a malformed one, when it says where it stands."""
        try:
            place = edge.EventPlace.model_validate_json(message.payload)
        except ValidationError:
            return
        self.add(message.unit, place.boot, place.seq)

    def add(self, unit: Unit, boot: UUID, seq: int) -> None:
        self._units[unit.id] = unit
        self._seqs.setdefault((unit.id, boot), []).append(seq)

    async def send(self, send: Send) -> None:
        async for (unit_id, boot), seqs in by_turns(self._seqs.items()):
            for first in range(0, len(seqs), MOST_IN_A_RECEIPT):
                receipt = edge.Receipt(boot=boot, seqs=seqs[first : first + MOST_IN_A_RECEIPT])
                say(send, self._units[unit_id], topics.Down.RECEIPT, receipt)


def say(send: Send, unit: Unit, lane: topics.Down, message: BaseModel) -> None:
    send(to_unit(Addressee(unit.id, unit.mac_key), lane, message))


def not_taken(error: TelecareError, lane: str) -> None:
    """What was refused, or came while the database was away; of that a unit says all again."""
    tell_if_unrecorded(error)
    log.warning("not taken", extra={"code": str(error.code), "lane": lane})


def _says_wiped(payload: bytes) -> bool:
    try:
        return isinstance(edge.UP_SIGNAL.validate_json(payload), edge.UnitWiped)
    except ValidationError:
        return False

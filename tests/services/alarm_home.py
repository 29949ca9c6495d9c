"""A home unit as the server meets it: sealed messages in, what it is told out."""

from itertools import count
from uuid import uuid4

from telecare.access.model import Role
from telecare.alarms.arriving import Arrivals
from telecare.alarms.model import Closing
from telecare.alarms.mqtt import AlarmLane
from telecare.devices.mqtt import Unsealing
from telecare.runtime.broker import Message, Publish
from telecare.wire import edge, seal, topics


async def closing_of(world, made):
    """How an alarm is closed here: the municipality's lists, with one word each."""
    head = await world.staff("Hedda", role=Role.ENHETSCHEF)
    await made.lists.add(head, "cause", "Oavsiktligt larm")
    await made.lists.add(head, "measure", "Samtal")
    items = {item.list: item.id for item in await made.lists.items(head)}
    return Closing("resident", items["cause"], items["measure"])


class Home:
    """Ingrid's home unit, its line to the server, and what it is told."""

    def __init__(self, made, world, unit):
        self.made, self.world, self.unit, self.boot = made, world, unit, uuid4()
        self.said: list[Publish] = []
        self._numbers, self._seqs = count(1), count(1)
        self.lane = AlarmLane(
            Unsealing(made.devices, self.said.append),
            made.devices,
            Arrivals(made.database, made.clock),
            self.said.append,
        )

    def pressed(self, **more):
        values = {"seq": next(self._seqs), "occurred_at": self.world.now, "device": "armband",
                  "trigger": "button", "place": "sovrum", **more}  # fmt: skip
        return edge.AlarmRaised(boot=self.boot, **values)

    def cancelled(self, alarm):
        return edge.AlarmCancelled(
            boot=self.boot, seq=next(self._seqs), occurred_at=self.world.now, alarm=alarm.seq
        )

    def sealed(self, message):
        topic = topics.up(self.unit.id, topics.Up.ALARM)
        payload = message if isinstance(message, bytes) else message.model_dump_json().encode()
        properties = seal.seal(self.unit.mac_key, topic, next(self._numbers), payload)
        return Message(topic, payload, tuple(properties))

    async def say(self, *messages):
        await self.lane.take([self.sealed(one) for one in messages])

    async def press(self, **more):
        """One press, stored; the alarm's id."""
        event = self.pressed(**more)
        await self.say(event)
        rows = await self.world.rows(
            "select id from alarm where reference = $1", f"{self.boot}/{event.seq}"
        )
        return rows[0]["id"]

    @property
    def receipted(self):
        topic = topics.down(self.unit.id, topics.Down.RECEIPT)
        receipts = [edge.Receipt.model_validate_json(m.payload) for m in self.said
                    if m.topic == topic]  # fmt: skip
        return [seq for receipt in receipts for seq in receipt.seqs]

    def told(self, effects):
        """What it hears of its alarms: (state, by)."""
        topic = topics.down(self.unit.id, topics.Down.ALARM)
        heard = [edge.AlarmIs.model_validate_json(m.payload) for m in effects if m.topic == topic]
        return [(one.state, one.by) for one in heard]

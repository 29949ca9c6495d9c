"""Light homes on lines to the broker: says what they say, hears their receipts, says it again.

Many homes share a line: what a broker pays for each connection is not simulated.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import ValidationError

from telecare.load.homes import LightHome
from telecare.runtime.broker import Broker, Message, Publish
from telecare.runtime.clock import Clock
from telecare.runtime.errors import CannotStart
from telecare.runtime.tasks import running
from telecare.wire import edge, topics

HOMES_ON_A_LINE = 250
UP_S = 15.0
POLL_S = 0.05
RESEND_LOOK_S = 0.5


class BrokerUnreachable(CannotStart):
    """TELECARE_MQTT_URL leads to no broker that answers."""


@dataclass(slots=True)
class Counts:
    """`delays_s`: from the first time something was said to its receipt."""

    said: int = 0
    said_again: int = 0
    delays_s: dict[topics.Up, list[float]] = field(
        default_factory=lambda: {topics.Up.ALARM: [], topics.Up.EVENT: []}
    )

    @property
    def receipted(self) -> int:
        return sum(len(delays) for delays in self.delays_s.values())


class Line:
    """One connection, and the homes that share it."""

    def __init__(self, url: str, homes: Sequence[LightHome], counts: Counts) -> None:
        self.homes = homes
        self._by_topic = {topics.down(home.unit, topics.Down.RECEIPT): home for home in homes}
        self._counts = counts
        self.broker = Broker(url, list(self._by_topic), self._take)

    def send(self, message: Publish) -> None:
        """Lost while the line is down: what matters is said again."""
        if self.broker.is_up:
            self.broker.publish(message)

    def resend(self) -> None:
        for home in self.homes:
            for message in home.due(time.monotonic()):
                self._counts.said_again += 1
                self.send(message)

    async def _take(self, messages: Sequence[Message]) -> None:
        for message in messages:
            home = self._by_topic.get(message.topic)
            try:
                receipt = edge.Receipt.model_validate_json(message.payload)
            except ValidationError:
                continue
            if home is not None:
                for lane, delay_s in home.receipted(receipt, time.monotonic()):
                    self._counts.delays_s[lane].append(delay_s)


class Fleet:
    """Made by `fleet_of`."""

    def __init__(self, url: str, homes: Sequence[LightHome], clock: Clock) -> None:
        self.homes = homes
        self.counts = Counts()
        self._clock = clock
        self.lines = [
            Line(url, homes[first : first + HOMES_ON_A_LINE], self.counts)
            for first in range(0, len(homes), HOMES_ON_A_LINE)
        ]

    def door(self, number: int) -> None:
        self._say(number, self.homes[number].door(self._clock.now(), time.monotonic()))

    def press(self, number: int, *, device: str = "button") -> None:
        home = self.homes[number]
        self._say(number, home.press(self._clock.now(), time.monotonic(), device=device))

    def status(self, number: int) -> None:
        self._line(number).send(self.homes[number].status(time.monotonic()))

    @property
    def waiting(self) -> int:
        """Without a receipt."""
        return sum(len(home.waiting) for home in self.homes)

    async def receipted_all(self) -> None:
        """Until nothing waits; the caller sets the limit."""
        while self.waiting:  # noqa: ASYNC110 - of thousands of homes
            await asyncio.sleep(POLL_S)

    async def resend(self) -> None:
        """For the life of the fleet."""
        while True:
            for line in self.lines:
                line.resend()
            await asyncio.sleep(RESEND_LOOK_S)

    async def up(self) -> None:
        """Until every line is; the caller sets the limit."""
        while not all(line.broker.is_up for line in self.lines):  # noqa: ASYNC110 - paho tells nobody
            await asyncio.sleep(POLL_S)

    def _say(self, number: int, message: Publish) -> None:
        self.counts.said += 1
        self._line(number).send(message)

    def _line(self, number: int) -> Line:
        return self.lines[number // HOMES_ON_A_LINE]


@asynccontextmanager
async def fleet_of(url: str, homes: Sequence[LightHome], clock: Clock) -> AsyncIterator[Fleet]:
    """Connected for the life of the block. Raises BrokerUnreachable."""
    await _answers(url)
    fleet = Fleet(url, homes, clock)
    lines = {f"line-{number}": line.broker.run() for number, line in enumerate(fleet.lines)}
    async with running(resend=fleet.resend(), **lines):
        async with asyncio.timeout(UP_S):
            await fleet.up()
        yield fleet


async def _answers(url: str) -> None:
    """Raises BrokerUnreachable."""
    address = urlsplit(url)
    try:
        async with asyncio.timeout(UP_S):
            _, writer = await asyncio.open_connection(address.hostname, address.port or 1883)
    except (OSError, TimeoutError) as error:
        raise BrokerUnreachable(f"{address.hostname}:{address.port or 1883}") from error
    writer.close()

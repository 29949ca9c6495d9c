"""Receives SIA DC-09 over TCP and UDP: ACK when what it said has been stored, and never before."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from telecare.alarms.receivers import dc09
from telecare.alarms.receivers.arrived import (
    NEVER_LOST,
    Address,
    Arrived,
    Claim,
    Desk,
    Profile,
    Refused,
)
from telecare.alarms.receivers.doubted import Doubted
from telecare.alarms.receivers.limits import Counts, Limits
from telecare.alarms.receivers.ports import Endpoint, Port, Ports, Route, Speech
from telecare.alarms.receivers.shares import Allowance, Shares
from telecare.runtime.clock import Clock
from telecare.runtime.errors import DatabaseUnavailable
from telecare.runtime.tasks import Errands

log = logging.getLogger(__name__)

DC09 = Speech(dc09.read_datagram, dc09.Frames)
TICK_S = 0.5
STORED_WITHIN_S = 20.0
"""After that the unit has sent it again."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A frame that came whole, from whom, and what is known of that unit."""

    frame: dc09.Frame
    route: Route
    claim: Claim
    raw: bytes

    def answer(self, reply: bytes) -> None:
        self.route.send(reply, self.route.source)


class Dc09Receiver:
    """`seconds` never go back; `clock` is what units' times are held against."""

    def __init__(
        self,
        ports: Sequence[Port],
        desk: Desk,
        *,
        errands: Errands,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._desk = desk
        self._errands = errands
        self._clock = clock
        self._seconds = seconds
        self._shares = Shares(self._limits.shares)
        self._treating = 0
        self.counts = Counts()
        self._doubted = Doubted(
            desk, errands, self.counts, seconds=seconds, capacity=self._limits.unproven
        )
        self._ports = Ports(
            ports, DC09, self._heard, clock=seconds, connections=self._limits.connections
        )

    async def run(self) -> None:
        """For the life of the process."""
        await self._ports.run(self.tick, TICK_S)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[list[Endpoint]]:
        """Listen; the ports' addresses, in their order."""
        async with self._ports.open() as endpoints:
            yield endpoints

    def tick(self) -> None:
        self._ports.sweep()
        self._doubted.hand_over_due()

    def _heard(self, raw: bytes, route: Route) -> None:
        if self._treating >= self._limits.messages:
            self._leave(route)
            return
        self._treating += 1
        self._errands.start(self._treat(raw, route), name="dc09 message", failed=self._failed)

    def _failed(self) -> None:
        self.counts.untreated += 1

    def _leave(self, route: Route) -> None:
        """No answer: the unit sends it again."""
        self.counts.untreated += 1
        route.hang_up()

    async def _treat(self, raw: bytes, route: Route) -> None:
        try:
            async with asyncio.timeout(STORED_WITHIN_S):
                await self._read(raw, route)
        except (DatabaseUnavailable, TimeoutError):
            log.warning("message not stored, unit left without an answer")
            self._leave(route)
        finally:
            self._treating -= 1

    async def _read(self, raw: bytes, route: Route) -> None:
        try:
            frame = dc09.read(raw)
        except dc09.Dc09Malformed:
            self._ports.malformed += 1
            return
        except dc09.Dc09Refused as error:
            if self._has_share(route, "", self._limits.unknown):
                await self._refuse_it(raw, route, "", error.reason)
            return
        account = frame.account.upper()
        source = ip_address(route.source[0].partition("%")[0])
        said = _Said(frame, route, Claim("dc09", route.port.name, "", account, source), raw)
        is_test = frame.token in dc09.LINK_TESTS
        share = self._limits.others if is_test else self._limits.alarms
        if self._has_share(route, f"{account} {is_test}", share):
            await self._open(said)

    async def _open(self, said: _Said) -> None:
        profile = await self._desk.look_up(said.claim)
        if profile is None and not self._has_share(said.route, "", self._limits.unknown):
            return
        key = profile.key if profile is not None else None
        try:
            content = dc09.opened(said.frame, key)
        except dc09.Dc09Refused as error:
            await self._refuse_it(said.raw, said.route, said.claim.account, error.reason)
            is_key = error.reason.startswith("dc09_key")
            said.answer(dc09.nak(self._clock.now()) if is_key else dc09.duh(said.frame))
            return
        await self._take(said, content, profile)

    async def _take(self, said: _Said, content: dc09.Content, profile: Profile | None) -> None:
        is_timely = dc09.is_timely(content, self._clock.now())
        is_proven = is_timely and _is_proven(said.frame, said.claim.source, profile)
        arrived = dc09.understood(said.frame, content, said.claim, is_proven=is_proven)
        if not is_timely:
            self._answer_untimely(said, arrived)
            return
        self._doubted.settled(arrived)
        answer = await self._desk.receive(arrived)
        self.counts.stored(is_repeat=answer.is_repeat, is_proven=is_proven)
        key = profile.key if profile is not None else None
        if answer.is_known:
            said.answer(dc09.ack(said.frame, key, self._clock.now()))
        else:
            said.answer(dc09.duh(said.frame))

    def _answer_untimely(self, said: _Said, arrived: Arrived) -> None:
        """An old message sent again by somebody else, or a unit that does not know the time. The
        latter hears it now; if it stays silent its alarm is handed over as unproven.
        """
        if arrived.kind in NEVER_LOST and not self._doubted.wait_for(arrived):
            self._leave(said.route)
            return
        self.counts.doubted += 1
        said.answer(dc09.nak(self._clock.now()))

    async def _refuse_it(self, raw: bytes, route: Route, account: str, reason: str) -> None:
        source = ip_address(route.source[0].partition("%")[0])
        await self._desk.refuse(Refused("dc09", route.port.name, source, account, reason, raw))
        self.counts.refused += 1

    def _has_share(self, route: Route, whose: str, allowance: Allowance) -> bool:
        """If not, it is not answered, and comes again."""
        key = (route.port.name, route.source[0], whose)
        if self._shares.take(key, allowance, self._seconds()):
            return True
        self.counts.flooded += 1
        return False


def _is_proven(frame: dc09.Frame, source: Address, profile: Profile | None) -> bool:
    if profile is None:
        return False
    if profile.key is not None:
        return frame.is_encrypted
    return any(source in network for network in profile.networks)

"""Receives SCAIP: a unit is answered when what it said has been stored, and never before.

A unit gets its `<mrs>` in a MESSAGE of its own or in the 200, as its profile says. What a database
out of reach leaves unanswered the unit sends again. Voice is the municipality's exchange's.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from telecare.alarms.receivers import scaip, sip, sip_digest
from telecare.alarms.receivers.arrived import NEVER_LOST, Arrived, Desk, Profile, Refused
from telecare.alarms.receivers.asks import Ask, read_ask
from telecare.alarms.receivers.doubted import Doubted
from telecare.alarms.receivers.limits import Counts, Limits
from telecare.alarms.receivers.ports import Endpoint, Port, Ports, Route, Speech
from telecare.alarms.receivers.shares import Allowance, Shares
from telecare.alarms.receivers.sip_transactions import (
    LIFE_S,
    ClientTransactions,
    ServerTransactions,
)
from telecare.runtime.errors import DatabaseUnavailable
from telecare.runtime.tasks import Errands

log = logging.getLogger(__name__)

SIP = Speech(sip.read_datagram, sip.Frames)
TICK_S = 0.1
METHODS = "MESSAGE, OPTIONS"
BODIES = frozenset({scaip.CONTENT_TYPE, "application/xml", "text/xml"})
RETRY_AFTER = (("retry-after", "5"),)


class ScaipReceiver:
    """`clock`: seconds that never go back. `tick` does what time brings, ten times a second."""

    def __init__(
        self,
        ports: Sequence[Port],
        desk: Desk,
        *,
        errands: Errands,
        realm: str = "telecare",
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._desk = desk
        self._errands = errands
        self._realm = realm
        self._clock = clock
        self._nonces = sip_digest.Nonces(secrets.token_bytes(32))
        self._served = ServerTransactions(self._limits.messages)
        self._asked: ClientTransactions[tuple[Route, Endpoint]] = ClientTransactions(
            self._limits.messages
        )
        self._shares = Shares(self._limits.shares)
        self.counts = Counts()
        self._doubted = Doubted(
            desk, errands, self.counts, seconds=clock, capacity=self._limits.unproven
        )
        self._ports = Ports(
            ports, SIP, self._heard, clock=clock, connections=self._limits.connections
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
        now = self._clock()
        for (route, to), request in self._asked.due(now):
            route.send(request, to)
        self._served.sweep(now)
        self._ports.sweep()
        self._doubted.hand_over_due()

    def _heard(self, message: sip.Message, route: Route) -> None:
        try:
            via = sip.read_via(message.headers.get("via"))
            if isinstance(message, sip.Response):
                self._asked.answered(via.branch, message.status)
                return
            ask = read_ask(message, route, via)
        except sip.SipMalformed:
            self._ports.malformed += 1
            return
        self._begin(ask)

    def _begin(self, ask: Ask) -> None:
        if (before := self._served.answer_to(ask.key)) is not None:
            self.counts.retransmitted += 1
            ask.route.send(before, ask.to)
            return
        match ask.request.method:
            case "MESSAGE":
                self._begin_message(ask)
            case "ACK":
                pass
            case "OPTIONS":
                self._answer(ask, 200, (("allow", METHODS), ("accept", scaip.CONTENT_TYPE)))
            case "CANCEL":
                self._answer(ask, 481)
            case _:
                self._answer(ask, 405, (("allow", METHODS),))

    def _begin_message(self, ask: Ask) -> None:
        match self._served.begin(ask.key, self._clock()):
            case "begun":
                self._errands.start(
                    self._treat(ask), name="scaip message", failed=lambda: self._forget(ask)
                )
            case "full":
                self._leave(ask)
            case "running":
                self.counts.retransmitted += 1

    async def _treat(self, ask: Ask) -> None:
        try:
            async with asyncio.timeout(LIFE_S):
                await self._read(ask)
        except (DatabaseUnavailable, TimeoutError):
            log.warning("message not stored, unit left without an answer")
            self._leave(ask)

    def _leave(self, ask: Ask) -> None:
        """No answer: it is sent again by datagram, or on the unit's next connection."""
        self._forget(ask)
        ask.route.hang_up()

    def _forget(self, ask: Ask) -> None:
        self.counts.untreated += 1
        self._served.forget(ask.key)

    async def _read(self, ask: Ask) -> None:
        kind = ask.request.headers.get("content-type").partition(";")[0].strip().lower()
        if kind not in BODIES and not ask.request.body.lstrip().startswith(b"<"):
            self._answer(ask, 415, (("accept", scaip.CONTENT_TYPE),))
            return
        try:
            mrq = scaip.read(ask.request.body)
        except scaip.ScaipRefused as error:
            await self._refuse_it(ask, error)
            return
        await self._take(ask, mrq)

    async def _refuse_it(self, ask: Ask, error: scaip.ScaipRefused) -> None:
        if not self._has_share(ask, "", self._limits.unknown):
            return
        profile = await self._desk.look_up(ask.claim(error.cid)) if error.cid else None
        await self._desk.refuse(
            Refused(
                "scaip",
                ask.route.port.name,
                ask.source,
                error.cid,
                error.reason,
                ask.request.body[: scaip.MAX_BYTES],
            )
        )
        self.counts.refused += 1
        if error.ref:
            self._reply(ask, scaip.Mrs(error.ref, error.snu), profile)
        else:
            self._answer(ask, 400)

    async def _take(self, ask: Ask, mrq: scaip.Mrq) -> None:
        claim = ask.claim(mrq.cid)
        unproven = scaip.understood(mrq, claim, is_proven=False)
        is_urgent = unproven.kind in NEVER_LOST
        share = self._limits.alarms if is_urgent else self._limits.others
        if not self._has_share(ask, f"{claim.domain} {mrq.cid} {is_urgent}", share):
            return
        profile = await self._desk.look_up(claim)
        if profile is None and not self._has_share(ask, "", self._limits.unknown):
            return
        proof = self._proof(ask, mrq, profile)
        if profile is not None and proof in {"missing", "stale"}:
            self._challenge(ask, unproven, profile, stale=proof == "stale")
            return
        is_proven = proof == "proven"
        self._doubted.settled(unproven)
        arrived = scaip.understood(mrq, claim, is_proven=is_proven)
        answer = await self._desk.receive(arrived)
        self.counts.stored(is_repeat=answer.is_repeat, is_proven=is_proven)
        self._reply(ask, scaip.answered(mrq, arrived, answer), profile)

    def _proof(self, ask: Ask, mrq: scaip.Mrq, profile: Profile | None) -> str:
        """Of a unit with a password, that; of another, its network and its name in From."""
        if profile is None:
            return "none"
        if profile.password is None:
            is_there = any(ask.source in network for network in profile.networks)
            return "proven" if is_there and ask.from_user == mrq.cid else "none"
        try:
            given = sip_digest.read(ask.request.headers.get("authorization"))
        except sip.SipMalformed:
            return "missing"
        is_asked = given.username == mrq.cid and given.algorithm == profile.digest
        is_right = is_asked and sip_digest.is_right(
            given, method="MESSAGE", realm=self._realm, password=profile.password
        )
        if not is_right:
            return "missing"
        is_good = self._nonces.is_good(
            given.nonce, self._clock(), source=ask.route.source[0], body=ask.request.body
        )
        return "proven" if is_good else "stale"

    def _challenge(self, ask: Ask, arrived: Arrived, profile: Profile, *, stale: bool) -> None:
        now = self._clock()
        if arrived.kind in NEVER_LOST and not self._doubted.wait_for(arrived):
            self._leave(ask)
            return
        self.counts.doubted += 1
        nonce = self._nonces.give(now, source=ask.route.source[0], body=ask.request.body)
        asked = sip_digest.challenge(self._realm, nonce, algorithm=profile.digest, stale=stale)
        self._answer(ask, 401, (asked,))

    def _has_share(self, ask: Ask, whose: str, allowance: Allowance) -> bool:
        """If not, it is told to come again; nothing is stored."""
        key = (ask.route.port.name, ask.route.source[0], whose)
        if self._shares.take(key, allowance, self._clock()):
            return True
        self.counts.flooded += 1
        self._answer(ask, 503, RETRY_AFTER)
        return False

    def _reply(self, ask: Ask, mrs: scaip.Mrs, profile: Profile | None) -> None:
        body = scaip.write(mrs)
        if profile is not None and profile.scaip_reply == "in_200":
            self._answer(ask, 200, (("content-type", scaip.CONTENT_TYPE),), body)
            return
        self._answer(ask, 200)
        branch = sip.MAGIC + secrets.token_hex(12)
        request = sip.write(ask.our_message(branch, body, scaip.CONTENT_TYPE))
        self._asked.begin(
            branch,
            (ask.route, ask.to),
            request,
            is_reliable=ask.route.is_reliable,
            now=self._clock(),
        )
        ask.route.send(request, ask.to)

    def _answer(
        self,
        ask: Ask,
        status: int,
        more: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> None:
        response = sip.answer(
            ask.request, status, tag=ask.tag, source=ask.route.source, more=more, body=body
        )
        data = sip.write(response)
        self._served.answered(ask.key, data, self._clock())
        ask.route.send(data, ask.to)

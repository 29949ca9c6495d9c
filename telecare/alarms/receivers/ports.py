"""The ports units speak to: UDP, TCP and TLS. Reads messages off them and nothing more."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar, cast

from telecare.alarms.receivers.arrived import Unreadable
from telecare.runtime.errors import CannotStart
from telecare.wire import tcp

log = logging.getLogger(__name__)

READ_BYTES = 16_384
UNSENT_BYTES = 262_144
"""A unit that does not read its answers is hung up on."""
HALF_READ_S = 30.0
"""A message that has begun must have ended by then."""
KEEP_ALIVE = b"\r\n"
Endpoint = tuple[str, int]
Transport = Literal["udp", "tcp", "tls"]
M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)


class NoCertificate(CannotStart):
    """A port for TLS has no certificate, and is not opened without one."""


@dataclass(frozen=True, slots=True)
class Port:
    """`name` is what tells whose receiver it is. `number` 0: whichever is free. `tls` is TLS's."""

    name: str
    transport: Transport
    host: str
    number: int
    tls: ssl.SSLContext | None = None


class Route(Protocol):
    """Where a message came from, and its answer goes."""

    port: Port
    here: Endpoint
    source: Endpoint
    is_reliable: bool

    def send(self, data: bytes, to: Endpoint) -> None:
        """To `to` by datagram, else on the connection; lost if that is gone."""
        ...

    def hang_up(self) -> None:
        """End the connection if there is one: the unit then knows that nothing will come."""
        ...


class Pieces(Protocol[M_co]):
    """Messages out of one stream."""

    @property
    def is_between(self) -> bool:
        """Nothing is half read."""
        ...

    def feed(self, piece: bytes) -> Iterator[M_co | None]:
        """What is whole by now; None is a keep-alive that wants its answer. Raises Unreadable."""
        ...


@dataclass(frozen=True, slots=True)
class Speech(Generic[M]):
    """How a protocol's messages are found in datagrams and in streams."""

    datagram: Callable[[bytes], M]
    """Raises Unreadable."""
    stream: Callable[[], Pieces[M]]


class Ports(Generic[M]):
    """At most `connections` at a time: the one silent longest is hung up on for a new one."""

    def __init__(
        self,
        ports: Sequence[Port],
        speech: Speech[M],
        heard: Callable[[M, Route], None],
        *,
        clock: Callable[[], float],
        connections: int,
    ) -> None:
        self._ports = ports
        self._speech = speech
        self._heard = heard
        self._clock = clock
        self._connections = connections
        self._lines: dict[int, _Line] = {}
        self.malformed = 0
        """Datagrams and connections that nobody could read. The internet is full of them."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[list[Endpoint]]:
        """Their addresses, in order of the ports."""
        async with AsyncExitStack() as stack:
            stack.callback(self._hang_up_all)
            yield [await self._open(port, stack) for port in self._ports]

    async def run(self, tick: Callable[[], None], pause_s: float) -> None:
        """Listen for the life of the process; `tick` does what time brings."""
        async with self.open():
            while True:
                tick()
                await asyncio.sleep(pause_s)

    def sweep(self) -> None:
        """Hang up on who has begun a message and does not end it."""
        now = self._clock()
        for line in list(self._lines.values()):
            if line.half_since is not None and now - line.half_since >= HALF_READ_S:
                line.hang_up()

    async def _open(self, port: Port, stack: AsyncExitStack) -> Endpoint:
        loop = asyncio.get_running_loop()
        if port.transport == "udp":
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(port, self._datagram), local_addr=(port.host, port.number)
            )
            stack.callback(transport.close)
            return _endpoint(transport.get_extra_info("sockname"))

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._talk(port, reader, writer)

        tls = port.tls if port.transport == "tls" else None
        if port.transport == "tls" and tls is None:
            raise NoCertificate(port.name)
        server = await asyncio.start_server(connected, port.host, port.number, ssl=tls)
        stack.callback(server.close)
        return _endpoint(server.sockets[0].getsockname())

    def _datagram(self, data: bytes, route: Route) -> None:
        if not data.strip(b"\r\n\0"):
            return  # a keep-alive (RFC 5626 §3.5)
        try:
            message = self._speech.datagram(data)
        except Unreadable:
            self.malformed += 1
            return
        self._heard(message, route)

    async def _talk(
        self, port: Port, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if writer.get_extra_info("peername") is None:  # gone before it was here
            writer.close()
            return
        tcp.send_at_once(writer.get_extra_info("socket"))
        line = _Line(port, writer, self._clock())
        self._make_room()
        self._lines[id(line)] = line
        try:
            await self._read(line, reader)
        except Unreadable:
            self.malformed += 1
        except OSError:
            pass  # it hung up; TLS faults are of this kind too
        finally:
            self._lines.pop(id(line), None)
            writer.close()

    async def _read(self, line: "_Line", reader: asyncio.StreamReader) -> None:
        pieces = self._speech.stream()
        while piece := await reader.read(READ_BYTES):
            now = self._clock()
            line.heard_at = now
            for message in pieces.feed(piece):
                if message is None:
                    line.send(KEEP_ALIVE, line.source)
                else:
                    self._heard(message, line)
                    line.half_since = None
            line.half_since = None if pieces.is_between else line.half_since or now

    def _make_room(self) -> None:
        if len(self._lines) >= self._connections:
            quietest = min(self._lines.values(), key=lambda line: line.heard_at)
            self._lines.pop(id(quietest)).hang_up()

    def _hang_up_all(self) -> None:
        for line in list(self._lines.values()):
            line.hang_up()


class _Datagram:
    is_reliable = False

    def __init__(
        self, port: Port, transport: asyncio.DatagramTransport, here: Endpoint, source: Endpoint
    ) -> None:
        self.port = port
        self.here = here
        self.source = source
        self._transport = transport

    def send(self, data: bytes, to: Endpoint) -> None:
        with contextlib.suppress(OSError):
            self._transport.sendto(data, to)

    def hang_up(self) -> None:
        """There is nothing to hang up: it will send again."""


class _Line:
    is_reliable = True

    def __init__(self, port: Port, writer: asyncio.StreamWriter, now: float) -> None:
        self.port = port
        self.here = _endpoint(writer.get_extra_info("sockname"))
        self.source = _endpoint(writer.get_extra_info("peername"))
        self.heard_at = now
        self.half_since: float | None = None
        self._writer = writer

    def send(self, data: bytes, to: Endpoint) -> None:  # noqa: ARG002 - the connection knows
        if self._writer.is_closing():
            return
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            self.hang_up()

    def hang_up(self) -> None:
        self._writer.transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, port: Port, heard: Callable[[bytes, Route], None]) -> None:
        self._port = port
        self._heard = heard
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own class is none by inheritance, only by what it does
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None  # noqa: S101 - made before anything is received
        here = _endpoint(self._transport.get_extra_info("sockname"))
        self._heard(data, _Datagram(self._port, self._transport, here, _endpoint(addr)))


def _endpoint(address: tuple[str, int]) -> Endpoint:
    """Without IPv6's flow and scope."""
    return address[0], address[1]

"""Which port to listen on, said before anything else is started."""

import contextlib
import socket

from telecare.runtime.errors import CannotStart

FIRST_PORT = 8080
PORTS = 50


class PortTaken(CannotStart):
    """Something listens on that port; --port names another."""


def free_port(asked: int) -> int:
    """The port asked for, or (0) the first free one from 8080. Raises PortTaken."""
    for port in [asked] if asked else range(FIRST_PORT, FIRST_PORT + PORTS):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise PortTaken(str(asked or FIRST_PORT))

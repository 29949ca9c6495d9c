"""Ports for servers of tests that run beside the flows, which take theirs from 8080 on: two that
look at the same moment would find the same one.
"""

import contextlib

from telecare.runtime.ports import PortTaken, free_port

FIRST = 8200
PORTS = 50


def port_beside_the_flows() -> int:
    """The first free one from 8200. Raises PortTaken."""
    for port in range(FIRST, FIRST + PORTS):
        with contextlib.suppress(PortTaken):
            return free_port(port)
    raise PortTaken(str(FIRST))

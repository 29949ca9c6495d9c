"""TCP as small messages need it. Without this the second of two messages waits 40 ms: Nagle's
algorithm (RFC 896) holds it until the first is acknowledged, and acknowledgements are delayed
(RFC 1122 §4.2.3.2).
"""

import contextlib
import socket


def send_at_once(line: object) -> None:
    """Once, when the connection `line` is made (paho names no public type for it)."""
    if isinstance(line, socket.socket):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def acknowledge_at_once(line: object) -> None:
    """After each message that came: the other side may hold its next one back (a broker whose
    Nagle's algorithm is on). The system forgets the setting by itself, tcp(7).
    """
    if isinstance(line, socket.socket):
        with contextlib.suppress(OSError):  # the connection may be gone
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

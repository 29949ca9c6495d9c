"""Consoles that open the staff socket and never read, and what they cost the server."""

import json
import socket
from pathlib import Path
from uuid import UUID


def deaf_client(port: int, *, origin: str, cookie: str, unit: UUID) -> socket.socket:
    """Subscribed to the board like any console; from then on nobody reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(
        (
            f"GET /ws/staff HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: {origin}\r\n"
            f"Cookie: {cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ).encode()
    )
    assert client.recv(12) == b"HTTP/1.1 101"
    frame = json.dumps({"type": "subscribe", "view": "today", "unit": str(unit)}).encode()
    assert len(frame) < 126
    client.sendall(bytes([0x81, 0x80 | len(frame), 0, 0, 0, 0]) + frame)  # RFC 6455 §5.2
    return client


def memory_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def held(port: int, clients: list[socket.socket]) -> int:
    """How many of them the server still has a connection with (proc(5), net/tcp)."""
    theirs = {client.getsockname()[1] for client in clients}
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        here, there = (int(address.split(":")[1], 16) for address in fields[1:3])
        count += here == port and there in theirs and fields[9] != "0"
    return count

"""Looks for bytes in files and in the memory of processes, and for what a process has open."""

import contextlib
import os
import re
import socket
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

CHUNK_BYTES = 16 * 1024 * 1024
ETH_P_ALL = 3
SO_RCVBUF_BYTES = 8 * 1024 * 1024
IP_HEADER = 14
UDP = 17
RTP_HEADER_BYTES = 12
PIECE_BYTES = 24


def found_in(blocks: Iterable[bytes], patterns: list[bytes]) -> set[bytes]:
    """Which of the patterns occur, also across the seam of two blocks that follow each other."""
    longest = max(len(one) for one in patterns)
    found: set[bytes] = set()
    tail = b""
    for block in blocks:
        joined = tail + block
        found |= {one for one in patterns if one in joined}
        tail = joined[-longest:]
    return found


def memory(pid: int) -> Iterator[bytes]:
    """Everything a process of ours can read of itself (proc(5)); files it has mapped too."""
    areas = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r")
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as mem:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            if (area := areas.match(line)) is None or "[v" in line:
                continue
            start, end = (int(number, 16) for number in area.groups())
            with contextlib.suppress(OSError):  # a page that is gone, or no memory at all
                for at in range(start, end, CHUNK_BYTES):
                    yield os.pread(mem.fileno(), min(CHUNK_BYTES, end - at), at)


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def content(path: Path) -> Iterator[bytes]:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while block := file.read(CHUNK_BYTES):
            yield block


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def loaded(pid: int, *libraries: str) -> list[str]:
    """Which of these a process has mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return [one for one in libraries if one in maps]


def udp_sockets(pid: int) -> int:
    """How many UDP sockets a process has open."""
    listed = "".join(Path(f"/proc/{pid}/net/{name}").read_text() for name in ("udp", "udp6"))
    inodes = {line.split()[9] for line in listed.splitlines() if ":" in line.split()[0]}
    own = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            own += str(link.readlink()).removeprefix("socket:[").rstrip("]") in inodes
    return own


@contextlib.contextmanager
def tapped_line() -> Iterator[socket.socket]:
    """All that goes over this network namespace's loopback; needs its root."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as tap:
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SO_RCVBUF_BYTES)
        tap.bind(("lo", 0))
        tap.settimeout(10)
        yield tap


def media_pieces(tap: socket.socket, count: int) -> list[bytes]:
    """Pieces out of encrypted RTP packets (RFC 3711) as they pass; each is as good as unique."""
    pieces: list[bytes] = []
    while len(pieces) < count:
        packet = tap.recv(65_536)
        if len(packet) < 400 or packet[IP_HEADER + 9] != UDP:
            continue
        (port,) = struct.unpack_from("!H", packet, IP_HEADER + 20)
        payload = packet[IP_HEADER + 28 :]
        if port and payload[0] >> 6 == 2:  # RTP version 2
            pieces.append(payload[RTP_HEADER_BYTES + 40 :][:PIECE_BYTES])
    return pieces

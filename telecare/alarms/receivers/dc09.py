"""SIA DC-09, the messages: frames read and understood, ACK, NAK and DUH written.

Knows no sockets; time is given. `docs/decisions/0016` says how far an unproven unit gets.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from telecare.alarms.receivers import dc09_codes as codes
from telecare.alarms.receivers.arrived import (
    MAX_WORDS,
    Arrived,
    Claim,
    Fault,
    Kind,
    Trigger,
    Unreadable,
)

MAX_BYTES = 4_128
"""The length has three hex digits; with its envelope and a little."""
EARLIEST = timedelta(seconds=-40)
LATEST = timedelta(seconds=20)
"""DC-09 §5.5.1.9: how far a stamp may be from our clock."""
SAME_FOR = timedelta(minutes=3)
"""How long a sequence number means the same message: some units never count theirs on."""
LINK_TESTS = frozenset({"NULL", "XNM"})
BLOCK_BYTES = 16

_FRAME = re.compile(rb'([0-9A-Fa-f]{4})0([0-9A-Fa-f]{3})(".*)', re.DOTALL)
_HEAD = re.compile(
    r'"(\*?)([A-Z0-9-]{1,16})"([0-9]{4})(R[0-9A-Fa-f]{1,6})?(L[0-9A-Fa-f]{1,6})'
    r"#?([0-9A-Fa-f]{0,16})\[(.*)",
    re.DOTALL,
)
_EXTENDED = re.compile(r"\[([^\[\]]*)\]")
_STAMP = re.compile(r"_(\d\d:\d\d:\d\d,\d\d-\d\d-\d{4})")
_PADDED = re.compile(rb"[^|\[\]]{0,64}\|?", re.DOTALL)
_CONTACT_ID = re.compile(r"([136])([0-9]{3})\s([0-9A-Fa-f]{2})\s([0-9A-Fa-f]{3})")
_SIA_NEW = re.compile(r"\A[NO](?=[A-Z]{2}|[a-z]{2})")
_SIA_CODE = re.compile(r"(?:[a-z]{2}[^A-Z]*)?([A-Z]{2})([0-9A-Za-z]*)")


class Dc09Malformed(Unreadable):
    """Length or sum is wrong: it was hurt on its way, is not answered and comes again."""


class Dc09Refused(ValueError):
    """It came whole and cannot be used. `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Frame:
    """What of a message is read without its key."""

    token: str
    sequence: str
    receiver: str
    """With its R; empty when it has none."""
    line: str
    account: str
    """As it was written."""
    is_encrypted: bool
    sealed: str
    """All after the first bracket."""


@dataclass(frozen=True, slots=True)
class Content:
    """What stands between its brackets."""

    data: str
    extended: tuple[str, ...]
    sent_at: datetime | None


class Frames:
    """LF to CR out of a stream. What stands outside is skipped; a new LF begins anew."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    @property
    def is_between(self) -> bool:
        return not self._bytes

    def feed(self, piece: bytes) -> Iterator[bytes | None]:
        """The frames that are whole, without their envelope. Raises Dc09Malformed."""
        self._bytes += piece
        while (end := self._bytes.find(b"\r")) >= 0:
            before = bytes(self._bytes[:end])
            del self._bytes[: end + 1]
            if (start := before.rfind(b"\n")) >= 0:
                yield before[start + 1 :]
        start = self._bytes.rfind(b"\n")
        del self._bytes[: start if start >= 0 else len(self._bytes)]
        if len(self._bytes) > MAX_BYTES:
            raise Dc09Malformed("frame too long")


def read_datagram(datagram: bytes) -> bytes:
    """Raises Dc09Malformed."""
    whole = [frame for frame in Frames().feed(datagram) if frame is not None]
    if len(whole) != 1:
        raise Dc09Malformed("not one frame")
    return whole[0]


def read(frame: bytes) -> Frame:
    """Raises Dc09Malformed, Dc09Refused."""
    outer = _FRAME.fullmatch(frame)
    if outer is None:
        raise Dc09Malformed("envelope")
    total, length, body = outer.groups()
    if int(length, 16) != len(body) or int(total, 16) != crc(body):
        raise Dc09Malformed("length or sum")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    head = _HEAD.fullmatch(text)
    if head is None:
        raise Dc09Refused("dc09_bad_format")
    star, token, sequence, receiver, line, account, sealed = head.groups()
    return Frame(token, sequence, receiver or "", line, account, bool(star), sealed)


def opened(frame: Frame, key: bytes | None) -> Content:
    """Raises Dc09Refused: no key, a wrong one, or nothing that can be read."""
    if not frame.is_encrypted:
        return _content(frame.sealed)
    if key is None:
        raise Dc09Refused("dc09_key_missing")
    try:
        sealed = bytes.fromhex(frame.sealed)
    except ValueError as error:
        raise Dc09Refused("dc09_bad_format") from error
    if not sealed or len(sealed) % BLOCK_BYTES:
        raise Dc09Refused("dc09_bad_format")
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK_BYTES))).decryptor()
    clear = cipher.update(sealed) + cipher.finalize()
    padded = _PADDED.match(clear)
    try:
        content = _content(clear[padded.end() if padded else 0 :].decode())
    except (UnicodeDecodeError, Dc09Refused) as error:
        raise Dc09Refused("dc09_key_wrong") from error
    if content.sent_at is None:  # DC-09 §5.4: a sealed message has its time; chance has none
        raise Dc09Refused("dc09_key_wrong")
    return content


def is_timely(content: Content, now: datetime) -> bool:
    """Without a time it is."""
    if content.sent_at is None:
        return True
    return EARLIEST <= content.sent_at - now <= LATEST


def understood(frame: Frame, content: Content, claim: Claim, *, is_proven: bool) -> Arrived:
    """Never in doubt: what is not known to be something else is an alarm."""
    kind, trigger, fault, device = _meaning(frame.token, content.data)
    said = (("token", frame.token), ("sequence", frame.sequence), ("data", content.data))
    extended = tuple((text[:1], text[1:]) for text in content.extended)
    by_letter = dict(extended)
    same = "\n".join((frame.token, content.data, *content.extended))
    return Arrived(
        claim=claim,
        is_proven=is_proven,
        reference=f"{frame.receiver}{frame.line}-{frame.sequence}",
        fingerprint=hashlib.sha256(same.encode()).digest(),
        same_for=SAME_FOR,
        kind=kind,
        trigger=trigger,
        fault=fault,
        device=(by_letter.get("I", "") or device)[:MAX_WORDS],
        place=(by_letter.get("R", "") or by_letter.get("L", ""))[:MAX_WORDS],
        codes=(*said, *extended),
    )


def ack(frame: Frame, key: bytes | None, now: datetime) -> bytes:
    """It is stored. Sealed when the message was."""
    start = f"{frame.sequence}{frame.receiver}{frame.line}#{frame.account}["
    if not frame.is_encrypted or key is None:
        return _framed(f'"ACK"{start}]')
    return _framed(f'"*ACK"{start}{seal(f"]{_stamp(now)}", key)}')


def nak(now: datetime) -> bytes:
    """Its time is out of bounds, or its key is another: here is ours (DC-09 §5.5.2)."""
    return _framed(f'"NAK"0000R0L0A0[]{_stamp(now)}')


def duh(frame: Frame) -> bytes:
    """It was not treated: try another receiver."""
    return _framed(f'"DUH"{frame.sequence}{frame.receiver}{frame.line}#{frame.account}[]')


def seal(clear: str, key: bytes) -> str:
    """Hex of `clear` behind 16 to 31 bytes of padding (DC-09 §5.4.4.3)."""
    text = clear.encode()
    if not clear.startswith("]"):
        text = b"|" + text
    length = BLOCK_BYTES + -len(text) % BLOCK_BYTES
    padding = bytearray()
    while len(padding) < length:
        byte = secrets.randbelow(256)
        if byte not in b"|[]":
            padding.append(byte)
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(BLOCK_BYTES))).encryptor()
    return (cipher.update(bytes(padding) + text) + cipher.finalize()).hex().upper()


def crc(body: bytes) -> int:
    """CRC-16/ARC."""
    total = 0
    for byte in body:
        total ^= byte
        for _ in range(8):
            total = total >> 1 ^ (0xA001 if total & 1 else 0)
    return total


def _framed(text: str) -> bytes:
    body = text.encode()
    return b"\n%04X0%03X%s\r" % (crc(body), len(body), body)


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("_%H:%M:%S,%m-%d-%Y")


def _content(text: str) -> Content:
    """`data]`, then any `[…]`, then the time."""
    data, end, rest = text.replace("\0", "\ufffd").partition("]")  # no table takes a NUL
    if not end or "[" in data:
        raise Dc09Refused("dc09_bad_format")
    extended = []
    while (more := _EXTENDED.match(rest)) is not None:
        extended.append(more[1])
        rest = rest[more.end() :]
    stamp = _STAMP.match(rest)
    if stamp is None and rest.strip():
        raise Dc09Refused("dc09_bad_format")
    return Content(data, tuple(extended), _time(stamp[1]) if stamp else None)


def _time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%H:%M:%S,%m-%d-%Y").replace(tzinfo=UTC)
    except ValueError as error:
        raise Dc09Refused("dc09_bad_format") from error


def _meaning(token: str, data: str) -> tuple[Kind, Trigger, Fault | None, str]:
    """With the zone, area or user that it tells of."""
    if token in LINK_TESTS:
        return "heartbeat", "other", None, ""
    said = data.rpartition("|")[2]
    match token:
        case "SIA-DCS":
            found = list(_sia(said))
        case "ADM-CID":
            found = list(_contact_id(said))
        case _:
            found = []
    worst, zone = min(
        found or [(codes.ALARM, "")], key=lambda event: codes.URGENCY.index(event[0][0])
    )
    return *worst, zone


def _sia(said: str) -> Iterator[tuple[codes.Meaning, str]]:
    """`Nti12:30/ri1/BA01^text^`: modifiers in small letters, events in capitals."""
    without_text = re.sub(r"\^[^^]*\^?", "", said)
    for part in _SIA_NEW.sub("", without_text, count=1).split("/"):
        if code := _SIA_CODE.match(part):
            yield codes.SIA.get(code[1], codes.ALARM), code[2]


def _contact_id(said: str) -> Iterator[tuple[codes.Meaning, str]]:
    for event in _CONTACT_ID.finditer(said):
        qualifier, code, _group, zone = event.groups()
        kind, trigger, fault = codes.CONTACT_ID.get(code, codes.ALARM)
        if qualifier == "3" and fault in codes.RESTORED:
            yield (kind, trigger, codes.RESTORED[fault]), zone
        elif qualifier == "3" and kind in {"alarm", "technical"}:
            yield codes.CANCEL, zone
        else:
            yield (kind, trigger, fault), zone

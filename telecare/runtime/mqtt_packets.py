"""The MQTT 5 packets that come and go by the thousand, without paho's property tables.

paho 2.2 builds tables of all properties anew for each packet, and looks names up in them: ten times
what the rest of a message costs. What is not plain here (other properties) is left to paho.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

USER_PROPERTY = 0x26
"""MQTT 5 §2.2.2.2; a pair of strings, any number of them."""
PUBLISH = 3
"""The first four bits of a packet (§2.1.2)."""
QOS_BITS = 0x06
MORE = 0x80
PUBACK = bytes((0x40, 0x02))
"""And that two bytes follow."""
SHORT = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class Published:
    """A PUBLISH with no properties but the user's. `number`: what it is acknowledged by."""

    topic: str
    payload: bytes
    properties: tuple[tuple[str, str], ...]
    number: int
    qos: int


class NotPlain(Exception):
    """For paho to read, or to refuse."""


def first_published(unread: memoryview) -> tuple[Published, int]:
    """The PUBLISH that stands first in what has come, and where it ends. Raises NotPlain, also when
    it is something else, or not here whole.
    """
    try:
        length, begin = _varying(unread, 1)
    except IndexError as error:
        raise NotPlain from error
    end = begin + length
    if unread[0] >> 4 != PUBLISH or end > len(unread):
        raise NotPlain
    return published(unread[0], bytes(unread[begin:end])), end


def published(command: int, packet: bytes) -> Published:
    """From a PUBLISH without its fixed header (MQTT 5 §3.3.2). Raises NotPlain."""
    qos = (command & QOS_BITS) >> 1
    try:
        topic, at = _text(packet, 0)
        number = SHORT.unpack_from(packet, at)[0] if qos else 0
        at += SHORT.size if qos else 0
        length, at = _varying(packet, at)
        end = at + length
        properties = []
        while at < end:
            if packet[at] != USER_PROPERTY:
                raise NotPlain
            name, at = _text(packet, at + 1)
            value, at = _text(packet, at)
            properties.append((name, value))
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise NotPlain from error
    if at != end or not topic:
        raise NotPlain
    return Published(topic, packet[end:], tuple(properties), number, qos)


def puback(number: int) -> bytes:
    """Success, and no more (§3.4.2.1)."""
    return PUBACK + SHORT.pack(number)


def packed(properties: Iterable[tuple[str, str]]) -> bytes:
    """User properties as they stand in a PUBLISH, with their length before them."""
    body = b"".join(
        bytes((USER_PROPERTY,)) + _packed_text(name) + _packed_text(value)
        for name, value in properties
    )
    return _packed_varying(len(body)) + body


def _text(packet: bytes, at: int) -> tuple[str, int]:
    """And where it ends."""
    begin = at + SHORT.size
    end = begin + SHORT.unpack_from(packet, at)[0]
    if end > len(packet):
        raise IndexError(end)
    return packet[begin:end].decode(), end


def _varying(packet: bytes | memoryview, at: int) -> tuple[int, int]:
    """A Variable Byte Integer (§1.5.5), and where it ends."""
    value = 0
    for place in range(4):
        byte = packet[at + place]
        value |= (byte & ~MORE) << (7 * place)
        if not byte & MORE:
            return value, at + place + 1
    raise IndexError(at)


def _packed_text(text: str) -> bytes:
    encoded = text.encode()
    return SHORT.pack(len(encoded)) + encoded


def _packed_varying(value: int) -> bytes:
    encoded = bytearray()
    while value >= MORE:
        encoded.append(value % MORE | MORE)
        value //= MORE
    encoded.append(value)
    return bytes(encoded)

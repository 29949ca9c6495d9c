"""Our own reading of plain MQTT packets says what paho's says, and leaves the rest to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt._packet import decode_publish
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telecare.runtime.mqtt_packets import NotPlain, first_published, packed, puback, published

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=4)
QOS_1 = 0x32


def paho_packed(pairs, **more) -> bytes:
    properties = Properties(PacketTypes.PUBLISH)
    if pairs:
        properties.UserProperty = list(pairs)
    for name, value in more.items():
        setattr(properties, name, value)
    return properties.pack()


def packet(properties: bytes, topic: str = "tc/1/x/up/event", payload: bytes = b"{}") -> bytes:
    encoded = topic.encode()
    number = (77).to_bytes(2, "big")
    return len(encoded).to_bytes(2, "big") + encoded + number + properties + payload


@given(pairs=PAIRS)
def test_user_properties_are_packed_as_paho_packs_them(pairs):
    assert packed(pairs) == paho_packed(pairs)


@given(pairs=PAIRS, topic=TEXT.filter(bool), payload=st.binary(max_size=300))
def test_a_plain_message_is_read_as_paho_reads_it(pairs, topic, payload):
    whole = packet(packed(pairs), topic, payload)

    ours = published(QOS_1, whole)

    theirs = decode_publish(QOS_1, whole, MQTTProtocolVersion.MQTTv5)
    assert (ours.topic.encode(), ours.payload) == (theirs.topic, theirs.payload)
    assert (ours.number, ours.qos) == (theirs.mid, theirs.qos) == (77, 1)
    assert list(ours.properties) == getattr(theirs.properties, "UserProperty", [])


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        packet(paho_packed([("c", "1")], ContentType="json")),
        packet(paho_packed([], MessageExpiryInterval=3)),
        packet(packed([("c", "1")]))[:24],
        packet(b"\xff\xff\xff\xff\xff"),
        packet(b"\x03\x26\x00\x09"),
        packet(b"\x00", topic=""),
        b"\x00\x02\xff\xfe" + b"\x00\x01\x00",
    ],
)
def test_what_is_not_plain_is_left_to_paho(whole):
    with pytest.raises(NotPlain):
        published(QOS_1, whole)


@given(whole=st.binary(max_size=80))
def test_no_bytes_are_a_fault_of_ours(whole):
    try:
        published(QOS_1, whole)
    except NotPlain:
        return


def framed(body: bytes) -> bytes:
    """With its fixed header; its length in two bytes, as paho writes 128 to 16,383."""
    length = len(body)
    return bytes((QOS_1, length % 128 | 0x80, length // 128)) + body


@given(payload=st.binary(min_size=128, max_size=300), after=st.binary(max_size=50))
def test_the_first_message_of_many_is_taken_whole_and_no_more(payload, after):
    body = packet(packed([("c", "1")]), payload=payload)
    whole = framed(body)

    message, end = first_published(memoryview(whole + after))

    assert message == published(QOS_1, body)
    assert end == len(whole)


def test_what_has_not_come_whole_and_what_is_no_message_is_left_to_paho():
    whole = framed(packet(packed([("c", "1")]), payload=bytes(200)))
    for end in range(len(whole)):
        with pytest.raises(NotPlain):
            first_published(memoryview(whole[:end]))
    with pytest.raises(NotPlain):
        first_published(memoryview(puback(77) + whole))


def test_an_acknowledgement_is_as_the_standard_has_it():
    assert puback(0x1234) == b"\x40\x02\x12\x34"

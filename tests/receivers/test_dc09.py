"""DC-09 messages, read beside two implementations of others: siadc09 and pysiaalarm."""

import contextlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysiaalarm.account import SIAAccount
from pysiaalarm.event import SIAEvent
from siadc09.account import Account
from siadc09.message import Message, NullMessage, parse_frame
from siadc09.xdata import Data, XData

from telecare.alarms.receivers import dc09
from telecare.alarms.receivers.arrived import MAX_WORDS, Claim

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
CLAIM = Claim("dc09", "north", "", "1234", ip_address("192.0.2.7"))
KEYS = [bytes(range(16)), bytes(range(24)), bytes(range(32))]
SAFE = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, blacklist_characters='[]"'), max_size=60
)


def sent(kind="SIA-DCS", data=b"#1234|NMA01", *, key=None, seq=7, rcvr=None, extended=(), at=NOW):
    """A frame as siadc09 writes it."""
    account = Account(acct=0x1234, pref=0x0, rcvr=rcvr, key=key)
    config = {
        "idtoken": kind, "data": Data(content=data), "timestamp": at,
        "xdata": [XData(prefix=letter, value=text, encoding="utf-8") for letter, text in extended],
    }  # fmt: skip
    return Message(account, config=config).encode(seq=seq)


def bare(frame):
    return frame[1:-1]


def understood(frame, key=None):
    read = dc09.read(bare(frame))
    return dc09.understood(read, dc09.opened(read, key), CLAIM, is_proven=True)


def code(text, kind="SIA-DCS"):
    return understood(sent(kind, text.encode()))


@pytest.mark.parametrize("key", [None, *KEYS])
@pytest.mark.parametrize("rcvr", [None, 0xAB])
def test_what_another_implementation_writes_is_read(key, rcvr):
    frame = sent(key=key, rcvr=rcvr, extended=[("L", "köket"), ("I", "Larmknapp")])

    read = dc09.read(bare(frame))
    content = dc09.opened(read, key)

    assert (read.token, read.sequence, read.line, read.account) == ("SIA-DCS", "0007", "L0", "1234")
    assert read.receiver == ("" if rcvr is None else "RAB")
    assert content == dc09.Content("#1234|NMA01", ("Lköket", "ILarmknapp"), NOW)
    arrived = understood(frame, key)
    assert (arrived.kind, arrived.trigger, arrived.device) == ("alarm", "button", "Larmknapp")
    assert arrived.place == "köket"


@pytest.mark.parametrize("key", [None, *KEYS])
@pytest.mark.parametrize("rcvr", [None, 0xAB])
def test_our_answer_is_what_another_implementation_reads(key, rcvr):
    read = dc09.read(bare(sent(key=key, rcvr=rcvr)))

    answer = parse_frame(dc09.ack(read, key, NOW), keys=key)

    assert (answer.idtoken, answer.seq, answer.encrypted) == ("ACK", 7, key is not None)
    assert (answer.account.acct, answer.account.rcvr) == (0x1234, rcvr)
    assert parse_frame(dc09.duh(read)).idtoken == "DUH"


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_second_implementation_would_have_answered_the_same(encrypted):
    key = "0123456789ABCDEF"
    frame = sent(key=key.encode() if encrypted else None, rcvr=1, at=datetime.now(UTC))
    account = SIAAccount("1234", key if encrypted else None)
    event = SIAEvent.from_line(bare(frame).decode(), {"1234": account})

    theirs = event.create_response()
    read = dc09.read(bare(frame))
    ours = dc09.ack(read, key.encode() if encrypted else None, datetime.now(UTC))

    assert event.code == "MA"
    if not encrypted:
        assert theirs == ours
    else:
        head = theirs.index(b'"'), theirs.index(b"[")
        assert theirs[slice(*head)] == ours[slice(*head)]


def test_the_samples_sum_and_length():
    body = b'"ACK"0000L0#000[]'

    assert dc09._framed(body.decode()) == b"\nDB150011" + body + b"\r"


def test_nak_says_what_time_it_is():
    assert dc09.nak(NOW)[9:-1] == b'"NAK"0000R0L0A0[]_12:00:00,11-23-2026'
    assert dc09.crc(dc09.nak(NOW)[9:-1]) == int(dc09.nak(NOW)[1:5], 16)


@pytest.mark.parametrize("at", range(9, 40))
def test_a_frame_hurt_on_its_way_is_seen(at):
    frame = bytearray(sent())
    frame[at] ^= 0x01

    with pytest.raises(dc09.Dc09Malformed):
        dc09.read(bare(bytes(frame)))


@pytest.mark.parametrize(
    ("key", "reason"), [(None, "dc09_key_missing"), (b"x" * 16, "dc09_key_wrong")]
)
def test_a_sealed_message_needs_its_key(key, reason):
    read = dc09.read(bare(sent(key=KEYS[0])))

    with pytest.raises(dc09.Dc09Refused) as refused:
        dc09.opened(read, key)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("seconds", "is_timely"), [(-41, False), (-40, True), (0, True), (20, True), (21, False)]
)
def test_a_message_is_from_now(seconds, is_timely):
    read = dc09.read(bare(sent(at=NOW + timedelta(seconds=seconds))))

    assert dc09.is_timely(dc09.opened(read, None), NOW) is is_timely


@pytest.mark.parametrize(
    ("text", "kind", "trigger", "fault"),
    [
        ("#1234|NMA01", "alarm", "button", None),
        ("#1234|Nti12:30/id12/ri1/PA002^Ingrid^", "alarm", "button", None),
        ("|Nri1FA3", "alarm", "smoke", None),
        ("MA1", "alarm", "button", None),
        ("OP1", "information", "other", None),
        ("NOP1", "information", "other", None),
        ("#1234|OPA1", "alarm", "button", None),
        ("#1234|NAT0", "technical", "other", "mains_lost"),
        ("#1234|NYT0", "technical", "other", "battery_low"),
        ("#1234|NTA5", "technical", "other", "tamper"),
        ("#1234|NRP0", "test", "other", None),
        ("#1234|NMH1", "cancel", "other", None),
        ("#1234|NRP0/MA1/AT0", "alarm", "button", None),
        ("#1234|NZZ9", "alarm", "other", None),
        ("#1234|", "alarm", "other", None),
        ("something else", "alarm", "other", None),
    ],
)
def test_sia_codes_mean_what_they_mean_and_the_rest_is_an_alarm(text, kind, trigger, fault):
    arrived = code(text)

    assert (arrived.kind, arrived.trigger, arrived.fault) == (kind, trigger, fault)
    assert ("data", text) in arrived.codes


@pytest.mark.parametrize(
    ("text", "kind", "trigger", "fault"),
    [
        ("#1234|1101 01 015", "alarm", "button", None),
        ("#1234|1111 00 003", "alarm", "smoke", None),
        ("#1234|3101 01 015", "cancel", "other", None),
        ("#1234|1301 00 000", "technical", "other", "mains_lost"),
        ("#1234|3301 00 000", "technical", "other", "mains_back"),
        ("#1234|1384 01 004", "technical", "other", "battery_low"),
        ("#1234|1602 00 000", "test", "other", None),
        ("#1234|1999 00 000", "alarm", "other", None),
        ("#1234|rubbish", "alarm", "other", None),
    ],
)
def test_contact_id_means_what_it_means_and_the_rest_is_an_alarm(text, kind, trigger, fault):
    arrived = code(text, "ADM-CID")

    assert (arrived.kind, arrived.trigger, arrived.fault) == (kind, trigger, fault)


def test_a_nul_is_not_handed_on():
    arrived = understood(sent(data=b"#1234|NMA\x0001"))

    assert ("data", "#1234|NMA\ufffd01") in arrived.codes


def test_a_format_nobody_knows_is_an_alarm():
    assert code("1234", "SES-SS").kind == "alarm"


def test_a_link_test_is_a_heartbeat():
    frame = NullMessage(Account(acct=0x1234), seqno=1).encode(seq=1)

    assert understood(frame).kind == "heartbeat"


def test_the_same_message_with_a_new_time_is_the_same():
    first, later = sent(), sent(at=NOW + timedelta(seconds=30))

    one, two, other = (understood(f) for f in (first, later, sent(data=b"#1234|NMA02")))

    assert (one.reference, one.fingerprint) == (two.reference, two.fingerprint)
    assert one.fingerprint != other.fingerprint


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(1, 5))
def test_a_stream_gives_its_frames_however_it_is_cut(cuts, count):
    frames = [sent(seq=n) for n in range(count)]
    stream = b"noise" + b"\nhalf a frame".join(frames)
    pieces, got = dc09.Frames(), []

    for length in [*cuts, len(stream)]:
        piece, stream = stream[:length], stream[length:]
        got += list(pieces.feed(piece))

    assert got == [bare(frame) for frame in frames]
    assert pieces.is_between


def test_a_frame_without_end_is_hung_up_on():
    pieces = dc09.Frames()
    assert list(pieces.feed(b"noise " * 2000)) == []

    with pytest.raises(dc09.Dc09Malformed):
        list(pieces.feed(b"\n" + b"x" * 5000))


@given(st.binary(max_size=300), st.sampled_from([None, *KEYS]))
def test_no_bytes_break_the_reader(data, key):
    body = b'"*SIA-DCS"0001L0#1[' + data.hex().encode()
    hexed = b"%04X0%03X%s" % (dc09.crc(body), len(body), body)
    body = b'"SIA-DCS"0001L0#1[' + data
    whole = b"%04X0%03X%s" % (dc09.crc(body), len(body), body)
    for frame in (data, hexed, whole):
        with contextlib.suppress(dc09.Dc09Malformed, dc09.Dc09Refused):
            read = dc09.read(frame)
            content = dc09.opened(read, key)
            arrived = dc09.understood(read, content, CLAIM, is_proven=True)
            assert (arrived.kind == "technical") == (arrived.fault is not None)
            assert "\0" not in f"{arrived.codes}{arrived.device}{arrived.place}"
            assert max(len(arrived.device), len(arrived.place)) <= MAX_WORDS


@given(SAFE, st.sampled_from([None, *KEYS]), st.lists(SAFE.filter(bool), max_size=3))
def test_what_is_written_is_read_back(data, key, extended):
    inside = f"{data}]{''.join(f'[{text}]' for text in extended)}_12:00:00,11-23-2026"
    star = "" if key is None else "*"
    sealed = inside if key is None else dc09.seal(inside, key)
    frame = dc09._framed(f'"{star}SIA-DCS"0001L0#AB12[{sealed}')

    read = dc09.read(bare(frame))

    assert dc09.opened(read, key) == dc09.Content(data, tuple(extended), NOW)

"""SIP as bytes: messages, their framing in a stream, digest and transactions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telecare.alarms.receivers import sip, sip_digest
from telecare.alarms.receivers.sip_transactions import ClientTransactions, ServerTransactions

PLAIN = (
    b"MESSAGE sip:alarm@larm.example SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKa1;rport\r\n"
    b'From: "Unit, 7" <sip:700123@larm.example>;tag=9\r\n'
    b"To: <sip:alarm@larm.example>\r\n"
    b"Call-ID: a84b4c76e66710\r\n"
    b"CSeq: 1 MESSAGE\r\n"
    b"Content-Type: application/scaip+xml\r\n"
    b"Content-Length: 6\r\n"
    b"\r\n"
    b"<mrq/>"
)
COMPACT = (
    b"MESSAGE sip:alarm@larm.example SIP/2.0\r\n"
    b"v:SIP / 2.0 / UDP 192.0.2.7:5070 ; branch = z9hG4bKa1 ; rport\r\n"
    b'f:"Unit, 7"\r\n <sip:700123@larm.example>;tag=9\r\n'
    b"t:<sip:alarm@larm.example>\r\n"
    b"i:a84b4c76e66710\r\n"
    b"CSEQ:1\r\n\t MESSAGE\r\n"
    b"c:application/scaip+xml\r\n"
    b"l:6\r\n"
    b"\r\n"
    b"<mrq/>"
)


def test_short_names_and_folded_lines_mean_the_same():
    plain, compact = sip.read_datagram(PLAIN), sip.read_datagram(COMPACT)

    assert [name for name, _ in plain.headers.lines] == [name for name, _ in compact.headers.lines]
    for name in ("from", "to", "call-id", "cseq", "content-type"):
        assert plain.headers.get(name) == compact.headers.get(name)
    vias = [sip.read_via(message.headers.get("via")) for message in (plain, compact)]
    assert vias[0] == vias[1]
    assert plain.body == compact.body == b"<mrq/>"


def test_a_datagram_ends_where_it_says_and_one_cut_off_is_refused():
    assert sip.read_datagram(PLAIN + b"\0\0\0").body == b"<mrq/>"
    assert sip.read_datagram(PLAIN.replace(b"Content-Length: 6\r\n", b"")).body == b"<mrq/>"
    assert sip.read_datagram(PLAIN.replace(b"\r\n", b"\n")).body == b"<mrq/>"
    with pytest.raises(sip.SipMalformed):
        sip.read_datagram(PLAIN[:-1])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SIP/2.0\r\n", b"HTTP/1.1\r\n"),
        (b"Content-Length: 6", b"Content-Length: -6"),
        (b"Content-Length: 6", b"Content-Length: 6\r\nContent-Length: 5"),
        (b"Content-Length: 6", b"Content-Length: 99999999"),
        (b"Content-Length: 6", b"Content-Length: \xc2\xb2"),
        (b"CSeq: 1", b"CSeq 1"),
        (b"CSeq: 1", b"CSeq: 1\rX: 2"),
        (b"CSeq: 1", b"CSeq: 1\0"),
        (b"CSeq: 1", b"X: 1\r\n" * 200 + b"CSeq: 1"),
        (b"CSeq: 1", b"X: " + b"y" * 9000 + b"\r\nCSeq: 1"),
    ],
)
def test_what_is_no_sip_is_refused(old, new):
    with pytest.raises(sip.SipMalformed):
        sip.read_datagram(PLAIN.replace(old, new))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 4))
def test_a_stream_gives_its_messages_however_it_is_cut(cuts, count):
    sent = b"".join(PLAIN.replace(b"a84", b"a%d" % n) + b"\r\n" for n in range(count))
    frames, got = sip.Frames(), []

    for length in [*cuts, len(sent)]:
        piece, sent = sent[:length], sent[length:]
        got += [message for message in frames.feed(piece) if message is not None]

    assert [message.headers.get("call-id") for message in got] == [
        f"a{n}b4c76e66710" for n in range(count)
    ]
    assert {message.body for message in got} == {b"<mrq/>"}
    assert frames.is_between


def test_a_keep_alive_in_a_stream_is_seen_also_in_pieces():
    frames = sip.Frames()

    assert list(frames.feed(b"\r\n")) == []
    assert list(frames.feed(b"\r\n")) == [None]
    assert [message is None for message in frames.feed(b"\r\n\r\n" + PLAIN)] == [True, False]


def test_a_stream_without_length_or_without_end_is_refused():
    with pytest.raises(sip.SipMalformed):
        list(sip.Frames().feed(PLAIN.replace(b"Content-Length: 6\r\n", b"")))
    with pytest.raises(sip.SipMalformed):
        list(sip.Frames().feed(b"MESSAGE " + b"x" * 9000))


def test_an_answer_repeats_the_way_and_says_where_it_saw_the_sender():
    via = b"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKp, SIP/2.0/TCP unit.local;branch=z9hG4bKq\r\n"
    request = sip.read_datagram(PLAIN.replace(b"From:", via + b"From:"))

    response = sip.answer(request, 200, tag="t1", source=("203.0.113.9", 40000))

    assert response.headers.all("via") == (
        "SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKa1;received=203.0.113.9;rport=40000",
        "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKp",
        "SIP/2.0/TCP unit.local;branch=z9hG4bKq",
    )
    assert response.headers.get("to") == "<sip:alarm@larm.example>;tag=t1"
    assert response.headers.get("call-id") == "a84b4c76e66710"
    assert sip.read_datagram(sip.write(response)) == sip.Response(
        200, "OK", sip.Headers((*response.headers.lines, ("content-length", "0")))
    )


def test_an_answer_repeats_bytes_that_are_no_utf8():
    request = sip.read_datagram(PLAIN.replace(b"a84b", b"a\xe4b"))

    assert b"Call-ID: a\xe4b" in sip.write(sip.answer(request, 200, tag="t", source=("h", 1)))


@pytest.mark.parametrize(
    ("address", "user"),
    [
        ('"Unit, 7" <sip:700123@larm.example>;tag=9', "700123"),
        ("sip:700123@larm.example;tag=9", "700123"),
        ("<sip:700123:secret@[2001:db8::1]:5060;transport=tcp>", "700123"),
        ('"<sip:other@x>" <sips:700123@larm.example>', "700123"),
        ("<sip:larm.example>", ""),
    ],
)
def test_a_unit_is_found_in_its_address(address, user):
    assert sip.read_uri(sip.uri_of(address)).user == user


@pytest.mark.parametrize("uri", ["tel:+46", "sip:", "sip:a@b c", "sip:a@b:99999", "<sip:a@b>", ""])
def test_what_is_no_sip_uri_is_refused(uri):
    with pytest.raises(sip.SipMalformed):
        sip.read_uri(uri)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data):
    for mixed in (data, PLAIN[: len(data)] + data, data + PLAIN, PLAIN.replace(b"1 M", data)):
        try:
            message = sip.read_datagram(mixed)
            sip.read_via(message.headers.get("via"))
            sip.read_uri(sip.uri_of(message.headers.get("from")))
            if isinstance(message, sip.Request):
                sip.write(sip.answer(message, 200, tag="t", source=("h", 1)))
        except sip.SipMalformed:
            continue


VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
NAME = st.sampled_from(["subject", "from", "to", "call-id", "x-own", "authorization"])


@given(st.lists(st.tuples(NAME, VALUE), max_size=8), st.binary(max_size=200))
def test_what_is_written_is_read_back(lines, body):
    request = sip.Request("MESSAGE", "sip:a@b", sip.Headers(tuple(lines)), body)

    read = sip.read_datagram(sip.write(request))

    assert read.headers.lines == (*lines, ("content-length", str(len(body))))
    assert (read.method, read.uri, read.body) == ("MESSAGE", "sip:a@b", body)


# --- digest ---


RFC_7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
    'algorithm={}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{}"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_gives_the_examples_of_the_standard(algorithm, response):
    """RFC 7616 §3.9.1."""
    given_ = sip_digest.read(RFC_7616.format(algorithm, response))

    right = {"method": "GET", "realm": "http-auth@example.org", "password": "Circle of Life"}
    assert sip_digest.is_right(given_, **right)
    assert not sip_digest.is_right(given_, **right | {"password": "circle of life"})
    assert not sip_digest.is_right(given_, **right | {"method": "MESSAGE"})
    assert not sip_digest.is_right(given_, **right | {"realm": "other"})


def test_digest_without_qop_is_the_old_way():
    """RFC 2069's example, with RFC 2617's corrected answer."""
    given_ = sip_digest.read(
        'digest username="Mufasa",realm="testrealm@host.com",'
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html",'
        'response="670fd8c2df070c60b045671b8b24ff02"'
    )

    password = "Circle Of Life"
    assert sip_digest.is_right(given_, method="GET", realm="testrealm@host.com", password=password)


@pytest.mark.parametrize(
    "text",
    ["", "Basic dTpw", "Digest", 'Digest username="a', 'Digest a="1", a="2"', "Digest qop=auth-int",
     "Digest algorithm=MD5-sess"],
)  # fmt: skip
def test_other_credentials_are_refused(text):
    with pytest.raises(sip.SipMalformed):
        sip_digest.read(text)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_of_credentials(text):
    for mixed in (text, "Digest " + text):
        try:
            sip_digest.read(mixed)
        except sip.SipMalformed:
            continue


def test_a_nonce_is_good_for_its_sender_its_contents_and_five_minutes():
    nonces = sip_digest.Nonces(b"k" * 32)
    nonce = nonces.give(100.0, source="192.0.2.7", body=b"press")

    assert nonces.is_good(nonce, 399.0, source="192.0.2.7", body=b"press")
    assert not nonces.is_good(nonce, 400.0, source="192.0.2.7", body=b"press")
    assert not nonces.is_good(nonce, 99.0, source="192.0.2.7", body=b"press")
    assert not nonces.is_good(nonce, 101.0, source="192.0.2.8", body=b"press")
    assert not nonces.is_good(nonce, 101.0, source="192.0.2.7", body=b"another")
    other = sip_digest.Nonces(b"l" * 32)
    assert not other.is_good(nonce, 101.0, source="192.0.2.7", body=b"press")


@given(st.text(max_size=60))
def test_no_text_passes_for_a_nonce(text):
    assert not sip_digest.Nonces(b"k").is_good(text, 0.0, source="", body=b"")


# --- transactions ---


def test_a_retransmission_gets_the_same_answer_for_thirty_two_seconds():
    served = ServerTransactions(10)

    assert served.begin(("a",), 0.0) == "begun"
    assert served.begin(("a",), 0.5) == "running"
    served.answered(("a",), b"200", 1.0)
    served.sweep(32.9)
    assert served.answer_to(("a",)) == b"200"
    served.sweep(33.0)
    assert served.answer_to(("a",)) is None
    assert len(served) == 0


def test_what_could_not_be_treated_begins_anew():
    served = ServerTransactions(10)
    served.begin(("a",), 0.0)

    served.forget(("a",))

    assert served.begin(("a",), 0.5) == "begun"


def test_memory_is_bounded_and_what_is_being_treated_stays():
    served = ServerTransactions(3)
    for name in "abc":
        served.begin((name,), 0.0)
    assert served.begin(("d",), 0.0) == "full"

    served.answered(("b",), b"200", 0.0)

    assert served.begin(("d",), 0.0) == "begun"
    assert served.answer_to(("b",)) is None
    assert [served.begin((name,), 0.0) for name in "acd"] == ["running"] * 3


def test_our_own_request_is_sent_again_as_the_standard_says():
    """RFC 3261 §17.1.2.2: after 0.5, 1.5, 3.5, 7.5 s and then each 4 s, until 32 s."""
    asked, sent = ClientTransactions(10), []
    asked.begin("b1", "route", b"MESSAGE", is_reliable=False, now=0.0)

    for tenth in range(400):
        sent += [tenth / 10 for _ in asked.due(tenth / 10)]

    assert sent == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert (len(asked), asked.unanswered) == (0, 1)


def test_our_own_request_rests_when_it_is_answered_and_on_a_connection():
    asked = ClientTransactions(2)
    asked.begin("b1", "route", b"1", is_reliable=False, now=0.0)
    asked.begin("b2", "route", b"2", is_reliable=True, now=0.0)

    asked.answered("b1", 200)

    assert asked.due(1.0) == []
    assert asked.due(32.0) == []
    assert asked.unanswered == 1
    for n in range(5):
        asked.begin(f"c{n}", "route", b"", is_reliable=False, now=0.0)
    assert len(asked) == 2

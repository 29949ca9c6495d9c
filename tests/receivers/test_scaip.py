"""SCAIP messages as units write them, as they must not be, and as nobody ever wrote them."""

import contextlib
from ipaddress import ip_address
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telecare.alarms.receivers import scaip, scaip_codes
from telecare.alarms.receivers.arrived import MAX_WORDS, Answer, Claim

CLAIM = Claim("scaip", "north", "larm.example", "700123", ip_address("192.0.2.7"))
TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"),
    max_size=90,
).map(str.strip)
REFERENCE = st.text("0123456789abcdefXYZ", min_size=1, max_size=16)


def mrq(*said, root="mrq"):
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in said)
    return f"<{root}>{inside}</{root}>".encode()


def understood(body):
    return scaip.understood(scaip.read(body), CLAIM, is_proven=True)


def alarm(**more):
    tags = {"ref": "aB3", "cid": "700123", "dty": "0003", "mty": "ME", "stc": "0010"} | more
    return mrq(*((name, value) for name, value in tags.items() if value is not None))


HEARTBEAT_A = (
    b"<mrq><ref>00002C41</ref><cha>0</cha><mty>PI</mty><cid>31007</cid><dty>02</dty>"
    b"<did>00</did><crd>no-voice:</crd><stc>102</stc></mrq>"
)
HEARTBEAT_B = b"<mrq><mty>PI</mty><ref>1500000001</ref><cid>20000042</cid><dty>2</dty></mrq>"
ALARM_B = (
    b"<mrq><ref>1500000002</ref><cid>20000042</cid><dty>3</dty><stc>10</stc><crd>gsm:</crd></mrq>"
)
ALARM_C = (
    b"<mrq><ref>aB3dE6gH9jK2mN5p</ref><cid>700123</cid><dty>0004</dty><mty>ME</mty>"
    b"<stc>0010</stc><lco>002</lco><crd>gsm:</crd><cha>0</cha></mrq>"
)
ALARM_D = (
    b"<mrq><ref>900000100003</ref><mty>ME</mty><cid> 9000001</cid><dty>0004</dty>"
    b"<stc>0010</stc><crd>gsm:+</crd></mrq>"
)


@pytest.mark.parametrize(
    ("body", "account", "kind"),
    [
        (HEARTBEAT_A, "31007", "heartbeat"),
        (HEARTBEAT_B, "20000042", "heartbeat"),
        (ALARM_B, "20000042", "alarm"),
        (ALARM_C, "700123", "alarm"),
        (ALARM_D, "9000001", "alarm"),
    ],
)
def test_messages_of_units_in_the_field_are_understood(body, account, kind):
    assert scaip.read(body).cid == account
    assert understood(body).kind == kind


def test_a_press_says_what_was_pressed_where_and_whom_to_speak_with():
    arrived = understood(alarm(dte="Larmknapp", lco="21", lte="köket", crd="gsm:+46700000000"))

    assert (arrived.trigger, arrived.device, arrived.place) == ("button", "Larmknapp", "köket")
    assert arrived.room == "kitchen"
    assert arrived.voice.callers == ("gsm:+46700000000",)
    assert not arrived.voice.is_called


def test_everything_it_said_is_kept_in_its_order_also_what_nobody_knows():
    said = [("ref", "1"), ("zzz", "ny"), ("cid", "7"), ("crd", "sip:a"), ("dty", "3")]
    said += [("crd", "tel:+46")]

    arrived = understood(mrq(*said))

    assert arrived.codes == tuple(said)
    assert arrived.voice.callers == ("sip:a", "tel:+46")


@pytest.mark.parametrize("root", ["mrq", "scaip", "MRQ", "s:mrq"])
def test_both_roots_are_read(root):
    xmlns = b' xmlns:s="urn:x"' if ":" in root else b""
    body = alarm().replace(b"<mrq>", b"<" + root.encode() + xmlns + b">")

    assert scaip.read(body.replace(b"</mrq>", b"</" + root.encode() + b">")).cid == "700123"


@pytest.mark.parametrize(
    ("prolog", "encoding"),
    [
        ("", "utf-8"),
        ("", "latin-1"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "utf-8-sig"),
        ("\r\n  ", "utf-8"),
    ],
)
def test_swedish_letters_are_read_whatever_the_prolog_says(prolog, encoding):
    body = (prolog + alarm(dte="Dörr åt söder").decode()).encode(encoding)

    assert understood(body).device == "Dörr åt söder"


def test_a_position_is_kept():
    body = alarm().replace(b"</mrq>", b"<lge><geo>59.33,18.07</geo><tim>120000</tim></lge></mrq>")

    assert ("geo", "59.33,18.07") in understood(body).codes


@pytest.mark.parametrize("code", ["7777", "9999", "0050", "abcd", "10x", "00010"])
def test_a_code_nobody_knows_is_an_alarm(code):
    for kind in ("ME", "IN", "XX", ""):
        assert understood(alarm(stc=code, mty=kind)).kind == "alarm"
    assert ("stc", code) in understood(alarm(stc=code)).codes


@pytest.mark.parametrize("dty", [f"{n:04}" for n in range(52)] + ["0500", "9"])
def test_a_manual_alarm_is_an_alarm_whatever_raised_it(dty):
    assert understood(alarm(dty=dty)).kind == "alarm"
    assert understood(alarm(dty=dty, stc=None, mty=None)).kind == (
        "technical" if dty == scaip_codes.TAMPER_DEVICE else "alarm"
    )


@pytest.mark.parametrize(
    ("tags", "kind", "fault"),
    [
        ({"stc": "0016"}, "technical", "battery_low"),
        ({"stc": "85", "mty": "IN"}, "technical", "mains_lost"),
        ({"stc": "0125"}, "technical", "tamper"),
        ({"stc": "0102"}, "test", None),
        ({"stc": "103"}, "test", None),
        ({"stc": "0019"}, "cancel", None),
        ({"mty": "RE"}, "cancel", None),
        ({"mty": "re", "stc": "86"}, "technical", "mains_back"),
        ({"mty": "IN", "stc": None}, "information", None),
        ({"mty": "IN", "stc": "0071"}, "information", None),
        ({"mty": "ME", "stc": "0071"}, "alarm", None),
        ({"mty": "ME", "stc": "0083"}, "information", None),
        ({"mty": "IN", "stc": "0010"}, "alarm", None),
        ({"mty": "ME", "stc": "0081", "dty": "11"}, "alarm", None),
    ],
)
def test_what_is_no_press_has_its_own_kind(tags, kind, fault):
    arrived = understood(alarm(**tags))

    assert (arrived.kind, arrived.fault) == (kind, fault)


@pytest.mark.parametrize("tags", [{"crd": "no-voice:"}, {"crd": "sip:a", "mreq": "4"}])
def test_a_unit_that_wants_no_voice_is_not_called(tags):
    arrived = understood(alarm(**tags))

    mrs = scaip.answered(scaip.read(alarm(**tags)), arrived, Answer(True, voice_to=("sip:arc@x",)))

    assert arrived.voice is None
    assert mrs.tnu == ()


def test_the_answer_says_whom_to_call():
    read = scaip.read(alarm())

    mrs = scaip.answered(read, understood(alarm()), Answer(True, voice_to=("sip:a@b?x=1&y=2",)))

    assert scaip.write(mrs) == (
        b"<mrs><ref>aB3</ref><snu>0</snu><mre>1</mre><cre>62</cre><tnu>sip:a@b?x=1&amp;y=2</tnu></mrs>"
    )


def test_a_unit_nobody_knows_is_told_that_it_was_not_treated():
    read = scaip.read(alarm())

    mrs = scaip.answered(read, understood(alarm()), Answer(False, voice_to=("sip:arc@x",)))

    assert scaip.write(mrs) == b"<mrs><ref>aB3</ref><snu>5</snu></mrs>"


BOMB = (
    b'<!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<mrq><ref>1</ref><cid>7</cid><dty>3</dty><dte>&b;</dte></mrq>"
)
OUTSIDE = (
    b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    b"<mrq><ref>1</ref><cid>7</cid><dty>3</dty><dte>&x;</dte></mrq>"
)
DTD = b'<!DOCTYPE mrq SYSTEM "http://192.0.2.1/mrq.dtd"><mrq><ref>1</ref><cid>7</cid><dty>3</dty></mrq>'


@pytest.mark.parametrize(
    ("body", "snu", "ref"),
    [
        (BOMB, 2, ""),
        (OUTSIDE, 2, ""),
        (DTD, 2, ""),
        (b"<mrq><ref>1</ref><cid>7</cid><dty>3</dty><dte>&x;</dte></mrq>", 2, ""),
        (b"", 2, ""),
        (b"<mrq><ref>1</ref>", 2, ""),
        (b"<html><ref>1</ref></html>", 2, ""),
        (b"<mrq>" * 10 + b"</mrq>" * 10, 2, ""),
        (b"<mrq>" + b"<a>1</a>" * 201 + b"</mrq>", 2, ""),
        (alarm(dte="x" * 9000), 1, "aB3"),
        (alarm(dty=None), 7, "aB3"),
        (alarm(cid=" "), 7, "aB3"),
        (alarm(ref=None), 7, ""),
        (alarm(ref="no spaces please"), 3, ""),
        (alarm(dty="door"), 3, "aB3"),
        (alarm(cid="7/../8"), 3, "aB3"),
    ],
)
def test_what_cannot_be_treated_is_told_why(body, snu, ref):
    with pytest.raises(scaip.ScaipRefused) as refused:
        scaip.read(body)

    assert (refused.value.snu, refused.value.ref) == (snu, ref)
    assert refused.value.reason.startswith("scaip_")


def test_a_reference_that_comes_again_with_other_contents_is_another_message():
    first, again, other = (scaip.read(alarm(did=d)).fingerprint for d in ("1", "1", "2"))

    assert first == again != other


@given(st.binary(max_size=9_000))
def test_no_bytes_break_the_reader(body):
    for mixed in (body, b"<mrq>" + body + b"</mrq>", alarm().replace(b"</mrq>", body)):
        with contextlib.suppress(scaip.ScaipRefused):
            understood(mixed)


TAGS = st.sampled_from(["dte", "stc", "mty", "lco", "crd", "did", "dco", "pri", "lte", "new"])


@given(REFERENCE, st.lists(st.tuples(TAGS, TEXT), max_size=20), st.randoms())
def test_what_is_written_is_read_back_and_understood(ref, said, random):
    tags = [("ref", ref), ("cid", "7001"), ("dty", "3"), *said]
    random.shuffle(tags)

    arrived = understood(mrq(*tags))

    assert arrived.codes == tuple(tags)
    assert max(len(arrived.device), len(arrived.place)) <= MAX_WORDS
    assert arrived.reference == ref
    assert (arrived.kind == "technical") == (arrived.fault is not None)


@given(REFERENCE, st.sampled_from([0, 1, 2, 3, 5, 7]), st.lists(TEXT, max_size=3))
def test_our_answer_is_xml_whatever_stands_in_it(ref, snu, tnu):
    root = ET.fromstring(scaip.write(scaip.Mrs(ref, snu, tuple(tnu))))  # noqa: S314 - ours

    assert [root.findtext("ref"), root.findtext("snu")] == [ref, str(snu)]
    assert [tag.text or "" for tag in root.findall("tnu")] == tnu

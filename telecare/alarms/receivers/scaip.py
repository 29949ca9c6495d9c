"""SCAIP, the messages (SS 91100:2014): a unit's `<mrq>` read and understood, our `<mrs>` written.

Liberal in what is read, for units break the letter of the standard; never in what is written.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal
from xml.parsers import expat
from xml.sax.saxutils import escape

from telecare.alarms.receivers import scaip_codes as codes
from telecare.alarms.receivers.arrived import (
    MAX_WORDS,
    Answer,
    Arrived,
    Claim,
    Fault,
    Kind,
    Trigger,
    Voice,
)

CONTENT_TYPE = "application/scaip+xml"
MAX_BYTES = 8_192
MAX_ELEMENTS = 200
MAX_DEPTH = 4
MAX_VALUE_CHARS = 512
SAME_FOR = timedelta(hours=24)
"""How long a `ref` means the same message."""
ROOTS = frozenset({"mrq", "scaip"})
REPEATED = frozenset({"crd", "tnu"})
NO_MEDIA = "4"
NO_VOICE = "no-voice:"

OK: Final = 0
TOO_LONG: Final = 1
BAD_FORMAT: Final = 2
WRONG_VALUE: Final = 3
NOT_TREATED: Final = 5
TAG_MISSING: Final = 7
Status = Literal[0, 1, 2, 3, 5, 7]
"""`snu`."""
REASONS: dict[Status, str] = {
    TOO_LONG: "scaip_too_long",
    BAD_FORMAT: "scaip_bad_format",
    WRONG_VALUE: "scaip_wrong_value",
    TAG_MISSING: "scaip_tag_missing",
}

_REFERENCE = re.compile(r"[0-9A-Za-z._-]{1,32}")
_FOUR_DIGITS = re.compile(r"[0-9]{1,4}")
_INSIDE = re.compile(rb"<(ref|cid)>\s*([0-9A-Za-z._-]{1,32})\s*</")


class ScaipRefused(ValueError):
    """It cannot be treated. `snu` says why to the unit, when `ref` could be read."""

    def __init__(self, snu: Status, *, ref: str = "", cid: str = "") -> None:
        super().__init__(REASONS[snu])
        self.snu = snu
        self.ref = ref
        self.cid = cid

    @property
    def reason(self) -> str:
        return REASONS[self.snu]


@dataclass(frozen=True, slots=True)
class Mrq:
    """A unit's message: the three tags it must have, and all it said, in its order."""

    ref: str
    cid: str
    dty: str
    """Four digits."""
    said: tuple[tuple[str, str], ...]
    fingerprint: bytes

    def get(self, tag: str, absent: str = "") -> str:
        """The tag's first value that is not empty."""
        return next((value for name, value in self.said if name == tag and value), absent)

    def all(self, tag: str) -> tuple[str, ...]:
        return tuple(value for name, value in self.said if name == tag and value)

    @property
    def mty(self) -> str:
        return self.get("mty", "ME").upper()

    @property
    def stc(self) -> str:
        """Four digits, or whatever it said."""
        return self.get("stc", codes.MANUAL_ALARM).zfill(4)

    @property
    def lco(self) -> str:
        return self.get("lco").zfill(3)


@dataclass(frozen=True, slots=True)
class Mrs:
    """Our answer. `tnu`: URIs the unit is to call; none: no voice."""

    ref: str
    snu: Status
    tnu: tuple[str, ...] = ()


def read(body: bytes) -> Mrq:
    """Raises ScaipRefused, and nothing else."""
    if len(body) > MAX_BYTES:
        inside = {tag.decode(): value.decode() for tag, value in _INSIDE.findall(body[:MAX_BYTES])}
        raise ScaipRefused(TOO_LONG, **inside)  # so that the unit can be told
    said = _elements(body)
    values: dict[str, str] = {}
    for name, value in said:
        if value:
            values.setdefault(name, value)
    ref, cid, dty = (values.get(tag, "") for tag in ("ref", "cid", "dty"))
    readable = _REFERENCE.fullmatch(ref) is not None
    known = {"ref": ref if readable else "", "cid": cid if _REFERENCE.fullmatch(cid) else ""}
    if not (ref and cid and dty):
        raise ScaipRefused(TAG_MISSING, **known)
    if not (readable and known["cid"] and _FOUR_DIGITS.fullmatch(dty)):
        raise ScaipRefused(WRONG_VALUE, **known)
    text = "\n".join(f"{name}={value}" for name, value in said)
    return Mrq(ref, cid, dty.zfill(4), said, hashlib.sha256(text.encode()).digest())


def write(mrs: Mrs) -> bytes:
    tags = [("ref", mrs.ref), ("snu", str(mrs.snu))]
    if mrs.tnu:
        tags += [("mre", "1"), ("cre", "62"), *(("tnu", uri) for uri in mrs.tnu)]
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in tags)
    return f"<mrs>{inside}</mrs>".encode()


def understood(mrq: Mrq, claim: Claim, *, is_proven: bool) -> Arrived:
    """Never in doubt: what is not known to be something else is an alarm."""
    kind, fault = _kind(mrq)
    return Arrived(
        claim=claim,
        is_proven=is_proven,
        reference=mrq.ref,
        fingerprint=mrq.fingerprint,
        same_for=SAME_FOR,
        kind=kind,
        trigger=_trigger(mrq),
        fault=fault,
        device=(mrq.get("dte") or mrq.get("did"))[:MAX_WORDS],
        place=mrq.get("lte")[:MAX_WORDS],
        room=codes.ROOMS.get(mrq.lco),
        voice=_voice(mrq) if kind == "alarm" else None,
        codes=mrq.said,
    )


def answered(mrq: Mrq, arrived: Arrived, answer: Answer) -> Mrs:
    wants_voice = arrived.voice is not None and answer.is_known
    return Mrs(
        mrq.ref,
        OK if answer.is_known else NOT_TREATED,
        answer.voice_to if wants_voice else (),
    )


def _kind(mrq: Mrq) -> tuple[Kind, Fault | None]:
    stc, is_said = mrq.stc, bool(mrq.get("stc"))
    fault = codes.FAULTS.get(stc)
    if mrq.dty == codes.TAMPER_DEVICE and not is_said:
        fault = "tamper"
    is_state = stc in codes.STATES or not is_said
    rules: tuple[tuple[bool, Kind], ...] = (
        (mrq.mty == "PI", "heartbeat"),
        (stc in codes.TESTS, "test"),
        (fault is not None, "technical"),
        (stc in codes.CANCELS or mrq.mty == "RE", "cancel"),
        (stc in codes.NEVER_ALARMS or (mrq.mty == "IN" and is_state), "information"),
    )
    kind: Kind = next((kind for holds, kind in rules if holds), "alarm")
    return kind, fault if kind == "technical" else None


def _trigger(mrq: Mrq) -> Trigger:
    return codes.TRIGGERS.get(mrq.dty, "other")


def _voice(mrq: Mrq) -> Voice | None:
    callers = mrq.all("crd")
    if mrq.get("mreq") == NO_MEDIA:
        return None
    if callers and all(caller.lower().startswith(NO_VOICE) for caller in callers):
        return None
    return Voice(callers, is_called=mrq.get("cha") == "1")


def _elements(body: bytes) -> tuple[tuple[str, str], ...]:
    """The leaves below the root. Encoding is told by the bytes: units write å without a prolog."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    leaves = _Leaves()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = leaves.starts
    parser.EndElementHandler = leaves.ends
    parser.CharacterDataHandler = leaves.says
    parser.StartDoctypeDeclHandler = leaves.refuses
    parser.EntityDeclHandler = leaves.refuses
    parser.SkippedEntityHandler = leaves.refuses
    try:
        parser.Parse(text.strip().encode(), True)
    except expat.ExpatError as error:
        raise ScaipRefused(BAD_FORMAT) from error
    return tuple(leaves.found)


class _Leaves:
    """What expat calls. Text that an element has beside its children is not kept."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self._open: list[tuple[str, list[str]]] = []
        self._is_leaf = False
        self._count = 0

    def starts(self, name: str, _attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2].lower()
        self._count += 1
        if not self._open and tag not in ROOTS:
            raise ScaipRefused(BAD_FORMAT)
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise ScaipRefused(BAD_FORMAT)
        self._open.append((tag, []))
        self._is_leaf = len(self._open) > 1

    def says(self, text: str) -> None:
        self._open[-1][1].append(text)

    def ends(self, _name: str) -> None:
        tag, text = self._open.pop()
        if self._is_leaf:
            self.found.append((tag[:32], "".join(text).strip()[:MAX_VALUE_CHARS]))
        self._is_leaf = False

    def refuses(self, *_declared: object) -> None:
        raise ScaipRefused(BAD_FORMAT)

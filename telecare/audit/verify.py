"""Checks an extract of a Telecare log, anywhere and offline:  python3 verify.py extract.zip

Needs Python 3.9 or newer and nothing else. What is checked:

1. The package can be read: whose records these are, and from which logs.
2. Each log's head (checkpoint) is signed with the log's key. Compare the key's fingerprint, which
   is printed, with one that you got another way: on paper, from a witness, from the web site.
3. Witnesses, if any, have signed the same head, each at a time of its own.
4. Each record stands in the log: its bytes and its proof lead to the head (RFC 6962).
5. Each text that is shown is the one that was entered; what is not shown is said to be withheld.
6. The person's own numbers run from the first to the last that it covers, without a gap.
7. What was erased is named by a record of the erasure, which stands in the log too, and what such
   a record names is not shown.
8. Where a log follows another that stopped, the new log's first record says so: by whose decision,
   where the old log stood, which head of it is the last that somebody else has, what is missing.

9. If it holds an older head that a witness had seen: the person's records came after that one.

What no check can show: that a record is true, and that nothing happened without being recorded.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any  # what json.loads makes

SECTIONS = ("actor", "basis", "subject", "what")
ERASURE = "record.erased"
REOPENING = "log.reopened"
MAX_PACKAGE_BYTES = 500_000_000
ED25519, COSIGNATURE_V1 = b"\x01", b"\x04"
UNREADABLE = (AttributeError, KeyError, IndexError, TypeError, ValueError, OSError, EOFError,
              NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)  # fmt: skip
"""What reading a package that is none of ours can end in."""


class Refused(Exception):
    """Something does not fit: at which step, which record, what was expected and what found."""

    def __init__(self, step: int, record: str, expected: object, found: object) -> None:
        super().__init__(f"step {step}, {record}: expected {expected}, found {found}")
        self.step, self.record, self.expected, self.found = step, record, expected, found
        self.language = "en"


# --- Ed25519 (RFC 8032 §5.1) ----------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _x_of(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(packed: bytes) -> Point | None:
    number = int.from_bytes(packed, "little")
    y = number & ((1 << 255) - 1)
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def _add(a: Point, b: Point) -> Point:
    c, d = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    e, f = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    g, h, i, j = d - c, f - e, f + e, d + c
    return g * h % P, i * j % P, h * i % P, g * j % P


def _times(scalar: int, point: Point) -> Point:
    found: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point = _add(point, point)
        scalar >>= 1
    return found


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) over `message` was made with the secret of `public_key`."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    base = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    a, r = _point(public_key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if base is None or a is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    left = _times(s, base)
    right = _add(r, _times(int.from_bytes(digest, "little") % ORDER, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (
        left[1] * right[2] - right[1] * left[2]
    ) % P == 0


# --- signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ---------------------------


def from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@dataclass
class Key:
    """Who signs, as `name+hash+key`; the hash must be the key's own."""

    name: str
    kind: bytes
    public: bytes

    @classmethod
    def read(cls, line: str) -> Key:
        name, given, packed = line.strip().split("+", 2)
        raw = from_base64(packed)
        key = cls(name, raw[:1], raw[1:])
        if key.id.hex() != given:
            raise ValueError("key")
        return key

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(self.kind + self.public).hexdigest()
        return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


@dataclass
class Note:
    """A text, and what stands under it: name, key id and raw signature."""

    text: str
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def read(cls, note: str) -> Note:
        text, _, lines = note.rpartition("\n\n")
        signatures = []
        for line in lines.rstrip("\n").split("\n"):
            _, name, packed = line.split(" ")
            raw = from_base64(packed)
            signatures.append((name, raw[:4], raw[4:]))
        return cls(text + "\n", signatures)

    def by(self, key: Key) -> bytes:
        """Its signature; empty when there is none."""
        for name, key_id, raw in self.signatures:
            if (name, key_id) == (key.name, key.id):
                return raw
        return b""


# --- the tree (RFC 6962 §2.1) ---------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that `proof` leads to from `leaf`; None when it has another number of hashes."""
    on_left, start, end = [], 0, size
    while end - start > 1:
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        on_left.append(index >= middle)
        start, end = (middle, end) if index >= middle else (start, middle)
    if len(on_left) != len(proof):
        return None
    found = leaf
    for is_left, beside in zip(reversed(on_left), proof):
        pair = beside + found if is_left else found + beside
        found = hashlib.sha256(b"\x01" + pair).digest()
    return found


def begins_with(size: int, root: bytes, old: int, old_root: bytes, proof: list[bytes]) -> bool:
    """Whether the tree of `size` begins with that of `old` (RFC 9162 §2.1.4.2)."""
    if not 0 < old < size:
        return old == size and root == old_root and not proof
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    here, last = old - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    if not path:
        return False
    before = whole = path[0]
    for beside in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before = hashlib.sha256(b"\x01" + beside + before).digest()
            whole = hashlib.sha256(b"\x01" + beside + whole).digest()
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            whole = hashlib.sha256(b"\x01" + whole + beside).digest()
        here, last = here >> 1, last >> 1
    return last == 0 and before == old_root and whole == root


# --- the package ----------------------------------------------------------------------------------


class Package:
    """Step 1: the files of an extract."""

    def __init__(self, path: str) -> None:
        with zipfile.ZipFile(path) as package:
            if sum(one.file_size for one in package.infolist()) > MAX_PACKAGE_BYTES:
                raise ValueError("too large")
            self.files = {name: package.read(name) for name in package.namelist()}
        self.about: dict[str, Any] = json.loads(self.files["extract.json"])
        lines = self.files["records.jsonl"].splitlines()
        self.records = [Record(json.loads(line)) for line in lines]

    @property
    def language(self) -> str:
        named = self.about.get("language")
        return named if named in ("sv", "fi") else "en"

    def text(self, name: str) -> str:
        return self.files[name].decode()


class Record:
    """A line of records.jsonl: a place in a log, and what is shown of what was entered there."""

    def __init__(self, line: dict[str, Any]) -> None:
        self.log, self.index = int(line["log"]), int(line["index"])
        self.entry = from_base64(line["entry"])
        self.proof = [from_base64(one) for one in line["proof"]]
        self.envelope: dict[str, Any] = json.loads(self.entry)
        self.salts = {name: from_base64(one["salt"]) for name, one in line["open"].items()}
        self.texts: dict[str, str] = {name: one["text"] for name, one in line["open"].items()}
        self.withheld: dict[str, str] = line.get("withheld", {})
        self.erased: dict[str, int] | None = line.get("erased")
        self.number: int | None = line.get("n")
        self.is_about_erasure = line.get("is_about") == "erasure"

    @property
    def name(self) -> str:
        return f"record {self.index} of log {self.log}"

    def commitment(self, section: str) -> str:
        """What a shown text leads to: no other text and salt lead there."""
        name, text = section.encode() + b"\x00", self.texts[section].encode()
        digest = hashlib.sha256(name + self.salts[section] + text).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def number_of(self, person: str) -> int | None:
        """The person's own running number, in her own part of the record."""
        shown = [text for name, text in self.texts.items() if name.startswith("person/")]
        parts = [json.loads(text) for text in shown]
        if "subject" in self.texts:  # records from before people had parts of their own
            everybody = json.loads(self.texts["subject"])["persons"]
            parts += [one for one in everybody if isinstance(one, dict)]
        return next((int(one["n"]) for one in parts if one["id"] == person), None)


@dataclass
class Report:
    """What was found to be so."""

    language: str = "en"
    whose: str = ""
    keys: list[tuple[str, str]] = field(default_factory=list)
    """Each log's origin, and its key's fingerprint."""
    heads: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    seen: list[tuple[str, int, datetime]] = field(default_factory=list)
    """Witness, log, and when it saw the head, by its own clock."""
    before: list[tuple[str, int, int, datetime]] = field(default_factory=list)
    """Witness, log, the size of an older head that it saw, and when."""
    seams: list[dict[str, Any]] = field(default_factory=list)
    """What the first record of each log says that follows another."""
    records: int = 0
    texts: int = 0
    withheld: int = 0
    erased: int = 0
    first_number: int = 1
    last_number: int = 0


# --- the steps ------------------------------------------------------------------------------------


def check_head(package: Package, log: dict[str, Any], report: Report) -> None:
    """Steps 2 and 3."""
    number, where = int(log["log"]), f"head of log {log['log']}"
    key = Key.read(package.text(f"log-{number}.vkey"))
    note = Note.read(package.text(f"log-{number}.checkpoint"))
    origin, size, root = note.text.split("\n")[:3]
    if not origin == key.name == log["origin"]:
        raise Refused(2, where, log["origin"], f"{origin}, key of {key.name}")
    if key.kind != ED25519 or not is_signed(key.public, note.text.encode(), note.by(key)):
        raise Refused(2, where, f"a signature of {key.name}", "none that fits")
    report.keys.append((origin, key.fingerprint))
    report.heads[number] = (int(size), from_base64(root))
    for witness, seen_at in seen_by(package, note, where, 3):
        report.seen.append((witness, number, seen_at))


def seen_by(package: Package, note: Note, where: str, step: int) -> list[tuple[str, datetime]]:
    """Which witnesses have signed a head, and when."""
    seen = []
    for line in package.text("witnesses.vkeys").splitlines():
        witness = Key.read(line)
        raw = note.by(witness)
        if not raw:
            continue
        seconds = int.from_bytes(raw[:8], "big")
        message = f"cosignature/v1\ntime {seconds}\n{note.text}".encode()
        if witness.kind != COSIGNATURE_V1 or not is_signed(witness.public, message, raw[8:]):
            raise Refused(
                step, where, f"a signature of witness {witness.name}", "one that is wrong"
            )
        seen.append((witness.name, datetime.fromtimestamp(seconds, timezone.utc)))
    return seen


def check_before(package: Package, log: int, report: Report) -> None:
    """Step 9, of log `log`, when it has an older head."""
    if f"log-{log}.before" not in package.files:
        return
    where = f"older head of log {log}"
    key, note = (
        Key.read(package.text(f"log-{log}.vkey")),
        Note.read(package.text(f"log-{log}.before")),
    )
    origin, size_text, root_text = note.text.split("\n")[:3]
    size, root = int(size_text), from_base64(root_text)
    if origin != key.name or not is_signed(key.public, note.text.encode(), note.by(key)):
        raise Refused(9, where, f"a signature of {key.name}", "none that fits")
    proof = [from_base64(one) for one in package.text(f"log-{log}.before.proof").splitlines()]
    if not begins_with(*report.heads[log], size, root, proof):
        raise Refused(9, where, "that its log begins with it", "another beginning")
    for record in package.records:
        if record.log == log and not record.is_about_erasure and record.index < size:
            raise Refused(9, record.name, f"a place from {size} on", record.index)
    for witness, seen_at in seen_by(package, note, where, 9):
        report.before.append((witness, log, size, seen_at))


def check_place(record: Record, heads: dict[int, tuple[int, bytes]]) -> None:
    """Step 4."""
    if record.log not in heads:
        raise Refused(4, record.name, "the head of its log", "none")
    size, root = heads[record.log]
    if not 0 <= record.index < size:
        raise Refused(4, record.name, f"a place below {size}", record.index)
    found = root_from(leaf_hash(record.entry), record.index, size, record.proof)
    if found != root:
        told = found.hex() if found else "a proof of another length"
        raise Refused(4, record.name, root.hex(), told)


def check_seam(package: Package, number: int, report: Report) -> None:
    """Step 8, of log `number`: from here on its records speak for where the log before it stood."""
    name = f"first record of log {number}"
    if f"log-{number}.seam" not in package.files:
        raise Refused(8, name, f"a record of where log {number - 1} ended", "none")
    record = Record(json.loads(package.files[f"log-{number}.seam"]))
    check_place(record, report.heads)
    check_texts(record)
    what = json.loads(record.texts["what"])
    place, event = (record.log, record.index), record.envelope["ev"]
    if (place, event) != ((number, 0), REOPENING):
        raise Refused(8, name, REOPENING, f"{event} at {record.name}")
    follows, stands = what["follows"], what["stands"]
    if (what["log"], follows["log"]) != (number, number - 1):
        raise Refused(8, name, f"log {number - 1}", follows["log"])
    if (
        Note.read(follows["note"]).text
        != Note.read(package.text(f"log-{number - 1}.checkpoint")).text
    ):
        raise Refused(8, name, "the head that it quotes", f"another, of log {number - 1}")
    what["quoted"] = report.heads[number - 1][0]
    report.heads[number - 1] = (int(stands["size"]), from_base64(stands["root"] or ""))
    report.seams.insert(0, what)


def check_texts(record: Record) -> None:
    """Step 5."""
    committed: dict[str, str] = dict(record.envelope["sd"])
    if "subject" in record.texts:
        people = json.loads(record.texts["subject"])["persons"]
        committed.update({f"person/{i}": one for i, one in enumerate(people)})
    for section in record.texts:
        found = record.commitment(section)
        if committed.get(section) != found:
            raise Refused(5, record.name, f"{section} {committed.get(section)}", found)
    for section in SECTIONS:
        if not (section in record.texts or section in record.withheld or record.erased):
            raise Refused(5, record.name, f"{section} shown or withheld", "neither")


def check_numbers(numbers: list[int], first: int, last: int) -> None:
    """Step 6."""
    if not 1 <= first <= last:
        raise Refused(6, f"number {first}", f"one from 1 to {last}", first)
    found = sorted(numbers)
    for place, expected in enumerate(range(first, last + 1)):
        here = found[place] if place < len(found) else None
        if here != expected:
            raise Refused(6, f"number {expected}", expected, "nothing" if here is None else here)
    if len(found) > last - first + 1:
        raise Refused(6, f"number {found[-1]}", f"none above {last}", found[-1])


def check_erasures(records: list[Record]) -> None:
    """Step 7."""
    named = {
        (record.log, record.index): json.loads(record.texts["what"])
        for record in records
        if record.is_about_erasure and record.envelope["ev"] == ERASURE
    }
    for record in records:
        if record.erased is None:
            for what in named.values():
                if record.texts and names(what, record):
                    raise Refused(7, record.name, "no text: a record says it is erased", "its text")
            continue
        what = named.get((record.erased["log"], record.erased["index"]), {"log": 0, "leaves": []})
        if not names(what, record):
            raise Refused(7, record.name, "a record of its erasure", "none that names it")


def names(erasure: dict[str, Any], record: Record) -> bool:
    """Whether that is about the erasure of this record."""
    ranges = erasure["leaves"] if erasure["log"] == record.log else []
    return any(first <= record.index <= last for first, last in ranges)


def check(path: str) -> Report:
    """All steps. Raises Refused; KeyError, ValueError, OSError, BadZipFile: it is no extract."""
    package = Package(path)
    try:
        return check_all(package)
    except Refused as error:
        error.language = package.language
        raise


def check_all(package: Package) -> Report:
    report = Report(language=package.language)
    report.whose = package.about["whose"]["id"]
    report.first_number = int(package.about.get("first_number", 1))
    report.last_number = int(package.about["last_number"])
    for about in package.about["logs"]:
        check_head(package, about, report)
    for log in sorted(report.heads, reverse=True):
        if log > 1:
            check_seam(package, log, report)
    numbers = []
    for record in package.records:
        check_place(record, report.heads)
        check_texts(record)
        report.records += 1
        report.texts += len(record.texts)
        report.withheld += len(record.withheld)
        report.erased += record.erased is not None
        if record.is_about_erasure:
            continue
        number = record.number if record.erased else record.number_of(report.whose)
        if number is None:
            raise Refused(6, record.name, f"a number of {report.whose}", "none")
        numbers.append(number)
    check_numbers(numbers, report.first_number, report.last_number)
    check_erasures(package.records)
    for log in sorted(report.heads):
        check_before(package, log, report)
    return report


# --- what is said ---------------------------------------------------------------------------------

SAID = {
    "en": {
        "whose": "1. Records of {whose}.",
        "key": "2. {origin}: key {printed}. Compare it.",
        "seen": (
            "3. Witness {name} saw log {log} at {at} UTC. What came after is checked against the "
            "log's own key only."
        ),
        "unseen": "3. No witness: whoever holds the log's key could have rewritten it.",
        "records": "4. {records} records stand in the log.",
        "texts": "5. {texts} texts are as entered; {withheld} sections are withheld.",
        "numbers": "6. No gaps in numbers {first} to {last}.",
        "erased": "7. {erased} records are erased, each by a recorded decision.",
        "seam": (
            "8. Log {log} follows log {before}, which stopped at {size} records: decision "
            "{decision} of {by}. The last head of it that {holder} has, of {quoted} records, "
            "{fits} it."
        ),
        "missing": "8. Missing from log {log}: records {first} to {last}.",
        "before": (
            "9. In log {log} they came after the head of {size} records that witness {name} saw at "
            "{at} UTC."
        ),
        "fits": "fits",
        "differs": "DOES NOT FIT",
        "and": " and ",
        "no_extract": "No extract that can be checked",
    },
    "sv": {
        "whose": "1. Händelser om {whose}.",
        "key": "2. {origin}: nyckel {printed}. Jämför den.",
        "seen": (
            "3. Vittnet {name} såg logg {log} {at} UTC. Det som hänt därefter är bara kontrollerat "
            "mot loggens egen nyckel."
        ),
        "unseen": "3. Inget vittne: den som har loggens nyckel kan ha skrivit om den.",
        "records": "4. {records} händelser står i loggen.",
        "texts": "5. {texts} texter är som de skrevs; {withheld} delar är hemlighållna.",
        "numbers": "6. Inga luckor i nummer {first} till {last}.",
        "erased": "7. {erased} händelser är gallrade, var och en genom ett beslut i loggen.",
        "seam": (
            "8. Logg {log} följer på logg {before}, som stannade vid {size} händelser: beslut "
            "{decision} av {by}. Det sista sigillet som {holder} har, vid {quoted} händelser, "
            "{fits}."
        ),
        "missing": "8. Saknas i logg {log}: händelserna {first} till {last}.",
        "before": (
            "9. I logg {log} kom de efter sigillet vid {size} händelser, som vittnet {name} såg "
            "{at} UTC."
        ),
        "fits": "stämmer",
        "differs": "STÄMMER INTE",
        "and": " och ",
        "no_extract": "Inget utdrag som kan kontrolleras",
    },
    "fi": {
        "whose": "1. Tapahtumat henkilöstä {whose}.",
        "key": "2. {origin}: avain {printed}. Vertaa sitä.",
        "seen": (
            "3. Todistaja {name} näki lokin {log} {at} UTC. Sen jälkeinen on tarkistettu vain "
            "lokin omaa avainta vasten."
        ),
        "unseen": "3. Ei todistajaa: lokin avaimen haltija on voinut kirjoittaa sen uudelleen.",
        "records": "4. {records} tapahtumaa on lokissa.",
        "texts": "5. {texts} tekstiä on kuten ne kirjattiin; {withheld} osaa on salattu.",
        "numbers": "6. Ei aukkoja numeroissa {first}-{last}.",
        "erased": "7. {erased} tapahtumaa on hävitetty, kukin lokiin kirjatulla päätöksellä.",
        "seam": (
            "8. Loki {log} jatkaa lokia {before}, joka pysähtyi {size} tapahtumaan: päätös "
            "{decision}, {by}. Viimeinen sinetti, joka on haltijalla {holder}, {quoted} "
            "tapahtumaa, {fits}."
        ),
        "missing": "8. Lokista {log} puuttuvat tapahtumat {first}-{last}.",
        "before": (
            "9. Lokissa {log} ne tulivat {size} tapahtuman sinetin jälkeen, jonka todistaja {name} "
            "näki {at} UTC."
        ),
        "fits": "täsmää",
        "differs": "EI TÄSMÄÄ",
        "and": " ja ",
        "no_extract": "Ei ote, jonka voisi tarkistaa",
    },
}
PHRASES = (
    (r"step (\d)", r"steg \1", r"vaihe \1"),
    (r"\bexpected\b", "väntat", "odotettu"),
    (r"\bfound\b", "funnet", "löytyi"),
    (
        r"first record of log (\d+)",
        r"första händelsen i logg \1",
        r"lokin \1 ensimmäinen tapahtuma",
    ),
    (r"record (\d+) of log (\d+)", r"händelse \1 i logg \2", r"lokin \2 tapahtuma \1"),
    (r"older head of log (\d+)", r"äldre sigill för logg \1", r"lokin \1 vanhempi sinetti"),
    (r"that its log begins with it", "att loggen börjar med det", "että loki alkaa sillä"),
    (r"another beginning", "en annan början", "toinen alku"),
    (r"a place from (\d+) on", r"en plats från \1", r"paikka alkaen \1"),
    (r"head of log (\d+)", r"sigillet för logg \1", r"lokin \1 sinetti"),
    (r"the head of its log", "sigillet för dess logg", "sen lokin sinetti"),
    (r"\bnumber (\d+)", r"nummer \1", r"numero \1"),
    (r"none above (\d+)", r"inget över \1", r"ei yli \1"),
    (r"a number of", "ett nummer för", "numero henkilölle"),
    (r"a place below (\d+)", r"en plats under \1", r"paikka alle \1"),
    (r"a signature of", "en underskrift av", "allekirjoitus:"),
    (r"none that fits", "ingen som stämmer", "ei täsmäävää"),
    (r"one that is wrong", "en som är fel", "väärä"),
    (r"shown or withheld", "visad eller hemlighållen", "näytetty tai salattu"),
    (r"a record of its erasure", "en händelse om gallringen", "tapahtuma hävittämisestä"),
    (r"none that names it", "ingen som nämner den", "mikään ei mainitse sitä"),
    (r"\bneither\b", "ingetdera", "ei kumpikaan"),
    (r"\bnothing\b", "inget", "ei mitään"),
    (r"\bnone\b", "inget", "ei mitään"),
)


def refusal(error: Refused) -> str:
    """In the extract's own language."""
    said = str(error)
    if error.language in ("sv", "fi"):
        for english, swedish, finnish in PHRASES:
            said = re.sub(english, swedish if error.language == "sv" else finnish, said)
    return f"{SAID[error.language]['differs']}: {said}"


def told(report: Report, language: str = "") -> list[str]:
    """What was found to be so, step by step; in the extract's own language, or another."""
    words = SAID[language or report.language]
    said = [words["whose"].format(whose=report.whose)]
    said += [words["key"].format(origin=origin, printed=printed) for origin, printed in report.keys]
    said += [
        words["seen"].format(name=name, log=log, at=f"{at:%Y-%m-%d %H:%M}")
        for name, log, at in report.seen
    ] or [words["unseen"]]
    said += [
        words["records"].format(records=report.records),
        words["texts"].format(texts=report.texts, withheld=report.withheld),
        words["numbers"].format(first=report.first_number, last=report.last_number),
        words["erased"].format(erased=report.erased),
    ]
    for seam in report.seams:
        follows = seam["follows"]
        said.append(
            words["seam"].format(
                log=seam["log"],
                before=follows["log"],
                size=seam["stands"]["size"],
                decision=seam["decision"],
                by=words["and"].join(seam["by"]),
                holder=follows["held_by"],
                quoted=seam["quoted"],
                fits=words["fits" if follows["fits"] else "differs"],
            )
        )
        said += [
            words["missing"].format(log=follows["log"], first=first, last=last)
            for first, last in seam["missing"]
        ]
    said += [
        words["before"].format(name=name, log=log, size=size, at=f"{at:%Y-%m-%d %H:%M}")
        for name, log, size, at in report.before
    ]
    return said


def say(text: str) -> None:
    """Also where the terminal has not all of our letters."""
    sys.stdout.write(text.encode(sys.stdout.encoding or "utf-8", "replace").decode(
        sys.stdout.encoding or "utf-8") + "\n")  # fmt: skip


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        say(__doc__ or "")
        return 2
    try:
        report = check(arguments[1])
    except Refused as error:
        say(refusal(error))
        return 1
    except UNREADABLE as error:
        say(" / ".join(said["no_extract"] for said in SAID.values()) + f": {error!r}")
        return 2
    say("\n".join(told(report)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

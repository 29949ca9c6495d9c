"""An extract (loggutdrag): a person's records with what proves them, to be checked by anyone.

The zip's form stands in docs/decisions/0009; `verify.py` in it is `telecare/audit/verify.py`.
"""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files

from telecare.audit.format import SECTIONS, salt
from telecare.audit.note import ED25519, Note, NotSigned, VerifierKey, check_signature
from telecare.audit.tree import inclusion
from telecare.integrity import extract_store, tree_store
from telecare.integrity.extract_store import Head, Kept
from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId
from telecare.wire.signalling import Language

FORMAT = 1
FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""No time of making in the zip's own entries: the same extract is the same bytes."""


class NotSequencedYet(Exception):
    """Some of her newest records have no signed place yet; ask again in a moment."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the decision was. `withheld`: by running number, the sections not shown and the statute
    that says so; section names as in the format, "person" for the names of others.
    """

    resident_id: ResidentId
    name: str
    last_number: int
    language: Language
    made_at: datetime
    withheld: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    witnesses: Sequence[VerifierKey] = ()


async def make(db: Transaction, order: Order) -> bytes:
    """The zip, read by role reader.

    Raises NotSequencedYet, TreeIncomplete.
    """
    heads = {head.log: head for head in await extract_store.heads(db)}
    records = await extract_store.of_person(db, order.resident_id, order.last_number)
    if len(records) < order.last_number or any(
        record.log not in heads or record.index >= heads[record.log].signed.size
        for record in records
    ):
        raise NotSequencedYet
    erased = [record for record in records if record.seed is None]
    naming = _naming(erased, await extract_store.erasures(db)) if erased else {}
    of_erasure = list({_place(one): one for one in naming.values()}.values())
    proofs = await _proofs(db, [*records, *of_erasure], heads)
    lines = [
        _line(record, order, proofs[_place(record)], naming.get(_place(record)))
        for record in records
    ]
    lines += [_erasure_line(record, proofs[_place(record)]) for record in of_erasure]
    used = sorted({log for log, _ in proofs})
    return _zip(order, lines, [heads[log] for log in used], await extract_store.keys(db))


def _place(record: Kept) -> tuple[int, int]:
    return record.log, record.index


async def _proofs(
    db: Transaction, records: Sequence[Kept], heads: Mapping[int, Head]
) -> dict[tuple[int, int], list[str]]:
    """That each stands in the newest head of its log."""
    found = {}
    for log in {record.log for record in records}:
        indexes = sorted({record.index for record in records if record.log == log})
        size = heads[log].signed.size
        proofs = await tree_store.proofs(db, log, [inclusion(at, size) for at in indexes])
        for index, proof in zip(indexes, proofs, strict=True):
            found[log, index] = [base64.b64encode(one).decode() for one in proof]
    return found


def _naming(erased: Sequence[Kept], erasures: Sequence[Kept]) -> dict[tuple[int, int], Kept]:
    """The record that names the erasure of each."""
    named = {}
    for record in erased:
        for erasure in erasures:
            what = json.loads(erasure.texts["what"])
            if what["log"] == record.log and any(
                first <= record.index <= last for first, last in what["leaves"]
            ):
                named[_place(record)] = erasure
    return named


def _line(
    record: Kept, order: Order, proof: list[str], erasure: Kept | None
) -> Mapping[str, object]:
    line = {**_about(record, proof), "n": record.n}
    if record.seed is None:
        by = {"index": erasure.index, "log": erasure.log} if erasure else None
        return {**line, "erased": by, "open": {}}
    assert record.n is not None  # noqa: S101 - hers
    withheld = order.withheld.get(record.n, {})
    shown = {name: text for name, text in record.texts.items() if name not in withheld}
    for place, text in enumerate(record.persons):
        if json.loads(text)["id"] == str(order.resident_id):
            shown[f"person/{place}"] = text
    return {**line, "open": _opened(shown, record.seed), "withheld": dict(withheld)}


def _erasure_line(record: Kept, proof: list[str]) -> Mapping[str, object]:
    """Only what was erased and by which decision; whom else it was about is not shown."""
    assert record.seed is not None  # noqa: S101 - a record of an erasure is not erased
    shown = {name: record.texts[name] for name in ("basis", "what")}
    return {
        **_about(record, proof),
        "is_about": "erasure",
        "open": _opened(shown, record.seed),
        "withheld": {name: "erasure" for name in SECTIONS if name not in shown},
    }


def _about(record: Kept, proof: list[str]) -> dict[str, object]:
    entry = base64.b64encode(record.entry).decode()
    return {"entry": entry, "index": record.index, "log": record.log, "proof": proof}


def _opened(texts: Mapping[str, str], seed: bytes) -> Mapping[str, object]:
    return {
        section: {"salt": base64.b64encode(salt(section, seed)).decode(), "text": text}
        for section, text in texts.items()
    }


def _zip(
    order: Order,
    lines: Sequence[Mapping[str, object]],
    heads: Sequence[Head],
    keys: Sequence[bytes],
) -> bytes:
    about = {
        "format": FORMAT,
        "language": order.language,
        "last_number": order.last_number,
        "logs": [{"log": head.log, "origin": head.origin} for head in heads],
        "made_at": order.made_at.isoformat(),
        "whose": {"id": str(order.resident_id), "name": order.name},
    }
    parts = {
        "extract.json": json.dumps(about, ensure_ascii=False, indent=1),
        "records.jsonl": "".join(
            f"{json.dumps(line, ensure_ascii=False, sort_keys=True)}\n" for line in lines
        ),
        "witnesses.vkeys": "".join(f"{key}\n" for key in order.witnesses),
        "verify.py": verify_source(),
    }
    for head in heads:
        parts[f"log-{head.log}.checkpoint"] = head.signed.note
        parts[f"log-{head.log}.vkey"] = f"{_signing_key(head, keys)}\n"
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(zipfile.ZipInfo(name, FIRST_DAY), content, zipfile.ZIP_DEFLATED)
    return output.getvalue()


def verify_source() -> str:
    """The program that checks an extract, byte for byte as the house uses it."""
    return (files("telecare.audit") / "verify.py").read_text("utf-8")


def verify_digest() -> str:
    """Its SHA-256, to be published where an extract cannot change it."""
    return hashlib.sha256(verify_source().encode()).hexdigest()


def _signing_key(head: Head, keys: Sequence[bytes]) -> VerifierKey:
    note = Note.parse(head.signed.note)
    for key in keys:
        verifier = VerifierKey(head.origin, ED25519, key)
        try:
            check_signature(note, verifier)
        except NotSigned:
            continue
        return verifier
    raise NotSequencedYet

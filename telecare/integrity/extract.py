"""An extract (loggutdrag): a person's records with what proves them, to be checked by anyone.

The zip's form stands in docs/decisions/0009; `verify.py` in it is `telecare/audit/verify.py`.
"""

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from telecare.audit.format import SECTIONS, salt
from telecare.audit.note import Note, NotSigned, VerifierKey, cosigned_at
from telecare.audit.tree import consistency, inclusion
from telecare.integrity import (
    extract_store,
    fhir,
    program,
    report,
    report_html,
    stamp_store,
    tree_store,
    witness_store,
)
from telecare.integrity.erasures import Erased
from telecare.integrity.extract_store import Kept
from telecare.integrity.report import Report, Shown, as_pdf
from telecare.integrity.seams import Seam
from telecare.integrity.stamp_store import Stamped
from telecare.integrity.tree_store import Signed
from telecare.integrity.witnesses import signing_key, verified
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
    """What the decision was: her numbers `first_number` to `last_number`. `withheld`: by running
    number, the sections not shown and the statute that says so, by their names in the format.
    """

    resident_id: ResidentId
    name: str
    last_number: int
    language: Language
    made_at: datetime
    municipality: str = ""
    case: str = ""
    """The request's diary number."""
    first_number: int = 1
    is_hers: bool = True
    """She asks herself, or somebody in her place."""
    withheld: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    witnesses: Sequence[VerifierKey] = ()


@dataclass(frozen=True, slots=True)
class ShownHead:
    """What a log's records are proved against. `note`: a head that was signed. Of a log that is
    followed by another it is the last known, and `size` is where the seam says that it stood.
    """

    log: int
    origin: str
    note: Note
    size: int


@dataclass(frozen=True, slots=True)
class Made:
    """The files that prove, and what the report is made of. `sizes`: each log's head."""

    parts: Mapping[str, str]
    sizes: Sequence[tuple[int, int]]
    origins: Mapping[int, str]
    stamps: Mapping[int, Stamped]
    """By log, the time stamp of the head that is shown."""
    resident_id: ResidentId
    about: report.About
    records: Sequence[Kept]
    withheld: Mapping[int, Mapping[str, str]]
    seals: Sequence[report.Seal]

    def report(self) -> Report:
        """Takes a while: not on the loop."""
        return Report.of(self.about, [self._shown(one) for one in self.records], self.seals)

    def fhir(self) -> str:
        """The same records for other systems. Takes a while: not on the loop."""
        about = fhir.About(
            str(self.resident_id), self.about.whose, self.about.municipality, self.about.made_at
        )
        placed = [
            fhir.Placed(self._shown(one), self.origins[one.log], one.index, one.entry)
            for one in self.records
        ]
        return json.dumps(fhir.bundle(about, placed), ensure_ascii=False)

    def _shown(self, one: Kept) -> Shown:
        return Shown.of(one, self.withheld.get(one.n or 0, {}))


async def make(db: Transaction, order: Order) -> Made:
    """Read by role reader. Raises NotSequencedYet, TreeIncomplete."""
    seams = {record.log: record for record in await extract_store.seams(db)}
    records = await extract_store.of_person(
        db, order.resident_id, order.first_number, order.last_number
    )
    naming = _naming(records, await extract_store.erasures(db))
    of_erasure = list({_place(one): one for one in naming.values()}.values())
    shown = [*records, *of_erasure, *seams.values()]
    heads = await _heads(db, order, shown, list(seams.values()))
    if len(records) <= order.last_number - order.first_number or any(
        record.log not in heads or record.index >= heads[record.log].size for record in shown
    ):
        raise NotSequencedYet
    proofs = await _proofs(db, shown, heads)
    lines = [
        _line(record, order, proofs[_place(record)], naming.get(_place(record)))
        for record in records
    ]
    lines += [_decision_line(record, proofs[_place(record)], "erasure") for record in of_erasure]
    used = sorted(heads if seams else {log for log, _ in proofs})
    keys = [*await extract_store.keys(db), *_keys(seams.values())]
    parts = _parts(order, lines, [heads[log] for log in used], keys)
    for log, record in seams.items():
        line = _decision_line(record, proofs[_place(record)], "reopening")
        parts[f"log-{log}.seam"] = json.dumps(line, ensure_ascii=False, sort_keys=True)
    older = {}
    for log in sorted({record.log for record in records}):
        first = min(record.index for record in records if record.log == log)
        found = await _older(db, order, heads[log], first, parts)
        if found is not None:
            older[log], proof = found
            parts[f"log-{log}.before"] = str(older[log])
            parts[f"log-{log}.before.proof"] = proof
    found_stamps = {log: await stamp_store.of(db, log, heads[log].size) for log in used}
    stamps = {log: one for log, one in found_stamps.items() if one}
    return Made(
        parts=parts,
        sizes=[(log, heads[log].size) for log in used],
        origins={log: heads[log].origin for log in used},
        stamps=stamps,
        resident_id=order.resident_id,
        about=_about_it(order),
        records=records,
        withheld=order.withheld,
        seals=[_seal(order, heads[log], older.get(log), parts, stamps.get(log)) for log in used],
    )


async def _older(
    db: Transaction, order: Order, head: ShownHead, first: int, parts: Mapping[str, str]
) -> tuple[Note, str] | None:
    """A head that a witness saw before her first record there was in it, and the proof that the
    log begins with it. Only what the same key has signed: its reader has no other.
    """
    witnesses = [str(key) for key in order.witnesses]
    signed = await extract_store.before(db, head.log, first, witnesses)
    if signed is None or signed.size > head.size:
        return None
    note = await _cosigned(db, head.log, signed, order.witnesses)
    key = VerifierKey.parse(parts[f"log-{head.log}.vkey"].strip())
    if len(note.signatures) == 1 or signing_key(note, head.origin, [key.public_key]) is None:
        return None
    [proof] = await tree_store.proofs(db, head.log, [consistency(signed.size, head.size)])
    return note, "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)


def zipped(made: Made) -> bytes:
    """The zip: the same bytes of the same extract. Takes a while: not on the loop."""
    told = made.report()
    texts = {
        **made.parts,
        "README.txt": told.readme,
        "report.html": report_html.page(told),
        "fhir.json": made.fhir(),
    }
    encoded = {name: text.encode() for name, text in texts.items()}
    for log, stamp in made.stamps.items():
        encoded[f"log-{log}.stamped"] = stamp.note.encode()
        encoded[f"log-{log}.stamped.tsr"] = stamp.token
    return _zip({**encoded, "report.pdf": as_pdf(told)})


def on_paper(made: Made) -> bytes:
    """The report alone, as it is in the zip. Takes a while: not on the loop."""
    return as_pdf(made.report())


def _about_it(order: Order) -> report.About:
    return report.About(
        whose=order.name,
        is_hers=order.is_hers,
        municipality=order.municipality,
        case=order.case,
        language=order.language,
        numbers=(order.first_number, order.last_number),
        made_at=order.made_at,
        program_digest=program.digest(),
    )


def _seal(
    order: Order,
    head: ShownHead,
    older: Note | None,
    parts: Mapping[str, str],
    stamped: Stamped | None,
) -> report.Seal:
    return report.Seal(
        head.origin,
        VerifierKey.parse(parts[f"log-{head.log}.vkey"].strip()).fingerprint,
        [one for key in order.witnesses for one in _seen(head.note, key)],
        [one for key in order.witnesses for one in _seen(older, key)],
        (head.log, stamped.authority, stamped.stamped_at) if stamped else None,
    )


def _seen(note: Note | None, witness: VerifierKey) -> Sequence[tuple[str, datetime]]:
    if note is None:
        return ()
    try:
        return [(witness.name, cosigned_at(note, witness))]
    except NotSigned:
        return ()


def _keys(seams: Iterable[Kept]) -> Sequence[bytes]:
    """A key's own record may be among what is missing."""
    return [key for record in seams for key in Seam.read(record.texts["what"]).keys]


async def _heads(
    db: Transaction, order: Order, shown: Sequence[Kept], seams: Sequence[Kept]
) -> Mapping[int, ShownHead]:
    """The newest of each log that a witness has signed and that covers what is shown, else the
    newest of all; before either, one that is time-stamped.
    """
    keys = {str(key): key for key in order.witnesses}
    witnessed = await extract_store.witnessed(db, list(keys))
    stamped = await stamp_store.heads(db)
    heads = {}
    for newest in await extract_store.heads(db):
        least = max((one.index + 1 for one in shown if one.log == newest.log), default=0)
        of_time = [one for log, one in stamped if log == newest.log and one.size >= least]
        covering = [one for log, one in witnessed if log == newest.log and one.size >= least]
        for signed in sorted(covering, key=lambda one: one not in of_time):
            note = await _cosigned(db, newest.log, signed, order.witnesses)
            if len(note.signatures) > 1:
                break
        else:
            signed = of_time[0] if of_time else newest.signed
            note = await _cosigned(db, newest.log, signed, order.witnesses)
        heads[newest.log] = ShownHead(newest.log, newest.origin, note, signed.size)
    for record in seams:
        seam = Seam.read(record.texts["what"])
        note, size = seam.note, seam.size
        heads[seam.follows] = ShownHead(seam.follows, seam.head.origin, note, size)
    return heads


async def _cosigned(
    db: Transaction, log: int, signed: Signed, witnesses: Sequence[VerifierKey]
) -> Note:
    """The head with its witnesses' signatures, as far as these hold."""
    note = Note.parse(signed.note)
    given = await witness_store.cosignatures(db, log, signed.size)
    lines = "".join(one.line for one in verified(note, given, witnesses))
    return Note.parse(f"{note}{lines}")


def _place(record: Kept) -> tuple[int, int]:
    return record.log, record.index


async def _proofs(
    db: Transaction, records: Sequence[Kept], heads: Mapping[int, ShownHead]
) -> dict[tuple[int, int], list[str]]:
    """That each stands in the newest head of its log."""
    found = {}
    for log in {record.log for record in records}:
        indexes = sorted({record.index for record in records if record.log == log})
        size = heads[log].size
        proofs = await tree_store.proofs(db, log, [inclusion(at, size) for at in indexes])
        for index, proof in zip(indexes, proofs, strict=True):
            found[log, index] = [base64.b64encode(one).decode() for one in proof]
    return found


def _naming(records: Sequence[Kept], erasures: Sequence[Kept]) -> dict[tuple[int, int], Kept]:
    """The record that names the erasure of each. Of a text that is still there too: then the log
    contradicts itself, and whoever checks the extract is told.
    """
    said = [(Erased.read(erasure.texts["what"]), erasure) for erasure in erasures]
    return {
        _place(record): erasure
        for record in records
        for what, erasure in said
        if what.names(*_place(record))
    }


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


def _decision_line(record: Kept, proof: list[str], about: str) -> Mapping[str, object]:
    """Only what was done and by which decision; who typed it, and whom else it was about, is not
    shown.
    """
    assert record.seed is not None  # noqa: S101 - a record of a decision is not erased
    shown = {name: record.texts[name] for name in ("basis", "what")}
    return {
        **_about(record, proof),
        "is_about": about,
        "open": _opened(shown, record.seed),
        "withheld": dict.fromkeys((name for name in SECTIONS if name not in shown), about),
    }


def _about(record: Kept, proof: list[str]) -> dict[str, object]:
    entry = base64.b64encode(record.entry).decode()
    return {"entry": entry, "index": record.index, "log": record.log, "proof": proof}


def _opened(texts: Mapping[str, str], seed: bytes) -> Mapping[str, object]:
    return {
        section: {"salt": base64.b64encode(salt(section, seed)).decode(), "text": text}
        for section, text in texts.items()
    }


def _parts(
    order: Order,
    lines: Sequence[Mapping[str, object]],
    heads: Sequence[ShownHead],
    keys: Sequence[bytes],
) -> dict[str, str]:
    about = {
        "format": FORMAT,
        "language": order.language,
        "first_number": order.first_number,
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
        "verify.py": program.source(),
    }
    for head in heads:
        key = signing_key(head.note, head.origin, keys)
        if key is None:
            raise NotSequencedYet
        parts[f"log-{head.log}.checkpoint"] = str(head.note)
        parts[f"log-{head.log}.vkey"] = f"{key}\n"
    return parts


def _zip(parts: Mapping[str, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(zipfile.ZipInfo(name, FIRST_DAY), content, zipfile.ZIP_DEFLATED)
    return output.getvalue()

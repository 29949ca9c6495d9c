"""What witnesses have signed of a log, as far as it is kept here: what a check compares with."""

from collections.abc import Sequence

from telecare.audit.note import Checkpoint, Note, NoteMalformed, VerifierKey
from telecare.integrity import checking_store, witness_store
from telecare.integrity.checking import Outside
from telecare.integrity.checking_store import LogToCheck
from telecare.integrity.witnesses import verified
from telecare.runtime.db import Transaction


async def cosigned(db: Transaction, witnesses: Sequence[VerifierKey]) -> list[Outside]:
    """The largest head of each log that each witness has signed. Nobody else can make its
    signature, also not whoever keeps the database.
    """
    logs = await checking_store.logs(db)
    return [one for log in logs for key in witnesses for one in await _of(db, log, key)]


async def _of(db: Transaction, log: LogToCheck, witness: VerifierKey) -> list[Outside]:
    size = await witness_store.largest_seen(db, log.log, str(witness))
    given = await witness_store.cosignatures(db, log.log, size)
    found = []
    for at, _, text in await checking_store.checkpoints(db, log.log):
        if at != size:
            continue
        try:
            note = Note.parse(text)
            head = Checkpoint.parse(note.text)
        except NoteMalformed:
            continue  # the check itself says so
        found += [
            Outside(f"{witness.name}'s signature", head, one.seen_at)
            for one in verified(note, given, [witness])
        ]
    return found

"""The records of erasures that a municipality's log has (role reader)."""

import json
from collections.abc import Sequence

from telecare.integrity.erasures import Erased, Erasure
from telecare.runtime.db import Transaction

ERASURES = """
select b.entry_id, b.recorded_at, b.what, b.basis, l.log, l.leaf_index
from audit.body b
left join audit.leaf l on l.tenant_id = b.tenant_id and l.entry_id = b.entry_id
where b.tenant_id = $1 and b.event = 'record.erased'
order by b.entry_id desc
limit $2
"""
MOST_ERASURES = 100_000


async def erasures(db: Transaction, limit: int = MOST_ERASURES) -> Sequence[Erasure]:
    """The newest first; what cannot be read the check of the log names (role reader)."""
    found = []
    for entry_id, at, what, basis, log, index in await db.fetch(ERASURES, db.tenant, limit):
        try:
            erased, law = Erased.read(what), str(json.loads(basis).get("law", ""))
        except (ValueError, AttributeError):
            continue
        found.append(Erasure(entry_id, at, erased, law, None if log is None else (log, index)))
    return found

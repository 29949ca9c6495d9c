"""What the page about the log says of where its heads have gone."""

from telecare.access.model import StaffSession
from telecare.integrity import mailing_store, stamp_store
from telecare.integrity.mailing_store import Mailed
from telecare.integrity.stamp_store import Stamped
from telecare.runtime.db import Database


class Publications:
    """`reader`: role reader. Nothing in it is about anybody."""

    def __init__(self, reader: Database) -> None:
        self._reader = reader

    async def mailed(self, session: StaffSession) -> Mailed | None:
        """None: no letter was ever to be sent."""
        async with self._reader.transaction(session.tenant) as db:
            return await mailing_store.latest(db)

    async def stamped(self, session: StaffSession) -> Stamped | None:
        """The newest stamp; None: there is none."""
        async with self._reader.transaction(session.tenant) as db:
            found = await stamp_store.every(db, 1)
        return found[0] if found else None

"""What the page about the log says of where its heads have gone."""

from telecare.access.model import StaffSession
from telecare.integrity import mailing_store
from telecare.integrity.mailing_store import Mailed
from telecare.runtime.db import Database


class Publications:
    """`reader`: role reader. Nothing in it is about anybody."""

    def __init__(self, reader: Database) -> None:
        self._reader = reader

    async def mailed(self, session: StaffSession) -> Mailed | None:
        """None: no letter was ever to be sent."""
        async with self._reader.transaction(session.tenant) as db:
            return await mailing_store.latest(db)

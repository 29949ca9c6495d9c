"""Who must look again: one NOTIFY per transaction wakes whoever follows a topic, in any process.

Topics carry ids only. A notification is a hint, never the news itself: followers read the state
from the database, and after a lost connection everybody looks again.
"""

import asyncio
import logging
from collections import defaultdict
from typing import Protocol

from telecare.runtime.db import Database
from telecare.runtime.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

RETRY_S = 0.5
CHANNEL = "telecare"


LEASES = "lease:"
"""Topics whose notification is itself the news (a renewal): never woken by guess."""


class Follower(Protocol):
    """Something to set when a topic changed; an asyncio.Event is one."""

    def set(self) -> None: ...


class Feed:
    """Followers are set by any change of their topics."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: defaultdict[str, set[Follower]] = defaultdict(set)

    def follow(self, follower: Follower, topic: str) -> None:
        """Set `follower` whenever `topic` changes, until it unfollows."""
        self._followers[topic].add(follower)

    def unfollow(self, follower: Follower, topic: str) -> None:
        self._followers[topic].discard(follower)
        if not self._followers[topic]:
            del self._followers[topic]

    def wake(self, topic: str) -> None:
        for event in list(self._followers.get(topic, ())):
            event.set()

    def wake_all(self) -> None:
        for topic in list(self._followers):
            if not topic.startswith(LEASES):
                self.wake(topic)

    async def run(self) -> None:
        """Listen for the life of the process; a lost connection is taken up again."""
        while True:
            lost = asyncio.Event()
            try:
                stop = await self._database.listen(CHANNEL, self.wake, lost.set)
            except DatabaseUnavailable:
                await asyncio.sleep(RETRY_S)
                continue
            try:
                self.wake_all()  # whatever was said while nobody listened
                await lost.wait()
                log.warning("notification connection lost")
            finally:
                await stop()
            await asyncio.sleep(RETRY_S)

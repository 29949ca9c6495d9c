"""Somebody who receives alarms: a console on the real WebSocket, which comes back when lost."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from itertools import count

import aiohttp

from telecare.access.http import STAFF_COOKIE

BACK_S = 0.2
DEAF_S = 5.0
"""A page that hears nothing for so long connects anew (a `hello` comes each two seconds)."""
READY_S = 10.0


@dataclass
class Operator:
    """`seen`: when each alarm first stood on her screen, by its device, in seconds since 1970."""

    urls: list[str]
    """Where she may come in; the first is the public one."""
    unit: str
    token: str
    seen: dict[str, float] = field(default_factory=dict)
    has_list: bool = False
    """A list has come, so that her having seen it stands in the log."""

    async def watch(self) -> None:
        """For the life of the run."""
        async with aiohttp.ClientSession() as http:
            for tries in count():
                url = self.urls[tries % len(self.urls)]
                with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
                    await self._look(http, url)
                await asyncio.sleep(BACK_S)

    async def _look(self, http: aiohttp.ClientSession, url: str) -> None:
        headers = {"Origin": self.urls[0], "Cookie": f"{STAFF_COOKIE}={self.token}"}
        async with asyncio.timeout(DEAF_S):
            socket = await http.ws_connect(f"{url}/ws/staff", headers=headers)
        async with socket:
            await socket.send_json({"type": "subscribe", "view": "today", "unit": self.unit})
            ready_at = 0.0
            while True:
                if time.monotonic() - ready_at >= READY_S:
                    ready_at = time.monotonic()
                    await socket.send_json({"type": "ready", "sound": True})
                async with asyncio.timeout(DEAF_S):
                    message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                self._take(message.json())

    def _take(self, frame: dict) -> None:
        at = time.time()
        self.has_list |= frame["type"] == "snapshot"
        for row in frame.get("rows") or frame.get("changed") or ():
            if row["row"] == "alarm":
                self.seen.setdefault(row["device"], at)

    async def is_there(self) -> None:
        async with asyncio.timeout(DEAF_S * 4):
            while not self.has_list:
                await asyncio.sleep(0.05)

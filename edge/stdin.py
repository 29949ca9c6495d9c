"""Lines of standard input, whatever it is: a pipe, a file, a terminal or nothing at all."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator

CHUNK = 65_536
MAX_LINE_BYTES = 1 << 20


async def lines_of_stdin() -> AsyncIterator[bytes]:
    """Ends with the input. A daemon thread reads: epoll refuses files and /dev/null."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)

    def feed(chunk: bytes) -> None:
        if chunk:
            reader.feed_data(chunk)
        else:
            reader.feed_eof()

    def read() -> None:
        while not loop.is_closed():
            chunk = os.read(0, CHUNK)
            try:
                loop.call_soon_threadsafe(feed, chunk)
            except RuntimeError:
                return
            if not chunk:
                return

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while line := await reader.readline():
        yield line.strip()

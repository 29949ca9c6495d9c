# ruff: noqa: INP001
"""The reference of `first-picture`, the server: passes on what one page and one home say.

No person, no consent, no record, no database, no broker: bare aiohttp.
"""

import asyncio
import ctypes
import signal
import sys
from pathlib import Path

from aiohttp import WSMsgType, web

PR_SET_PDEATHSIG = 1
PAGE = Path(__file__).with_suffix(".html").read_text()
OTHER = {"page": "home", "home": "page"}


class Switchboard:
    def __init__(self) -> None:
        self._sockets: dict[str, web.WebSocketResponse] = {}

    async def page(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        who = request.match_info["who"]
        self._sockets[who] = socket
        async for message in socket:
            other = self._sockets.get(OTHER[who])
            if message.type is WSMsgType.TEXT and other is not None and not other.closed:
                await other.send_str(message.data)
        return socket


async def main(port: int) -> None:
    switchboard = Switchboard()
    app = web.Application()
    app.router.add_get("/", switchboard.page)
    app.router.add_get("/ws/{who:page|home}", switchboard.socket)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "localhost", port).start()
    print("up", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    asyncio.run(main(int(sys.argv[1])))

"""The real server's border, as pages meet it."""

import asyncio
import re
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from telecare.access.http import SCREEN_COOKIE, STAFF_COOKIE
from telecare.app import listening, web_app
from telecare.runtime.broker import Broker
from telecare.runtime.config import Config
from telecare.runtime.feed import Feed
from telecare.runtime.tasks import Errands, running
from tests.services.night_round import night  # noqa: F401 - a fixture
from tests.world import TOKENS


class Page:
    """The live channel of one page."""

    def __init__(self, socket):
        self._socket = socket
        self.heard = []

    async def say(self, **frame):
        await self._socket.send_json(frame)

    async def until(self, kind, **having):
        """The next frame of this kind with these values; everything before it is in `heard`."""
        async with asyncio.timeout(10):
            while True:
                frame = await self._socket.receive_json()
                self.heard.append(frame)
                if frame["type"] == kind and having.items() <= frame.items():
                    return frame

    async def said_all(self):
        """Everything that was on its way has come: the server answers in order."""
        await self.say(type="subscribe", view="today", unit=str(uuid4()))
        await self.until("refused", about="subscribe")

    async def closed(self):
        async with asyncio.timeout(10):
            while (message := await self._socket.receive()).type is aiohttp.WSMsgType.TEXT:
                self.heard.append(message.json())
        return self._socket.close_code


class Client:
    """Speaks to the real server as a page of ours would."""

    def __init__(self, http, url):
        self.http, self.url = http, url

    async def ask(self, route, *, session=None, body=None, path=None, **headers):
        cookies = {}
        if session is not None:
            name = STAFF_COOKIE if hasattr(session, "staff") else SCREEN_COOKIE
            cookies = {name: TOKENS[session.id]}
        address = self.url + (path or filled(route.path))
        sent = {"Origin": self.url, **headers}
        if route.method == "GET":
            request = self.http.get(address, cookies=cookies, headers=sent)
        else:
            payload = (
                {"json": {} if body is None else body}
                if not isinstance(body, bytes)
                else {
                    "data": body,
                    "headers": {**sent, "Content-Type": "application/json"},
                }
            )
            request = self.http.post(address, cookies=cookies, **{"headers": sent, **payload})
        async with request as answer:
            text = await answer.text()
            return answer.status, text, dict(answer.headers)

    async def send(self, path, session, **fields):
        """Submit a form: (status, page, where to go on)."""
        async with self.http.post(
            self.url + path,
            data=[(n, v) for n, vs in fields.items() for v in (vs if type(vs) is list else [vs])],
            cookies={STAFF_COOKIE: TOKENS[session.id]},
            headers={"Origin": self.url},
            allow_redirects=False,
        ) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location", "")

    async def look(self, path, session):
        """(status, page) of a page."""
        cookies = {STAFF_COOKIE: TOKENS[session.id]}
        async with self.http.get(self.url + path, cookies=cookies, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def fetch(self, path, session):
        """(status, bytes) of a file."""
        cookies = {STAFF_COOKIE: TOKENS[session.id]}
        async with self.http.get(self.url + path, cookies=cookies) as answer:
            return answer.status, await answer.read()

    @asynccontextmanager
    async def page(self, session):
        path, name = (
            ("/ws/staff", STAFF_COOKIE) if hasattr(session, "staff") else ("/ws/tv", SCREEN_COOKIE)
        )
        headers = {"Origin": self.url, "Cookie": f"{name}={TOKENS[session.id]}"}
        async with self.http.ws_connect(self.url + path, headers=headers) as socket:
            page = Page(socket)
            await page.until("hello")
            yield page


def filled(path, id_=None):
    return re.sub(r"\{(\w+)\}", lambda m: _value(m[1], id_), path)


def _value(name, id_):
    return {"purpose": "video_visit", "token": "none"}.get(name, str(id_ or uuid4()))


@pytest.fixture
async def client(made, config):
    port = unused_port()
    url = f"http://localhost:{port}"
    own = Config(database_url=config.database_url, mqtt_url=config.mqtt_url, public_url=url)
    broker = Broker(config.mqtt_url, (), None)
    errands = Errands()
    feed = Feed(made.database)
    app = web_app(made, own, feed=feed, brokers=[broker], errands=errands, is_demo=False)
    async with (
        running(errands=errands.run(), feed=feed.run()),
        listening(app, "localhost", port),
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        yield Client(http, url)

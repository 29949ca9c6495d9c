"""`--lan`: a tablet in the room is let in with a code from the terminal, and nothing else is."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import ssl
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from telecare.demo import lan, seed
from telecare.demo.homes import home_script
from telecare.demo.run import CameraMissing, DemoOptions, check_camera
from tests.flows.conftest import PATIENCE_S, UP_S, VIDEO, hears, sees

pytestmark = pytest.mark.asyncio(loop_scope="session")

TABLET = {"viewport": {"width": 1024, "height": 768}, "ignore_https_errors": True}
HTML = {"Accept": "text/html"}
SENTENCE = "Skanna koden i terminalen"
USED = "Koden är redan använd"
CANDIDATES = """
async () => {
  const found = new Set();
  for (const peer of window.peers) {
    const all = await peer.getStats();
    for (const [, pair] of all) {
      if (pair.type !== "candidate-pair" || pair.state !== "succeeded") continue;
      found.add(all.get(pair.remoteCandidateId).address);
      found.add(all.get(pair.localCandidateId).address);
    }
  }
  return [...found];
}
"""


class Room:
    """The network's side of the demo."""

    def __init__(self, stack) -> None:
        self.stack = stack
        self.settings = lan.LanSettings.read(Path(stack.lan_file))

    @property
    def url(self) -> str:
        return f"https://{self.settings.addresses[0]}:{self.settings.port}"

    def codes(self) -> lan.Codes:
        return lan.Codes.model_validate_json(self.settings.codes_file.read_bytes())

    def start(self, page: str) -> str:
        return f"{self.url}/start/{getattr(self.codes(), page)}"

    async def ask(self, path: str, *, method: str = "GET", **options: object):
        """(status, text, cookies) of one request, its certificate unchecked as a guest would."""
        http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        address = path if path.startswith("http") else f"{self.url}{path}"
        async with (
            http,
            http.request(method, address, ssl=False, allow_redirects=False, **options) as answer,
        ):
            return answer.status, await answer.text(), answer.cookies

    async def let_in(self, page: str = "staff") -> str:
        """The cookie of a device that used a code."""
        _, _, cookies = await self.ask(self.start(page))
        return f"__Host-telecare-lan={cookies['__Host-telecare-lan'].value}"


async def restart(stack, lan_file: str) -> None:
    stack.kill_server()
    stack.lan_file = lan_file
    stack.start_server()
    await stack.server_up()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def room(stack):
    stack.move_clock()  # the codes' ten minutes begin now, wherever another test left the clock
    await restart(stack, str(lan.make_ready(stack.folder, datetime.now(UTC))))
    yield Room(stack)
    await restart(stack, "")


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def many_tries(stack) -> None:
    await stack.new_day()


@pytest.mark.parametrize(
    "path",
    ["/", "/tv", "/demo/tv/birgitta", "/api/me", "/healthz", "/openapi.json", "/tv-worker.js",
     "/static/x/css/tv.css", "/start", "/start/", "/start/../api/me", "/no-such-page"],
)  # fmt: skip
async def test_nobody_on_the_network_is_shown_anything_without_the_code(room, path):
    status, page, _ = await room.ask(path, headers=HTML)

    assert (status, SENTENCE in page, "Maria Ek" in page) == (403, True, False)


@pytest.mark.parametrize("socket", ["/ws/staff", "/ws/tv"])
async def test_no_live_channel_opens_without_the_code(room, socket):
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{room.url}{socket}", ssl=False, origin=room.url)

    assert refused.value.status == 403


async def test_nobody_signs_in_from_the_network_without_the_code(room):
    maria = next(p for p in seed.STAFF if p.key == "maria")

    status, _, cookies = await room.ask(
        "/sign-in/demo",
        method="POST",
        data={"staff_id": str(maria.id)},
        headers={"Origin": room.url},
    )

    assert (status, list(cookies)) == (403, [])


@pytest.mark.parametrize("cookie", ["", "1", "99999999999.", f"99999999999.{'0' * 64}", "é.ü"])
async def test_a_cookie_that_the_demo_did_not_seal_opens_nothing(room, cookie):
    status, _, _ = await room.ask("/", headers={"Cookie": f"__Host-telecare-lan={cookie}"})

    assert status == 403


async def test_a_code_lets_one_device_in_and_no_second_one(room):
    first = room.start("staff")

    one = await room.ask(first)
    two = await room.ask(first, headers=HTML)

    cookie = one[2]["__Host-telecare-lan"]
    assert one[0] == 303
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Strict")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert (two[0], USED in two[1], list(two[2])) == (403, True, [])
    kept = {"Cookie": f"__Host-telecare-lan={cookie.value}"}
    status, page, _ = await room.ask("/", headers=kept)
    assert (status, "Maria Ek" in page) == (200, True)


async def test_two_devices_with_the_same_code_at_once_are_one(room):
    address = room.start("tv")

    answers = await asyncio.gather(*(room.ask(address) for _ in range(5)))

    assert sorted(status for status, _, _ in answers) == [303, 403, 403, 403, 403]


async def test_a_used_code_is_replaced_by_one_that_works(room):
    first = room.start("tv")
    await room.ask(first)

    assert room.start("tv") != first
    status, _, _ = await room.ask(room.start("tv"))

    assert status == 303


async def test_a_code_works_for_ten_minutes(room):
    address = room.start("staff")

    room.stack.move_clock(minutes=10, seconds=1)
    status, page, cookies = await room.ask(address, headers=HTML)

    assert (status, USED in page, list(cookies)) == (403, True, [])
    assert room.start("staff") != address


async def test_a_device_is_let_in_for_half_a_day(room):
    cookie = {"Cookie": await room.let_in()}

    room.stack.move_clock(hours=11, minutes=59)
    before, _, _ = await room.ask("/", headers=cookie)
    room.stack.move_clock(hours=12, minutes=1)
    after, _, _ = await room.ask("/", headers=cookie)

    assert (before, after) == (200, 403)


async def test_guessing_codes_is_stopped_also_for_the_right_one(room):
    right = room.start("staff")

    guesses = [(await room.ask("/start/0123456789"))[0] for _ in range(10)]
    status, _, cookies = await room.ask(right)

    assert guesses == [403] * 10
    assert (status, list(cookies)) == (429, [])


async def test_a_killed_server_forgets_its_codes_and_knows_its_devices(room):
    old, cookie = room.start("staff"), {"Cookie": await room.let_in("tv")}

    await restart(room.stack, room.stack.lan_file)
    spent, _, _ = await room.ask(old)
    known, _, _ = await room.ask("/", headers=cookie)

    assert (spent, known) == (403, 200)
    assert room.start("staff") != old


async def test_the_next_demo_knows_nobody_from_the_last(room):
    cookie = {"Cookie": await room.let_in()}

    await restart(room.stack, str(lan.make_ready(room.stack.folder, datetime.now(UTC))))
    room.settings = lan.LanSettings.read(Path(room.stack.lan_file))
    status, _, _ = await room.ask("/", headers=cookie)

    assert status == 403


async def test_only_a_page_of_this_very_address_may_act(room):
    cookie = await room.let_in()
    local = room.stack.url
    other_port = f"https://{room.settings.addresses[0]}:1"

    def sign_in(origin: str, at: str, **more: str):
        headers = {"Origin": origin, "Cookie": cookie, **more}
        return room.ask(f"{at}/sign-in/demo", method="POST", data={}, headers=headers)

    tried = {
        "own": await sign_in(room.url, room.url),
        "localhost": await sign_in(local, room.url),
        "other port": await sign_in(other_port, room.url),
        "plain": await sign_in(room.url.replace("https", "http"), room.url),
        "elsewhere": await sign_in("https://evil.example", room.url),
        "none": await sign_in("null", room.url),
        "the network's page at localhost": await sign_in(room.url, local),
        "other host": await sign_in("https://evil.example", room.url, Host="evil.example"),
    }

    refused = [name for name, (status, text, _) in tried.items() if "origin_refused" in text]
    assert refused == [name for name in tried if name != "own"]
    assert tried["own"][0] == 404


async def test_no_page_is_shown_under_a_name_that_is_not_ours(room):
    cookie = await room.let_in()

    status, page, _ = await room.ask("/", headers={"Cookie": cookie, "Host": "evil.example"})

    assert (status, "Maria Ek" in page) == (403, False)


async def test_the_code_is_nothing_at_localhost(room):
    code = room.codes().staff

    status, _, _ = await room.ask(f"{room.stack.url}/start/{code}")

    assert (status, room.codes().staff) == (404, code)


async def test_plain_http_on_the_networks_port_gets_nothing(room):
    address = room.settings.addresses[0]
    async with asyncio.timeout(UP_S):
        reader, writer = await asyncio.open_connection(address, room.settings.port)
        writer.write(f"GET / HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        with contextlib.suppress(ConnectionError):
            heard = await reader.read()
            assert b"HTTP" not in heard
            assert b"<" not in heard
        writer.close()


async def test_the_demos_own_port_is_not_on_the_network(room):
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(room.settings.addresses[0], room.stack.port)


async def test_a_tablet_in_the_room_is_birgittas_tv_and_sees_maria(room, windows):
    tablet = await windows.new(**TABLET)
    await tablet.goto(room.start("tv"))
    await tablet.locator("[data-test=home]").wait_for()
    maria = await windows.staff()

    row = maria.locator("[data-test=visit]", has_text="Birgitta")
    await row.get_by_role("button", name="Ring").first.click()
    await tablet.locator("[data-test=answer]").click()

    await asyncio.gather(sees(maria), sees(tablet), hears(maria), hears(tablet))
    moving = f"() => new Promise(done => ({VIDEO}).requestVideoFrameCallback(() => done(true)))"
    assert await tablet.evaluate(moving)
    assert room.settings.addresses[0] in await tablet.evaluate(CANDIDATES)
    await maria.locator("[data-test=hang-up]").click()
    await tablet.locator("[data-test=faces], [data-test=home]").first.wait_for()


async def test_maria_on_a_phone_in_the_room_sees_ingrids_home_unit(room, windows):
    phone = await windows.new(**TABLET)
    await phone.goto(room.start("staff"))
    await phone.get_by_role("button", name="Maria Ek").click()

    row = phone.locator("[data-test=visit]", has_text="Ingrid")
    await row.get_by_role("button", name="Ring").first.click()

    await asyncio.gather(sees(phone), hears(phone))
    assert room.settings.addresses[0] in await phone.evaluate(CANDIDATES)
    await phone.locator("[data-test=hang-up]").click()
    await phone.locator("[data-test=outcome-all_well]").wait_for()


# --- the supervisor ---------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path) -> Path:
    if not lan.private_addresses():
        pytest.skip("no private address here")
    return tmp_path


async def test_a_device_that_trusted_the_certificate_is_not_asked_again_next_time(data):
    now = datetime.now(UTC)
    lan.make_ready(data, now)
    first = (data / "lan" / "certificate.pem").read_bytes()

    lan.make_ready(data, now + timedelta(days=30))

    assert (data / "lan" / "certificate.pem").read_bytes() == first
    certificate = ssl._ssl._test_decode_cert(str(data / "lan" / "certificate.pem"))
    named = {value for kind, value in certificate["subjectAltName"] if kind == "IP Address"}
    assert named == set(lan.private_addresses())


async def test_the_certificate_is_made_anew_when_it_runs_out_or_the_address_changes(
    data, monkeypatch
):
    now = datetime.now(UTC)
    lan.make_ready(data, now)
    first = (data / "lan" / "certificate.pem").read_bytes()

    lan.make_ready(data, now + timedelta(days=395))
    second = (data / "lan" / "certificate.pem").read_bytes()
    moved = lan._still_good(data / "lan", ["10.99.0.7"], now)

    assert first != second
    assert not moved


async def test_nobody_else_on_the_machine_reads_the_keys(data):
    lan.make_ready(data, datetime.now(UTC))

    modes = {file.name: file.stat().st_mode & 0o777 for file in (data / "lan").iterdir()}

    assert set(modes.values()) == {0o600}
    assert (data / "lan").stat().st_mode & 0o777 == 0o700


async def test_a_home_has_a_real_camera_only_when_the_demo_was_given_one(tmp_path):
    plain, given = DemoOptions(tmp_path), DemoOptions(tmp_path, camera="/dev/video0")

    def cameras(options: DemoOptions) -> dict[str, str]:
        return {
            h.key: home_script(
                h, options.folder, "http://x", code=None, camera=options.camera
            ).camera
            for h in seed.HOMES
        }

    assert set(cameras(plain).values()) == {"simulated"}
    real = {key: camera for key, camera in cameras(given).items() if camera != "simulated"}
    assert real == {"ingrid": "/dev/video0"}
    with pytest.raises(CameraMissing):
        check_camera(str(tmp_path))


async def test_the_terminal_shows_the_way_in_and_a_new_code_for_a_used_one():
    folder = Path(tempfile.mkdtemp(prefix="telecare-lan-"))
    demo = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "telecare", "demo", "--lan", "--data", str(folder),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip

    async def next_start() -> str:
        async with asyncio.timeout(UP_S + PATIENCE_S):
            while True:
                line = (await demo.stdout.readline()).decode()
                assert line, "the demo ended"
                assert not line.startswith("{"), "a log line among what she reads"
                if found := re.search(r"https://\S+/start/\w+", line):
                    return found.group()

    try:
        tv, staff = await next_start(), await next_start()
        http = aiohttp.ClientSession()
        async with http, http.get(staff, ssl=False, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
        again = await next_start()
    finally:
        demo.send_signal(signal.SIGINT)
        await demo.wait()
        shutil.rmtree(folder, ignore_errors=True)

    assert len({tv, staff, again}) == 3

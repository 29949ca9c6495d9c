"""A look by camera, from the home's side: dark until its turn, then short, never too clear."""

import asyncio
from uuid import UUID, uuid4

import pytest
from aiortc.mediastreams import AudioStreamTrack
from outsider import Staff

from edge.call import Ended, Stage, StillLit, TurnedLit, made_ready
from edge.hardware.blurred import Blur
from edge.hardware.drawing import Box, Colour, Picture
from telecare.wire.edge import (
    CameraTurned,
    Longer,
    Opened,
    PrepareLook,
    Renewal,
    Ring,
    Speak,
    Stamp,
    UnitAlive,
    UnitCallsIn,
    UnitDeclined,
    UnitReport,
    UnitStatus,
)
from telecare.wire.homes import HomeSettings
from telecare.wire.topics import Down

BOOT = uuid4()
BEDROOM = HomeSettings(cameras={"bedroom": "simulated"})
LEASE_MS = 3_000


def prepare(call_id: UUID, **values) -> PrepareLook:
    told = {"camera": "bedroom", "picture": "clear", "notice": "lamp", "ready_s": 30, **values}
    return PrepareLook(call_id=call_id, **told)


# --- the call, by itself ----------------------------------------------------------------------


def open_look(max_s: int = 30):
    call = made_ready(prepare(uuid4()), boot=BOOT, now_ms=0)
    stamp = Stamp(boot=BOOT, monotonic_ms=1_000)
    effects = call.opened(
        Opened(
            call_id=call.call_id,
            echo=stamp,
            lease_ms=LEASE_MS,
            max_s=max_s,
            sends_picture=True,
            sends_sound=False,
        ),
        1_000,
    )
    assert effects == [TurnedLit(min(4_000, 1_000 + max_s * 1_000))]
    call.viewer_heard(1_000)
    return call


def test_a_look_that_never_comes_is_given_up():
    call = made_ready(prepare(uuid4(), ready_s=30), boot=BOOT, now_ms=0)
    assert call.tick(29_999) == []
    assert call.tick(30_000) == [Ended("not_opened")]


@pytest.mark.parametrize(("at_ms", "reason"), [(4_000, "lease"), (4_001, "viewer_silent")])
def test_a_look_ends_where_a_talk_would_go_dark(at_ms, reason):
    call = open_look()
    if reason == "viewer_silent":
        echo = Stamp(boot=BOOT, monotonic_ms=2_000)
        call.renewed(Renewal(call_id=call.call_id, echo=echo, lease_ms=LEASE_MS), 2_000)
    assert call.tick(at_ms) == [Ended(reason)]


def test_the_agreed_seconds_end_it_and_each_extension_counts_once():
    call = open_look(max_s=2)
    more = Longer(call_id=call.call_id, n=1, more_s=1)
    assert call.longer(more, 1_500) == [StillLit(4_000)], "no longer than its lease"
    assert call.longer(more, 1_600) == []
    assert call.tick(3_999) == []
    assert call.tick(4_000) == [Ended("must_end")]
    assert call.longer(Longer(call_id=call.call_id, n=2, more_s=9), 4_001) == []
    assert call.stage is Stage.ENDED


# --- blurred ----------------------------------------------------------------------------------


def board(digits: str) -> Picture:
    """A board as large as a face in a bedroom picture: three lines of large digits."""
    picture = Picture.plain(Colour(210, 128, 128))
    picture.paint(Box(160, 240, 160, 160), Colour(60, 128, 128))
    for row in range(3):
        line = digits[row * 4 : row * 4 + 4]
        picture.write(line, top=168 + row * 48, left=248)
    return picture


def far_apart(one, other) -> int:
    """The greatest difference of brightness of any two pixels."""
    pairs = zip(bytes(one.planes[0]), bytes(other.planes[0]), strict=True)
    return max(abs(a - b) for a, b in pairs)


def test_what_is_written_on_a_board_as_large_as_a_face_cannot_be_read_when_blurred():
    one, other = board("102938475665"), board("665574839201")
    sharp = far_apart(one.frame(), other.frame())
    assert sharp > 150

    blurred = [Blur(picture.frame()).of(picture.frame()) for picture in (one, other)]

    assert far_apart(*blurred) < sharp / 5, "as much as one digit has more ink than another"
    empty = Picture.plain(Colour(210, 128, 128))
    assert far_apart(blurred[0], Blur(empty.frame()).of(empty.frame())) > 100, "somebody is there"
    assert {(frame.width, frame.height) for frame in blurred} == {(640, 480)}


# --- whole looks: a simulated home, a real broker, a real media process ------------------------

network = [pytest.mark.network, pytest.mark.timeout(60)]


@pytest.fixture
async def staff():
    watching = Staff()
    yield watching
    await watching.leave()


async def connected(staff) -> None:
    async with asyncio.timeout(30):
        while staff.peer.connectionState != "connected":
            await asyncio.sleep(0.02)


async def ready(server, staff, **values) -> UUID:
    call_id = uuid4()
    server.say(Down.CALL, prepare(call_id, **values))
    await staff.call(server, call_id)
    await connected(staff)
    return call_id


async def opened(server, call_id, **values) -> None:
    alive = await server.hears(UnitAlive, call_id=call_id)
    server.open(alive, sends_sound=False, **values)


class Microphone(AudioStreamTrack):
    """A voice, as far as a home can tell: not silence."""

    async def recv(self):
        frame = await super().recv()
        wave = b"\x00\x20" * 8 + b"\x00\xe0" * 8
        frame.planes[0].update((wave * frame.samples)[: frame.planes[0].buffer_size])
        return frame


def voices(home) -> list[str]:
    return [one["voice"] for one in home.stamps() if "voice" in one]


def lamp(home) -> list[str]:
    return [sign["lamp"] for sign in home.signs() if "lamp" in sign]


@pytest.mark.parametrize("picture", ["clear", "blurred"])
class TestLook:
    pytestmark = network

    async def test_a_home_made_ready_shows_nothing_until_its_turn_and_then_only_its_picture(
        self, server, homes, staff, picture
    ):
        home = await homes(settings=BEDROOM)
        call_id = await ready(server, staff, picture=picture)
        await server.hears(UnitAlive, call_id=call_id, count=2)
        assert (staff.frames, home.stamps(), server.all(CameraTurned)) == (0, [], [])
        assert "looks" not in lamp(home)

        await opened(server, call_id)
        async with server.renewing(call_id):
            await staff.sees(5)
            assert lamp(home)[-1] == "looks"
            server.hang_up(call_id)
            off = await server.camera_turned(on=False)

        on = server.all(CameraTurned, on=True)[0]
        assert (on.camera, on.call_id, off.camera) == ("bedroom", call_id, "bedroom")
        assert staff.sounds == 0
        await server.hears(UnitReport, what="stopped")
        assert lamp(home)[-1] == "quiet"
        assert (await server.hears(UnitStatus)).cameras["bedroom"] == "off"


class TestSpeech:
    pytestmark = network

    async def test_a_voice_is_heard_after_the_signal_and_only_when_the_server_lets_it(
        self, server, homes
    ):
        home = await homes(settings=BEDROOM)
        viewer = Staff(sends=[Microphone()])
        try:
            call_id = await ready(server, viewer, notice="none")
            await opened(server, call_id)
            async with server.renewing(call_id):
                await viewer.sees(5)
                assert voices(home) == []
                server.say(Down.CALL, Speak(call_id=call_id))
                server.say(Down.CALL, Speak(call_id=call_id))
                await server.hears(UnitReport, call_id=call_id, what="speaks")
                async with asyncio.timeout(10):
                    while "heard" not in voices(home):
                        await asyncio.sleep(0.02)
                signs = [sign for sign in home.signs() if "said" in sign or "lamp" in sign]
                server.hang_up(call_id)
                await server.hears(UnitReport, what="stopped")
        finally:
            await viewer.leave()

        assert [sign["said"] for sign in signs if "said" in sign] == ["speaks"]
        assert signs[-2]["lamp"] == "looks", "the lamp, whatever notice was agreed"
        heard_ms = next(one["at_ms"] for one in home.stamps() if one.get("voice") == "heard")
        assert heard_ms >= signs[-1]["at_ms"]
        assert voices(home) == ["on", "heard", "off"]

    async def test_a_home_without_a_loudspeaker_never_says_that_she_hears(
        self, server, homes, staff
    ):
        await homes(settings=BEDROOM, loudspeaker="none")
        call_id = await ready(server, staff)
        await opened(server, call_id)
        async with server.renewing(call_id):
            await staff.sees(3)
            server.say(Down.CALL, Speak(call_id=call_id))
            await server.hears(UnitAlive, call_id=call_id, count=4)
        assert not [one for one in server.all(UnitReport) if one.what == "speaks"]

    async def test_nobody_speaks_into_a_home_that_is_only_made_ready(self, server, homes, staff):
        home = await homes(settings=BEDROOM)
        call_id = await ready(server, staff)
        server.say(Down.CALL, Speak(call_id=call_id))
        await server.hears(UnitAlive, call_id=call_id, count=2)
        assert voices(home) == []
        assert not [one for one in server.all(UnitReport) if one.what == "speaks"]
        assert not [sign for sign in home.signs() if "said" in sign]


class TestEnds:
    pytestmark = network

    async def test_the_home_itself_ends_a_look_at_the_agreed_seconds(self, server, homes, staff):
        home = await homes(settings=BEDROOM)
        call_id = await ready(server, staff, notice="none")
        await opened(server, call_id, max_s=2)

        async with server.renewing(call_id):
            off = await server.camera_turned(on=False)

        assert off.reason == "must_end"
        assert "looks" not in lamp(home)
        on_ms, off_ms = (stamp["at_ms"] for stamp in home.stamps())
        assert 1_500 <= off_ms - on_ms <= 2_500

    async def test_a_look_whose_lease_is_not_renewed_is_dark_within_it_and_does_not_come_back(
        self, server, homes, staff
    ):
        home = await homes(settings=BEDROOM)
        call_id = await ready(server, staff)
        await opened(server, call_id)
        async with server.renewing(call_id) as last_lapse:
            await staff.sees(3)
        off = await server.camera_turned(on=False)
        server.renew(call_id)
        await server.hears(UnitReport, what="stopped")

        assert off.reason == "lease"
        assert home.stamps()[-1]["at_ms"] <= last_lapse[0] + 500
        assert [stamp["on"] for stamp in home.stamps()] == [True, False]

    async def test_a_camera_that_the_home_does_not_have_is_declined(self, server, homes, identity):
        await homes(settings=BEDROOM)
        call_id = uuid4()
        server.say(Down.CALL, prepare(call_id, camera="kitchen"))
        await server.hears(UnitDeclined, call_id=call_id)

    async def test_her_own_call_goes_before_a_look(self, server, homes, staff):
        home = await homes(settings=BEDROOM, calls_in={"after_s": 4})
        call_id = await ready(server, staff)
        await opened(server, call_id)
        async with server.renewing(call_id):
            press = (await server.hears(UnitCallsIn)).press
            server.hang_up(call_id)
            ring = Ring(
                call_id=uuid4(), caller="", from_unit="", language="sv", ring_s=60, press=press
            )
            server.say(Down.CALL, ring)
            await server.hears(UnitCallsIn, press=press, count=2)
            server.say(Down.CALL, ring)
            await server.hears(UnitAlive, call_id=ring.call_id)

        assert server.all(UnitDeclined) == []
        assert home.stamps()[-1]["on"] is False

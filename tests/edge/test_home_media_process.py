"""The media process, ordered through its pipe as the agent orders it."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aiortc import VideoStreamTrack
from outsider import Staff, monotonic_ms

from edge.media_process import MediaProcess
from edge.pipe import (
    AnswerMade,
    Extend,
    FirstFrame,
    Hardware,
    Light,
    Take,
    TakeOffer,
    TextHeard,
    ViewerHeard,
    WentDark,
)
from telecare.wire.edge import UnitSdp
from telecare.wire.topics import Down

pytestmark = [pytest.mark.network, pytest.mark.timeout(60)]
WAIT_S = 15


class Agent:
    """Passes a staff offer on as an order and collects the reports."""

    def __init__(self, media: MediaProcess) -> None:
        self.media = media
        self.reports = []

    def say(self, lane: Down, offer) -> None:
        self.media.order(TakeOffer(n=offer.n, sdp=offer.sdp, ice_servers=[], relay_only=False))

    async def hears(self, kind, **values):
        if kind is UnitSdp:
            return SimpleNamespace(sdp=(await self.told(AnswerMade)).sdp)
        raise AssertionError(kind)

    async def told(self, kind, **values):
        """The next report of that kind with those values."""
        async with asyncio.timeout(WAIT_S):
            while (report := await self.media.next_report()) is not None:
                self.reports.append(report)
                if isinstance(report, kind) and all(
                    getattr(report, name) == value for name, value in values.items()
                ):
                    return report
        raise AssertionError(f"the media process ended before {kind.__name__}")


@pytest.fixture
async def agent(tmp_path):
    media = await MediaProcess.start()
    media.order(
        Take(
            call_id=uuid4(),
            hardware=Hardware(stamps=str(tmp_path / "stamps")),
            sends_picture=True,
            sends_sound=True,
        )
    )
    yield Agent(media)
    await media.kill()


def light(opening: int, *, for_ms: int) -> Light:
    return Light(opening=opening, until_ms=monotonic_ms() + for_ms, picture=True)


async def test_camera_closes_at_the_moment_it_was_given(agent, gaps):
    order = light(1, for_ms=400)
    agent.media.order(order)

    dark = await agent.told(WentDark, opening=1)

    gaps.note(f"dark {dark.at_ms - order.until_ms} ms after the time given")
    assert 0 <= dark.at_ms - order.until_ms <= 50 + gaps.largest_ms


async def test_opening_that_is_over_cannot_be_lengthened(agent, tmp_path):
    agent.media.order(light(1, for_ms=100))
    await agent.told(WentDark, opening=1)

    agent.media.order(Extend(opening=1, until_ms=monotonic_ms() + 5_000))
    agent.media.order(light(2, for_ms=100))
    await agent.told(WentDark, opening=2)

    assert (tmp_path / "stamps").read_text().count("true") == 2


async def test_media_process_ends_with_its_pipe(agent, tmp_path):
    agent.media.order(light(1, for_ms=5_000))
    staff = Staff()
    await staff.call(agent, uuid4())
    await staff.sees(3)

    await agent.media.stop()

    assert not agent.media.is_running
    assert (tmp_path / "stamps").read_text().count("false") == 1
    await staff.leave()


async def test_typed_text_and_the_viewers_picture_reach_the_home(agent):
    staff = Staff(sends=[VideoStreamTrack()])
    await staff.call(agent, uuid4())

    await agent.told(ViewerHeard)
    for message in ('{"live": "Go"}', "no json", '{"line": "God morgon!"}', '{"clear": true}'):
        staff.text.send(message)
    await agent.told(TextHeard, clear=True)
    if not any(isinstance(report, FirstFrame) for report in agent.reports):
        await agent.told(FirstFrame, sent=False)

    texts = [report for report in agent.reports if isinstance(report, TextHeard)]
    assert texts == [TextHeard(live="Go"), TextHeard(line="God morgon!"), TextHeard(clear=True)]
    await staff.leave()

"""A real Chromium as the staff browser: offer at once, candidates one by one."""

import asyncio
import shutil
from uuid import uuid4

import pytest
from playwright.async_api import async_playwright

from telecare.wire.edge import CameraTurned, Candidate, Offer, UnitAnswered, UnitSdp
from telecare.wire.topics import Down

pytestmark = [
    pytest.mark.network,
    pytest.mark.timeout(60),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed"),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]

PAGE = """async () => {
  const peer = new RTCPeerConnection({iceServers: []});
  window.peer = peer;
  window.frames = 0;
  window.candidates = [];
  window.text = peer.createDataChannel('text');
  const alive = peer.createDataChannel('alive', {ordered: false, maxRetransmits: 0});
  setInterval(() => alive.readyState === 'open' && alive.send('1'), 500);
  peer.onicecandidate = ({candidate: found}) => window.candidates.push(
    found ? [found.candidate, found.sdpMid, found.sdpMLineIndex] : ['', null, null]);
  const video = document.createElement('video');
  video.muted = video.autoplay = true;
  document.body.append(video);
  const count = () => { window.frames += 1; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);
  const stream = new MediaStream();
  peer.ontrack = ({track}) => { stream.addTrack(track); video.srcObject = stream; };
  peer.addTransceiver('audio', {direction: 'recvonly'});
  peer.addTransceiver('video', {direction: 'recvonly'});
  await peer.setLocalDescription(await peer.createOffer());
  return peer.localDescription.sdp;
}"""
INBOUND = """async () => {
  const lines = [...(await window.peer.getStats()).values()];
  const picture = lines.find(line => line.type === 'inbound-rtp' && line.kind === 'video');
  const sound = lines.find(line => line.type === 'inbound-rtp' && line.kind === 'audio');
  return {codec: lines.find(line => line.id === picture.codecId).mimeType,
          width: picture.frameWidth, heard: sound.packetsReceived};
}"""


@pytest.fixture
async def page():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS
        )
        yield await browser.new_page()
        await browser.close()


async def pass_on_candidates(page, server, call_id) -> None:
    """The browser's half trickles; a home unit's answer is complete."""
    last = None
    while last != "":
        for text, mid, line in await page.evaluate("window.candidates.splice(0)"):
            last = text
            candidate = Candidate(call_id=call_id, n=1, candidate=text, mid=mid, line=line)
            server.say(Down.SIGNAL, candidate)
        await asyncio.sleep(0.02)


async def test_chromium_sees_and_hears_the_home(server, homes, page):
    await homes()
    call_id = uuid4()
    server.ring(call_id)
    server.open(await server.hears(UnitAnswered, call_id=call_id))

    async with server.renewing(call_id):
        server.say(Down.SIGNAL, Offer(call_id=call_id, n=1, sdp=await page.evaluate(PAGE)))
        answer = await server.hears(UnitSdp, call_id=call_id)
        await page.evaluate(
            "sdp => window.peer.setRemoteDescription({type: 'answer', sdp})", answer.sdp
        )
        await pass_on_candidates(page, server, call_id)
        await page.wait_for_function("() => window.frames >= 20", timeout=15_000)
        inbound = await page.evaluate(INBOUND)
        server.hang_up(call_id)
        await server.camera_turned(on=False)
        stopped_at = await page.evaluate("window.frames")

    assert inbound["codec"] == "video/VP8"
    assert inbound["width"] == 640
    assert inbound["heard"] > 0
    assert await page.evaluate("window.frames") <= stopped_at + 1
    assert len(server.all(CameraTurned)) == 2

"""The television, driven by a stand-in that speaks like cec-ctl 1.22."""

import json
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from edge.call import rings
from edge.hardware.screen import CecScreen, SimulatedScreen
from edge.live_call import Home, LiveCall
from edge.media_process import Standby
from edge.pipe import Hardware, TextHeard, monotonic_ms
from telecare.wire.edge import Ring

CEC_CTL = """
import json, sys
path = {state!r}
tv = json.load(open(path))
words = sys.argv[1:]
tv["heard"].append(words)
head = "Driver Info:\\n\\tDriver Name                : pulse8-cec\\n"
def sent(name, reply=""):
    print(head + "Transmit from Playback Device 1 to TV (4 to 0):")
    print(name + "\\n" + reply)
if "--playback" in words:
    print(head + "\\tPhysical Address           : 1.0.0.0\\n\\tLogical Address            : 4")
elif "--give-device-power-status" in words:
    if tv["mute"]:
        sent("GIVE_DEVICE_POWER_STATUS (0x8f)", "\\tTx, Not Acknowledged (4), Max Retries")
    else:
        code = "on (0x00)" if tv["on"] else "standby (0x01)"
        sent("GIVE_DEVICE_POWER_STATUS (0x8f)",
             "    Received from TV (0 to 4):\\n    REPORT_POWER_STATUS (0x90):\\n"
             "    \\tpwr-state: " + code)
elif "--request-active-source" in words:
    if tv["source"]:
        print("    Received from Playback Device 2 (8 to 15):\\n    ACTIVE_SOURCE (0x82):\\n"
              "    \\tphys-addr: " + tv["source"])
elif "--image-view-on" in words:
    tv["on"] = True
elif "--active-source" in words or "--set-stream-path" in words:
    tv["source"] = words[-1].split("=")[1]
elif "--inactive-source" in words:
    tv["source"] = ""
elif "--standby" in words:
    tv["on"] = False
elif "--give-audio-status" in words:
    print("    REPORT_AUDIO_STATUS (0x7a):\\n    \\taud-mute-status: off (0x00)\\n"
          "    \\taud-vol-status: %d" % tv["volume"])
elif "--user-control-pressed" in words:
    tv["volume"] += 5
json.dump(tv, open(path, "w"))
"""


class Television:
    def __init__(self, folder: Path) -> None:
        self._state = folder / "tv.json"
        self.program = folder / "cec-ctl"
        script = folder / "cec_ctl.py"
        script.write_text(CEC_CTL.format(state=str(self._state)))
        # A first line (#!) cannot hold a path with a space.
        self.program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
        self.program.chmod(0o755)

    def stands(self, **values) -> None:
        usual = {"on": True, "mute": False, "source": "", "volume": 30, "heard": []}
        self._state.write_text(json.dumps({**usual, **values}))

    def __getitem__(self, name):
        return json.loads(self._state.read_text())[name]


@pytest.fixture
def television(tmp_path, monkeypatch):
    stand_in = Television(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return stand_in


async def test_sleeping_television_wakes_for_a_call_and_sleeps_again(television):
    television.stands(on=False, source="", volume=10)
    screen = CecScreen()

    await screen.ring()
    ringing = (television["on"], television["source"], television["volume"])
    await screen.rest()

    assert ringing == (True, "1.0.0.0", 25)
    assert television["on"] is False


async def test_television_goes_back_to_what_she_watched(television):
    television.stands(source="2.0.0.0")
    screen = CecScreen()

    await screen.ring()
    ringing = television["source"]
    await screen.rest()

    assert (ringing, television["source"]) == ("1.0.0.0", "2.0.0.0")


async def test_loud_television_is_not_made_louder(television):
    television.stands(volume=60)

    await CecScreen().ring()

    assert television["volume"] == 60


@pytest.mark.parametrize(
    ("tv", "state"),
    [({"on": True}, "on"), ({"on": False}, "off"), ({"mute": True}, "unknown")],
)
async def test_staff_see_whether_the_television_is_on(television, tv, state):
    television.stands(**tv)

    assert await CecScreen().state() == state


async def test_home_without_cec_rings_all_the_same(tmp_path):
    screen = CecScreen(str(tmp_path / "no-such-program"))

    await screen.ring()
    await screen.rest()

    assert await screen.state() == "unknown"


async def test_text_is_gone_when_the_call_is_over():
    screen = SimulatedScreen()
    await screen.ring()
    screen.show(TextHeard(line="Hej Ingrid"))
    screen.show(TextHeard(live="Har du"))

    shown = (list(screen.lines), screen.live)
    await screen.rest()

    assert shown == (["Hej Ingrid"], "Har du")
    assert (screen.lines, screen.live) == ([], "")


async def test_what_is_written_before_the_call_is_open_is_not_shown():
    screen = SimulatedScreen()
    home = Home(
        boot=uuid4(), hardware=Hardware(), screen=screen, standby=Standby(), records=None,
        say=print, camera_is=print, notice=print, look=print, before_speech=screen.rest,
    )  # fmt: skip
    ring = Ring(call_id=uuid4(), caller="Maria", from_unit="Norr", language="sv", ring_s=30)
    live = LiveCall(rings(ring, boot=home.boot, now_ms=monotonic_ms()), home)

    await live._reported(TextHeard(line="too early"))

    assert screen.lines == []

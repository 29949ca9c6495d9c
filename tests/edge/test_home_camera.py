"""The camera port: closed until opened, nothing after it is closed, honest when there is none."""

import pytest

from edge.hardware.drawing import CANARY, CANARY_TILE, drawn_canary
from edge.hardware.ports import HardwareFailed
from edge.hardware.simulated import SimulatedCamera, SimulatedMicrophone
from edge.hardware.v4l2 import V4l2Camera


async def test_closed_camera_gives_no_picture():
    camera = SimulatedCamera()

    with pytest.raises(HardwareFailed):
        await camera.read()
    await camera.open()
    moving = [bytes((await camera.read()).planes[0]) for _ in range(2)]
    await camera.close()
    with pytest.raises(HardwareFailed):
        await camera.read()

    assert moving[0] != moving[1]


async def test_canary_stands_in_the_picture_that_leaves_the_camera():
    camera = SimulatedCamera("canary")
    await camera.open()

    luma = bytes((await camera.read()).planes[0])

    assert CANARY[:CANARY_TILE] in luma
    assert luma == bytes(drawn_canary().luma)


async def test_microphone_gives_twenty_milliseconds_of_the_tone():
    microphone = SimulatedMicrophone(440)
    await microphone.open()

    frame = await microphone.read()

    assert (frame.samples, frame.sample_rate) == (960, 48_000)
    assert max(memoryview(bytes(frame.planes[0])).cast("h")) > 5_000


async def test_missing_usb_camera_is_a_fault_and_not_a_crash(tmp_path):
    with pytest.raises(HardwareFailed):
        await V4l2Camera(str(tmp_path / "video0")).open()

# ruff: noqa: INP001
"""The reference of `first-picture --kind look`: a camera opened, and its first picture, alone.

`opening.py CAMERA ROUNDS`: `simulated`, or what PyAV opens. Prints milliseconds as a JSON list.
"""

import asyncio
import json
import sys
import time

import av

from edge.hardware.simulated import SimulatedCamera

OPTIONS = {"fflags": "nobuffer", "probesize": "32000", "analyzeduration": "0"}


async def simulated() -> float:
    camera = SimulatedCamera()
    begun = time.monotonic()
    await camera.open()
    await camera.read()
    took = time.monotonic() - begun
    await camera.close()
    return took * 1000


def opened(url: str) -> float:
    begun = time.monotonic()
    with av.open(url, options={**OPTIONS, "rtsp_transport": "tcp"}) as container:
        next(container.decode(video=0))
        return (time.monotonic() - begun) * 1000


def main(camera: str, rounds: int) -> None:
    if camera == "simulated":
        took = [asyncio.run(simulated()) for _ in range(rounds)]
    else:
        took = [opened(camera) for _ in range(rounds)]
    print(json.dumps(took))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""`telecare demo` until /readyz says yes: with no data (cold), and with yesterday's (warm).

In the environment the bench was started in, as the user's own start would be. Warm once more with
Python's bytecode kept tells how much of it is compiling.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from telecare.bench.report import Part, at_most, percentile, told
from telecare.bench.stack import STOP_S, folder_of_bench, free_port, until_ready
from telecare.runtime.embedded import process

ROUNDS = 3
COLD_LIMIT_S = 5
WARM_LIMIT_S = 2
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
BYTECODE_FOLDER = "PYTHONPYCACHEPREFIX"


async def boot(rounds: int | None) -> list[Part]:
    cold: list[float] = []
    warm: list[float] = []
    compiled: list[float] = []
    for _ in range(rounds or ROUNDS):
        with folder_of_bench() as folder:
            cold.append(await _boot_s(folder, os.environ, "--fresh"))
            warm.append(await _boot_s(folder, os.environ))
            keeps = {k: v for k, v in os.environ.items() if k != NO_BYTECODE}
            keeps[BYTECODE_FOLDER] = str(folder / "bytecode")
            await _boot_s(folder, keeps)
            compiled.append(await _boot_s(folder, keeps))
    return [
        at_most("cold: no data, p50", percentile(cold, 50), "s", COLD_LIMIT_S),
        told("cold, slowest", max(cold), "s"),
        at_most("warm: the data is there, p50", percentile(warm, 50), "s", WARM_LIMIT_S),
        told("warm, slowest", max(warm), "s"),
        told("warm with Python's bytecode kept, p50", percentile(compiled, 50), "s"),
    ]


async def _boot_s(folder: Path, environment: Mapping[str, str], *more: str) -> float:
    port = free_port()
    command = [sys.executable, "-m", "telecare", "demo", "--data", str(folder / "demo")]
    log = folder / "demo.log"
    with log.open("ab") as output:
        begun = time.monotonic()
        demo = process.start(
            [*command, "--port", str(port), *more], output=output, environment=environment
        )
    try:
        await until_ready(f"http://localhost:{port}", demo, log)
        return time.monotonic() - begun
    finally:
        # It ends its own children, the database last.
        process.stop(demo, signal.SIGTERM, 3 * STOP_S)

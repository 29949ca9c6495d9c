"""`telecare demo` until /readyz says yes: with no data (cold), and with yesterday's (warm)."""

import signal
import sys
import time
from pathlib import Path

from telecare.bench.report import Part, at_most, percentile, told
from telecare.bench.stack import STOP_S, folder_of_bench, free_port, until_ready
from telecare.runtime.embedded import process

ROUNDS = 3
COLD_LIMIT_S = 5
WARM_LIMIT_S = 2


async def boot(rounds: int | None) -> list[Part]:
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(rounds or ROUNDS):
        with folder_of_bench() as folder:
            cold.append(await _boot_s(folder, "--fresh"))
            warm.append(await _boot_s(folder))
    return [
        at_most("cold: no data, p50", percentile(cold, 50), "s", COLD_LIMIT_S),
        told("cold, slowest", max(cold), "s"),
        at_most("warm: the data is there, p50", percentile(warm, 50), "s", WARM_LIMIT_S),
        told("warm, slowest", max(warm), "s"),
    ]


async def _boot_s(folder: Path, *more: str) -> float:
    port = free_port()
    command = [sys.executable, "-m", "telecare", "demo", "--data", str(folder / "demo")]
    log = folder / "demo.log"
    with log.open("ab") as output:
        begun = time.monotonic()
        demo = process.start([*command, "--port", str(port), *more], output=output)
    try:
        await until_ready(f"http://localhost:{port}", demo, log)
        return time.monotonic() - begun
    finally:
        # It ends its own children, the database last.
        process.stop(demo, signal.SIGTERM, 3 * STOP_S)

"""`python -m edge run | enrol | simulate | media`."""

import argparse
import asyncio
import ctypes
import json
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

PR_SET_PDEATHSIG = 1


def main() -> int:
    arguments = parsed()
    if arguments.command == "media":
        return media()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    match arguments.command:
        case "enrol":
            return enrol(arguments)
        case "simulate":
            return simulate()
        case _:
            return run(arguments)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m edge", description="The home unit.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="be the unit whose keys are in a folder")
    running.add_argument("--state", type=Path, required=True)
    running.add_argument("--camera", default="none", help="simulated, none, or /dev/videoN")
    running.add_argument("--microphone", default="none", help="simulated, none, or an ALSA device")
    running.add_argument(
        "--loudspeaker", default="none", help="simulated, none, or an ALSA device; for looks"
    )
    running.add_argument("--cec", action="store_true", help="drive the TV with cec-ctl")
    enrolling = commands.add_parser("enrol", help="spend a one-time code and keep the keys")
    enrolling.add_argument("--state", type=Path, required=True)
    enrolling.add_argument("--server", required=True, help="https://..., or http://localhost:PORT")
    enrolling.add_argument("--code", required=True)
    commands.add_parser("simulate", help="run the homes given as JSON lines on standard input")
    commands.add_parser("media", help="used by the other commands")
    return parser.parse_args()


def media() -> int:
    from edge.media import main as serve  # noqa: PLC0415 - aiortc is slow to import

    serve()
    return 0


def enrol(arguments: argparse.Namespace) -> int:
    from edge import identity  # noqa: PLC0415 - only what the command needs

    try:
        unit = asyncio.run(
            identity.enrol(arguments.state, server_url=arguments.server, code=arguments.code)
        )
    except (identity.EnrolmentRefused, identity.UnsafeAddress, OSError) as error:
        sys.stderr.write(f"not enrolled: {error}\n")
        return 1
    say({"unit": unit.unit})
    return 0


def run(arguments: argparse.Namespace) -> int:
    from edge.homes import run_unit  # noqa: PLC0415 - only what the command needs
    from edge.pipe import Hardware  # noqa: PLC0415

    hardware = Hardware(
        camera=arguments.camera,
        microphone=arguments.microphone,
        loudspeaker=arguments.loudspeaker,
    )
    return until_told(run_unit(arguments.state, hardware, has_screen=arguments.cec))


def simulate() -> int:
    """Dies with its parent; the end of standard input only ends the list of homes."""
    from edge import homes  # noqa: PLC0415 - only what the command needs
    from edge.stdin import lines_of_stdin  # noqa: PLC0415

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    lines = lines_of_stdin()
    return until_told(homes.simulate(lines, lambda unit: say({"unit": unit, "up": True})))


def until_told(work: Coroutine[None, None, None]) -> int:
    """Run until SIGTERM or SIGINT, which end it in order: cameras first."""
    try:
        asyncio.run(cancelled_by_signals(work))
    except asyncio.CancelledError:
        return 0
    return 0


async def cancelled_by_signals(work: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        if task is not None:
            loop.add_signal_handler(number, task.cancel)
    await work


def say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

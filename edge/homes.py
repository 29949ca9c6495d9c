"""Runs homes: one real one, or many simulated ones in one process with one media standby."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from edge.agent import Agent, Fittings, Wiped
from edge.call import Stage
from edge.hardware.screen import CecScreen, Screen, SimulatedScreen
from edge.identity import IDENTITY_FILES, Identity, NotEnrolled, enrol, load
from edge.live_call import Press
from edge.media_process import Standby
from edge.outbox import Outbox
from edge.person import SimulatedPerson
from edge.pipe import Hardware
from edge.stdin import lines_of_stdin
from telecare.wire.homes import HomeScript

log = logging.getLogger(__name__)

OUTBOX_FILE = "outbox.sqlite"
STAMPS_FILE = "camera-stamps.jsonl"


def wall_clock() -> datetime:
    return datetime.now(UTC)


def open_outbox(folder: Path) -> Outbox:
    return Outbox(folder / OUTBOX_FILE, now=wall_clock)


async def simulate(scripts: AsyncIterator[bytes], up: Callable[[str], None]) -> None:
    """Homes from JSON lines, until cancelled; `up` is told each unit's id when its line is up."""
    standby = Standby()
    async with asyncio.TaskGroup() as group:
        group.create_task(standby.keep(), name="media standby")
        async for line in scripts:
            script = HomeScript.model_validate_json(line)
            group.create_task(simulate_home(script, standby, up), name="home")


async def simulate_home(script: HomeScript, standby: Standby, up: Callable[[str], None]) -> None:
    folder = await asyncio.to_thread(Path(script.state_dir).resolve)
    identity = await identity_of(script, folder)
    person = SimulatedPerson(script)
    fittings = Fittings(
        hardware=simulated_hardware(script, folder),
        screen=SimulatedScreen(script.screen),
        standby=standby,
        rings_on_screen=script.rings_on_screen,
    )
    async with forgotten_when_wiped(folder):
        with open_outbox(folder) as outbox:
            agent = Agent(identity, outbox, fittings, now=wall_clock, notice=person.notice)
            async with asyncio.TaskGroup() as group:
                group.create_task(agent.run(), name="agent")
                await agent.link.connected.wait()
                up(identity.unit)
                group.create_task(person.live(agent.press), name="person")


@asynccontextmanager
async def forgotten_when_wiped(folder: Path) -> AsyncIterator[None]:
    """A unit that was told to be no more ends in order, its files after it: a returned box holds
    no key, no event and no name of whom it stood with.
    """
    try:
        yield
    except* Wiped:
        log.warning("wiped: the server has closed this unit")
        await asyncio.to_thread(forget, folder)


def forget(folder: Path) -> None:
    """The keys first: with half of it gone the unit can never speak again."""
    for name in (*IDENTITY_FILES, OUTBOX_FILE, f"{OUTBOX_FILE}-wal", f"{OUTBOX_FILE}-shm"):
        (folder / name).unlink(missing_ok=True)


async def identity_of(script: HomeScript, folder: Path) -> Identity:
    """The unit in the state folder; enrolled first when there is none and the script has a code."""
    try:
        return await asyncio.to_thread(load, folder)
    except NotEnrolled:
        if script.enrol_code is None:
            raise
    return await enrol(folder, server_url=script.server_url, code=script.enrol_code)


def simulated_hardware(script: HomeScript, folder: Path) -> Hardware:
    return Hardware(
        camera=script.camera,
        microphone="simulated",
        picture="canary" if script.picture == "canary" else "moving",
        tone_hz=script.tone_hz,
        stamps=str(folder / STAMPS_FILE),
    )


async def run_unit(folder: Path, hardware: Hardware, *, has_screen: bool) -> None:
    """A real home. Keys come as words on standard input, one a line (see `Press`)."""
    identity = await asyncio.to_thread(load, folder)
    standby = Standby()
    screen: Screen = CecScreen() if has_screen else SimulatedScreen("unknown")
    fittings = Fittings(hardware=hardware, screen=screen, standby=standby)
    async with forgotten_when_wiped(folder):
        with open_outbox(folder) as outbox:
            agent = Agent(identity, outbox, fittings, now=wall_clock, notice=nobody)
            async with asyncio.TaskGroup() as group:
                group.create_task(standby.keep(), name="media standby")
                group.create_task(agent.run(), name="agent")
                group.create_task(read_keys(agent.press), name="keys")


async def read_keys(press: Callable[[Press], None]) -> None:
    """Ends with the input; an unknown word is no key."""
    words = {key.value: key for key in Press}
    async for line in lines_of_stdin():
        key = words.get(line.decode(errors="replace"))
        if key is not None:
            press(key)


def nobody(_stage: Stage) -> None:
    """Nobody simulated sits here."""

"""Runs homes: one real one, or many simulated ones in one process with one media standby."""

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import get_args

from edge import certificate
from edge.agent import Agent, Fittings, Wiped
from edge.call import Stage
from edge.clock import HomeClock, wall_clock
from edge.hardware.lamp import NoLamp, SimulatedLamp
from edge.hardware.screen import CecScreen, Screen, SimulatedScreen
from edge.hardware.speaker import NoSpeaker, PlayerSpeaker, SimulatedSpeaker, Speaker
from edge.identity import IDENTITY_FILES, Identity, NotEnrolled, enrol, load
from edge.live_call import Press
from edge.media_process import Standby
from edge.outbox import BALLAST, Outbox
from edge.person import SimulatedPerson
from edge.pipe import Hardware
from edge.sensing import Signal
from edge.stdin import lines_of_stdin
from telecare.wire.homes import Happening, Happens, HomeScript, HomeSettings

log = logging.getLogger(__name__)

OUTBOX_FILE = "outbox.sqlite"
SETTINGS_FILE = "settings.json"
MOST_AT_ONCE = 4
"""Simulated homes that are in a call, or ready for a look, while the next is loaded."""
STAMPS_FILE = "camera-stamps.jsonl"
SIGNS_FILE = "signs.jsonl"
"""What the lamp showed and the voice said, of a simulated home."""
HAPPENINGS: tuple[Happening, ...] = get_args(Happening)


@contextmanager
def open_outbox(folder: Path) -> Iterator[Outbox]:
    """On a disk that takes nothing the unit lives on in memory: alarms go out, no camera opens."""
    with ExitStack() as stack:
        try:
            outbox = stack.enter_context(Outbox(folder / OUTBOX_FILE, now=wall_clock))
        except (sqlite3.Error, OSError):
            log.exception("the outbox cannot be opened")
            outbox = stack.enter_context(Outbox(None, now=wall_clock))
        yield outbox


async def simulate(scripts: AsyncIterator[bytes], up: Callable[[str], None]) -> None:
    """Homes from JSON lines, until cancelled; `up` is told each unit's id when its line is up."""
    standby = Standby(MOST_AT_ONCE)
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
        lamp=SimulatedLamp(folder / SIGNS_FILE),
        speaker=SimulatedSpeaker(folder / SIGNS_FILE),
        settings=script.settings,
    )
    clock = HomeClock(is_synchronised=lambda: script.has_right_clock)
    async with forgotten_when_wiped(folder):
        with open_outbox(folder) as outbox:
            agent = Agent(identity, outbox, fittings, clock=clock, notice=person.notice)
            async with asyncio.TaskGroup() as group:
                group.create_task(agent.run(), name="agent")
                await agent.link.connected.wait()
                up(identity.unit)
                group.create_task(person.live(agent.press), name="person")
                for happens in script.happens:
                    group.create_task(happen(happens, agent.sense), name=happens.what)


async def happen(happens: Happens, sense: Callable[[Signal], None]) -> None:
    await asyncio.sleep(happens.after_s)
    sense(Signal(happens.what, happens.device, happens.place, happens.percent))


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
    outbox = (OUTBOX_FILE + suffix for suffix in ("", "-wal", "-shm", BALLAST))
    for name in (*IDENTITY_FILES, *outbox, SETTINGS_FILE, SIGNS_FILE):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / certificate.FOLDER, ignore_errors=True)


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
        loudspeaker=script.loudspeaker,
        picture="canary" if script.picture == "canary" else "moving",
        tone_hz=script.tone_hz,
        cameras=script.settings.cameras,
        stamps=str(folder / STAMPS_FILE),
    )


async def run_unit(folder: Path, hardware: Hardware, *, has_screen: bool) -> None:
    """A real home. Keys and signals come as words on standard input, one a line."""
    identity = await asyncio.to_thread(load, folder)
    settings = await asyncio.to_thread(settings_of, folder)
    standby = Standby()
    screen: Screen = CecScreen() if has_screen else SimulatedScreen("unknown")
    fittings = Fittings(
        hardware=hardware.model_copy(update={"cameras": settings.cameras}),
        screen=screen,
        standby=standby,
        lamp=NoLamp(),
        speaker=speaker_of(settings),
        settings=settings,
    )
    async with forgotten_when_wiped(folder):
        with open_outbox(folder) as outbox:
            agent = Agent(identity, outbox, fittings, clock=HomeClock(), notice=nobody)
            async with asyncio.TaskGroup() as group:
                group.create_task(standby.keep(), name="media standby")
                group.create_task(agent.run(), name="agent")
                group.create_task(read_keys(agent.press, agent.sense), name="keys")
                keeping = certificate.keep_fresh(folder, identity.unit, wall_clock)
                group.create_task(keeping, name="certificate")


def settings_of(folder: Path) -> HomeSettings:
    """As the installer left them; a unit without any is Swedish, silent and watches nothing."""
    path = folder / SETTINGS_FILE
    return HomeSettings.model_validate_json(path.read_bytes()) if path.exists() else HomeSettings()


def speaker_of(settings: HomeSettings) -> Speaker:
    if not settings.player and not settings.speech:
        return NoSpeaker()
    folder = Path(settings.voice_dir) if settings.voice_dir else None
    return PlayerSpeaker(settings.player, settings.speech, folder)


async def read_keys(press: Callable[[Press], None], sense: Callable[[Signal], None]) -> None:
    """`answer`, `button`, `door_opens front hall`: a word of `Press` or `Happening`, then device
    and place. Ends with the input; an unknown word is no key.
    """
    keys = {key.value: key for key in Press}
    happenings = {happening: happening for happening in HAPPENINGS}
    async for line in lines_of_stdin():
        word, device, place, *_ = [*line.decode(errors="replace").split(maxsplit=2), "", "", ""]
        if word in keys:
            press(keys[word])
        elif word in happenings:
            sense(Signal(happenings[word], device[:32], place[:32]))


def nobody(_stage: Stage) -> None:
    """Nobody simulated sits here."""

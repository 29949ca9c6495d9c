"""The television: on, our input, loud enough to be heard, and back to what she watched.

`CecScreen` drives HDMI-CEC through `cec-ctl` (v4l-utils); every command may fail, and a screen that
does not answer is `unknown`, never an error: a call rings without it.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Protocol

from edge.pipe import TextHeard
from telecare.wire.edge import ScreenState

CEC_TIMEOUT_S = 5
VOLUME_FLOOR = 25
"""Percent, while it rings."""
MOST_VOLUME_STEPS = 30
TV = ("--to", "0")

POWER = re.compile(r"pwr-state:\s*([a-z-]+)")
ACTIVE = re.compile(r"ACTIVE_SOURCE.*?phys-addr:\s*([0-9a-f](?:\.[0-9a-f]){3})", re.DOTALL)
OURS = re.compile(r"Physical Address\s*:\s*([0-9a-f](?:\.[0-9a-f]){3})")
VOLUME = re.compile(r"aud-vol-status:\s*(\d+)")


class Screen(Protocol):
    async def ring(self) -> None:
        """On, our input, volume at the floor or above; remembers what she watched."""

    async def rest(self) -> None:
        """Back to what she watched, or off if it was off."""

    async def state(self) -> ScreenState: ...

    def show(self, text: TextHeard) -> None:
        """Real-time text, large; kept in memory only, gone with the call."""

    def tell(self, text: str) -> None:
        """How her alarm stands, large; empty takes it away."""


@dataclass(slots=True)
class SimulatedScreen:
    """A television that is as the script says; one that is off stays off (no CEC, no power)."""

    power: ScreenState = "on"
    shows_call: bool = False
    lines: list[str] = field(default_factory=list)
    live: str = ""
    told: str = ""

    async def ring(self) -> None:
        self.shows_call = self.power == "on"

    async def rest(self) -> None:
        self.shows_call = False
        self.lines.clear()
        self.live = ""

    async def state(self) -> ScreenState:
        return self.power

    def show(self, text: TextHeard) -> None:
        if text.clear:
            self.lines.clear()
        if text.line is not None:
            self.lines.append(text.line)
        self.live = text.live or ""

    def tell(self, text: str) -> None:
        self.told = text


@dataclass(frozen=True, slots=True)
class Watched:
    """What stood on the screen before it rang; no source means the television's own tuner."""

    state: ScreenState
    source: str | None


class CecScreen:
    """Text is not shown here: the page on this unit's own HDMI input does that."""

    def __init__(self, program: str = "cec-ctl") -> None:
        self._program = program
        self._address: str | None = None
        self._watched: Watched | None = None
        self._one_at_a_time = asyncio.Lock()

    async def ring(self) -> None:
        async with self._one_at_a_time:
            if self._watched is None:
                self._watched = Watched(await self._power(), await self._source())
            await self._run(*TV, "--image-view-on")
            address = await self._our_address()
            if address is not None:
                await self._run("--active-source", f"phys-addr={address}")
            await self._raise_volume()

    async def rest(self) -> None:
        async with self._one_at_a_time:
            watched, self._watched = self._watched, None
            address = await self._our_address()
            if watched is None or address is None:
                return
            if watched.state == "off":
                await self._run(*TV, "--standby")
            elif watched.source is not None and watched.source != address:
                await self._run("--set-stream-path", f"phys-addr={watched.source}")
            else:
                await self._run(*TV, "--inactive-source", f"phys-addr={address}")

    async def state(self) -> ScreenState:
        async with self._one_at_a_time:
            return await self._power()

    def show(self, text: TextHeard) -> None:
        """See the class."""

    def tell(self, text: str) -> None:
        """See the class."""

    async def _power(self) -> ScreenState:
        found = POWER.search(await self._run(*TV, "--give-device-power-status"))
        match found[1] if found else "":
            case "on" | "to-on":
                return "on"
            case "standby" | "to-standby":
                return "off"
            case _:
                return "unknown"

    async def _source(self) -> str | None:
        found = ACTIVE.search(await self._run("--request-active-source"))
        return found[1] if found else None

    async def _our_address(self) -> str | None:
        """Claimed once; a playback device may wake the television."""
        if self._address is None:
            found = OURS.search(await self._run("--playback"))
            self._address = found[1] if found and found[1] != "f.f.f.f" else None
        return self._address

    async def _raise_volume(self) -> None:
        for _ in range(MOST_VOLUME_STEPS):
            found = VOLUME.search(await self._run(*TV, "--give-audio-status"))
            if found is None or int(found[1]) >= VOLUME_FLOOR:
                return
            await self._run(*TV, "--user-control-pressed", "ui-cmd=volume-up")
            await self._run(*TV, "--user-control-released")

    async def _run(self, *arguments: str) -> str:
        """What it printed; nothing when it is missing, slow or refused."""
        try:
            process = await asyncio.create_subprocess_exec(
                self._program,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            return ""
        try:
            async with asyncio.timeout(CEC_TIMEOUT_S):
                printed, _ = await process.communicate()
        except TimeoutError:
            return ""
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return printed.decode(errors="replace") if process.returncode == 0 else ""

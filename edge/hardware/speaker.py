"""The voice of the home. A speaker that fails is silent, never an error: lamp and screen remain."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.hardware.lamp import write_stamp
from edge.voice.phrases import OURS, Words, sound_file

log = logging.getLogger(__name__)

SPEAKING_TIMEOUT_S = 20
FILE = "{file}"


class Speaker(Protocol):
    async def say(self, words: Words) -> None:
        """Return when it has been said, or could not be."""


class NoSpeaker:
    """A home that does not speak."""

    async def say(self, words: Words) -> None:
        """See the class."""


@dataclass(frozen=True, slots=True)
class SimulatedSpeaker:
    """Writes what it says to `stamps` (JSON lines, CLOCK_MONOTONIC ms)."""

    stamps: Path

    async def say(self, words: Words) -> None:
        write_stamp(self.stamps, said=words.phrase.value, text=words.text)


@dataclass(frozen=True, slots=True)
class PlayerSpeaker:
    """Plays a recorded file through `player`: the municipality's, or ours. `speech` is for what no
    file of ours can say (a name, a number), and hears its text on standard input: a command line
    can be read by all.
    """

    player: tuple[str, ...]
    speech: tuple[str, ...] = ()
    folder: Path | None = None

    async def say(self, words: Words) -> None:
        theirs = await asyncio.to_thread(sound_file, words, self.folder)
        is_particular = words.has_name or (words.has_number and theirs is None)
        if is_particular and self.speech and await run(self.speech, words.text):
            return
        file = theirs or await asyncio.to_thread(sound_file, words, OURS)
        if file is not None and self.player:
            await run(tuple(str(file) if part == FILE else part for part in self.player))
        elif self.speech:
            await run(self.speech, words.text)


async def run(command: tuple[str, ...], text: str = "") -> bool:
    """False when it is missing, slow or failed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        log.warning("the voice cannot be played")
        return False
    try:
        async with asyncio.timeout(SPEAKING_TIMEOUT_S):
            await process.communicate(text.encode())
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode == 0

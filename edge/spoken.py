"""The viewer's voice into the home: thrown away until it is let through, and after the dark."""

from collections.abc import Callable

from av import AudioFrame

from edge.hardware.loudspeaker import Loudspeaker
from edge.hardware.ports import HardwareFailed


class Spoken:
    """`is_lit`: a voice is heard only while she is seen."""

    def __init__(self, loudspeaker: Loudspeaker | None, is_lit: Callable[[], bool]) -> None:
        self._loudspeaker = loudspeaker
        self._is_lit = is_lit
        self._is_let = False

    async def let_through(self) -> bool:
        """False when nobody could be heard."""
        if self._loudspeaker is None or not self._is_lit():
            return False
        try:
            await self._loudspeaker.open()
        except HardwareFailed:
            return False
        self._is_let = True
        return True

    async def take(self, frame: AudioFrame) -> None:
        if self._loudspeaker is None or not self._is_let:
            return
        if not self._is_lit():
            await self.stop()
            return
        try:
            await self._loudspeaker.play(frame)
        except HardwareFailed:
            await self.stop()

    async def stop(self) -> None:
        if self._is_let and self._loudspeaker is not None:
            self._is_let = False
            await self._loudspeaker.close()

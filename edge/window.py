"""The window into the home: opened after its record is stored, closed before its record is.

Owns the call's media process and nothing of when it may be open: `edge.call` decides that.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from edge.media_process import MediaProcess
from edge.pipe import Darken, Extend, LetSpeak, Light, Take, WentDark, monotonic_ms
from edge.records import CameraRecords, Reason, RecordNotStored
from telecare.wire.edge import CameraState

log = logging.getLogger(__name__)

ROOM = "room"
"""The camera of calls; those for looks have names of their own."""
DARK_WITHIN_MS = 2_000
"""A media process that has not confirmed the dark by then is killed, which releases the camera."""


@dataclass(slots=True)
class Window:
    """One for each open call."""

    call_id: UUID
    media: MediaProcess
    take: Take
    records: CameraRecords
    camera_is: Callable[[str, CameraState], None]
    camera: str = ROOM
    is_open: bool = False
    dark_by_ms: int | None = None
    """Set while the dark is ordered and not yet confirmed."""
    _opening: int = 0
    _camera_on_since_ms: int | None = None
    _closing_reason: Reason = "lease"

    async def light(self, until_ms: int) -> bool:
        """False when the last opening is not confirmed closed: light again then.

        No record, no picture; sound does not depend on this unit's disk.
        """
        if self.is_open:
            return False
        picture = self.take.sends_picture and await self._record_camera_on()
        self._opening += 1
        self.is_open = True
        self.media.order(Light(opening=self._opening, until_ms=until_ms, picture=picture))
        return True

    def extend(self, until_ms: int) -> None:
        if self.is_open and self.dark_by_ms is None:
            self.media.order(Extend(opening=self._opening, until_ms=until_ms))

    def let_speak(self) -> None:
        """Nobody is heard where nothing is open, or about to close."""
        if self.is_open and self.dark_by_ms is None:
            self.media.order(LetSpeak())

    def darken(self, reason: Reason) -> None:
        if self.is_open and self.dark_by_ms is None:
            self._closing_reason = reason
            self.dark_by_ms = monotonic_ms() + DARK_WITHIN_MS
            self.media.order(Darken())

    async def confirmed_dark(self, report: WentDark, *, unordered: Reason) -> bool:
        """True when this opening closed by itself; `unordered` is then the reason on record."""
        if report.opening != self._opening or not self.is_open:
            return False
        self.is_open = False
        by_itself, self.dark_by_ms = self.dark_by_ms is None, None
        await self._record_camera_off(unordered if by_itself else self._closing_reason)
        return by_itself

    async def camera_failed(self) -> None:
        """The media process has released it; sound goes on."""
        await self._record_camera_off("fault")
        self.camera_is(self.camera, "fault")

    async def insist(self) -> None:
        """Kill a process that was told to go dark and has not confirmed it in time."""
        if self.dark_by_ms is not None and monotonic_ms() >= self.dark_by_ms:
            self.dark_by_ms = None
            await self.media.kill()

    async def shut(self, reason: Reason) -> None:
        """Connection and process too; returns when the camera is released and recorded."""
        await self.media.stop()
        self.is_open, self.dark_by_ms = False, None
        await self._record_camera_off(reason)

    async def _record_camera_on(self) -> bool:
        try:
            await self.records.turned_on(self.call_id, self.camera)
        except RecordNotStored:
            log.exception("camera stays closed without its record")
            self.camera_is(self.camera, "fault")
            return False
        self._camera_on_since_ms = monotonic_ms()
        self.camera_is(self.camera, "on")
        return True

    async def _record_camera_off(self, reason: Reason) -> None:
        """Once per opening."""
        since_ms, self._camera_on_since_ms = self._camera_on_since_ms, None
        if since_ms is not None:
            self.camera_is(self.camera, "off")
            seconds = round((monotonic_ms() - since_ms) / 1000)
            await self.records.turned_off(self.call_id, self.camera, reason=reason, seconds=seconds)

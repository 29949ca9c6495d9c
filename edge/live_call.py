"""One call of this home: what the server, the person and the media process say, and what follows.

One task, one inbox, effects in order; `edge.call.Call` decides, `edge.window.Window` opens.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from edge.announcer import Notice
from edge.call import (
    Answered,
    Call,
    Declined,
    Effect,
    Ended,
    HungUp,
    Stage,
    StillLit,
    TurnedDark,
    TurnedLit,
)
from edge.hardware.screen import Screen
from edge.media_process import MediaProcess, Standby
from edge.pipe import (
    AnswerMade,
    CameraFailed,
    FirstFrame,
    Hardware,
    OfferRefused,
    Quality,
    Ready,
    Report,
    Speaks,
    Take,
    TakeCandidate,
    TakeOffer,
    TextHeard,
    ViewerHeard,
    WentDark,
    monotonic_ms,
)
from edge.records import CameraRecords, Reason
from edge.window import ROOM, Window
from telecare.wire.edge import (
    ALIVE_INTERVAL_S,
    MAX_SDP_CHARS,
    CameraState,
    Candidate,
    HangUp,
    Longer,
    Offer,
    Opened,
    PrepareLook,
    Renewal,
    Speak,
    Stamp,
    StopRinging,
    UnitAlive,
    UnitAnswered,
    UnitDeclined,
    UnitHungUp,
    UnitReport,
    UnitSdp,
)

log = logging.getLogger(__name__)

ANSWER_AGAIN_S = 2
MEDIA_TIMEOUT_S = 20
PROCESS_AGAIN_MS = 250
"""A process that is loading is asked for this often."""
MAX_INBOX = 500
MAX_EARLY_CANDIDATES = 32


class Press(StrEnum):
    """What a hand in the home can do."""

    ANSWER = "answer"
    DECLINE = "decline"
    HANG_UP = "hang_up"
    CALL_HOME_CARE = "call_home_care"
    OTHER = "other"
    """Any key but OK, volume and power: stops the countdown to an answer by itself."""


@dataclass(frozen=True, slots=True)
class MediaGone:
    """This media process is gone, and with it camera, microphone and connection."""

    media: MediaProcess


Said = UnitAnswered | UnitDeclined | UnitHungUp | UnitSdp | UnitAlive | UnitReport
Event = (
    Opened
    | Longer
    | Speak
    | Renewal
    | StopRinging
    | HangUp
    | Offer
    | Candidate
    | Press
    | Report
    | MediaGone
)


@dataclass(frozen=True, slots=True)
class Home:
    """What a call needs of the unit around it."""

    boot: UUID
    hardware: Hardware
    screen: Screen
    standby: Standby
    records: CameraRecords
    say: Callable[[Said], None]
    camera_is: Callable[[str, CameraState], None]
    notice: Callable[[Stage], None]
    """Told of each stage, for whoever is in the room."""
    look: Callable[[Notice, bool], None]
    """Told when somebody begins to look to her, and when it is over."""
    before_speech: Callable[[], Awaitable[None]]
    """Lamp and signal; returns when she has been told that somebody will speak."""


class LiveCall:
    """`run` returns when the call has ended and everything is closed and recorded."""

    def __init__(self, call: Call, home: Home, look: PrepareLook | None = None) -> None:
        self._call = call
        self._look = look
        self._home = home
        self._inbox: asyncio.Queue[Event] = asyncio.Queue(MAX_INBOX)
        self._window: Window | None = None
        self._group: asyncio.TaskGroup | None = None
        self._off_reason: Reason = "hang_up"
        self._offer: Offer | None = None
        self._candidates: list[Candidate] = []
        self._speaking: asyncio.Task[None] | None = None

    @property
    def call_id(self) -> UUID:
        return self._call.call_id

    @property
    def is_look(self) -> bool:
        return self._look is not None

    def take(self, event: Event) -> None:
        """Hand over what concerns this call; a full inbox drops it (the server says it again)."""
        if not self._inbox.full():
            self._inbox.put_nowait(event)

    async def run(self, begin: Iterable[Effect] = ()) -> None:
        try:
            async with asyncio.TaskGroup() as self._group:
                tasks = [
                    self._group.create_task(self._be_alive(), name="alive"),
                    self._group.create_task(self._answer_again(), name="answer again"),
                ]
                self._notice()
                await self._carry_out(begin)
                await self._live()
                await self._close()
                for task in [*tasks, *([self._speaking] if self._speaking else [])]:
                    task.cancel()
        finally:
            await self._close()

    async def _live(self) -> None:
        while self._call.stage is not Stage.ENDED:
            stage = self._call.stage
            try:
                async with asyncio.timeout(self._pause_s()):
                    event = await self._inbox.get()
            except TimeoutError:
                if self._window is not None:
                    await self._window.insist()
                self._connect_early()
                effects = self._call.tick(monotonic_ms())
            else:
                effects = await self._decide(event)
            await self._carry_out(effects)
            if self._call.stage is not stage:
                self._notice()

    def _notice(self) -> None:
        """A look is no call that rings or is spoken in."""
        if self._look is None:
            self._home.notice(self._call.stage)

    def _pause_s(self) -> float | None:
        dark_by_ms = None if self._window is None else self._window.dark_by_ms
        moments = [at for at in (self._call.deadline_ms, dark_by_ms) if at is not None]
        if self._wants_early:
            moments.append(monotonic_ms() + PROCESS_AGAIN_MS)
        return max(0, min(moments) - monotonic_ms()) / 1000 if moments else None

    # --- what happened -----------------------------------------------------------------------

    async def _decide(self, event: Event) -> list[Effect]:
        now_ms = monotonic_ms()
        match event:
            case Opened():
                effects = await self._open(event)
            case Renewal():
                effects = self._call.renewed(event, now_ms)
            case Longer():
                effects = self._call.longer(event, now_ms)
            case StopRinging() | HangUp():
                effects = self._call.stop()
            case Speak():
                effects = self._let_speak()
            case Offer():
                effects = self._take_offer(event, now_ms)
            case Candidate():
                effects = self._take_candidate(event)
            case Press():
                effects = self._pressed(event, now_ms)
            case MediaGone():
                effects = await self._lost(event.media)
            case _:
                effects = await self._reported(event)
        return effects

    def _let_speak(self) -> list[Effect]:
        """Beside the rest: leases go on being renewed while the signal sounds."""
        is_open = self._look is not None and self._call.stage is Stage.LIT
        if is_open and self._speaking is None and self._group is not None:
            self._speaking = self._group.create_task(self._signal_and_speak(), name="speech")
        return []

    async def _signal_and_speak(self) -> None:
        await self._home.before_speech()
        if self._window is not None:
            self._window.let_speak()

    def _pressed(self, press: Press, now_ms: int) -> list[Effect]:
        match press:
            case Press.ANSWER:
                return self._call.answer(now_ms)
            case Press.DECLINE:
                return self._call.decline()
            case Press.HANG_UP:
                return self._call.hang_up()
            case Press.OTHER:
                self._call.stop_counting_down()
        return []

    async def _open(self, message: Opened) -> list[Effect]:
        was_waiting = self._call.stage is Stage.ANSWERED
        effects = self._call.opened(message, monotonic_ms())
        if not was_waiting or self._call.stage not in {Stage.LIT, Stage.DARK}:
            return effects
        take = self._take_of(picture=message.sends_picture, sound=message.sends_sound)
        if self._window is not None and self._window.take == take:
            return effects
        await self._put_away()
        try:
            async with asyncio.timeout(MEDIA_TIMEOUT_S):
                media = await self._home.standby.take()
        except TimeoutError:
            return self._call.break_down()
        self._begin_media(media, take)
        return effects

    def _take_of(self, *, picture: bool, sound: bool) -> Take:
        hardware = self._home.hardware
        if self._look is not None:
            camera = hardware.cameras.get(self._look.camera, "none")
            return Take(
                call_id=self.call_id,
                hardware=hardware.model_copy(update={"camera": camera}),
                sends_picture=True,
                sends_sound=False,
                is_blurred=self._look.picture == "blurred",
            )
        return Take(
            call_id=self.call_id,
            hardware=hardware,
            sends_picture=picture and hardware.camera != "none",
            sends_sound=sound,
        )

    def _begin_media(self, media: MediaProcess, take: Take) -> None:
        camera = ROOM if self._look is None else self._look.camera
        self._window = Window(
            self.call_id, media, take, self._home.records, self._home.camera_is, camera
        )
        if self._group is not None:
            self._group.create_task(self._read(media), name="media reports")
        media.order(take)
        self._hand_over_offer(media)

    @property
    def _wants_early(self) -> bool:
        """An offer came before the call is open."""
        waits = self._call.stage in {Stage.RINGING, Stage.ANSWERED}
        return waits and self._offer is not None and self._window is None

    def _connect_early(self) -> None:
        """A connection with everything shut, as soon as a process is ready for it."""
        if self._wants_early and (media := self._home.standby.take_now()):
            self._begin_media(media, self._take_of(picture=True, sound=True))

    async def _lost(self, media: MediaProcess) -> list[Effect]:
        if self._window is None or self._window.media is not media:
            return []
        if self._call.stage in {Stage.LIT, Stage.DARK}:
            return self._call.break_down()
        await self._put_away()
        return []

    async def _put_away(self) -> None:
        """What had connected early is of no use; nothing has been open in it."""
        window, self._window = self._window, None
        if window is not None:
            await window.shut(self._off_reason)

    async def _reported(self, report: Report) -> list[Effect]:
        match report:
            case WentDark():
                return await self._went_dark(report)
            case CameraFailed():
                if self._window is not None:
                    await self._window.camera_failed()
            case ViewerHeard():
                return self._call.viewer_heard(monotonic_ms())
            case TextHeard():
                if self._call.stage in {Stage.LIT, Stage.DARK}:
                    self._home.screen.show(report)
            case OfferRefused():
                log.warning("offer refused", extra={"call_id": str(self.call_id)})
            case Speaks():
                self._say(UnitReport(call_id=self.call_id, what="speaks"))
            case AnswerMade() | FirstFrame() | Quality() | Ready():
                self._pass_on(report)
            case _:
                assert_never(report)
        return []

    def _pass_on(self, report: AnswerMade | FirstFrame | Quality | Ready) -> None:
        match report:
            case AnswerMade() if len(report.sdp) <= MAX_SDP_CHARS:
                self._say(UnitSdp(call_id=self.call_id, n=report.n, sdp=report.sdp))
            case FirstFrame() if report.sent:
                self._say(UnitReport(call_id=self.call_id, what="first_frame"))
            case Quality():
                self._say(
                    UnitReport(
                        call_id=self.call_id,
                        what="quality",
                        loss_percent=report.loss_percent,
                        round_trip_ms=report.round_trip_ms,
                        width=report.width,
                        height=report.height,
                    )
                )
            case _:
                pass

    async def _went_dark(self, report: WentDark) -> list[Effect]:
        """Confirmed. If the call has been lit again meanwhile, open now."""
        if self._window is None:
            return []
        await self._carry_out(self._call.tick(monotonic_ms()))
        reason = self._off_reason if self._call.stage is Stage.ENDED else "lease"
        if await self._window.confirmed_dark(report, unordered=reason):
            return self._call.went_dark(monotonic_ms())
        if self._call.stage is Stage.LIT:
            return [TurnedLit(self._call.open_until_ms)]
        return []

    def _take_offer(self, offer: Offer, now_ms: int) -> list[Effect]:
        if self._offer is not None and offer.n <= self._offer.n:
            return []
        self._offer = offer
        if self._window is None:
            self._connect_early()
            return []
        self._hand_over_offer(self._window.media)
        return self._call.viewer_reconnects(now_ms)

    def _take_candidate(self, candidate: Candidate) -> list[Effect]:
        if self._window is not None and self._offer is not None:
            self._window.media.order(candidate_order(candidate))
        elif len(self._candidates) < MAX_EARLY_CANDIDATES:
            self._candidates.append(candidate)
        return []

    def _hand_over_offer(self, media: MediaProcess) -> None:
        if self._offer is None:
            return
        media.order(
            TakeOffer(
                n=self._offer.n,
                sdp=self._offer.sdp,
                ice_servers=self._offer.ice_servers,
                relay_only=self._offer.relay_only,
            )
        )
        for candidate in self._candidates:
            media.order(candidate_order(candidate))
        self._candidates.clear()

    # --- what follows ------------------------------------------------------------------------

    async def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Answered():
                    self._say_answered(by_itself=effect.by_itself)
                case Declined():
                    self._say(UnitDeclined(call_id=self.call_id))
                case HungUp():
                    self._say(UnitHungUp(call_id=self.call_id))
                case Ended():
                    self._off_reason = off_reason(effect)
                case TurnedLit() | StillLit() | TurnedDark():
                    await self._turn(effect)
                case _:
                    assert_never(effect)

    async def _turn(self, effect: TurnedLit | StillLit | TurnedDark) -> None:
        if self._window is None:
            return
        match effect:
            case TurnedLit():
                if self._look is not None:
                    self._home.look(self._look.notice, True)
                if await self._window.light(effect.until_ms):
                    self._say(UnitReport(call_id=self.call_id, what="lit"))
            case StillLit():
                self._window.extend(effect.until_ms)
            case TurnedDark():
                self._window.darken(effect.reason)
                self._say(UnitReport(call_id=self.call_id, what="dark"))
            case _:
                assert_never(effect)

    async def _close(self) -> None:
        """Camera and connection first, then the record, then the news; idempotent."""
        window, self._window = self._window, None
        if window is not None:
            await window.shut(self._off_reason)
            self._say(UnitReport(call_id=self.call_id, what="stopped"))
        if self._look is not None:
            self._home.look(self._look.notice, False)

    # --- talking -----------------------------------------------------------------------------

    async def _be_alive(self) -> None:
        while True:
            self._say(UnitAlive(call_id=self.call_id, stamp=self._stamp()))
            await asyncio.sleep(ALIVE_INTERVAL_S)

    async def _answer_again(self) -> None:
        """The first answer may be lost with the server that should have heard it; and a look whose
        turn came while we were slow is opened by the next one.
        """
        while True:
            await asyncio.sleep(ANSWER_AGAIN_S)
            if self._call.stage is Stage.ANSWERED and not self._call.is_call_in:
                self._say_answered(by_itself=self._call.answered_by_itself)

    def _say_answered(self, *, by_itself: bool) -> None:
        self._say(UnitAnswered(call_id=self.call_id, stamp=self._stamp(), by_itself=by_itself))

    def _say(self, message: Said) -> None:
        self._home.say(message)

    def _stamp(self) -> Stamp:
        return Stamp(boot=self._home.boot, monotonic_ms=monotonic_ms())

    async def _read(self, media: MediaProcess) -> None:
        async for report in media.reports():
            is_ours = self._window is not None and self._window.media is media
            if is_ours and self._call.stage is not Stage.ENDED:
                await self._inbox.put(report)
        self.take(MediaGone(media))


def off_reason(ended: Ended) -> Reason:
    match ended.reason:
        case "lease" | "must_end" | "viewer_silent" | "fault" as reason:
            return reason
        case _:
            return "hang_up"


def candidate_order(candidate: Candidate) -> TakeCandidate:
    return TakeCandidate(
        n=candidate.n,
        candidate=candidate.candidate,
        mid=candidate.mid,
        line=candidate.line,
    )

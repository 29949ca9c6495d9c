"""The call as a pure state machine: what may be lit, when, and that nothing revives it."""

from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.call import (
    DARK_KEPT_MS,
    VIEWER_CONNECTS_MS,
    VIEWER_SILENT_MS,
    Answered,
    Call,
    Declined,
    Ended,
    HungUp,
    Stage,
    StillLit,
    TurnedDark,
    TurnedLit,
    called_in,
    rings,
)
from telecare.wire.edge import LEASE_MS, Opened, Renewal, Ring, Stamp

BOOT, OTHER_BOOT, CALL = uuid4(), uuid4(), uuid4()


def stamp(at_ms: int, boot=BOOT) -> Stamp:
    return Stamp(boot=boot, monotonic_ms=at_ms)


def opened(echo_ms: int, *, max_s: int = 600, boot=BOOT) -> Opened:
    return Opened(
        call_id=CALL,
        echo=stamp(echo_ms, boot),
        lease_ms=LEASE_MS,
        max_s=max_s,
        sends_picture=True,
        sends_sound=True,
    )


def renewal(echo_ms: int, boot=BOOT, lease_ms: int = LEASE_MS) -> Renewal:
    return Renewal(call_id=CALL, echo=stamp(echo_ms, boot), lease_ms=lease_ms)


def ringing(**values) -> Call:
    filled = {"caller": "M", "from_unit": "N", "language": "sv", "ring_s": 30, **values}
    return rings(Ring(call_id=CALL, **filled), boot=BOOT, now_ms=0)


def open_call(**values) -> Call:
    call = ringing()
    call.answer(1_000)
    call.opened(opened(1_000, **values), 1_100)
    return call


def test_unanswered_call_stops_ringing_when_its_time_is_up():
    call = ringing(ring_s=30)

    before, after = call.tick(29_999), call.tick(30_000)

    assert (before, after) == ([], [Ended("no_answer")])


def test_auto_answer_counts_down_and_says_that_nobody_pressed():
    call = ringing(answers_itself_after_s=20)

    effects = call.tick(20_000)

    assert effects == [Answered(by_itself=True)]


def test_any_other_key_stops_the_countdown_but_not_the_ringing():
    call = ringing(answers_itself_after_s=20)

    call.stop_counting_down()

    assert call.tick(20_000) == []
    assert call.answer(20_001) == [Answered(by_itself=False)]


def test_camera_opens_only_for_a_call_this_home_answered():
    call = ringing()

    effects = call.opened(opened(10), 20)

    assert effects == []
    assert call.stage is Stage.RINGING


def test_answered_call_is_lit_until_the_lease_ends():
    call = ringing()
    call.answer(1_000)

    assert call.opened(opened(1_000), 1_100) == [TurnedLit(4_000)]
    assert call.tick(3_999) == []
    assert call.tick(4_000) == [TurnedDark("lease")]


def test_renewal_that_came_too_late_leaves_a_dark_moment_on_record():
    call = open_call()

    effects = call.renewed(renewal(4_500), 4_600)

    assert effects == [TurnedDark("lease"), TurnedLit(7_500)]


def test_renewal_with_an_old_or_strange_stamp_has_no_effect():
    call = open_call()
    call.renewed(renewal(2_000), 2_100)

    for stale in (renewal(2_000), renewal(1_500), renewal(2_200, OTHER_BOOT), renewal(9_999)):
        assert call.renewed(stale, 2_300) == []
    assert call.tick(5_000) == [TurnedDark("lease")]


def test_call_goes_dark_when_the_viewer_has_been_silent_for_three_seconds():
    call = open_call()
    call.viewer_heard(2_000)
    call.renewed(renewal(4_000), 4_000)

    assert call.tick(2_000 + VIEWER_SILENT_MS) == [TurnedDark("viewer_silent")]
    assert call.renewed(renewal(5_500), 5_600) == []
    assert call.viewer_heard(5_700) == [TurnedLit(8_500)]


def test_viewer_who_never_connects_leaves_the_room_dark():
    call = open_call()
    for second in range(2, 11):
        call.renewed(renewal(second * 1_000), second * 1_000)

    assert call.tick(1_100 + VIEWER_CONNECTS_MS) == [TurnedDark("viewer_silent")]


def test_dark_call_keeps_its_connection_for_thirty_seconds():
    call = open_call()
    call.tick(4_000)

    assert call.tick(4_000 + DARK_KEPT_MS - 1) == []
    assert call.tick(4_000 + DARK_KEPT_MS) == [Ended("lease")]


def test_second_opening_message_never_lengthens_a_call():
    call = open_call(max_s=5)

    call.opened(opened(2_000, max_s=600), 2_100)
    call.renewed(renewal(6_000), 6_050)

    assert call.tick(1_100 + 5_000) == [Ended("must_end")]


def test_hanging_up_ends_at_once_and_tells_the_server():
    assert open_call().hang_up() == [HungUp(), Ended("hang_up")]


def test_declined_call_cannot_be_answered_afterwards():
    call = ringing()

    effects = call.decline()

    assert effects == [Declined(), Ended("declined")]
    assert call.answer(10) == []


def test_her_own_call_waits_for_staff_and_then_opens():
    call = called_in(CALL, boot=BOOT, now_ms=0)

    assert call.tick(179_000) == []
    assert call.opened(opened(179_500), 179_600) == [TurnedLit(182_500)]


class CallLives(RuleBasedStateMachine):
    """Random days: nothing is lit without a fresh lease, and an ended call stays ended."""

    @initialize()
    def ring(self):
        self.now_ms = 0
        self.call = ringing(answers_itself_after_s=None)
        self.answered = self.ended = self.lit = False
        self.lease_until_ms = self.must_end_ms = 0
        self.newest_echo = -1
        self.seen = []

    def note(self, effects):
        for effect in effects:
            assert not self.ended, "something followed the end"
            match effect:
                case Answered():
                    self.answered = True
                case TurnedLit():
                    assert self.answered
                    assert not self.lit
                    assert self.now_ms < effect.until_ms <= self.lease_until_ms
                    self.lit = True
                case StillLit():
                    assert self.lit
                    assert effect.until_ms <= self.lease_until_ms
                case TurnedDark():
                    assert self.lit
                    self.lit = False
                case Ended():
                    self.ended, self.lit = True, False

    def knows(self, echo: Stamp, lease_ms: int):
        """What a careful outsider would allow."""
        if echo.boot == BOOT and self.newest_echo < echo.monotonic_ms <= self.now_ms:
            self.newest_echo = echo.monotonic_ms
            self.lease_until_ms = echo.monotonic_ms + lease_ms

    @rule(ms=st.integers(0, 5_000))
    def time_passes(self, ms):
        self.now_ms += ms
        self.note(self.call.tick(self.now_ms))

    @rule(ms=st.integers(0, 5_000))
    def time_passes_unnoticed(self, ms):
        self.now_ms += ms

    @rule()
    def answer(self):
        self.note(self.call.answer(self.now_ms))

    @rule(age_ms=st.integers(-2_000, 6_000), strange=st.booleans(), max_s=st.integers(1, 60))
    def opened(self, age_ms, strange, max_s):
        message = opened(
            max(0, self.now_ms - age_ms), max_s=max_s, boot=OTHER_BOOT if strange else BOOT
        )
        if self.answered and not self.ended:
            self.knows(message.echo, message.lease_ms)
        self.note(self.call.opened(message, self.now_ms))

    @rule(age_ms=st.integers(-2_000, 6_000), strange=st.booleans(), lease_ms=st.integers(0, 10_000))
    def renewed(self, age_ms, strange, lease_ms):
        message = renewal(
            max(0, self.now_ms - age_ms), OTHER_BOOT if strange else BOOT, lease_ms=lease_ms
        )
        if self.call.stage in {Stage.LIT, Stage.DARK}:
            self.knows(message.echo, message.lease_ms)
        self.note(self.call.renewed(message, self.now_ms))

    @rule()
    def viewer_heard(self):
        self.note(self.call.viewer_heard(self.now_ms))

    @rule()
    def viewer_reconnects(self):
        self.note(self.call.viewer_reconnects(self.now_ms))

    @rule()
    def media_went_dark(self):
        self.note(self.call.went_dark(self.now_ms))

    @precondition(lambda self: self.now_ms > 60_000)
    @rule()
    def hang_up(self):
        self.note(self.call.hang_up())

    @invariant()
    def lit_only_within_the_lease_once_time_was_noticed(self):
        self.note(self.call.tick(self.now_ms))
        assert self.lit == (self.call.stage is Stage.LIT)
        if self.lit:
            assert self.now_ms < self.lease_until_ms

    @invariant()
    def an_unfinished_call_always_has_a_next_moment(self):
        assert (self.call.deadline_ms is None) == self.ended


CallLives.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestCallLives = CallLives.TestCase

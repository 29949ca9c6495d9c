"""The call's state machine under random presses and times."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from telecare.calls.model import Call, Kind, Reason, State
from telecare.runtime.errors import TelecareError

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class CallLife(RuleBasedStateMachine):
    @initialize(ends_in=st.none() | st.integers(1, 7200))
    def ring(self, ends_in):
        self.now = T0
        self.ends_at = T0 + timedelta(seconds=ends_in) if ends_in else None
        self.call = Call(
            id=uuid4(), kind=Kind.VISIT, state=State.RINGING, resident_id=uuid4(),
            unit_id=uuid4(), staff_id=uuid4(), staff_session_id=uuid4(), visit_id=None,
            endpoint_id=None, created_at=T0, ring_until=T0 + timedelta(seconds=60),
        )  # fmt: skip
        self.opened = 0
        self.ended = 0
        self.end_seen = None

    @rule(seconds=st.integers(0, 90))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def somebody_answers(self):
        try:
            self.call = self.call.open(
                self.now, staff_id=self.call.staff_id, endpoint_id=uuid4(), home_picture=True,
                ends_at=self.ends_at,
            )  # fmt: skip
        except TelecareError:
            return
        self.opened += 1
        assert self.now < self.call.ring_until

    @rule()
    def it_goes_dark(self):
        self.call = self.call.darken(self.now)

    @rule()
    def it_is_lit_again(self):
        self.call = self.call.light()

    @rule()
    def somebody_sees(self):
        self.call = self.call.seen(self.now)

    @rule(reason=st.sampled_from(Reason))
    def it_ends(self, reason):
        before = self.call
        self.call = self.call.end(self.now, reason)
        self.ended += self.call is not before

    @invariant()
    def it_opens_and_ends_at_most_once(self):
        assert self.opened <= 1
        assert self.ended <= 1
        if self.call.state is State.ENDED:
            self.end_seen = self.end_seen or (self.call.ended_at, self.call.end_reason)
            assert (self.call.ended_at, self.call.end_reason) == self.end_seen

    @invariant()
    def picture_flows_only_in_a_call_that_was_opened(self):
        if self.call.is_live or self.call.home_picture:
            assert self.opened == 1
            assert self.call.must_end is not None
            assert self.ends_at is None or self.call.must_end <= self.ends_at


TestCallLife = CallLife.TestCase
TestCallLife.settings = settings(max_examples=150, deadline=None)

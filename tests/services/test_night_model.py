"""Night checks: which come of an agreement, and that none of them is ever left without an end."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from telecare.consent.model import Hours
from telecare.nightchecks.agreement import (
    Agreement,
    AgreementIncomplete,
    Modality,
    Papers,
    Slot,
    Substitute,
    checked,
    joins,
    night_begins,
    night_of,
    occurrences,
)
from telecare.nightchecks.model import (
    ACCEPTED_WITHIN,
    DECIDED_WITHIN,
    LOOKING,
    SHOWN_FOR,
    CameraIs,
    Check,
    CheckClosed,
    CheckNotDue,
    CheckState,
    CheckTaken,
    Ending,
    LookedJustNow,
    NoMoreTime,
    NothingSeen,
)
from telecare.runtime.clock import STOCKHOLM
from telecare.wire.ids import (
    AgreementId,
    CallId,
    CameraId,
    CareUnitId,
    CheckId,
    ResidentId,
    RoundId,
    StaffId,
)

STARTS = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
MARIA, ANNA = StaffId(uuid4()), StaffId(uuid4())
PAPERS = Papers("Larmmatta provad i tre veckor", date(2026, 11, 1), "in_person", "KS 2026/114")
AGREEMENT = Agreement(
    id=AgreementId(uuid4()),
    resident_id=ResidentId(uuid4()),
    unit_id=CareUnitId(uuid4()),
    slots=(Slot(time(2), Modality.CAMERA), Slot(time(6), Modality.VISIT)),
    camera_id=CameraId(uuid4()),
    look_s=30,
    picture="clear",
    may_be_clearer=False,
    may_speak=True,
    retry_min=15,
    phone_first=False,
    notice="lamp",
    substitute=Substitute.VISIT,
    declined_herself=False,
    window_min=30,
    papers=PAPERS,
    reassess_on=date(2027, 5, 1),
    to_know="",
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
)


def planned(**changes: object) -> Check:
    check = Check(
        id=CheckId(uuid4()),
        agreement_id=AGREEMENT.id,
        resident_id=AGREEMENT.resident_id,
        unit_id=AGREEMENT.unit_id,
        round_id=RoundId(uuid4()),
        starts_at=STARTS,
        opens_at=STARTS - timedelta(minutes=30),
        closes_at=STARTS + timedelta(minutes=30),
        modality=Modality.CAMERA,
        substitute=Substitute.VISIT,
        phone_first=False,
        retry_min=15,
        state=CheckState.PLANNED,
        since=STARTS - timedelta(hours=10),
    )
    return replace(check, **changes)  # type: ignore[arg-type]


def due(**changes: object) -> Check:
    return planned(**changes).tick(STARTS - timedelta(minutes=30))


def viewing(**changes: object) -> Check:
    call_id = CallId(uuid4())
    return due(**changes).connect(call_id, MARIA, STARTS).shown(STARTS)


# --- what comes of an agreement --------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "papers"),
    [
        ("alternatives", replace(PAPERS, alternatives=" ")),
        ("informed_on", replace(PAPERS, informed_on=None)),
        ("informed_on", replace(PAPERS, informed_by=None)),
        ("dpia", replace(PAPERS, dpia="")),
    ],
)
def test_a_camera_is_not_agreed_while_a_record_is_missing(field: str, papers: Papers) -> None:
    with pytest.raises(AgreementIncomplete) as refused:
        checked(replace(AGREEMENT, papers=papers))
    assert refused.value.fields == (field,)


def test_an_agreement_without_a_camera_needs_no_papers_about_one() -> None:
    visits = replace(
        AGREEMENT,
        slots=(Slot(time(2), Modality.VISIT),),
        camera_id=None,
        papers=Papers("", None, None, ""),
    )
    assert checked(visits) == visits


def test_nothing_instead_of_the_camera_is_hers_alone_to_choose() -> None:
    nothing = replace(AGREEMENT, substitute=Substitute.NOTHING)
    with pytest.raises(AgreementIncomplete) as refused:
        checked(nothing)
    assert refused.value.fields == ("declined_herself",)
    assert checked(replace(nothing, declined_herself=True)).substitute is Substitute.NOTHING


def test_a_night_goes_from_noon_to_noon() -> None:
    assert night_of(datetime(2026, 11, 24, 10, 59, tzinfo=UTC)) == date(2026, 11, 23)
    assert night_of(datetime(2026, 11, 24, 11, 0, tzinfo=UTC)) == date(2026, 11, 24)
    assert night_begins(date(2026, 11, 24)) == datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


@given(
    night=st.dates(date(2026, 1, 2), date(2031, 12, 30)),
    times=st.lists(st.times().map(lambda t: t.replace(microsecond=0)), min_size=1, max_size=12,
                   unique=True),
)  # fmt: skip
def test_each_slot_comes_once_each_night_over_both_nights_of_summer_time(
    night: date, times: list[time]
) -> None:
    agreement = replace(AGREEMENT, slots=tuple(Slot(t, Modality.CAMERA) for t in times))
    found = occurrences(agreement, night)
    assert len(found) == len(times)
    for one in found:
        assert night_of(one.starts_at) == night
        local = one.starts_at.astimezone(STOCKHOLM)
        moved = {timedelta(0), timedelta(hours=1)}
        days = {night, night + timedelta(days=1)}
        assert any(
            local.replace(tzinfo=None) - datetime.combine(day, t) in moved
            for day in days
            for t in times
        )


def test_the_hour_that_is_missing_or_comes_twice_has_one_check() -> None:
    at_half_past_two = replace(AGREEMENT, slots=(Slot(time(2, 30), Modality.CAMERA),))
    spring = occurrences(at_half_past_two, date(2027, 3, 27))
    autumn = occurrences(at_half_past_two, date(2026, 10, 24))
    assert [one.starts_at for one in spring] == [datetime(2027, 3, 28, 1, 30, tzinfo=UTC)]
    assert [one.starts_at for one in autumn] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_a_window_stays_inside_the_hours_consented_to() -> None:
    hours = [Hours(time(1, 45), time(2, 20))]
    (two, six) = occurrences(AGREEMENT, date(2026, 11, 24), hours)
    assert two.window.opens_at == datetime(2026, 11, 25, 0, 45, tzinfo=UTC)
    assert two.window.closes_at == datetime(2026, 11, 25, 1, 20, tzinfo=UTC)
    assert six.window.opens_at == six.starts_at - timedelta(minutes=30), "it is due all the same"
    night = occurrences(AGREEMENT, date(2026, 11, 24), [Hours(time(23), time(6))])
    assert night[0].window.closes_at - night[0].window.opens_at == timedelta(minutes=60)


def test_an_agreement_that_has_ended_makes_no_more_checks() -> None:
    ended = replace(AGREEMENT, ended_at=datetime(2026, 11, 25, 3, 0, tzinfo=UTC))
    assert [one.modality for one in occurrences(ended, date(2026, 11, 24))] == [Modality.CAMERA]
    assert not occurrences(ended, date(2026, 11, 25))


def test_checks_within_an_hour_of_each_other_are_one_round() -> None:
    last = STARTS + timedelta(minutes=45)
    assert joins(STARTS - timedelta(minutes=59), STARTS, last)
    assert joins(last + timedelta(minutes=59), STARTS, last)
    assert not joins(STARTS - timedelta(minutes=60), STARTS, last)
    assert not joins(last + timedelta(minutes=60), STARTS, last)


# --- a check ---------------------------------------------------------------------------------


def test_a_check_is_made_in_its_window_and_by_one_person_at_a_time() -> None:
    call_id = CallId(uuid4())
    with pytest.raises(CheckNotDue):
        planned().connect(call_id, MARIA, STARTS - timedelta(minutes=31))
    ready = due().make_ready(call_id, MARIA, STARTS)
    with pytest.raises(CheckTaken):
        ready.connect(CallId(uuid4()), ANNA, STARTS)
    assert ready.connect(call_id, MARIA, STARTS).state is CheckState.CONNECTING
    assert ready.look_ended(0, STARTS).state is CheckState.DUE
    assert ready.look_ended(0, STARTS).interrupted == 0, "nothing was seen, nothing was begun"


def test_nobody_says_what_she_saw_before_a_frame_has_been_shown_for_two_seconds() -> None:
    connecting = due().connect(CallId(uuid4()), MARIA, STARTS)
    for outcome in ("asleep", "up", "not_seen", "needs_visit"):
        with pytest.raises(NothingSeen):
            connecting.conclude(outcome, MARIA, STARTS + timedelta(minutes=1))
        with pytest.raises(NothingSeen):
            connecting.shown(STARTS).conclude(
                outcome, MARIA, STARTS + SHOWN_FOR - timedelta(milliseconds=1)
            )
    fault = connecting.conclude("technical_fault", MARIA, STARTS)
    assert (fault.state, fault.why) == (CheckState.DISPATCHED, "fault")


def test_a_look_without_an_outcome_is_no_check() -> None:
    decided_late = viewing().look_ended(12, STARTS + timedelta(seconds=12))
    assert decided_late.state is CheckState.DECIDING
    assert decided_late.tick(STARTS + timedelta(seconds=41)) == decided_late
    back = decided_late.tick(STARTS + timedelta(seconds=12) + DECIDED_WITHIN)
    assert (back.state, back.interrupted, back.seen_s) == (CheckState.DUE, 1, 12)
    glimpsed = viewing().look_ended(1, STARTS + timedelta(seconds=1))
    assert (glimpsed.state, glimpsed.interrupted, glimpsed.seen_s) == (CheckState.DUE, 1, 1)


def test_not_seen_is_looked_for_again_then_rung_then_driven_to() -> None:
    seen_at = STARTS + SHOWN_FOR
    first = viewing(phone_first=True).conclude("not_seen", MARIA, seen_at)
    assert first.state is CheckState.DUE
    with pytest.raises(CheckNotDue):
        first.connect(CallId(uuid4()), ANNA, seen_at + timedelta(minutes=14))
    again_at = seen_at + timedelta(minutes=15)
    again = first.connect(CallId(uuid4()), ANNA, again_at).shown(again_at)
    rung = again.conclude("not_seen", ANNA, again_at + SHOWN_FOR)
    assert rung.state is CheckState.PHONE
    assert rung.phoned(reached=True, now=again_at).ended_as is Ending.PHONED
    assert rung.phoned(reached=False, now=again_at).why == "not_reached"
    assert rung.tick(again_at + timedelta(minutes=11)).why == "not_reached"


def test_the_second_look_of_a_late_check_still_has_its_time() -> None:
    late = STARTS + timedelta(minutes=29)
    begun = due().connect(CallId(uuid4()), MARIA, late).shown(late)
    first = begun.conclude("not_seen", MARIA, late + SHOWN_FOR)
    assert first.must_begin_by > late + timedelta(minutes=15)
    assert first.tick(first.must_begin_by).why == "missed"


def test_a_late_check_stays_due_while_its_window_is_open_and_then_becomes_a_visit() -> None:
    assert due().tick(STARTS + timedelta(minutes=29)).state is CheckState.DUE
    missed = due().tick(STARTS + timedelta(minutes=30))
    assert (missed.state, missed.why) == (CheckState.DISPATCHED, "missed")


@pytest.mark.parametrize(
    ("substitute", "state", "ended_as"),
    [
        (Substitute.VISIT, CheckState.DISPATCHED, None),
        (Substitute.PHONE, CheckState.PHONE, None),
        (Substitute.NOTHING, CheckState.DONE, Ending.NOTHING_WANTED),
    ],
)
def test_without_the_camera_the_check_stays_and_its_substitute_follows(
    substitute: Substitute, state: CheckState, ended_as: Ending | None
) -> None:
    now = STARTS - timedelta(hours=3)
    waits = planned(substitute=substitute).go_without("withdrawn", now)
    assert waits.state is CheckState.PLANNED, "not before its time"
    then = waits.tick(waits.opens_at, "withdrawn")
    assert (then.state, then.ended_as, then.without_camera) == (state, ended_as, "withdrawn")
    assert waits.tick(waits.opens_at, "usable").state is CheckState.DUE, "she said yes again"
    assert due(substitute=substitute).go_without("withdrawn", STARTS).state is state


def test_nobody_is_sent_to_a_night_that_was_over_before_anything_ran() -> None:
    lapsed = planned().tick(STARTS + timedelta(hours=5))
    assert (lapsed.state, lapsed.was_missed) == (CheckState.CALLED_OFF, True)
    in_time = planned().tick(STARTS + timedelta(hours=3))
    assert in_time.tick(STARTS + timedelta(hours=3)).why == "missed"


def test_a_night_that_is_paused_asks_whether_somebody_comes() -> None:
    evening = STARTS - timedelta(hours=3)
    comes = planned(substitute=Substitute.PHONE).pause(somebody_comes=True, now=evening)
    assert comes.tick(comes.opens_at).why == "without_camera"
    alone = planned().pause(somebody_comes=False, now=evening)
    assert alone.tick(alone.opens_at).ended_as is Ending.NOTHING_WANTED
    back = alone.unpause(Substitute.VISIT)
    assert back.tick(back.opens_at).state is CheckState.DUE


def test_a_camera_that_is_broken_is_a_visit() -> None:
    assert planned().tick(STARTS, "faulty").why == "fault"


def test_a_wrong_picture_is_no_check_and_a_stranger_does_not_excuse_from_looking() -> None:
    assert viewing().cut("wrong_home", MARIA, STARTS).why == "fault"
    assert viewing().cut("camera_moved", MARIA, STARTS).why == "fault"
    assert viewing().cut("somebody_else", MARIA, STARTS).state is CheckState.DUE


def test_a_look_is_extended_twice_at_most() -> None:
    longer = viewing().extend(MARIA).extend(MARIA)
    with pytest.raises(NoMoreTime):
        longer.extend(MARIA)
    with pytest.raises(CheckTaken):
        viewing().extend(ANNA)


def test_a_visit_that_nobody_takes_or_that_comes_late_is_said_once() -> None:
    asked = viewing().conclude("needs_visit", MARIA, STARTS + SHOWN_FOR)
    late = asked.tick(STARTS + SHOWN_FOR + ACCEPTED_WITHIN)
    assert late.expected_by is None
    assert late.deadline is None
    on_the_way = late.accepted(STARTS + timedelta(hours=1))
    assert on_the_way.tick(STARTS + timedelta(hours=1)).expected_by is None
    assert on_the_way.visited(STARTS + timedelta(hours=2)).ended_as is Ending.VISITED


def test_whoever_is_on_her_way_is_not_called_off() -> None:
    asked = viewing().conclude("needs_visit", MARIA, STARTS + SHOWN_FOR)
    assert asked.call_off("absent", STARTS).state is CheckState.DISPATCHED
    assert due().call_off("absent", STARTS).state is CheckState.CALLED_OFF


class Night(RuleBasedStateMachine):
    """Whatever people, homes and time do: a check never ends by itself and never waits for ever."""

    @initialize(
        modality=st.sampled_from(Modality),
        substitute=st.sampled_from(Substitute),
        phone_first=st.booleans(),
        retry_min=st.integers(3, 30),
    )
    def begin(
        self, modality: Modality, substitute: Substitute, phone_first: bool, retry_min: int
    ) -> None:
        self.check = planned(
            modality=modality, substitute=substitute, phone_first=phone_first, retry_min=retry_min
        )
        self.now = self.check.since
        self.declined = substitute is Substitute.NOTHING
        self.was_away = False

    @rule(
        seconds=st.one_of(st.integers(0, 40), st.integers(60, 4000)),
        camera=st.sampled_from(["usable", "faulty", "refused", "withdrawn", "expired"]),
    )
    def wait(self, seconds: int, camera: CameraIs) -> None:
        self.now += timedelta(seconds=seconds)
        self.check = self.check.tick(self.now, camera)

    @rule(by=st.sampled_from([MARIA, ANNA]), first=st.booleans())
    def look(self, by: StaffId, first: bool) -> None:
        try:
            begin = self.check.make_ready if first else self.check.connect
            self.check = begin(CallId(uuid4()), by, self.now)
        except (CheckTaken, CheckNotDue, CheckClosed):
            return
        assert self.check.opens_at <= self.now

    @rule()
    def frame(self) -> None:
        self.check = self.check.shown(self.now)

    @rule(seconds=st.integers(0, 60))
    def close_picture(self, seconds: int) -> None:
        self.check = self.check.look_ended(seconds, self.now)

    @rule(by=st.sampled_from([MARIA, ANNA]))
    def look_again(self, by: StaffId) -> None:
        before = self.check
        try:
            self.check = before.look_again(CallId(uuid4()), by, self.now)
        except (CheckTaken, CheckClosed, LookedJustNow):
            return
        assert (before.staff_id, before.last_outcome) == (by, "needs_visit")
        assert (self.check.state, self.check.deadline) == (before.state, before.deadline)

    @rule(
        by=st.sampled_from([MARIA, ANNA]),
        outcome=st.sampled_from(["asleep", "up", "not_seen", "needs_visit", "technical_fault"]),
    )
    def say(self, by: StaffId, outcome: str) -> None:
        before = self.check
        try:
            self.check = before.conclude(outcome, by, self.now)  # type: ignore[arg-type]
        except (CheckClosed, CheckTaken, NothingSeen):
            return
        assert before.staff_id == by
        if outcome != "technical_fault":
            assert before.shown_at is not None
            assert self.now - before.shown_at >= SHOWN_FOR

    @rule(why=st.sampled_from(["wrong_home", "camera_moved", "somebody_else"]))
    def cut(self, why: str) -> None:
        if self.check.state in LOOKING and self.check.staff_id is not None:
            self.check = self.check.cut(why, self.check.staff_id, self.now)  # type: ignore[arg-type]

    @rule(somebody_comes=st.booleans())
    def pause(self, somebody_comes: bool) -> None:
        self.check = self.check.pause(somebody_comes=somebody_comes, now=self.now)
        self.declined |= not somebody_comes

    @rule(why=st.sampled_from(["refused", "withdrawn", "expired", "disturbance"]))
    def consent_ends(self, why: str) -> None:
        self.check = self.check.go_without(why, self.now)  # type: ignore[arg-type]

    @rule()
    def camera_breaks(self) -> None:
        self.check = self.check.fault(self.now)

    @rule(reached=st.booleans())
    def ring(self, reached: bool) -> None:
        if self.check.state is CheckState.PHONE:
            self.check = self.check.phoned(reached=reached, now=self.now)

    @rule(minutes=st.integers(1, 45))
    def go_there(self, minutes: int) -> None:
        self.check = self.check.accepted(self.now + timedelta(minutes=minutes))

    @rule()
    def arrive(self) -> None:
        self.check = self.check.visited(self.now)

    @rule()
    def is_away(self) -> None:
        self.was_away = True
        self.check = self.check.call_off("absent", self.now)

    @invariant()
    def never_without_an_end(self) -> None:
        if not hasattr(self, "check"):
            return
        check = self.check
        match check.state:
            case CheckState.DONE:
                assert check.ended_as is not None
                if check.ended_as is Ending.NOTHING_WANTED:
                    assert self.declined, "nobody came, and she had not asked for that"
                if check.ended_as in (Ending.ASLEEP, Ending.UP):
                    assert check.last_outcome in ("asleep", "up")
            case CheckState.CALLED_OFF:
                assert self.was_away or check.was_missed
            case CheckState.DISPATCHED:
                assert check.why is not None
            case _:
                assert check.deadline is not None

    @invariant()
    def time_alone_brings_it_to_an_end(self) -> None:
        if not hasattr(self, "check"):
            return
        check, steps = self.check, 0
        while not check.is_over and check.state is not CheckState.DISPATCHED:
            assert check.deadline is not None
            check, steps = check.tick(max(check.deadline, self.now)), steps + 1
            assert steps <= 4, "it goes round"


TestNight = Night.TestCase

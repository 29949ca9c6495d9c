"""What a sensor's word becomes: an alarm, an event, or both; and when a clock is to be believed."""

from datetime import UTC, datetime, time

import pytest

from edge.clock import PLAUSIBLE_FROM, HomeClock, kernel_says_synchronised
from edge.homes import HAPPENINGS
from edge.sensing import Alarm, Battery, Change, Cover, Mains, Mistake, Network, Signal, felt
from telecare.wire.homes import HomeSettings, Watch

NIGHT = datetime(2026, 1, 15, 22, 30, tzinfo=UTC)
"""23:30 in Sweden."""
DAY = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
NIGHTS = HomeSettings(watches=(Watch(sensor="door", is_on=True, begins=time(23), ends=time(6)),))


def at(moment, what, settings=NIGHTS, *, is_clock_right=True, **values):
    return felt(Signal(what, **values), settings, at=moment, is_clock_right=is_clock_right)


@pytest.mark.parametrize("what", ["button", "cord", "screen", "fall"])
def test_who_asks_for_help_is_an_alarm_at_any_hour(what):
    assert at(DAY, what) == [Alarm(what, what)]


def test_smoke_is_an_alarm_first_and_then_an_event():
    assert at(DAY, "smoke", device="kitchen") == [
        Alarm("smoke", "kitchen"),
        Change("smoke", "kitchen", "", is_on=True),
    ]
    assert at(DAY, "smoke_gone") == [Change("smoke", "smoke", "", is_on=False)]


def test_door_is_an_alarm_in_the_watched_hours_only():
    assert Alarm("door", "front") in at(NIGHT, "door_opens", device="front")
    assert at(DAY, "door_opens", device="front") == [Change("door", "front", "", is_on=True)]
    assert at(NIGHT, "door_closes") == [Change("door", "door", "", is_on=False)]
    assert at(NIGHT, "door_opens", HomeSettings()) == [Change("door", "door", "", is_on=True)]


def test_watched_door_is_an_alarm_at_any_hour_when_the_clock_is_not_right():
    assert Alarm("door", "door") in at(DAY, "door_opens", is_clock_right=False)


@pytest.mark.parametrize(
    ("moment", "is_alarm"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), True),
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), False),
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), True),
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), False),
    ],
)
def test_hour_that_comes_twice_is_watched_twice_and_one_that_is_left_out_not_at_all(
    moment, is_alarm
):
    """P16: 02–03 local, on the nights when the clock is changed."""
    small_hours = HomeSettings(
        watches=(Watch(sensor="bed", is_on=False, begins=time(1), ends=time(3)),)
    )

    assert (len(at(moment, "bed_left", small_hours)) == 2) is is_alarm


def test_the_rest_is_no_alarm():
    assert at(NIGHT, "battery", percent=12) == [Battery("unit", 12)]
    assert at(NIGHT, "mains_lost") == [Mains(is_on=False)]
    assert at(NIGHT, "cover_opens") == [Cover(is_open=True)]
    assert at(NIGHT, "network_back") == [Network(is_on=True)]
    assert at(NIGHT, "mistake") == [Mistake()]
    assert at(NIGHT, "test_alarm") == [Alarm("button", "button", is_test=True)]


@pytest.mark.parametrize("what", HAPPENINGS)
def test_everything_that_can_happen_becomes_something(what):
    assert at(DAY, what)


def test_clock_before_the_program_was_made_is_wrong_whatever_the_kernel_says():
    clock = HomeClock(is_synchronised=lambda: True)

    assert clock.is_right(PLAUSIBLE_FROM)
    assert not clock.is_right(datetime(2025, 12, 31, tzinfo=UTC))
    assert not HomeClock(is_synchronised=lambda: False).is_right(DAY)


def test_kernel_can_be_asked_whether_the_clock_is_synchronised():
    assert kernel_says_synchronised() in {True, False}

"""Why somebody is to drive to a check, and how soon. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from telecare.nightchecks.model import Check, Why

THERE_WITHIN = timedelta(minutes=45)
"""From the question to the door, at the latest: the longest time that a municipality has published
(Skellefteå; evidence/domain-and-law.md, "Night check state machine").
"""
URGENCY: Mapping[Why, int] = {
    "abnormal": 1,
    "not_seen": 2,
    "not_reached": 2,
    "fault": 3,
    "missed": 3,
    "without_camera": 3,
    "agreed": 4,
}
"""1 goes first, on the scale of alarms' priorities."""


def urgency(check: Check) -> int:
    return URGENCY[check.why] if check.why is not None else min(URGENCY.values())


def reasons(check: Check) -> Sequence[str]:
    """In the order they happened; texts `patrol.why.<reason>`."""
    match check.why:
        case None:
            return ()
        case "not_seen":
            return (_not_seen(check),)
        case "not_reached":
            return (*_before_the_phone(check), "no_answer")
        case "without_camera":
            return (_without_camera(check),)
        case why:
            return (why,)


def be_there_by(check: Check, asked_at: datetime) -> datetime:
    """A visit that was agreed upon is late when its window closes."""
    return check.closes_at if check.why == "agreed" else asked_at + THERE_WITHIN


def _before_the_phone(check: Check) -> Sequence[str]:
    if check.looks:
        return (_not_seen(check),)
    return (_without_camera(check),) if check.without_camera else ()


def _not_seen(check: Check) -> str:
    return "not_seen_twice" if check.looks > 1 else "not_seen"


def _without_camera(check: Check) -> str:
    named = check.without_camera in ("paused", "disturbance")
    return check.without_camera if named and check.without_camera else "without_camera"

"""The judge itself: each kind of wrong is seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.history import Finding, Held, Place, Said, Wrong, compared, overtaken

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(seconds=1)


def place(seq: int) -> Place:
    return Place("u-a", "boot", seq)


SAID = [Said(place(seq), False, f"e{seq}", AT, receipted_at=LATER) for seq in range(1, 4)]
HELD = [Held(place(seq), False, f"e{seq}", AT) for seq in range(1, 4)]


def test_a_history_that_fits_has_no_findings():
    assert compared(SAID, HELD) == []


@pytest.mark.parametrize(
    ("wrong", "said", "held"),
    [
        (Wrong.LOST, SAID, [HELD[0], HELD[2]]),
        (Wrong.KEPT, [SAID[0], replace(SAID[1], receipted_at=None), SAID[2]], HELD),
        (Wrong.DOUBLED, SAID, [*HELD, HELD[1]]),
        (Wrong.ALTERED, SAID, [HELD[0], replace(HELD[1], what="e9"), HELD[2]]),
        (Wrong.ALTERED, SAID, [HELD[0], replace(HELD[1], is_alarm=True), HELD[2]]),
        (Wrong.INVENTED, [SAID[0], SAID[2]], HELD),
        (
            Wrong.TOO_EARLY,
            SAID,
            [HELD[0], replace(HELD[1], received_at=LATER + timedelta(milliseconds=1)), HELD[2]],
        ),
    ],
)
def test_each_wrong_is_found_where_it_is(wrong, said, held):
    assert compared(said, held) == [Finding(wrong, place(2))]


def test_an_event_that_came_after_a_later_one_was_overtaken():
    late = [replace(HELD[0], received_at=LATER), *HELD[1:]]

    assert (overtaken(HELD), overtaken(late)) == (0, 1)

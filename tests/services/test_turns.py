"""Nobody holds the loop for long."""

import asyncio
import gc
from itertools import groupby

from telecare.runtime.tasks import running
from telecare.runtime.turns import TURN, by_turns, settle


async def test_an_alarm_has_its_turn_while_thousands_of_events_are_read():
    happened = []

    async def alarm():
        while True:
            happened.append("alarm")
            await asyncio.sleep(0)

    async with running(alarm=alarm()):
        async for event in by_turns(range(40 * TURN)):
            happened.append(event)  # noqa: PERF401 - beside what others do meanwhile

    assert [one for one in happened if one != "alarm"] == list(range(40 * TURN))
    runs = [len(list(run)) for who, run in groupby(happened, type) if who is int]
    assert max(runs) == TURN


def test_a_collection_does_not_look_at_what_the_server_is_made_of():
    made = [{"route": number} for number in range(100)]

    settle()

    try:
        assert not [one for one in gc.get_objects() if one is made]
    finally:
        gc.unfreeze()

"""The simulated person of a `HomeScript`: hears the ring, presses keys after a while."""

import asyncio
from collections.abc import Callable

from edge.call import Stage
from edge.live_call import Press
from telecare.wire.homes import HomeScript

PRESSES = {"answer": Press.ANSWER, "decline": Press.DECLINE}


class SimulatedPerson:
    """`notice` is told of each stage of a call; `live` presses what the script says."""

    def __init__(self, script: HomeScript) -> None:
        self._script = script
        self._noticed: asyncio.Queue[Stage] = asyncio.Queue()

    def notice(self, stage: Stage) -> None:
        self._noticed.put_nowait(stage)

    async def live(self, press: Callable[[Press], None]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._call_in(press), name="calls in")
            intention: asyncio.Task[None] | None = None
            stage: Stage | None = None
            while True:
                before, stage = stage, await self._noticed.get()
                if intention is not None and not goes_on(before, stage):
                    intention.cancel()
                    intention = None
                if intention is None:
                    intention = group.create_task(self._act(stage, press), name="person")

    async def _act(self, stage: Stage, press: Callable[[Press], None]) -> None:
        rings, hangs_up_s = self._script.when_it_rings, self._script.then_hangs_up_after_s
        if stage is Stage.RINGING and (key := PRESSES.get(rings.key)) is not None:
            await asyncio.sleep(rings.after_s)
            press(key)
        elif stage in {Stage.LIT, Stage.DARK} and hangs_up_s is not None:
            await asyncio.sleep(hangs_up_s)
            press(Press.HANG_UP)

    async def _call_in(self, press: Callable[[Press], None]) -> None:
        if self._script.calls_in is not None:
            await asyncio.sleep(self._script.calls_in.after_s)
            press(Press.CALL_HOME_CARE)


def goes_on(before: Stage | None, now: Stage) -> bool:
    """Lit or dark is one talk to the one who sits there."""
    talking = {Stage.LIT, Stage.DARK}
    return before in talking and now in talking

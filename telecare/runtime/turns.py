"""The loop is everybody's: who has much to do lets others in between, an alarm above all.

What cannot be cut (one statement's values, one write to a socket) is kept short by its own bounds.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

TURN = 25
"""Messages, about a millisecond of them: an alarm waits for some thirty turns of the loop."""

T = TypeVar("T")


async def by_turns(things: Iterable[T]) -> AsyncIterator[T]:
    """All of them in their order; after each TURN others on the loop come first."""
    for number, thing in enumerate(things):
        if number and number % TURN == 0:
            await asyncio.sleep(0)
        yield thing


def settle() -> None:
    """What there is now is for the life of the process: the garbage collector looks at it no more.
    A full collection of the server held the loop for 50 to 90 ms, most of it for code and routes.
    """
    gc.collect()
    gc.freeze()

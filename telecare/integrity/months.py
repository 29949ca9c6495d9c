"""Asking of a log that is kept in a table for each month."""

from telecare.runtime.db import Transaction

PLAN_ONCE = "select set_config('plan_cache_mode', 'force_generic_plan', true)"


async def plan_once(db: Transaction) -> None:
    """Until commit: planning over sixty months takes longer than most questions, so a plan is made
    once for each connection, and which months a question needs is found as it runs.
    """
    await db.execute(PLAN_ONCE)

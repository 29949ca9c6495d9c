# ruff: noqa: INP001
"""Rows into a table as fast as PostgreSQL takes them: COPY, without a wall, a key or a question."""

import time
from collections.abc import Sequence

import asyncpg

TABLE = """
create table if not exists bench_event (
    tenant_id int, unit_id text, boot uuid, seq bigint, kind text, occurred_at timestamptz,
    clock_ok boolean, received_at timestamptz, partition_at timestamptz, payload jsonb
)
"""


async def copied(url: str, batches: Sequence[Sequence[tuple[object, ...]]]) -> float:
    """Seconds, a commit each batch."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TABLE)
        begun = time.perf_counter()
        for batch in batches:
            await connection.copy_records_to_table("bench_event", records=batch)
        return time.perf_counter() - begun
    finally:
        await connection.close()

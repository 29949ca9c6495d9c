# ruff: noqa: INP001
"""The reference of `alarm`: one row committed, and one message to the broker and back."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

TABLE = """
create table if not exists bench_alarm (id bigint generated always as identity, what text not null)
"""
COMMIT = "insert into bench_alarm (what) values ($1)"
TOPIC = "ref/echo"
LIMIT_S = 10.0


@asynccontextmanager
async def round_trips(
    database_url: str, broker_url: str, what: str
) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Gives what does both once, and how many milliseconds it took."""
    loop = asyncio.get_running_loop()
    subscribed, back = asyncio.Event(), asyncio.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)

    def on_connect(*_: object) -> None:
        client.subscribe(TOPIC, qos=1)

    def on_subscribe(*_: object) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    def on_message(*_: object) -> None:
        loop.call_soon_threadsafe(back.set)

    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    address = urlsplit(broker_url)
    client.connect(address.hostname or "", address.port or 1883)
    client.loop_start()
    connection = await asyncpg.connect(database_url)

    async def once() -> float:
        begun = time.perf_counter()
        back.clear()
        client.publish(TOPIC, what, qos=1)
        async with asyncio.timeout(LIMIT_S):
            await back.wait()
        await connection.execute(COMMIT, what)
        return (time.perf_counter() - begun) * 1000

    try:
        await connection.execute(TABLE)
        async with asyncio.timeout(LIMIT_S):
            await subscribed.wait()
        yield once
    finally:
        await connection.close()
        client.disconnect()
        client.loop_stop()

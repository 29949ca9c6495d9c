"""One PostgreSQL and one broker for the run; a tenant each for service tests."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from telecare.app import Services, services
from telecare.runtime.config import Config
from telecare.runtime.db import Database, open_database, run_script
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.runtime.embedded.services import EmbeddedServices
from tests.world import MovedClock, World

T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, ten o'clock in Sweden."""


def pytest_terminal_summary(terminalreporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.write_line(f"NOT TESTED HERE: {len(skipped)} skipped", red=True)


def pytest_sessionfinish(session, exitstatus) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("TELECARE_REQUIRE_ALL") == "1" and exitstatus == 0:
        session.exitstatus = 1


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedServices]:
    """The embedded default itself. Its data is on disk but not synced: it need not survive."""
    import asyncio  # noqa: PLC0415

    folder = Path(tempfile.mkdtemp(prefix="telecare-test-"))
    made = EmbeddedServices(folder, postgres_settings={"fsync": "off", "max_connections": "200"})
    made.start()
    try:
        asyncio.run(made.prepare())
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def config(embedded) -> Config:
    return Config(
        database_url=embedded.postgres.url("telecare_app"),
        mqtt_url=embedded.broker.url,
        public_url="http://localhost:1",
        person_key_file=str(embedded.person_key_file),
    )


@pytest.fixture
async def database(config) -> AsyncIterator[Database]:
    async with open_database(config.role_url("app"), size=12) as database:
        database.dispatch = lambda effect: None
        yield database


@pytest.fixture
async def reader(config) -> AsyncIterator[Database]:
    async with open_database(config.role_url("reader"), size=3, least=0) as database:
        yield database


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(T0)


@pytest.fixture
def made(database, reader, clock, config) -> Services:
    return services(database, reader, clock, config)


@pytest.fixture
async def world(made, embedded) -> AsyncIterator[World]:
    """A municipality of its own, in the database everybody shares."""
    async with World.found(made, embedded.postgres.url(SUPERUSER)) as world:
        yield world


@pytest.fixture
async def other_world(made, embedded) -> AsyncIterator[World]:
    async with World.found(made, embedded.postgres.url(SUPERUSER)) as world:
        yield world


@pytest.fixture
def as_superuser(embedded):
    """Run a script as the database's superuser: for what an administrator could do."""

    async def run(sql: str) -> None:
        await run_script(embedded.postgres.url(SUPERUSER), sql)

    return run

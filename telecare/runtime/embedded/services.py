"""PostgreSQL and broker together, with roles and tables in place."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from telecare.runtime.db import DatabaseExists, run_script
from telecare.runtime.embedded.broker import EmbeddedBroker, Program
from telecare.runtime.embedded.postgres import SUPERUSER, EmbeddedPostgres
from telecare.runtime.migrate import migrate, roles_sql
from telecare.runtime.sealing import make_key

WATCH_S = 0.2


@dataclass(slots=True)
class EmbeddedServices:
    """What production has as machines of their own; here children of this process."""

    folder: Path
    broker_host: str = "127.0.0.1"
    broker_port: int = 0
    broker_program: Program = "iotcore"
    postgres_settings: dict[str, str] = field(default_factory=dict)
    postgres: EmbeddedPostgres = field(init=False)
    broker: EmbeddedBroker = field(init=False)

    def __post_init__(self) -> None:
        self.postgres = EmbeddedPostgres(self.folder / "postgres", self.postgres_settings)
        self.broker = EmbeddedBroker(
            self.folder / "broker", self.broker_host, self.broker_port, self.broker_program
        )

    def start(self) -> bool:
        """True when the database is new. Call from the main thread."""
        self.broker.launch()
        is_new = self.postgres.start()
        self.broker.wait()
        return is_new

    async def prepare(self) -> None:
        """Key, roles, database and migrations; safe to run on what is prepared."""
        make_key(self.person_key_file)
        await ensure_database(self.postgres, "telecare")
        await run_script(self.postgres.url(SUPERUSER), roles_sql())
        await migrate(self.postgres.url("telecare_owner"))

    @property
    def person_key_file(self) -> Path:
        return self.folder / "person.key"

    @property
    def log_key_dir(self) -> Path:
        """For the sequencer alone."""
        return self.folder / "log"

    @property
    def environment(self) -> dict[str, str]:
        """How a server process finds them."""
        return {
            "TELECARE_PERSON_KEY_FILE": str(self.person_key_file),
            "TELECARE_DATABASE_URL": self.postgres.url("telecare_app"),
            "TELECARE_MQTT_URL": self.broker.url,
        }

    async def watch(self) -> None:
        """Restart what ended by itself (kill -9), for the life of the block."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self.postgres.ended():
                self.postgres.restart()
            if self.broker.ended():
                self.broker.start()

    def stop(self) -> None:
        self.broker.stop()
        self.postgres.stop()


async def ensure_database(postgres: EmbeddedPostgres, name: str) -> None:
    """`name` is ours, never a user's."""
    with contextlib.suppress(DatabaseExists):
        await run_script(postgres.url(SUPERUSER, "postgres"), f'create database "{name}"')

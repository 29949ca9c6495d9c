"""The demo's people are made here, and what each simulated home is and does."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from telecare.demo import nights, seed
from telecare.runtime.clock import SystemClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.wire.homes import HomeScript, HomeSettings, Pressed

ANSWERS_AFTER_S = 1.5
AT_NIGHT = {"aino": "up", "karl-erik": "empty"}
"""Everybody else sleeps."""
TRY_EVERY_S = 3
TRIES = 20
"""A home that was not there in a minute has no nights."""


async def homes_of(
    environment: Mapping[str, str], folder: Path, *, camera: str
) -> list[HomeScript]:
    """Seed what is not there yet; a home that was never enrolled gets a code for it.

    `camera`: a V4L2 device for the first of them; only what was asked for is ever opened.
    """
    config = Config.from_environment(environment)
    now = SystemClock().now()
    with_units = [home for home in seed.HOMES if home.has_unit]
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        new = [h for h in with_units if not (folder / "homes" / h.key / "unit.json").exists()]
        codes = await seed.unit_codes(database, tenant, new, now)
    return [
        home_script(home, folder, config.public_url, code=codes.get(home.key), camera=camera)
        for home in with_units
    ]


def home_script(
    home: seed.Home, folder: Path, server_url: str, *, code: str | None, camera: str
) -> HomeScript:
    return HomeScript(
        state_dir=str(folder / "homes" / home.key),
        server_url=server_url,
        enrol_code=code,
        when_it_rings=Pressed(key="answer", after_s=ANSWERS_AFTER_S),
        screen="off" if home.key == "karl-erik" else "on",
        camera=camera if camera and home.key == "ingrid" else "simulated",
        settings=HomeSettings(
            language=home.language,
            cameras={nights.CAMERA: f"simulated:{AT_NIGHT.get(home.key, 'asleep')}"},
        ),
    )


async def agree_nights(environment: Mapping[str, str]) -> None:
    """As soon as the homes' units are there, each has a check that is due."""
    config = Config.from_environment(environment)
    waiting = [home for home in seed.HOMES if home.has_unit and home.says_yes]
    async with open_database(config.role_url("app"), size=2) as database:
        for _ in range(TRIES):
            now = SystemClock().now()
            tenant = await seed.seed(database, now)
            agreed = await nights.agree(database, tenant, waiting, now)
            waiting = [home for home in waiting if home not in agreed]
            if not waiting:
                return
            await asyncio.sleep(TRY_EVERY_S)

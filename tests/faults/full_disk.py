"""Run by `test_full_disk.py`, where mounting is allowed: the database has a small disk."""

import asyncio
import errno
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import running_site
from tests.gaps import Gaps

DISK = "320m"
WAL = {"max_wal_size": "64MB", "min_wal_size": "32MB"}
MIB = bytes(1 << 20)
FULL_S = 8.0


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
    with running_site(database_folder=folder, **WAL) as site:
        yield site


@contextmanager
def filled(folder: Path):
    """To the last byte, for the life of the block."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(MIB)
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - any other fault is not meant
    yield
    filler.unlink()


async def test_nothing_that_was_receipted_is_lost_and_the_server_stays_up(run):
    site = run.site
    homes = await run.furnished(count=10, events=300, alarms=4, seconds=15.0)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(site.watch(), name="supervisor")
        with Gaps() as gaps:
            await homes.start()
            await run.stored_more(homes.meant // 5)
            with filled(site.database_folder):
                await asyncio.sleep(FULL_S)
                said = homes.count_said()
            await run.drained()
        watching.cancel()
    gaps.note(f"\n{said} of {homes.meant} said when there was room again")

    assert await run.findings() == []
    assert len(await run.held()) >= run.expected
    assert site.server.starts == 1
    assert run.operator.seen.keys() >= {one.what for one in homes.said() if one.is_alarm}

"""`telecare simulate` against a running server, in a database of its own."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def simulated(site, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "telecare", "simulate", *arguments],
        env={**os.environ, **site.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def test_simulated_homes_are_heard_and_used_again_by_the_next_run(site):
    pace = ("--seconds", "3", "--events", "3600", "--alarms", "360")

    first = simulated(site, "--homes", "30", *pace)
    second = simulated(site, "--homes", "40", *pace)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "waiting 0" in second.stdout.splitlines()[-3]
    [units] = await site.rows("select count(*) from edge_unit")
    [stored] = await site.rows(
        "select (select count(*) from event) + (select count(*) from alarm) as count"
    )
    said = [
        int(run.stdout.splitlines()[-3].partition("said ")[2].split()[0]) for run in (first, second)
    ]
    assert units["count"] == 40
    assert stored["count"] == sum(said) > 100


async def test_a_municipality_that_somebody_has_set_up_is_never_simulated_in(site):
    await site.rows(
        "insert into tenant (slug, name, language, phone, relay_only, created_at)"
        " values ('verklig', 'Verklig', 'sv', '', false, now())"
    )

    refused = simulated(site, "--homes", "1")
    await site.rows("delete from tenant where slug = 'verklig'")

    assert refused.returncode == 1
    assert "verklig" in refused.stderr
    assert "never beside real residents" in refused.stderr

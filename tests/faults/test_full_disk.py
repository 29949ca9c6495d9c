"""The database's disk is full (F8, P15). `full_disk.py` is the run, in mounts of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = Path(__file__).with_name("full_disk.py").relative_to(ROOT)
OWN_MOUNTS = ["unshare", "-Urm"]


@pytest.mark.slow
@pytest.mark.skipif(
    subprocess.run([*OWN_MOUNTS, "true"], check=False).returncode != 0,
    reason="no mount namespaces here: `unshare -Urm` is refused",
)
def test_a_full_database_disk_costs_nothing_that_was_receipted_and_ends_no_server():
    done = subprocess.run(
        [*OWN_MOUNTS, sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:randomly", str(RUN)],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout)  # noqa: T201

    assert done.returncode == 0
    assert "1 passed" in done.stdout

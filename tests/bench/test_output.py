"""What `telecare bench` prints, for machines that read it."""

import json
import os
import subprocess
import sys

import pytest

from telecare.bench import report
from telecare.bench.run import BENCHES

KEYS = {"name", "figure", "unit", "reference", "ratio", "target", "met"}


def test_a_ratio_above_its_target_is_missed():
    part = report.compared("TV page", 16.0, 10.0, "kB", at_most=1.5)

    assert (part.ratio, part.target, part.met) == (1.6, "<= 1.5 x", False)


def test_a_figure_is_judged_before_it_is_rounded():
    assert report.at_most("cut", 500.04, "ms", 500).met is False


def test_a_reference_of_nothing_judges_nothing():
    part = report.compared("TV page", 16.0, 0.0, "kB", at_most=1.5)

    assert (part.ratio, part.met) == (None, None)


def test_a_percentile_is_a_value_that_was_measured():
    values = [float(n) for n in range(1, 101)]

    assert report.percentile(values, 50) == 50
    assert report.percentile(values, 99) == 99
    assert report.percentile([7.0], 99) == 7


def test_people_read_missed_in_plain_words():
    made = report.made("boot", [report.at_most("cold", 6.0, "s", 5)], load=0.5)

    assert report.lines(made)[1].endswith("MISSED")


def test_every_promised_bench_is_there():
    assert sorted(BENCHES) == [
        "alarm", "alarm-under-replay", "audit-append", "audit-proof", "audit-search",
        "audit-sequence", "audit-verify", "boot", "cut", "first-picture", "first-picture look",
        "homes", "ingest", "ingest-db", "round", "screens",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_last_line_is_one_json_object_with_every_key():
    done = subprocess.run(
        [sys.executable, "-m", "telecare", "bench", "screens", "--rounds", "5", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )

    said = json.loads(done.stdout.splitlines()[-1])
    assert set(said) == {"bench", "parts", "load", "python", "cores"}
    assert said["bench"] == "screens"
    assert said["parts"]
    assert all(set(part) == KEYS for part in said["parts"])
    assert "screens: Python" in done.stdout

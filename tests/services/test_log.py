"""What gets into the log when something goes wrong: what it was and where, not about whom."""

import json
import logging
import subprocess
import sys

import pytest

from telecare.runtime.log import JsonLines

CANARY = "Kanarie Lindqvist"


def said(name: str, message: str, *values: object, **more: object) -> dict:
    record = logging.LogRecord(name, logging.ERROR, "", 0, message, values, None)
    vars(record).update(more)
    return json.loads(JsonLines().format(record))


@pytest.mark.parametrize(
    ("name", "message", "values"),
    [
        ("aiohttp.server", "Error handling request from %s", (CANARY,)),
        ("asyncio", f"Task exception was never retrieved\nfuture: <Task {CANARY}>", ()),
    ],
)
def test_what_a_library_says_is_told_without_its_values(name, message, values):
    line = said(name, message, *values)

    assert CANARY not in json.dumps(line)
    assert line["says"].startswith(message[:20])


def test_a_field_that_is_not_listed_is_dropped_and_counted():
    line = said("telecare.visits", "visit missed", visit_id="v1", resident_name=CANARY)

    assert line["visit_id"] == "v1"
    assert line["dropped_fields"] == 1
    assert CANARY not in json.dumps(line)


def test_a_process_that_ends_by_a_fault_tells_where_and_quotes_nothing():
    program = f"from telecare.runtime import log; log.begin(); raise ValueError({CANARY!r})"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert ended.returncode == 1
    assert CANARY.encode() not in ended.stderr
    assert json.loads(ended.stderr)["trace"][0] == "ValueError"

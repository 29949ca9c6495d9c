"""Old units and old pages stay in the field: what they said and heard yesterday still reads."""

import hashlib
import json

import pytest
from pydantic import ValidationError

from tests.wire_contract import (
    ASSETS,
    DOCUMENT,
    LANES,
    UNIT_LANES,
    as_text,
    asyncapi,
    golden,
    kinds,
)

FILES = [(lane, path) for lane in LANES for path in golden(lane)]
SUMS = ASSETS / "SHA256SUMS"


def ids(value):
    return value if isinstance(value, str) else value.stem


@pytest.mark.parametrize("lane", LANES)
def test_every_kind_of_message_has_been_written_down(lane):
    written = {json.loads(path.read_text()).get("kind", "") for path in golden(lane)}
    written |= {json.loads(path.read_text()).get("type", "") for path in golden(lane)}

    assert set(kinds(LANES[lane])) <= written


@pytest.mark.parametrize(("lane", "path"), FILES, ids=ids)
def test_what_was_said_once_is_still_understood(lane, path):
    said = json.loads(path.read_text())

    read = LANES[lane].validate_json(json.dumps(said))

    assert json.loads(read.model_dump_json(exclude_unset=True)) == said


def test_what_was_written_down_is_added_to_and_never_changed():
    sums = dict(reversed(line.split("  ")) for line in SUMS.read_text().splitlines())
    now = {
        str(path.relative_to(ASSETS)): hashlib.sha256(path.read_bytes()).hexdigest()
        for _, path in FILES
    }

    assert now == sums


@pytest.mark.parametrize(("lane", "path"), FILES, ids=ids)
def test_units_may_say_more_than_we_know_and_pages_may_not(lane, path):
    more = json.dumps({**json.loads(path.read_text()), "of_tomorrow": 1})

    if lane == "from-page":
        with pytest.raises(ValidationError, match="extra_forbidden"):
            LANES[lane].validate_json(more)
    else:
        assert "of_tomorrow" not in LANES[lane].validate_json(more).model_dump()


def test_the_published_contract_is_the_one_in_the_code():
    assert DOCUMENT.read_text(encoding="utf-8") == as_text(asyncapi()), (
        "python -m tests.wire_contract writes it anew"
    )
    addresses = {channel["address"] for channel in asyncapi()["channels"].values()}
    assert addresses == {topic for topic, _ in UNIT_LANES.values()}

"""Light homes say what real ones say, and live only where nobody real lives."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest

from telecare.demo import seed
from telecare.load.command import Load, NoSuchLoad
from telecare.load.homes import LightHome
from telecare.load.living import HOUR_S, Living, Pace
from telecare.load.registry import DEMO_UNIT, SLUG, RealMunicipality, registered
from telecare.wire import edge, seal, topics
from telecare.wire.ids import new_unit_id

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = bytes(range(32))


@pytest.fixture
def home() -> LightHome:
    return LightHome.begun(new_unit_id(), KEY, AT)


def opened(message) -> int | None:
    return seal.opened(KEY, message.topic, list(message.properties), message.payload)


def test_what_a_light_home_says_is_sealed_with_rising_numbers_and_understood(home):
    said = [home.door(AT, 0.0), home.press(AT, 0.0), home.status(0.0)]

    numbers = [opened(message) for message in said]
    assert numbers == sorted(set(numbers))
    assert [topics.parse_up(message.topic) for message in said] == [
        (home.unit, lane) for lane in (topics.Up.EVENT, topics.Up.ALARM, topics.Up.STATUS)
    ]
    assert edge.UP_EVENT.validate_json(said[0].payload).seq == 1
    assert edge.UP_ALARM.validate_json(said[1].payload).seq == 2
    assert edge.UnitStatus.model_validate_json(said[2].payload).waiting == 2


def test_a_light_home_says_an_alarm_again_after_two_seconds_and_a_door_after_ten(home):
    door, alarm = home.door(AT, 0.0), home.press(AT, 0.0)

    assert home.due(1.9) == []
    sent = [alarm, *home.due(2.0), *home.due(10.0)]

    assert [message.topic for message in sent] == [*[alarm.topic] * 3, door.topic]
    assert sent.pop().payload == door.payload
    alarms = [edge.UP_ALARM.validate_json(message.payload) for message in sent]
    assert {one.seq for one in alarms} == {2}
    assert [one.attempt for one in alarms] == [1, 2, 3]


def test_only_a_receipt_of_its_own_boot_lets_a_light_home_forget(home):
    home.press(AT, 1.0)

    assert home.receipted(edge.Receipt(boot=uuid4(), seqs=[1]), 2.0) == []
    assert home.receipted(edge.Receipt(boot=home.boot, seqs=[1, 7]), 2.5) == [
        (topics.Up.ALARM, 1.5)
    ]
    assert home.waiting == {}


class Heard:
    """Instead of lines to a broker."""

    def __init__(self, homes: int) -> None:
        self.homes = [SimpleNamespace() for _ in range(homes)]
        self.said: list[tuple[str, int]] = []

    def door(self, number: int) -> None:
        self.said.append(("door", number))

    def press(self, number: int) -> None:
        self.said.append(("press", number))

    def status(self, number: int) -> None:
        self.said.append(("status", number))


def an_hour(pace: Pace, homes: int = 50) -> Heard:
    heard = Heard(homes)
    living = Living(heard, pace)
    begun_s = living._plan[0][0]
    living.go_on(begun_s + HOUR_S)
    return heard


def test_homes_say_as_much_as_their_pace_tells():
    heard = an_hour(Pace(events_an_hour=12, alarms_an_hour=1))

    count = {what: sum(kind == what for kind, _ in heard.said) for what in ("door", "press")}
    assert count["door"] == pytest.approx(600, rel=0.2)
    assert count["press"] == pytest.approx(50, rel=0.6)
    assert sum(kind == "status" for kind, _ in heard.said) == pytest.approx(50 * 240, rel=0.01)


def test_a_home_that_is_out_says_nothing_meanwhile():
    always = an_hour(Pace(events_an_hour=0))
    out = an_hour(Pace(events_an_hour=0, outages_an_hour=10, outage_s=180.0))

    assert len(out.said) < len(always.said) * 0.8


def test_the_demos_municipality_is_known_by_its_unit():
    assert DEMO_UNIT == seed.TEAM


async def test_no_home_is_simulated_beside_a_municipality_that_is_not_invented(made, world):
    with pytest.raises(RealMunicipality) as refused:
        await registered(made.database, 1, world.now)

    assert "never beside real residents" in refused.value.told
    assert await world.rows("select 1 from tenant where slug = $1", SLUG) == []


@pytest.mark.parametrize(
    "load",
    [
        Load(0, Pace()),
        Load(100_001, Pace()),
        Load(1, Pace(events_an_hour=-1)),
        Load(1, Pace(outage_s=float("nan"))),
        Load(1, Pace(), seconds=-1),
    ],
)
def test_a_load_that_cannot_be_is_refused(load):
    with pytest.raises(NoSuchLoad):
        load.check()

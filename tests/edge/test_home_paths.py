"""Two ways to the server: the second is tried by itself, and left again, and nothing is lost."""

from dataclasses import replace

import pytest
from conftest import EmbeddedBroker, home_in
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from outsider import Server

from edge.agent import Patiences
from edge.identity import UnsafeAddress, keep, to_text
from edge.link import Link
from edge.paths import PathPatience, Paths
from telecare.wire.edge import AlarmRaised, Enrolment, PathChanged, SensorChanged, UnitStatus
from telecare.wire.ids import new_unit_id


@pytest.fixture
def second_broker(tmp_path):
    folder = tmp_path / "second"
    folder.mkdir()
    broker = EmbeddedBroker(folder)
    yield broker
    broker.stop()


@pytest.fixture
async def second_server(second_broker, identity):
    """The same server, heard by another address."""
    outsider = Server(second_broker.port, identity.unit, identity.mac_key)
    await outsider.start()
    yield outsider
    outsider.stop()


def with_second(identity, broker):
    return replace(identity, second_broker_url=broker.url)


FICKLE = Patiences(
    path=PathPatience(
        answer_ms=600, alarm_ms=600, silent_ms=1_200, silent_jitter_ms=0, probe_ms=500
    )
)
STEADY = Patiences(path=PathPatience(answer_ms=600, silent_ms=60_000, probe_ms=500))
"""No address is left for its silence alone."""


async def test_home_tries_its_second_address_and_goes_back_without_losing_anything(
    broker, server, second_broker, second_server, identity
):
    async with home_in(with_second(identity, second_broker), patiences=STEADY) as home:
        broker.stop()
        home.sense("button")
        await second_server.hears(AlarmRaised)
        await home.says("arrived")
        await second_server.hears(PathChanged, path="second")
        assert (await second_server.hears(UnitStatus, path="second")).online

        broker.start()
        returned = Server(broker.port, identity.unit, identity.mac_key)
        await returned.start()
        await returned.hears(PathChanged, path="first")
        home.sense("door_opens")
        await returned.hears(SensorChanged)
        await returned.hears(UnitStatus, path="first", waiting=0)
        returned.stop()

    alarms = [*second_server.all(AlarmRaised), *returned.all(AlarmRaised)]
    assert len({(alarm.boot, alarm.seq) for alarm in alarms}) == 1
    assert home.said() == ["sending", "arrived"]


async def test_alarm_without_a_receipt_is_tried_the_other_way_though_the_line_is_up(
    server, second_server, second_broker, identity
):
    """The broker answers and nobody stands behind it."""
    server.receipts = False
    async with home_in(with_second(identity, second_broker), patiences=FICKLE) as home:
        home.sense("button")
        await server.hears(AlarmRaised)
        await second_server.hears(AlarmRaised)
        await home.says("arrived")

    assert home.said() == ["sending", "arrived"]


async def test_home_that_hears_nothing_of_its_server_tries_the_other_way(
    server, second_server, second_broker, identity
):
    async with home_in(with_second(identity, second_broker), patiences=FICKLE):
        await second_server.hears(PathChanged, path="second")


async def test_home_with_one_address_connects_anew_when_an_alarm_gets_no_receipt(server, identity):
    server.receipts = False
    async with home_in(identity, patiences=FICKLE) as home:
        home.sense("button")
        await server.hears(PathChanged, path="first")
        server.receipts = True
        await home.says("arrived")


async def test_unit_keeps_its_second_address_from_enrolment(tmp_path):
    enrolment = Enrolment(
        unit=new_unit_id(),
        mac_key=to_text(bytes(32)),
        broker_url="mqtts://first",
        second_broker_url="mqtts://second",
    )
    tmp_path.chmod(0o700)

    kept = keep(tmp_path, enrolment, Ed25519PrivateKey.generate(), "https://care.example")

    assert (kept.broker_url, kept.second_broker_url) == ("mqtts://first", "mqtts://second")


async def test_second_address_must_be_encrypted_too(identity):
    with pytest.raises(UnsafeAddress):
        Link(
            replace(identity, second_broker_url="mqtt://elsewhere"),
            reserve=None, will=None, came_up=None,
        )  # fmt: skip


def test_line_that_was_deaf_before_it_fell_is_not_tried_again_first():
    paths = Paths(True, 0)
    paths.next(0)
    paths.connected(0)
    paths.heard(1_000)

    paths.lost(20_000)

    assert paths.next(20_100) == "second"


def test_line_that_falls_while_it_is_heard_is_tried_again_for_ten_seconds():
    paths = Paths(True, 0)
    paths.next(0)
    paths.connected(0)
    paths.heard(19_000)

    paths.lost(20_000)

    assert [paths.next(ms) for ms in (20_100, 29_999, 30_000)] == ["first", "first", "second"]


def test_alarm_pressed_while_the_line_is_lost_goes_the_other_way_at_the_next_try():
    paths = Paths(True, 0)
    paths.next(0)
    paths.connected(0)
    paths.heard(19_000)
    paths.lost(20_000)
    tried = [paths.next(20_100), paths.next(21_000)]

    assert [*tried, paths.next(21_500, is_urgent=True)] == ["first", "first", "second"]


@pytest.mark.parametrize(("has_second", "waits_ms"), [(True, 3_000), (False, 10_000)])
def test_alarm_without_a_receipt_is_waited_for_less_where_there_is_another_way(
    has_second, waits_ms
):
    paths = Paths(has_second, 0)
    paths.next(0)
    paths.connected(0)

    assert not paths.doubts(60_000, silent_ms=0, waiting_ms=waits_ms - 1)
    assert paths.doubts(60_000, silent_ms=0, waiting_ms=waits_ms)


def test_a_try_of_two_addresses_is_short_at_first_and_slow_lines_get_their_time_later():
    two, one = Paths(True, 0), Paths(False, 0)

    assert [two.try_ms(ms) for ms in (0, 29_999, 30_000)] == [3_000, 3_000, 10_000]
    assert one.try_ms(0) == 10_000


class PathsLive(RuleBasedStateMachine):
    """A unit always tries something, the first when all is well, and not in a frenzy."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.paths = Paths(True, 0, PathPatience())
        self.left: list[int] = []
        self.has_tried = False

    @rule(ms=st.sampled_from([100, 2_000, 10_000, 70_000]))
    def time_passes(self, ms):
        self.now_ms += ms

    @rule(is_answered=st.booleans(), is_urgent=st.booleans())
    def tries(self, is_answered, is_urgent):
        if not self.paths.is_silent:
            return
        silent_ms = self.now_ms - self.paths._silent_since_ms
        wanted, before, is_new = self.paths._wanted, self.paths.current, not self.has_tried
        path = self.paths.next(self.now_ms, is_urgent=is_urgent)
        self.has_tried = True
        if is_new or (wanted is None and silent_ms < 10_000 and not is_urgent):
            assert path == "first"
        elif wanted is None and is_urgent:
            assert path != before
        if is_answered:
            self.paths.connected(self.now_ms)
        else:
            self.paths.lost(self.now_ms)

    @rule(
        silent_ms=st.sampled_from([0, 9_000, 40_000]),
        waiting_ms=st.sampled_from([0, 2_000, 15_000]),
    )
    def asks(self, silent_ms, waiting_ms):
        if self.paths.is_silent:
            return
        before = self.paths.current
        if self.paths.doubts(self.now_ms, silent_ms=silent_ms, waiting_ms=waiting_ms):
            assert silent_ms or waiting_ms > 2_000
            assert not self.left or self.now_ms - self.left[-1] >= 3_000
            self.left.append(self.now_ms)
            self.paths.lost(self.now_ms)
            assert self.paths.next(self.now_ms) != before
            self.paths.connected(self.now_ms)


PathsLive.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestPathsLive = PathsLive.TestCase

"""What a home says of her alarms, by the clock on the wall of this test."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.alarm import HomeAlarms, Patience, Phrase, Shown, Sign, Spoken
from edge.outbox import Place
from edge.voice import phrases
from telecare.wire.homes import HomeSettings

BOOT = UUID(int=1)
PATIENCE = Patience()
FIRST, SECOND = Place(BOOT, 1), Place(BOOT, 2)


def home() -> HomeAlarms:
    return HomeAlarms(0)


def said(effects) -> list[Phrase]:
    return [effect.phrase for effect in effects if isinstance(effect, Spoken)]


def signs(effects) -> list[Sign]:
    return [effect.sign for effect in effects if isinstance(effect, Shown)]


def test_she_hears_that_it_is_sent_has_arrived_and_who_takes_it():
    alarms = home()

    told = [
        *alarms.pressed(FIRST, 0),
        *alarms.receipted(FIRST, 100),
        *alarms.told(FIRST, "waiting", "", 110),
        *alarms.told(FIRST, "taken", "Maria", 5_000),
        *alarms.told(FIRST, "closed", "", 9_000),
    ]

    assert said(told) == ["sending", "arrived", "taken", "closed"]
    assert signs(told) == ["sending", "arrived", "taken", "quiet"]
    assert Spoken(Phrase.TAKEN, "Maria") in told


def test_what_is_told_again_is_not_said_again():
    alarms = home()
    alarms.pressed(FIRST, 0)
    alarms.receipted(FIRST, 100)
    alarms.told(FIRST, "taken", "Maria", 200)

    again = [
        *alarms.receipted(FIRST, 300),
        *alarms.told(FIRST, "taken", "Maria", 400),
        *alarms.heard(500),
        *alarms.tick(600),
    ]

    assert again == []


def test_who_takes_it_after_it_came_back_is_said_though_it_is_the_same():
    alarms = home()
    alarms.pressed(FIRST, 0)
    alarms.receipted(FIRST, 100)
    alarms.told(FIRST, "taken", "Maria", 200)

    back = alarms.told(FIRST, "waiting", "", 300)
    taken = alarms.told(FIRST, "taken", "Maria", 400)

    assert (said(back), said(taken)) == (["waiting_again"], ["taken"])


def test_no_receipt_in_ten_seconds_is_said_and_after_thirty_she_is_told_to_ring():
    alarms = home()
    alarms.pressed(FIRST, 20_000)
    alarms.heard(20_000)

    before = alarms.tick(29_999)
    after = alarms.tick(30_000)
    alarms.heard(45_000)
    last = alarms.tick(50_000)

    assert (before, said(after), said(last)) == ([], ["not_arrived"], ["no_contact"])


def test_no_contact_is_said_once_and_at_each_press_and_never_again_by_itself():
    alarms = home()

    first = alarms.tick(25_000)
    night = [effect for second in range(26, 30_000) for effect in alarms.tick(second * 1000)]
    press = alarms.pressed(FIRST, 30_000_000)
    again = alarms.pressed(SECOND, 30_001_000)
    back = alarms.heard(30_002_000)

    assert (said(first), night) == (["no_contact"], [])
    assert (said(press), said(again)) == (["no_contact"], ["no_contact"])
    assert said(back) == ["contact_again", "sending"]


def test_contact_lost_after_the_alarm_arrived_does_not_say_that_it_did_not():
    alarms = home()
    alarms.pressed(FIRST, 0)
    alarms.receipted(FIRST, 100)

    assert said(alarms.tick(25_100)) == ["no_contact_after_arrival"]


def test_alarm_that_neither_disk_nor_line_takes_is_loud_at_once():
    alarms = home()

    assert said(alarms.pressed(FIRST, 0, is_safe=False)) == ["no_contact"]
    assert said(alarms.receipted(FIRST, 100)) == ["contact_again", "arrived"]


def test_test_alarm_is_said_to_be_one():
    alarms = home()

    assert said(alarms.pressed(FIRST, 0, is_test=True)) == ["test_sending"]
    assert said(alarms.receipted(FIRST, 100)) == ["test_arrived"]


def test_test_alarm_that_has_arrived_is_over_by_itself():
    alarms = home()
    alarms.pressed(FIRST, 0, is_test=True)
    alarms.receipted(FIRST, 100)
    alarms.heard(20_000)

    assert alarms.due_ms(20_000) == 30_100
    assert alarms.tick(30_099) == []
    assert alarms.tick(30_100) == [Shown(Sign.QUIET, None)]


def test_name_that_was_said_is_not_lost_when_the_server_repeats_itself_without_it():
    alarms = home()
    alarms.pressed(FIRST, 0)
    alarms.receipted(FIRST, 100)
    alarms.told(FIRST, "taken", "Maria", 200)

    assert alarms.told(FIRST, "taken", "", 300) == []
    assert Spoken(Phrase.TAKEN, "Eva") in alarms.told(FIRST, "taken", "Eva", 400)


def test_alarm_of_an_earlier_run_is_taken_up_behind_the_newest():
    alarms = home()
    alarms.pressed(SECOND, 0)

    assert alarms.told(FIRST, "taken", "Maria", 100) == []
    assert alarms.newest == SECOND


class HomeLives(RuleBasedStateMachine):
    """Any order of presses, receipts, news and silence; a home never says what is not so."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.alarms = home()
        self.pressed_at: dict[Place, int] = {}
        self.arrived: set[Place] = set()
        self.known: set[Place] = set()
        self.taken_by: dict[Place, str] = {}
        self.open: list[Place] = []
        self.heard_at = 0
        self.sign = Shown(Sign.QUIET, None)

    @rule(ms=st.sampled_from([1, 900, 9_999, 10_000, 25_000, 31_000]))
    def time_passes(self, ms):
        self.now_ms += ms
        self.take(self.alarms.tick(self.now_ms))

    @rule()
    def press(self):
        place = Place(BOOT, len(self.pressed_at) + 1)
        self.pressed_at[place] = self.now_ms
        self.open.append(place)
        effects = self.alarms.pressed(place, self.now_ms)
        assert said(effects), "a press that nothing answers"
        self.take(effects)

    @rule(seq=st.integers(1, 6))
    def receipt(self, seq):
        place = Place(BOOT, seq)
        if place in self.pressed_at:
            self.arrived.add(place)
            self.known.add(place)
        self.heard_at = self.now_ms
        self.take(self.alarms.receipted(place, self.now_ms))

    @rule(seq=st.integers(1, 6), state=st.sampled_from(["waiting", "taken", "closed"]))
    def news(self, seq, state):
        place = Place(BOOT, seq)
        if place not in self.open:
            return
        self.heard_at = self.now_ms
        self.known.add(place)
        self.taken_by.pop(place, None)
        if state == "taken":
            self.taken_by[place] = "Maria"
        elif state == "closed":
            self.open.remove(place)
        self.take(self.alarms.told(place, state, "Maria", self.now_ms))

    @rule()
    def alive(self):
        self.heard_at = self.now_ms
        self.take(self.alarms.heard(self.now_ms))

    def take(self, effects):
        shown = [effect for effect in effects if isinstance(effect, Shown)]
        assert len(shown) <= 1
        self.sign = shown[0] if shown else self.sign
        newest = self.open[-1] if self.open else None
        for phrase in said(effects):
            if phrase is Phrase.ARRIVED:
                assert newest in self.arrived
            elif phrase is Phrase.TAKEN:
                assert newest in self.taken_by

    @invariant()
    def the_lamp_says_what_is_so(self):
        newest = self.open[-1] if self.open else None
        is_silent = self.now_ms - self.heard_at >= PATIENCE.contact_ms
        waited_ms = 0 if newest is None else self.now_ms - self.pressed_at[newest]
        is_unheard = newest is not None and newest not in self.known
        is_hopeless = is_silent or (is_unheard and waited_ms >= PATIENCE.hope_ms)
        assert (self.sign.sign is Sign.NO_CONTACT) == is_hopeless
        match self.sign.sign:
            case Sign.QUIET:
                assert newest is None
            case Sign.ARRIVED | Sign.WAITING_AGAIN:
                assert newest in self.known
                assert newest not in self.taken_by
            case Sign.TAKEN:
                assert self.sign.by == self.taken_by[newest]
            case Sign.NOT_ARRIVED:
                assert is_unheard
                assert waited_ms >= PATIENCE.receipt_ms
            case Sign.SENDING:
                assert newest not in self.arrived
        if self.sign.sign is Sign.ARRIVED:
            assert newest in self.arrived

    @invariant()
    def nothing_due_is_forgotten(self):
        due = self.alarms.due_ms(self.now_ms)
        assert due is None or due > self.now_ms


HomeLives.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestHomeLives = HomeLives.TestCase


@pytest.mark.parametrize("language", ["sv", "fi", "en"])
def test_every_phrase_has_words_in_every_language(language):
    texts = json.loads((Path(phrases.__file__).parent / f"{language}.json").read_text("utf-8"))

    for phrase in Phrase:
        spoken = phrases.words(
            phrase, "Maria", HomeSettings(language=language, phone="021-00 00 00")
        )
        assert "{" not in spoken.text
        assert ("Maria" in spoken.text) == spoken.has_name == (phrase is Phrase.TAKEN)
        assert ("021-00 00 00" in spoken.text) == spoken.has_number
        assert ("112" in spoken.text) == phrase.startswith("no_contact")
    assert set(texts) == {*Phrase, "taken_unnamed", "number", "number_or"}


def test_somebody_without_a_name_is_home_care():
    spoken = phrases.words(Phrase.TAKEN, "", HomeSettings())

    assert (spoken.text, spoken.has_name) == ("Hemtjänsten har tagit emot larmet.", False)


def test_boot_of_another_file_is_another_alarm():
    alarms = home()
    alarms.pressed(FIRST, 0)

    assert said(alarms.receipted(Place(uuid4(), FIRST.seq), 100)) == []

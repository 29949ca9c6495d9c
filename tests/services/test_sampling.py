"""The sample of a log review: nobody steers it, anybody draws it anew, nobody is left out of it."""

import hashlib
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from telecare.integrity.rules import Facts, Rule, StaffDay, hits, many
from telecare.integrity.sampling import Candidate, draw, seed

UNIT = UUID("00000000-0000-4000-8000-000000000001")
SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
ROOT = bytes(range(32))
NORMAL = Facts(
    was_assigned=True, by_break_glass=False, something_near=True, relation=None,
    is_protected=False, was_employed=True, withdrawn=False, seconds_over=0,
)  # fmt: skip

staff = st.sampled_from([uuid4() for _ in range(6)])
populations = st.lists(
    st.builds(Candidate, st.just(1), st.integers(0, 5000), staff),
    max_size=600, unique_by=lambda one: one.index,
)  # fmt: skip


@given(populations, st.binary(min_size=32, max_size=32))
def test_everybody_on_the_staff_is_looked_at_and_enough_of_all(population, of):
    drawn = draw(population, of)

    assert {one.staff_id for one in drawn} == {one.staff_id for one in population}
    assert len(drawn) >= min(len(population), 20)
    assert len(drawn) >= len(population) / 20
    assert len(set(drawn)) == len(drawn)


@given(populations, st.binary(min_size=32, max_size=32), st.randoms())
def test_the_order_in_which_they_are_found_does_not_matter(population, of, chance):
    shuffled = list(population)
    chance.shuffle(shuffled)

    assert draw(shuffled, of) == draw(population, of)


def test_another_head_draws_another_sample():
    population = [Candidate(1, n, UNIT) for n in range(400)]

    drawn = [draw(population, hashlib.sha256(bytes([n])).digest()) for n in range(5)]

    assert len({tuple(one) for one in drawn}) == 5


def test_anybody_can_draw_it_from_what_the_protocol_says():
    """By hand, from the head's root, the unit, the period and the places in the log."""
    ends = b"".join(int(at.timestamp()).to_bytes(8, "big") for at in (SINCE, UNTIL))
    of = hashlib.sha256(ROOT + UNIT.bytes + ends).digest()
    by_hand = sorted(
        range(100),
        key=lambda n: hashlib.sha256(of + b"\0\0\0\1" + n.to_bytes(8, "big")).digest(),
    )[:20]

    drawn = draw([Candidate(1, n, UNIT) for n in range(100)], seed(ROOT, UNIT, SINCE, UNTIL))

    assert [one.index for one in drawn] == sorted(by_hand)


def test_what_was_as_it_should_be_hits_no_rule():
    assert hits(NORMAL) == []


def test_each_fact_has_its_rule_and_the_gravest_comes_first():
    all_at_once = Facts(
        was_assigned=False, by_break_glass=True, something_near=False, relation="neighbour",
        is_protected=True, was_employed=False, withdrawn=True, seconds_over=61,
    )  # fmt: skip

    assert [hit.rule for hit in hits(all_at_once)] == [
        Rule.AFTER_WITHDRAWAL, Rule.NOT_EMPLOYED, Rule.TOO_LONG, Rule.BREAK_GLASS,
        Rule.NO_ASSIGNMENT, Rule.OWN_RELATION, Rule.PROTECTED_IDENTITY, Rule.NOTHING_NEAR,
    ]  # fmt: skip


def test_who_opens_far_more_cards_than_others_in_her_role_is_seen():
    day = date(2026, 11, 23)
    others = [StaffDay(uuid4(), day, ("omsorgspersonal",), 6) for _ in range(8)]
    curious = StaffDay(uuid4(), day, ("omsorgspersonal",), 40)
    coordinator = [StaffDay(uuid4(), day, ("samordnare",), 45) for _ in range(2)]

    found = many([*others, curious, *coordinator])

    assert list(found) == [(curious.staff_id, day)]
    assert found[curious.staff_id, day].values == {"people": 40, "usual": 6}

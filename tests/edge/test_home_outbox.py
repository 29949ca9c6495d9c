"""What the unit stores survives everything but its receipt."""

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.delivery import ALARM_RESEND_MS, BURST, RESEND_MS, Plan
from edge.outbox import Caps, Lane, Outbox, PayloadTooLarge, Waiting
from telecare.wire.edge import MAX_PAYLOAD_BYTES, UP_EVENT, EventsDropped, Receipt

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from edge.outbox import Lane, Outbox

with Outbox(Path(sys.argv[1]), now=lambda: datetime.now(UTC)) as outbox:
    print(outbox.boot, flush=True)
    while True:
        places = [outbox.put(Lane.ALARM, lambda place: b"press %d" % place.seq) for _ in range(7)]
        print(*[place.result().seq for place in places], flush=True)
"""


def open_outbox(path: Path, caps: Caps | None = None) -> Outbox:
    return Outbox(path, now=lambda: NOON, caps=caps)


def put(outbox: Outbox, lane: Lane = Lane.EVENT, payload: bytes = b"x") -> int:
    return outbox.put(lane, lambda place: payload).result(5).seq


def waiting(outbox: Outbox) -> list[int]:
    return [event.seq for event in outbox.waiting(10_000).result(5)]


def payload(outbox: Outbox, seq: int) -> bytes:
    return outbox.payloads([seq]).result(5)[0][1]


def test_kill_in_mid_write_loses_no_event_that_was_stored(tmp_path):
    path = tmp_path / "outbox.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    boot = writer.stdout.readline().strip()
    told = [int(seq) for _ in range(50) for seq in writer.stdout.readline().split()]

    os.kill(writer.pid, signal.SIGKILL)
    told += [int(seq) for line in writer.stdout if line.endswith("\n") for seq in line.split()]
    writer.wait(5)
    writer.stdout.close()

    with open_outbox(path) as outbox:
        kept = waiting(outbox)
        assert str(outbox.boot) == boot
        assert set(told) <= set(kept)
        assert kept == sorted(kept)
        assert payload(outbox, told[-1]) == b"press %d" % told[-1]


def test_events_keep_their_identity_after_a_restart(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        before = (outbox.boot, put(outbox), put(outbox))
        outbox.receipted(Receipt(boot=outbox.boot, seqs=[before[2]])).result(5)

    with open_outbox(tmp_path / "o") as outbox:
        after = (outbox.boot, waiting(outbox), put(outbox))

    assert after == (before[0], [1], 3)


def test_file_made_anew_has_a_new_boot(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        old = outbox.boot
    (tmp_path / "o").unlink()

    with open_outbox(tmp_path / "o") as outbox:
        assert outbox.boot != old


def test_broken_file_is_set_aside_and_the_unit_goes_on(tmp_path):
    (tmp_path / "o.sqlite").write_bytes(b"not a database" * 1000)

    with open_outbox(tmp_path / "o.sqlite") as outbox:
        assert put(outbox) == 1

    assert len(list(tmp_path.glob("o.broken-*"))) == 1


def test_alarms_are_replayed_before_events_and_events_before_vitals(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        for lane in (Lane.VITAL, Lane.EVENT, Lane.ALARM, Lane.EVENT, Lane.ALARM):
            put(outbox, lane)

        assert waiting(outbox) == [3, 5, 2, 4, 1]


def test_receipt_of_another_boot_deletes_nothing(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        put(outbox)

        outbox.receipted(Receipt(boot=uuid4(), seqs=[1])).result(5)

        assert waiting(outbox) == [1]


def test_event_too_large_for_the_broker_is_refused_when_written(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        with pytest.raises(PayloadTooLarge):
            put(outbox, payload=b"x" * (MAX_PAYLOAD_BYTES + 1))

        assert waiting(outbox) == []
        assert put(outbox) == 1


def test_full_outbox_sheds_the_oldest_telemetry_and_says_how_much(tmp_path):
    with open_outbox(tmp_path / "o", Caps(rows=100)) as outbox:
        alarms = [put(outbox, Lane.ALARM) for _ in range(10)]
        vitals = [put(outbox, Lane.VITAL) for _ in range(91)]

        kept = outbox.waiting(1000).result(5)
        reports = [event for event in kept if event.lane is Lane.EVENT]
        report = UP_EVENT.validate_json(payload(outbox, reports[0].seq))

    assert isinstance(report, EventsDropped)
    assert report.count == 101 - (len(kept) - 1)
    assert {event.seq for event in kept if event.lane is Lane.ALARM} == set(alarms)
    assert [event.seq for event in kept if event.lane is Lane.VITAL] == vitals[report.count :]


def test_job_that_fails_does_not_undo_its_neighbours(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        good = [outbox.put(Lane.EVENT, lambda place: b"x") for _ in range(3)]
        bad = outbox.submit(lambda file: file.keep("count", "not a number" and 1 // 0))
        good.append(outbox.put(Lane.EVENT, lambda place: b"x"))

        with pytest.raises(ZeroDivisionError):
            bad.result(5)
        assert waiting(outbox) == [place.result(5).seq for place in good]


def test_disk_that_cannot_be_written_is_told_to_the_one_who_waits(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        outbox.submit(lambda file: file._db.execute("pragma max_page_count = 12")).result(5)

        events = [outbox.put(Lane.EVENT, lambda place: b"x" * 4_000) for _ in range(100)]

        with pytest.raises(sqlite3.OperationalError):
            events[-1].result(5)


def test_counters_never_give_a_number_twice(tmp_path):
    with open_outbox(tmp_path / "o") as outbox:
        first = outbox.reserve("seal", 1000, floor=5).result(5)
        second = outbox.reserve("seal", 1000, floor=5).result(5)
    with open_outbox(tmp_path / "o") as outbox:
        third = outbox.reserve("seal", 1000, floor=5).result(5)

    assert (first, second, third) == (5, 1005, 2005)


def test_alarm_without_receipt_is_sent_again_sooner_than_telemetry():
    plan = Plan()
    events = [Waiting(1, Lane.ALARM), Waiting(2, Lane.EVENT)]
    for event in events:
        plan.sent(event.seq, 0)

    assert plan.due(events, ALARM_RESEND_MS - 1) == ([], 1)
    assert plan.due(events, ALARM_RESEND_MS)[0] == [events[0]]
    assert plan.due(events, RESEND_MS)[0] == events


def test_replay_of_thousands_is_paced():
    events = [Waiting(seq, Lane.VITAL) for seq in range(1, 1001)]

    due, _ = Plan().due(events, 0)

    assert due == events[:BURST]


class OutboxLives(RuleBasedStateMachine):
    """Whatever is put, receipted and reopened: exactly the unreceipted waits."""

    @initialize()
    def begin(self):
        self.path = Path(os.environ.get("TMPDIR", "/tmp")) / f"outbox-{uuid4().hex}"  # noqa: S108
        self.outbox = open_outbox(self.path)
        self.outbox.__enter__()
        self.boot = self.outbox.boot
        self.model: dict[int, Lane] = {}
        self.highest = 0

    @rule(lane=st.sampled_from(Lane))
    def put(self, lane):
        seq = put(self.outbox, lane)
        assert seq == self.highest + 1
        self.highest = seq
        self.model[seq] = lane

    @rule(seqs=st.lists(st.integers(1, 30), max_size=5), known=st.booleans())
    def receipt(self, seqs, known):
        boot = self.boot if known else uuid4()
        self.outbox.receipted(Receipt(boot=boot, seqs=seqs)).result(5)
        if known:
            self.model = {seq: lane for seq, lane in self.model.items() if seq not in seqs}

    @rule()
    def restart(self):
        self.outbox.__exit__(None, None, None)
        self.outbox = open_outbox(self.path)
        self.outbox.__enter__()
        assert self.outbox.boot == self.boot

    @invariant()
    def exactly_the_unreceipted_waits(self):
        expected = sorted(self.model, key=lambda seq: (self.model[seq], seq))
        assert waiting(self.outbox) == expected
        assert self.outbox.count().result(5) == len(expected)

    def teardown(self):
        self.outbox.__exit__(None, None, None)
        for file in self.path.parent.glob(self.path.name + "*"):
            file.unlink()


OutboxLives.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestOutboxLives = OutboxLives.TestCase

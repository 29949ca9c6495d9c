"""What the unit must not lose, in one SQLite file: events until receipted, and durable counters.

One thread owns the file and groups what waits into one transaction (WAL, synchronous=FULL), so a
future that is done has reached the disk. Deletion happens on the server's receipt only: a broker's
PUBACK proves nothing (docs/decisions, ingest evidence §0). Knows nothing of MQTT.
"""

import itertools
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from uuid import UUID, uuid4

from telecare.wire.edge import MAX_PAYLOAD_BYTES, EventsDropped, Receipt

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAITING_JOBS = 10_000
MAX_JOBS_IN_A_TRANSACTION = 500
BUSY_TIMEOUT_MS = 5_000
SHED_FRACTION = 20
"""When full, a twentieth of the cap is shed at once, so drop reports stay few."""
BALLAST_BYTES = 1 << 20
"""Kept beside the file for the day the disk is full: only alarms spend it, a little each."""
BALLAST_FOR_AN_ALARM = 64 << 10
SHED_FOR_AN_ALARM = 1_000
BALLAST = "-ballast"
IN_MEMORY = ":memory:"

SCHEMA = """
create table if not exists outbox (boot text not null);
create table if not exists counter (name text primary key, value integer not null) without rowid;
create table if not exists event (
  seq integer primary key autoincrement,
  lane integer not null,
  payload blob not null,
  stands_for integer not null
);
create index if not exists event_by_lane on event (lane, seq);
create table if not exists total (rows integer not null, bytes integer not null);
create trigger if not exists event_in after insert on event begin
  update total set rows = rows + 1, bytes = bytes + length(new.payload);
end;
create trigger if not exists event_filled after update of payload on event begin
  update total set bytes = bytes - length(old.payload) + length(new.payload);
end;
create trigger if not exists event_out after delete on event begin
  update total set rows = rows - 1, bytes = bytes - length(old.payload);
end;
insert into total (rows, bytes) select 0, 0 where not exists (select 1 from total);
"""
INSERT_PLACE = "insert into event (lane, payload, stands_for) values (?, x'', ?)"
FILL_PLACE = "update event set payload = ? where seq = ?"
FORGET = "delete from event where seq = ?"
WAITING = "select seq, lane from event order by lane, seq limit ?"
NEWEST = "select coalesce(max(seq), 0) from sqlite_sequence where name = 'event'"
PAYLOAD = "select payload from event where seq = ?"
TOTALS = "select rows, bytes from total"
OLDEST_TELEMETRY = """
select seq, length(payload), stands_for from event where lane > ? order by lane desc, seq
"""
READ_COUNTER = "select value from counter where name = ?"
KEEP_COUNTER = """
insert into counter (name, value) values (?, ?)
on conflict (name) do update set value = excluded.value
"""


class Lane(IntEnum):
    """Lower goes first on replay; `ALARM` is never shed."""

    ALARM = 0
    EVENT = 1
    VITAL = 2


class PayloadTooLarge(ValueError):
    """The event would be refused by the broker for ever, so it is refused when written."""


class OutboxBusy(OSError):
    """The writer is so far behind that taking more would only fill the memory."""


DISK_FAULTS = (sqlite3.Error, OutboxBusy)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event will stand: its identity on every retransmission."""

    boot: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event without a receipt."""

    seq: int
    lane: Lane


@dataclass(frozen=True, slots=True)
class Opened:
    """The file as this run found it. `newest_before`: the last event of earlier runs."""

    boot: UUID
    newest_before: int


@dataclass(frozen=True, slots=True)
class Caps:
    """How much may wait before the oldest telemetry is shed."""

    rows: int = 100_000
    bytes: int = 64_000_000


class Transaction:
    """The file as one job sees it; valid inside that job only."""

    def __init__(self, db: sqlite3.Connection, boot: UUID) -> None:
        self._db = db
        self.boot = boot

    def put(self, lane: Lane, write: Callable[[Place], bytes], *, stands_for: int = 1) -> Place:
        """Store the event that `write` makes for its place; raises `PayloadTooLarge`."""
        seq = self._db.execute(INSERT_PLACE, (lane, stands_for)).lastrowid
        if seq is None:  # pragma: no cover - an insert always has a row id
            raise sqlite3.DatabaseError("no row id")
        place = Place(self.boot, seq)
        payload = write(place)
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise PayloadTooLarge(len(payload))
        self._db.execute(FILL_PLACE, (payload, seq))
        return place

    def counter(self, name: str) -> int:
        row = self._db.execute(READ_COUNTER, (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def keep(self, name: str, value: int) -> None:
        self._db.execute(KEEP_COUNTER, (name, value))

    def forget(self, seqs: Sequence[int]) -> None:
        self._db.executemany(FORGET, [(seq,) for seq in seqs])

    def waiting(self, limit: int) -> list[Waiting]:
        rows = self._db.execute(WAITING, (limit,)).fetchall()
        return [Waiting(seq, Lane(lane)) for seq, lane in rows]

    def payload(self, seq: int) -> bytes | None:
        row = self._db.execute(PAYLOAD, (seq,)).fetchone()
        return None if row is None else bytes(row[0])

    def totals(self) -> tuple[int, int]:
        """Rows and bytes that wait."""
        rows, size = self._db.execute(TOTALS).fetchone()
        return int(rows), int(size)

    def oldest_telemetry(self) -> Iterator[tuple[int, int, int]]:
        """(seq, bytes, stands_for), least precious first; alarms are not among them."""
        return iter(self._db.execute(OLDEST_TELEMETRY, (Lane.ALARM,)))


Job = Callable[[Transaction], T]


class Outbox:
    """A context manager: leaving it waits for what was accepted and closes the file.

    `submit` may be called from any thread. When the file cannot be written the future carries
    the `sqlite3.Error`: the caller fails closed (camera) or loud (alarm). Without a path it is in
    memory, for alarms that no disk takes.
    """

    def __init__(
        self, path: Path | None, *, now: Callable[[], datetime], caps: Caps | None = None
    ) -> None:
        self._path = path
        self._ballast = None if path is None else path.with_name(path.name + BALLAST)
        self._now = now
        self._caps = caps or Caps()
        self._jobs: queue.Queue[tuple[Future[object], Job[object]] | None] = queue.Queue(
            MAX_WAITING_JOBS
        )
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._opened: Future[Opened] = Future()

    def __enter__(self) -> Self:
        self._thread.start()
        self._opened.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._jobs.put(None)
        self._thread.join()

    @property
    def is_durable(self) -> bool:
        return self._path is not None

    @property
    def boot(self) -> UUID:
        """New whenever the file is made anew."""
        return self._opened.result().boot

    def is_of_this_run(self, seq: int) -> bool:
        """False for what an earlier run stored, and may have sent."""
        return seq > self._opened.result().newest_before

    def submit(self, job: Job[T]) -> Future[T]:
        """Run `job` in the writer's next transaction; done once that is on the disk."""
        future: Future[T] = Future()
        try:
            # Future and job share T; the queue holds jobs of every T.
            self._jobs.put_nowait((future, job))  # type: ignore[arg-type]
        except queue.Full as error:
            raise OutboxBusy from error
        return future

    def put(self, lane: Lane, write: Callable[[Place], bytes]) -> Future[Place]:
        return self.submit(lambda file: file.put(lane, write))

    def put_at_any_price(self, write: Callable[[Place], bytes]) -> Future[Place]:
        """An alarm on a full disk: spend the ballast and shed the oldest telemetry for it."""

        def insist(file: Transaction) -> Place:
            rows = itertools.islice(file.oldest_telemetry(), SHED_FOR_AN_ALARM)
            drop(file, [(seq, stands_for) for seq, _, stands_for in rows], self._now())
            return file.put(Lane.ALARM, write)

        self._spend_ballast()
        return self.submit(insist)

    def _spend_ballast(self) -> None:
        if self._ballast is not None and self._ballast.exists():
            left = self._ballast.stat().st_size - BALLAST_FOR_AN_ALARM
            os.truncate(self._ballast, max(0, left))

    def keep_ballast(self) -> None:
        """Blocking; on a disk that is full it stays as it is."""
        if self._ballast is None:
            return
        try:
            with self._ballast.open("ab") as file:
                file.write(bytes(max(0, BALLAST_BYTES - file.tell())))
        except OSError:
            log.warning("the disk is full")

    def receipted(self, receipt: Receipt) -> Future[int]:
        """Forget what the server has committed; how many events wait after that.

        Another boot's receipt changes nothing.
        """

        def forget(file: Transaction) -> int:
            if receipt.boot == file.boot:
                file.forget(receipt.seqs)
            return file.totals()[0]

        return self.submit(forget)

    def waiting(self, limit: int) -> Future[list[Waiting]]:
        """What has no receipt: alarms first, then events, then vitals, each oldest first."""
        return self.submit(lambda file: file.waiting(limit))

    def payloads(self, seqs: Sequence[int]) -> Future[list[tuple[int, bytes]]]:
        """Those of `seqs` that still wait, in that order."""

        def read(file: Transaction) -> list[tuple[int, bytes]]:
            found = ((seq, file.payload(seq)) for seq in seqs)
            return [(seq, payload) for seq, payload in found if payload is not None]

        return self.submit(read)

    def reserve(self, counter: str, count: int, *, floor: int = 0) -> Future[int]:
        """The first of `count` numbers that were never given before and are not below `floor`."""

        def take(file: Transaction) -> int:
            first = max(file.counter(counter), floor)
            file.keep(counter, first + count)
            return first

        return self.submit(take)

    def counters(self, names: Sequence[str]) -> Future[list[int]]:
        """0 for one that was never kept."""
        return self.submit(lambda file: [file.counter(name) for name in names])

    def keep(self, counters: Mapping[str, int]) -> Future[None]:
        """Write only what has changed: a memory card wears."""

        def write(file: Transaction) -> None:
            for name, value in counters.items():
                if file.counter(name) != value:
                    file.keep(name, value)

        return self.submit(write)

    def count(self) -> Future[int]:
        return self.submit(lambda file: file.totals()[0])

    # --- the writer thread -------------------------------------------------------------------

    def _run(self) -> None:
        try:
            db, opened = open_file(self._path)
        except (sqlite3.Error, OSError) as error:
            self._opened.set_exception(error)
            return
        self._opened.set_result(opened)
        file = Transaction(db, opened.boot)
        while (batch := self._next_batch()) is not None:
            self._commit(db, file, batch)
        db.close()

    def _next_batch(self) -> list[tuple[Future[object], Job[object]]] | None:
        """Everything that waits, at least one job; None when the outbox is being closed."""
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < MAX_JOBS_IN_A_TRANSACTION and not self._jobs.empty():
            following = self._jobs.get_nowait()
            if following is None:
                self._jobs.put(None)
                break
            batch.append(following)
        return batch

    def _commit(
        self,
        db: sqlite3.Connection,
        file: Transaction,
        batch: list[tuple[Future[object], Job[object]]],
    ) -> None:
        """One transaction for all; a job that fails undoes only its own part."""
        done: list[tuple[Future[object], object]] = []
        try:
            db.execute("begin immediate")
            for future, job in batch:
                if not future.set_running_or_notify_cancel():
                    continue
                db.execute("savepoint job")
                try:
                    done.append((future, job(file)))
                except Exception as error:  # noqa: BLE001 - handed to the one who waits for it
                    db.execute("rollback to job")
                    future.set_exception(error)
                db.execute("release job")
            shed(file, self._caps, self._now())
            db.execute("commit")
        except sqlite3.Error as error:
            if db.in_transaction:
                db.execute("rollback")
            for future, _ in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for future, result in done:
            future.set_result(result)


def open_file(path: Path | None) -> tuple[sqlite3.Connection, Opened]:
    """The file, made when missing; one that is no database is set aside and made anew."""
    if path is None:
        return _open(IN_MEMORY)
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode not in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            raise
        path.rename(path.with_suffix(f".broken-{uuid4().hex[:8]}"))
        for leftover in ("-wal", "-shm"):
            path.with_name(path.name + leftover).unlink(missing_ok=True)
        return _open(path)


def _open(path: Path | str) -> tuple[sqlite3.Connection, Opened]:
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    try:
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.executescript(SCHEMA)
        row = db.execute("select boot from outbox").fetchone()
        if row is None:
            db.execute("insert into outbox (boot) values (?)", (str(uuid4()),))
            row = db.execute("select boot from outbox").fetchone()
        [newest] = db.execute(NEWEST).fetchone()
    except BaseException:
        db.close()
        raise
    return db, Opened(UUID(row[0]), newest)


def shed(file: Transaction, caps: Caps, now: datetime) -> None:
    """Above a cap, drop the oldest telemetry (never alarms) and store how much was dropped."""
    rows, size = file.totals()
    if rows <= caps.rows and size <= caps.bytes:
        return
    keep_rows = caps.rows - caps.rows // SHED_FRACTION - 1
    keep_bytes = caps.bytes - caps.bytes // SHED_FRACTION
    dropped: list[tuple[int, int]] = []
    for seq, length, stands_for in file.oldest_telemetry():
        if rows <= keep_rows and size <= keep_bytes:
            break
        dropped.append((seq, stands_for))
        rows, size = rows - 1, size - length
    drop(file, dropped, now)


def drop(file: Transaction, events: Sequence[tuple[int, int]], now: datetime) -> None:
    """(seq, stands_for) of telemetry; what is left of it is one report of how many."""
    if events:
        count = sum(stands_for for _, stands_for in events)
        file.forget([seq for seq, _ in events])
        file.put(Lane.EVENT, lambda place: _report(place, count, now), stands_for=count)


def _report(place: Place, count: int, now: datetime) -> bytes:
    report = EventsDropped(boot=place.boot, seq=place.seq, occurred_at=now, count=count)
    return report.model_dump_json().encode()

"""Home units as `python -m edge simulate` runs them; each keeps a list of what it said."""

import asyncio
import json
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.homes import OUTBOX_FILE
from edge.outbox import open_file
from telecare.devices.model import Unit
from telecare.runtime.embedded import process
from telecare.wire.homes import Happens, HomeScript
from tests.faults.history import Place, Said

UP_S = 40
STOP_S = 10
LIST = """
create table if not exists said (
  seq integer primary key, is_alarm integer, payload blob, at text, receipted_at text
);
create trigger if not exists said_now after update of payload on event begin
  insert into said values (
    new.seq, new.lane = 0, new.payload, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), null
  );
end;
create trigger if not exists forgotten_now after delete on event begin
  update said set receipted_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where seq = old.seq;
end;
"""
ALL_SAID = "select seq, is_alarm, payload, at, receipted_at from said order by seq"
COUNT_SAID = "select count(*) from said"
COUNT_WAITING = "select count(*) from event"
ROUNDED = timedelta(milliseconds=1)
"""SQLite's stamps are cut to whole milliseconds."""


@dataclass
class Home:
    """Its files, and what is to happen there."""

    unit: Unit
    folder: Path
    happens: list[Happens] = field(default_factory=list)

    def furnish(self, broker_url: str, second_url: str | None = None) -> None:
        """The files of an enrolled unit, and the list in its outbox."""
        self.folder.mkdir(parents=True)
        (self.folder / "mac.key").write_bytes(self.unit.mac_key)
        key = Ed25519PrivateKey.generate().private_bytes_raw()
        (self.folder / "signing.key").write_bytes(key)
        self.connects_to(broker_url, second_url)
        outbox, _ = open_file(self.folder / OUTBOX_FILE)
        with closing(outbox):
            outbox.executescript(LIST)

    def connects_to(self, broker_url: str, second_url: str | None = None) -> None:
        written = {"unit": self.unit.id, "broker_url": broker_url}
        if second_url is not None:
            written["second_broker_url"] = second_url
        (self.folder / "unit.json").write_text(json.dumps(written))

    def said(self) -> list[Said]:
        with closing(self._list()) as db:
            [boot] = db.execute("select boot from outbox").fetchone()
            rows = db.execute(ALL_SAID).fetchall()
        return [
            Said(
                Place(self.unit.id, boot, seq),
                bool(is_alarm),
                what_of(json.loads(payload)),
                datetime.fromisoformat(at),
                datetime.fromisoformat(receipted_at) + ROUNDED if receipted_at else None,
            )
            for seq, is_alarm, payload, at, receipted_at in rows
        ]

    def count_said(self) -> int:
        with closing(self._list()) as db:
            return int(db.execute(COUNT_SAID).fetchone()[0])

    def count_waiting(self) -> int:
        with closing(self._list()) as db:
            return int(db.execute(COUNT_WAITING).fetchone()[0])

    def _list(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / OUTBOX_FILE, timeout=5)

    @property
    def script(self) -> HomeScript:
        return HomeScript(
            state_dir=str(self.folder),
            server_url="http://localhost:1",
            camera="none",
            happens=tuple(self.happens),
            rings_on_screen=False,
        )


def what_of(payload: dict) -> str:
    return payload.get("device") or payload["kind"]


@dataclass
class Homes:
    """Those of one process."""

    homes: Sequence[Home]
    log: Path
    running: "subprocess.Popen[bytes] | None" = None
    names: frozenset[str] = field(init=False)
    """Of all that is to happen in them."""
    meant: int = field(init=False)

    def __post_init__(self) -> None:
        self.names = frozenset(one.device for home in self.homes for one in home.happens)
        self.meant = len(self.names)

    async def start(self) -> None:
        """Returns when all of their lines are up: from then on things happen in them."""
        self.log.unlink(missing_ok=True)
        with self.log.open("ab") as output:
            self.running = process.start(
                [sys.executable, "-m", "edge", "simulate"], output=output, stdin=subprocess.PIPE
            )
        for home in self.homes:
            self.running.stdin.write(f"{home.script.model_dump_json()}\n".encode())
        self.running.stdin.close()
        async with asyncio.timeout(UP_S):
            while self.log.read_text().count('"up": true') < len(self.homes):
                assert self.running.poll() is None, self.log.read_text()
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """As `kill -9`, in the middle of whatever it writes."""
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()

    async def start_again(self) -> None:
        """What had not been stored when it was killed happens once more."""
        for home in self.homes:
            done = {one.what for one in home.said()}
            left = [one for one in home.happens if one.device not in done]
            first = min((one.after_s for one in left), default=0.0)
            home.happens = [one.model_copy(update={"after_s": one.after_s - first}) for one in left]
        await self.start()

    def stop(self) -> None:
        if self.running is not None:
            process.stop(self.running, signal.SIGTERM, STOP_S)

    def said(self) -> list[Said]:
        return [one for home in self.homes for one in home.said()]

    def count_said(self) -> int:
        return sum(home.count_said() for home in self.homes)

    async def have_nothing_left(self, patience_s: float) -> None:
        """All that was to happen is on their lists, and all of it receipted."""
        until = time.monotonic() + patience_s
        while True:
            said, waiting = self.count_said(), sum(home.count_waiting() for home in self.homes)
            if said >= self.meant and waiting == 0:
                return
            assert time.monotonic() < until, f"{said} of {self.meant} said, {waiting} wait"
            await asyncio.sleep(0.2)


def day_of(number: int, *, events: int, alarms: int, seconds: float) -> list[Happens]:
    """Doors that open and close, and presses between them, each with a name of its own."""
    doors = [
        Happens(
            after_s=seconds * n / events,
            what="door_opens" if n % 2 == 0 else "door_closes",
            device=f"e{number}-{n}",
        )
        for n in range(events)
    ]
    presses = [
        Happens(
            after_s=seconds * (n + (number % 10) / 10) / max(alarms, 1),
            what="button",
            device=f"a{number}-{n}",
        )
        for n in range(alarms)
    ]
    return [*doors, *presses]


def home_folder(parent: Path) -> Path:
    return parent / f"home-{secrets.token_hex(4)}"

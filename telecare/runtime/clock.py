"""Wall time, read in services and jobs only. Leases and dead-men use monotonic time instead."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FileClock:
    """The system's time moved by the seconds that stand in a file; demo and tests only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        try:
            moved = float(self._path.read_text() or 0)
        except FileNotFoundError:
            moved = 0.0
        return datetime.now(UTC) + timedelta(seconds=moved)


def local_day(now: datetime) -> tuple[datetime, datetime]:
    """The Swedish calendar day of `now`, as UTC from and until (23, 24 or 25 hours)."""
    local = now.astimezone(STOCKHOLM)
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = start.date() + timedelta(days=1)
    end = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=STOCKHOLM)
    return start.astimezone(UTC), end.astimezone(UTC)


def from_local(wall: datetime) -> datetime:
    """UTC of a naive Swedish wall time.

    A time that does not exist moves forward by the gap; one that occurs twice means the first.
    """
    return wall.replace(tzinfo=STOCKHOLM, fold=0).astimezone(UTC)

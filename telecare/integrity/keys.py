"""Files of the sequencer's own user: the keys it signs with, and what it signed last.

Nobody else opens them; `serve` does not know where they are.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.audit.note import Note
from telecare.runtime.config import check_slug
from telecare.runtime.durable import write_durably
from telecare.runtime.errors import CannotStart
from telecare.runtime.sealing import make_key, read_key


class KeyExists(CannotStart):
    """This municipality has a key; a new one takes its place by `telecare audit key rotate`."""


class KeyMissing(CannotStart):
    """It has no key in TELECARE_LOG_KEY_DIR; `telecare audit key new` makes the first."""


@dataclass(frozen=True, slots=True)
class LogFiles:
    """One folder; a municipality's files begin with its short name."""

    folder: Path

    def make(self, slug: str) -> Ed25519PrivateKey:
        """Its first key. Raises SlugMalformed, KeyExists."""
        check_slug(slug)
        if self._key(slug).exists():
            raise KeyExists(slug)
        return self._made(self._key(slug))

    def make_next(self, slug: str) -> Ed25519PrivateKey:
        """The key that will follow; the sequencer announces it and then takes it into use.

        Raises KeyMissing, KeyExists when one waits already.
        """
        if not self._key(slug).exists():
            raise KeyMissing(slug)
        if self._next(slug).exists():
            raise KeyExists(slug)
        return self._made(self._next(slug))

    def _made(self, file: Path) -> Ed25519PrivateKey:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_key(file)
        return _read(file)

    def key(self, slug: str) -> Ed25519PrivateKey | None:
        """Raises KeyUnusable."""
        return _read(self._key(slug)) if self._key(slug).exists() else None

    def next_key(self, slug: str) -> Ed25519PrivateKey | None:
        """Raises KeyUnusable."""
        return _read(self._next(slug)) if self._next(slug).exists() else None

    def take_next(self, slug: str) -> None:
        """From now on the next key signs."""
        self._next(slug).replace(self._key(slug))

    def last_signed(self, slug: str, log: int) -> Note | None:
        """Raises NoteMalformed."""
        with contextlib.suppress(FileNotFoundError):
            return Note.parse(self._last(slug, log).read_text())
        return None

    def keep_signed(self, slug: str, log: int, note: Note) -> None:
        """On disk before this returns."""
        write_durably(self._last(slug, log), str(note))

    def _key(self, slug: str) -> Path:
        return self.folder / f"{slug}.key"

    def _next(self, slug: str) -> Path:
        return self.folder / f"{slug}.next.key"

    def _last(self, slug: str, log: int) -> Path:
        return self.folder / f"{slug}.{log}.checkpoint"


def _read(file: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(read_key(file))

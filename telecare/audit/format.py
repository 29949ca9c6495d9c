"""The bytes of a record, so that anyone can recompute what `audit.append` wrote.

Envelope, commitments and leaf as in docs/decisions/0002. Pure; no I/O.
"""

import hashlib
import json
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

Document: TypeAlias = Mapping[str, "Value"]
Value: TypeAlias = "str | int | bool | Sequence[Value] | Document | None"

SECTIONS = ("actor", "basis", "subject", "what")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
LEAF_PREFIX = b"\x00"
"""RFC 6962 §2.1."""
MAX_SAFE_INTEGER = 2**53 - 1
"""RFC 8785: integers every JSON reader keeps exactly."""


class NotInProfile(ValueError):
    """A value the restricted JSON profile leaves out: a float, a huge integer, a non-ASCII key."""


def canonical(document: Document) -> str:
    """The document's text: sorted ASCII keys, no spaces, no floats (a profile of RFC 8785)."""
    _check(document)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _check(value: Value) -> None:  # noqa: C901 - one case for each JSON type
    match value:
        case bool() | None:
            return
        case str():
            if any("\ud800" <= c <= "\udfff" for c in value):
                raise NotInProfile("lone surrogate")
        case int():
            if abs(value) > MAX_SAFE_INTEGER:
                raise NotInProfile("integer too large")
        case Mapping():
            for key, inner in value.items():
                if not key.isascii():
                    raise NotInProfile("key")
                _check(inner)
        case Sequence():
            for inner in value:
                _check(inner)
        case _:
            raise NotInProfile(type(value).__name__)


_sha256 = hashlib.sha256
_ENVELOPE = (
    b'{"at":"%b","ev":"%b","sd":{"actor":"%b","basis":"%b","subject":"%b","what":"%b"},"v":1}'
)


@lru_cache(maxsize=256)
def _named(section: str) -> tuple[bytes, bytes]:
    """What stands before the seed in a section's salt, and before the salt in its commitment."""
    name = section.encode() + b"\x00"
    return b"salt\x00" + name, name


_SECTIONS_NAMED = [_named(section) for section in SECTIONS]


def salt(section: str, seed: bytes) -> bytes:
    """sha256("salt" 0x00 section 0x00 seed): showing it opens one section only."""
    return hashlib.sha256(_named(section)[0] + seed).digest()


def commitment(section: str, seed: bytes, document: str) -> str:
    """base64url(sha256(section 0x00 salt document))."""
    return _committed(_named(section), seed, document).decode()


def _committed(named: tuple[bytes, bytes], seed: bytes, document: str) -> bytes:
    before_seed, before_salt = named
    salted = before_salt + _sha256(before_seed + seed).digest() + document.encode()
    return b2a_base64(_sha256(salted).digest(), newline=False).translate(_URL_SAFE)[:-1]


def envelope(at: str, event: str, seed: bytes, documents: Sequence[str]) -> bytes:
    """The hashed bytes; `at` is RFC 3339 UTC with milliseconds, `documents` one text for each of
    SECTIONS.
    """
    actor, basis, subject, what = [
        _committed(named, seed, text)
        for named, text in zip(_SECTIONS_NAMED, documents, strict=True)
    ]
    return _ENVELOPE % (at.encode(), event.encode(), actor, basis, subject, what)


def subject(seed: bytes, persons: Sequence[str]) -> str:
    """The subject section of a record about those persons, each by a part of her own."""
    parts = [f'"{commitment(f"person/{n}", seed, text)}"' for n, text in enumerate(persons)]
    return f'{{"persons":[{",".join(parts)}]}}'


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(LEAF_PREFIX + data).digest()

"""The bytes of a record, so that anyone can recompute what `audit.append` wrote.

Envelope, commitments and leaf as in docs/decisions/0002. Pure; no I/O.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Document: TypeAlias = Mapping[str, "Value"]
Value: TypeAlias = "str | int | bool | Sequence[Value] | Document | None"

SECTIONS = ("actor", "basis", "subject", "what")
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


def salt(section: str, seed: bytes) -> bytes:
    """sha256("salt" 0x00 section 0x00 seed): showing it opens one section only."""
    return hashlib.sha256(b"salt\x00" + section.encode() + b"\x00" + seed).digest()


def commitment(section: str, seed: bytes, document: str) -> str:
    """base64url(sha256(section 0x00 salt document))."""
    name = section.encode() + b"\x00"
    digest = hashlib.sha256(name + salt(section, seed) + document.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def envelope(at: str, event: str, seed: bytes, documents: Mapping[str, str]) -> bytes:
    """The hashed bytes; `at` is RFC 3339 UTC with milliseconds, `documents` one text a section."""
    opened = {name: commitment(name, seed, documents[name]) for name in SECTIONS}
    return canonical({"at": at, "ev": event, "sd": opened, "v": 1}).encode()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(LEAF_PREFIX + data).digest()

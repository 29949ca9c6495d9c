"""Values that nobody reads in the database: sealed with a key that is not in it, found by a keyed
hash. The key is a file of 32 random bytes in base64 (`openssl rand -base64 32`).
"""

import base64
import hmac
import secrets
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from telecare.runtime.errors import CannotStart

KEY_BYTES = 32
NONCE_BYTES = 12
"""NIST SP 800-38D §8.2: random nonces, far fewer than 2^32 values under one key."""


class KeyUnusable(CannotStart):
    """The key file cannot be read, or holds no 32 bytes in base64."""


class SealBroken(Exception):
    """The value was not sealed with this key, or for something else."""


class Sealer:
    """`about` binds a value to what it belongs to: elsewhere it does not open."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(_derived(key, b"seal"))
        self._hash_key = _derived(key, b"hash")

    def seal(self, about: str, value: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, about.encode())

    def open(self, about: str, sealed: bytes) -> bytes:
        """Raises SealBroken."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
        except InvalidTag as error:
            raise SealBroken from error

    def digest(self, about: str, value: str) -> bytes:
        """The same for the same value: what it is found by (HMAC-SHA256)."""
        return hmac.digest(self._hash_key, f"{about}\0{value}".encode(), sha256)


def _derived(key: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, None, b"telecare " + use).derive(key)


def read_key(file: Path) -> bytes:
    """Raises KeyUnusable."""
    try:
        key = base64.b64decode(file.read_text("ascii").strip(), validate=True)
    except (OSError, ValueError) as error:
        raise KeyUnusable(str(file)) from error
    if len(key) != KEY_BYTES:
        raise KeyUnusable(str(file))
    return key


def make_key(file: Path) -> None:
    """A new key, readable by this user only; one that is there stays."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii"))

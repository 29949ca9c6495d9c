"""SIP digest (RFC 3261 §22, RFC 7616, RFC 8760): MD5 and SHA-256, qop auth or none.

A nonce holds its time and what it was given for, under our key, so no table of them is kept. It is
good for the same contents from the same address alone: an overheard one lets nothing else in.
"""

import base64
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass

from telecare.alarms.receivers.sip import SipMalformed

NONCE_GOOD_FOR_S = 300.0
ALGORITHMS = {"SHA-256": "sha256", "MD5": "md5"}

_SCHEME = re.compile(r"\s*Digest\s+(.*)", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)')
_STAMP = struct.Struct(">d")
_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a unit answers a challenge with."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str
    nc: str
    cnonce: str


class Nonces:
    """`secret` may be made anew at each start: units are then asked once more."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def give(self, now: float, *, source: str, body: bytes) -> str:
        stamp = _STAMP.pack(now)
        return base64.urlsafe_b64encode(stamp + self._mac(stamp, source, body)).decode()

    def is_good(self, nonce: str, now: float, *, source: str, body: bytes) -> bool:
        try:
            raw = base64.urlsafe_b64decode(nonce.encode("ascii", "replace"))
        except ValueError:
            return False
        if len(raw) != _STAMP.size + _MAC_BYTES:
            return False
        stamp, mac = raw[: _STAMP.size], raw[_STAMP.size :]
        if not hmac.compare_digest(mac, self._mac(stamp, source, body)):
            return False
        (given,) = _STAMP.unpack(stamp)
        return bool(given <= now < given + NONCE_GOOD_FOR_S)

    def _mac(self, stamp: bytes, source: str, body: bytes) -> bytes:
        text = b"\0".join((stamp, source.encode(), hashlib.sha256(body).digest()))
        return hmac.new(self._secret, text, hashlib.sha256).digest()[:_MAC_BYTES]


def challenge(realm: str, nonce: str, *, algorithm: str, stale: bool) -> tuple[str, str]:
    """The WWW-Authenticate header. One algorithm: SIPp 3.6 ends at a first one it does not know."""
    tail = ", stale=true" if stale else ""
    asked = f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
    return "www-authenticate", asked


def read(authorization: str) -> Credentials:
    """Raises SipMalformed."""
    match = _SCHEME.fullmatch(authorization)
    if match is None:
        raise SipMalformed("Authorization")
    fields: dict[str, str] = {}
    at, text = 0, match[1]
    while at < len(text):
        field = _FIELD.match(text, at)
        if field is None or field[1].lower() in fields:
            raise SipMalformed("Authorization")
        quoted, bare = field[2], field[3]
        fields[field[1].lower()] = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = field.end()
    algorithm = fields.get("algorithm", "MD5").upper()
    if algorithm not in ALGORITHMS or fields.get("qop", "auth") != "auth":
        raise SipMalformed("Authorization")
    return Credentials(
        username=fields.get("username", ""),
        realm=fields.get("realm", ""),
        nonce=fields.get("nonce", ""),
        uri=fields.get("uri", ""),
        response=fields.get("response", ""),
        algorithm=algorithm,
        qop=fields.get("qop", ""),
        nc=fields.get("nc", ""),
        cnonce=fields.get("cnonce", ""),
    )


def is_right(given: Credentials, *, method: str, realm: str, password: str) -> bool:
    """The nonce is `Nonces`' to judge."""
    expected = response(given, method=method, password=password)
    return given.realm == realm and hmac.compare_digest(
        expected.encode(), given.response.lower().encode(errors="surrogateescape")
    )


def response(given: Credentials, *, method: str, password: str) -> str:
    """RFC 7616 §3.4.1, in lower-case hex."""
    secret = _hash(given, f"{given.username}:{given.realm}:{password}")
    what = _hash(given, f"{method}:{given.uri}")
    counted = f":{given.nc}:{given.cnonce}:{given.qop}" if given.qop else ""
    return _hash(given, f"{secret}:{given.nonce}{counted}:{what}")


def _hash(given: Credentials, text: str) -> str:
    name = ALGORITHMS[given.algorithm]
    return hashlib.new(
        name, text.encode(errors="surrogateescape"), usedforsecurity=False
    ).hexdigest()

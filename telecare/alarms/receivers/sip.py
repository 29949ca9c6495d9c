"""SIP messages as bytes (RFC 3261 §7, §18.3; RFC 3581): what MESSAGE and its answers need of it.

Knows no sockets and no time. Dialogs, INVITE, proxies: `docs/decisions/0016`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from telecare.alarms.receivers.arrived import Unreadable

MAX_HEAD_BYTES = 8_192
MAX_BODY_BYTES = 32_768
MAX_HEADERS = 100
MAGIC = "z9hG4bK"
"""RFC 3261 §8.1.1.7: a branch that begins so is unique."""

COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "e": "content-encoding",
    "f": "from", "i": "call-id", "k": "supported", "l": "content-length", "m": "contact",
    "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
}  # fmt: skip
"""RFC 3261 §20 and the later methods' RFCs."""
WRITTEN = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    481: "Call/Transaction Does Not Exist",
    503: "Service Unavailable",
}
LISTED = frozenset({"via", "contact", "route", "record-route"})
"""Several values may stand on one line, with commas between."""

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,64}")
_REQUEST = re.compile(r"([A-Za-z0-9.!%*_+`'~-]{1,32}) ([^ ]{1,1024}) SIP/2\.0", re.IGNORECASE)
_STATUS = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE)
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9.!%*_+`'~-]+)\s+"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?:\s*:\s*([0-9]{1,5}))?\s*(;.*)?",
    re.IGNORECASE | re.DOTALL,
)
_URI = re.compile(
    r"(sips?):(?:([^@;?\s<>\"]*?)(?::[^@]*)?@)?"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?(?:[;?]\S*)?",
    re.IGNORECASE,
)


class SipMalformed(Unreadable):
    """It cannot be read as SIP, or is larger than we read."""


@dataclass(frozen=True, slots=True)
class Headers:
    """In their order; names in lower case and in full, lists taken apart."""

    lines: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first of that name, empty when there is none."""
        return next((value for key, value in self.lines if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.lines if key == name)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    reason: str
    headers: Headers
    body: bytes = b""


Message = Request | Response


@dataclass(frozen=True, slots=True)
class Via:
    """One station of a message's way. Its answer goes to `sent_by`, unless it `wants_rport`."""

    transport: str
    host: str
    port: int | None
    parameters: tuple[tuple[str, str], ...]

    @property
    def branch(self) -> str:
        return dict(self.parameters).get("branch", "")

    @property
    def wants_rport(self) -> bool:
        """RFC 3581 §4: answer to the port it came from."""
        return "rport" in dict(self.parameters)

    @property
    def sent_by(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Uri:
    user: str
    host: str
    port: int | None


def read_datagram(datagram: bytes) -> Message:
    """RFC 3261 §18.3: bytes beyond Content-Length are not the message's; without it, all are."""
    head, found, rest = _parted(datagram.lstrip(b"\r\n"))
    if not found:
        raise SipMalformed("no end of headers")
    message = _read_head(head)
    length = body_length(message.headers)
    if length is None:
        return _with_body(message, rest)
    if length > len(rest):
        raise SipMalformed("body cut off")
    return _with_body(message, rest[:length])


class Frames:
    """Messages out of a stream, however it was cut into pieces."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._head: Message | None = None
        self._missing = 0

    @property
    def is_between(self) -> bool:
        """Nothing is half read."""
        return self._head is None and not self._bytes.strip(b"\r\n")

    def feed(self, piece: bytes) -> Iterator[Message | None]:
        """What is whole by now; None is a keep-alive that wants its answer (RFC 5626 §3.5.1).

        Raises SipMalformed: where the next message begins is then unknown (RFC 3261 §18.3).
        """
        self._bytes += piece
        while True:
            if self._head is None:
                for _ in range(self._drop_line_ends()):
                    yield None
                if not self._read_head():
                    return
            assert self._head is not None  # noqa: S101 - read just now
            if len(self._bytes) < self._missing:
                return
            body = bytes(self._bytes[: self._missing])
            del self._bytes[: self._missing]
            message, self._head = _with_body(self._head, body), None
            yield message

    def _drop_line_ends(self) -> int:
        """Before a start line (RFC 3261 §7.5). How many of them were double, as keep-alives are."""
        dropped = len(self._bytes) - len(self._bytes.lstrip(b"\r\n"))
        if dropped == len(self._bytes) and dropped % 4:  # the rest of one may be on its way
            dropped -= dropped % 4
        pings = bytes(self._bytes[:dropped]).count(b"\r\n\r\n")
        del self._bytes[:dropped]
        return pings

    def _read_head(self) -> bool:
        head, found, rest = _parted(bytes(self._bytes))
        if not found:
            if len(self._bytes) > MAX_HEAD_BYTES:
                raise SipMalformed("headers too long")
            return False
        self._head = _read_head(head)
        length = body_length(self._head.headers)
        if length is None:
            raise SipMalformed("a stream needs Content-Length")  # RFC 3261 §20.14
        self._missing = length
        self._bytes = bytearray(rest)
        return True


def body_length(headers: Headers) -> int | None:
    """None when it does not say. Raises SipMalformed for what is no length, or one too long."""
    said = headers.all("content-length")
    if not said:
        return None
    if len(set(said)) > 1 or not (said[0].isascii() and said[0].isdigit()):
        raise SipMalformed("Content-Length")
    if len(said[0]) > 9 or int(said[0]) > MAX_BODY_BYTES:  # noqa: PLR2004 - digits
        raise SipMalformed("body too long")
    return int(said[0])


def write(message: Message) -> bytes:
    """With the Content-Length that is right."""
    if isinstance(message, Request):
        first = f"{message.method} {message.uri} SIP/2.0"
    else:
        first = f"SIP/2.0 {message.status} {message.reason}"
    lines = [first]
    lines += [f"{_written(n)}: {v}" for n, v in message.headers.lines if n != "content-length"]
    lines += [f"Content-Length: {len(message.body)}", "", ""]
    return "\r\n".join(lines).encode(errors="surrogateescape") + message.body


def answer(
    request: Request,
    status: int,
    *,
    tag: str,
    source: tuple[str, int],
    more: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> Response:
    """RFC 3261 §8.2.6: Via, From, To, Call-ID and CSeq as they came, with where it came from."""
    first, *others = request.headers.all("via")
    lines = [("via", _seen(read_via(first), source))]
    lines += [("via", via) for via in others]
    lines.append(("from", request.headers.get("from")))
    to = request.headers.get("to")
    lines.append(("to", to if parameter(to, "tag") else f"{to};tag={tag}"))
    lines += [(name, request.headers.get(name)) for name in ("call-id", "cseq")]
    return Response(status, REASONS[status], Headers((*lines, *more)), body)


def read_via(value: str) -> Via:
    match = _VIA.fullmatch(value.strip())
    if match is None:
        raise SipMalformed("Via")
    transport, host, port, rest = match.groups()
    if port is not None and not 0 < int(port) < 65536:  # noqa: PLR2004 - a port
        raise SipMalformed("Via port")
    return Via(transport.upper(), host, int(port) if port else None, tuple(_parameters(rest or "")))


def parameter(address: str, name: str) -> str:
    """A parameter behind an address's `>`, empty when it has none."""
    return dict(_parameters(address.rpartition(">")[2])).get(name, "")


def uri_of(address: str) -> str:
    """The URI in `"Name" <uri>;parameters`, or of the form without brackets (RFC 3261 §20.10)."""
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', "", address)
    if "<" in unquoted:
        return unquoted.partition("<")[2].partition(">")[0].strip()
    return unquoted.partition(";")[0].strip()


def read_uri(text: str) -> Uri:
    match = _URI.fullmatch(text.strip())
    if match is None:
        raise SipMalformed("URI")
    _, user, host, port = match.groups()
    if port is not None and not 0 < int(port) < 65536:  # noqa: PLR2004 - a port
        raise SipMalformed("URI port")
    return Uri(user or "", host, int(port) if port else None)


def _seen(via: Via, source: tuple[str, int]) -> str:
    """RFC 3581 §4, RFC 3261 §18.2.1: where it was really from."""
    host, port = source
    kept = [(name, value) for name, value in via.parameters if name not in {"received", "rport"}]
    kept.append(("received", host))
    if via.wants_rport:
        kept.append(("rport", str(port)))
    rest = "".join(f";{name}={value}" if value else f";{name}" for name, value in kept)
    return f"SIP/2.0/{via.transport} {via.sent_by}{rest}"


def _parted(text: bytes) -> tuple[bytes, bool, bytes]:
    """Head, whether it ends, and what follows. A bare LF ends a line too."""
    ends = [end for end in (text.find(b"\r\n\r\n"), text.find(b"\n\n")) if end >= 0]
    if not ends:
        return text, False, b""
    end = min(ends)
    return text[:end], True, text[end + (4 if text[end] == ord("\r") else 2) :]


def _read_head(head: bytes) -> Message:
    if len(head) > MAX_HEAD_BYTES:
        raise SipMalformed("headers too long")
    text = head.decode(errors="surrogateescape")  # an answer repeats it byte by byte
    if "\0" in text:
        raise SipMalformed("NUL")
    first, *lines = re.split(r"\r?\n", text.lstrip("\r\n"))
    headers = Headers(tuple(_read_lines(lines)))
    if request := _REQUEST.fullmatch(first.strip()):
        return Request(request[1].upper(), request[2], headers)
    if status := _STATUS.fullmatch(first.strip()):
        return Response(int(status[1]), (status[2] or "").strip(), headers)
    raise SipMalformed("start line")


def _read_lines(lines: list[str]) -> Iterator[tuple[str, str]]:
    if len(lines) > MAX_HEADERS:
        raise SipMalformed("too many headers")
    for line in _unfolded(lines):
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not _TOKEN.fullmatch(name):
            raise SipMalformed("header")
        name = COMPACT.get(name, name)
        values = _split(value, ",") if name in LISTED else [value]
        for one in values:
            yield name, one.strip()


def _unfolded(lines: list[str]) -> list[str]:
    """RFC 3261 §7.3.1: a line that begins with a blank goes on with the one before."""
    whole: list[str] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and whole:
            whole[-1] = f"{whole[-1].rstrip()} {line.strip()}"
        else:
            whole.append(line)
    if any("\r" in line for line in whole):
        raise SipMalformed("bare CR")
    return whole


def _split(text: str, mark: str) -> list[str]:
    """At `mark`, but not inside quotes or brackets."""
    parts, start, quoted, inside, escaped = [], 0, False, False, False
    for at, sign in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and sign == "\\":
            escaped = True
        elif sign == '"':
            quoted = not quoted
        elif not quoted and sign in "<>":
            inside = sign == "<"
        elif sign == mark and not quoted and not inside:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return parts


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for part in _split(text, ";"):
        name, _, value = part.partition("=")
        if name.strip():
            yield name.strip().lower(), value.strip()


def _with_body(message: Message, body: bytes) -> Message:
    if isinstance(message, Request):
        return Request(message.method, message.uri, message.headers, body)
    return Response(message.status, message.reason, message.headers, body)


def _written(name: str) -> str:
    return WRITTEN.get(name, "-".join(part.capitalize() for part in name.split("-")))

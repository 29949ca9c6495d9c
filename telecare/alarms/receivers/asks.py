"""A SIP request that wants an answer: who asks, and where the answer goes."""

import secrets
from dataclasses import dataclass
from ipaddress import ip_address

from telecare.alarms.receivers import sip
from telecare.alarms.receivers.arrived import Address, Claim
from telecare.alarms.receivers.ports import Endpoint, Route
from telecare.alarms.receivers.sip_transactions import Key

SIP_PORT = 5060


@dataclass(frozen=True, slots=True)
class Ask:
    request: sip.Request
    route: Route
    key: Key
    """The same each time it is sent."""
    to: Endpoint
    tag: str

    @property
    def source(self) -> Address:
        return ip_address(self.route.source[0].partition("%")[0])

    @property
    def from_user(self) -> str:
        try:
            return sip.read_uri(sip.uri_of(self.request.headers.get("from"))).user
        except sip.SipMalformed:
            return ""

    def claim(self, account: str) -> Claim:
        try:
            domain = sip.read_uri(self.request.uri).host.lower()
        except sip.SipMalformed:
            domain = ""
        return Claim("scaip", self.route.port.name, domain, account, self.source)

    def our_message(self, branch: str, body: bytes, content_type: str) -> sip.Request:
        """A request of our own to whoever asked, outside any dialog (RFC 3428 §4)."""
        headers = self.request.headers
        host, port = self.route.here
        shown = f"[{host}]" if ":" in host else host
        unit = sip.uri_of(headers.get("from"))
        contact = sip.uri_of(headers.get("contact"))
        transport = self.route.port.transport.upper()
        lines = (
            ("via", f"SIP/2.0/{transport} {shown}:{port};branch={branch};rport"),
            ("max-forwards", "70"),
            ("from", f"<{sip.uri_of(headers.get('to'))}>;tag={self.tag}"),
            ("to", f"<{unit}>"),
            ("call-id", secrets.token_hex(16)),
            ("cseq", "1 MESSAGE"),
            ("content-type", content_type),
        )
        return sip.Request("MESSAGE", _callable(contact, unit), sip.Headers(lines), body)


def read_ask(request: sip.Request, route: Route, via: sip.Via) -> Ask:
    """Raises SipMalformed when it lacks what an answer must repeat (RFC 3261 §8.1.1)."""
    call_id, cseq = (request.headers.get(name) for name in ("call-id", "cseq"))
    if not all((call_id, cseq, request.headers.get("from"), request.headers.get("to"))):
        raise sip.SipMalformed("header missing")
    host, port = route.source
    to = (host, port if via.wants_rport else via.port or SIP_PORT)
    key = (route.port.name, host, via.sent_by, via.branch, request.method, call_id, cseq)
    return Ask(request, route, key, to, secrets.token_hex(8))


def _callable(*uris: str) -> str:
    """The first that is a SIP URI."""
    for uri in uris:
        try:
            sip.read_uri(uri)
        except sip.SipMalformed:
            continue
        return uri
    return "sip:unit@invalid"

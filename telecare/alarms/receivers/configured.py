"""Which ports are opened, and whose they are, as the configuration says it."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from telecare.alarms.receivers.arrived import Protocol
from telecare.alarms.receivers.ports import Port, Transport
from telecare.runtime.config import Config
from telecare.runtime.errors import CannotStart

TRANSPORTS: Mapping[str, tuple[Protocol, Transport]] = {
    "scaip+udp": ("scaip", "udp"),
    "scaip+tcp": ("scaip", "tcp"),
    "scaip+tls": ("scaip", "tls"),
    "dc09+udp": ("dc09", "udp"),
    "dc09+tcp": ("dc09", "tcp"),
}


class ReceiverMalformed(CannotStart):
    """A receiver is `municipality=scaip+udp://host:port` (or scaip+tcp, scaip+tls, dc09+udp,
    dc09+tcp); a name is `host=municipality`, an exchange `municipality=sip:…`.
    """


class CertificateUnusable(CannotStart):
    """A receiver for TLS needs TELECARE_RECEIVER_CERTIFICATE and TELECARE_RECEIVER_KEY, in PEM."""


@dataclass(frozen=True, slots=True)
class Configured:
    """Ports are named by the municipality whose they are."""

    scaip: tuple[Port, ...]
    dc09: tuple[Port, ...]
    domains: Mapping[str, str]
    """Names units address, and the municipality each is of."""
    exchanges: Mapping[str, tuple[str, ...]]
    """URIs each municipality's units are to call."""

    @property
    def slugs(self) -> frozenset[str]:
        ports = (*self.scaip, *self.dc09)
        return frozenset({*(port.name for port in ports), *self.domains.values(), *self.exchanges})


def read(config: Config) -> Configured:
    """Raises ReceiverMalformed, CertificateUnusable."""
    ports: dict[Protocol, list[Port]] = {"scaip": [], "dc09": []}
    for slug, address in map(_pair, config.receivers):
        protocol, port = _port(slug, address, config)
        ports[protocol].append(port)
    return Configured(
        tuple(ports["scaip"]),
        tuple(ports["dc09"]),
        {host.lower(): slug for host, slug in map(_pair, config.receiver_names)},
        _grouped([_pair(exchange) for exchange in config.exchanges]),
    )


def _pair(written: str) -> tuple[str, str]:
    left, equals, right = written.partition("=")
    if not (left and equals and right):
        raise ReceiverMalformed(written)
    return left, right


def _port(slug: str, address: str, config: Config) -> tuple[Protocol, Port]:
    try:
        parts = urlsplit(address)
        protocol, transport = TRANSPORTS[parts.scheme]
        host, number = parts.hostname, parts.port
    except (KeyError, ValueError) as error:
        raise ReceiverMalformed(address) from error
    if host is None or number is None:
        raise ReceiverMalformed(address)
    tls = _tls(config) if transport == "tls" else None
    return protocol, Port(slug, transport, host, number, tls)


def _tls(config: Config) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(config.receiver_certificate, config.receiver_key)
    except OSError as error:
        raise CertificateUnusable(config.receiver_certificate) from error
    return context


def _grouped(pairs: Sequence[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    grouped: dict[str, tuple[str, ...]] = {}
    for slug, uri in pairs:
        grouped[slug] = (*grouped.get(slug, ()), uri)
    return grouped

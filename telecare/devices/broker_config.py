"""Everything a Mosquitto for real homes needs, written into a folder (`telecare devices
broker-config`): run again, the authority stays and the rest is made anew.

`broker/` goes to the broker's machine, `server/` stays with `telecare serve`.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from telecare.devices.authority import (
    CERTIFICATE_FILE,
    KEY_FILE,
    SERVER_NAME,
    Authority,
    AuthorityMissing,
    replace_file,
    write_private,
)

BROKER_FOLDER = "broker"
SERVER_FOLDER = "server"
REVOKED_FILE = "revoked.pem"
SERVER_CERTIFICATE_FILE = "server.pem"
SERVER_KEY_FILE = "server.key"


@dataclass(frozen=True, slots=True)
class Doors:
    """Where it listens; `address` empty: everywhere."""

    unit_port: int = 8883
    server_port: int = 8884
    address: str = ""


EVERYWHERE = Doors()


ACL = f"""\
# %u is the name in a unit's certificate. What is not named here is denied.
pattern write tc/1/%u/up/#
pattern read tc/1/%u/down/#
pattern read tc/1/all/#

user {SERVER_NAME}
topic readwrite tc/1/#
"""
CONFIG = """\
# Made by `telecare devices broker-config`. What is not in this folder's files cannot come in.
per_listener_settings false
allow_anonymous false
acl_file {folder}/acl
# Sessions do not outlive their connection: what must survive is sent again by homes and server.
persistence false
max_packet_size 65536
max_inflight_messages 20
max_queued_messages 10000
max_keepalive 60
log_type error
log_type warning
log_type notice
# These would name homes by their addresses.
connection_messages false

# Homes. The client id is the certificate's name: nobody takes another's place.
listener {unit_door}
use_username_as_clientid true
{tls}
# The server alone.
listener {server_door}
{tls}"""
TLS = """\
cafile {folder}/{ca}
certfile {folder}/broker.pem
keyfile {folder}/broker.key
crlfile {folder}/{revoked}
require_certificate true
use_identity_as_username true
tls_version tlsv1.3
"""


def write_broker_config(
    into: Path, hosts: Sequence[str], installed_at: str, now: datetime, doors: Doors = EVERYWHERE
) -> None:
    """`hosts`: what homes and server call the broker; `installed_at`: the folder of `broker/` on
    its own machine.
    """
    broker, server = into / BROKER_FOLDER, into / SERVER_FOLDER
    for folder in (broker, server):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    has_one = (server / KEY_FILE).exists()
    authority = Authority.read(server) if has_one else Authority.make(server, now)
    ours, door = authority.for_server(now), authority.for_broker(hosts, now)
    write_private(server / SERVER_KEY_FILE, ours.key)
    replace_file(server / SERVER_CERTIFICATE_FILE, ours.certificate)
    write_private(broker / "broker.key", door.key)
    replace_file(broker / "broker.pem", door.certificate)
    replace_file(broker / CERTIFICATE_FILE, authority.pem)
    if not (broker / REVOKED_FILE).exists():
        replace_file(broker / REVOKED_FILE, authority.revocation_list([], now))
    replace_file(broker / "acl", ACL.encode())
    tls = TLS.format(folder=installed_at, ca=CERTIFICATE_FILE, revoked=REVOKED_FILE)
    config = CONFIG.format(
        folder=installed_at,
        tls=tls,
        unit_door=f"{doors.unit_port} {doors.address}".strip(),
        server_door=f"{doors.server_port} {doors.address}".strip(),
    )
    replace_file(broker / "mosquitto.conf", config.encode())


def server_tls(folder: Path) -> ssl.SSLContext:
    """What `telecare serve` shows the broker, and takes it by. Raises AuthorityMissing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(folder / CERTIFICATE_FILE)
        context.load_cert_chain(folder / SERVER_CERTIFICATE_FILE, folder / SERVER_KEY_FILE)
    except OSError as error:
        raise AuthorityMissing(str(folder)) from error
    return context

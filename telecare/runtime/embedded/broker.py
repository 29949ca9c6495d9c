"""An MQTT 5 broker as our own child, on 127.0.0.1: iotcore, or a mosquitto that is in PATH.

iotcore compares the first message of each topic with every subscription there is: ten thousand
homes that begin hold it for twenty seconds. So many are for a mosquitto.

Memory only, on purpose: an event is safe when PostgreSQL has it (architecture §1.8).
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path
from typing import Literal

from telecare.runtime.embedded import process
from telecare.runtime.errors import CannotStart

START_LIMIT_S = 10.0
POLL_S = 0.02
MAX_PAYLOAD_BYTES = 65_536

# iotcore's own child entry point; run with an argument list of ours so that we own the process.
_IOTCORE = (
    "import json, sys; from iotcore.iotcore import IotCoreBroker; "
    "import logging; logging.disable(logging.CRITICAL); "
    "IotCoreBroker(config_path=json.loads(sys.argv[1])).run_forever()"
)

_IOTCORE_CONFIG = """
id = 0
[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 1000
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "telecare"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = {payload}
max_inflight_count = 1000
dynamic_filters = true
"""

_MOSQUITTO_CONFIG = """
listener {port} {host}
allow_anonymous true
persistence false
message_size_limit {payload}
max_queued_messages 100000
max_inflight_messages 100
"""


class BrokerMissing(CannotStart):
    """Neither iotcore nor mosquitto is installed; the message says how to get one."""


class BrokerDidNotStart(CannotStart):
    """The broker's port never answered."""


Program = Literal["iotcore", "mosquitto"]


@dataclass(slots=True)
class EmbeddedBroker:
    """One broker process. Methods block; call from the main thread."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one is found at the first start and kept."""
    preferred: Program = "iotcore"
    """The other one where it is missing."""
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise BrokerDidNotStart
        return self._process.pid

    def start(self) -> None:
        self.launch()
        self.wait()

    def launch(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.port:
            self.port = _free_port(self.host)
        with (self.folder / "broker.log").open("ab") as output:
            self._process = process.start(self._command(), output=output)

    def wait(self) -> None:
        """Until it answers. Raises BrokerDidNotStart."""
        deadline = time.monotonic() + START_LIMIT_S
        while not _answers(self.host, self.port):
            if self.ended() or time.monotonic() > deadline:
                raise BrokerDidNotStart(str(self.folder / "broker.log"))
            time.sleep(POLL_S)

    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        if self._process is not None:
            process.stop(self._process, signal.SIGTERM, START_LIMIT_S)
            self._process = None

    def _command(self) -> list[str]:
        commands = {"iotcore": self._iotcore(), "mosquitto": self._mosquitto()}
        command = commands[self.preferred] or next(filter(None, commands.values()), None)
        if command is None:
            raise BrokerMissing(
                "no MQTT broker was found: pip install 'telecare[demo]', or apt install mosquitto"
            )
        return command

    def _iotcore(self) -> list[str] | None:
        if not util.find_spec("iotcore"):
            return None
        config = self._configured("broker.toml", _IOTCORE_CONFIG)
        return [sys.executable, "-c", _IOTCORE, json.dumps(config)]

    def _mosquitto(self) -> list[str] | None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            return None
        return [program, "-c", self._configured("broker.conf", _MOSQUITTO_CONFIG)]

    def _configured(self, name: str, template: str) -> str:
        file = self.folder / name
        file.write_text(template.format(host=self.host, port=self.port, payload=MAX_PAYLOAD_BYTES))
        return str(file)


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.2):
            return True
    except OSError:
        return False

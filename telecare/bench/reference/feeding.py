# ruff: noqa: INP001
"""Says prepared messages to a broker as fast as it takes them, each time it is told to.

JSON lines in a file: [topic, payload, [[name, value], …]]. A line on standard input begins; `fed`
is printed when the broker has acknowledged the last.
"""

import ctypes
import json
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PR_SET_PDEATHSIG = 1
IN_FLIGHT = 1_000


def main(url: str, path: str) -> None:
    messages = [json.loads(line) for line in Path(path).read_text().splitlines()]
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_inflight_messages_set(IN_FLIGHT)
    room = threading.Semaphore(IN_FLIGHT)
    client.on_publish = lambda *_: room.release()
    address = urlsplit(url)
    client.connect(address.hostname or "", address.port or 1883)
    client.loop_start()
    print("up", flush=True)
    for _ in sys.stdin:
        for topic, payload, values in messages:
            room.acquire()
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.UserProperty = [tuple(pair) for pair in values]
            client.publish(topic, payload, qos=1, properties=properties)
        for _ in range(IN_FLIGHT):
            room.acquire()
        print("fed", flush=True)
        room.release(IN_FLIGHT)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    main(*sys.argv[1:])

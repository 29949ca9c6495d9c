# ruff: noqa: INP001
"""The reference of `ingest`: paho alone takes what a broker has, and does nothing with it.

Prints time.monotonic() each time so many messages have come.
"""

import ctypes
import signal
import sys
import time
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

PR_SET_PDEATHSIG = 1


def main(url: str, topics: str, count: str) -> None:
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    left = wanted = int(count)

    def message(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            left = wanted
            print(time.monotonic(), flush=True)

    def connected(*_: object) -> None:
        client.subscribe(topics, qos=1)

    client.on_message = message
    client.on_connect = connected
    client.on_subscribe = lambda *_: print("up", flush=True)
    address = urlsplit(url)
    client.connect(address.hostname or "", address.port or 1883)
    client.loop_forever()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    main(*sys.argv[1:])

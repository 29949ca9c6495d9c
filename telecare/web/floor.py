"""What every live page stands on; built once in app.py."""

from dataclasses import dataclass

from aiohttp import web

from telecare.alarms.receiving import Receiving
from telecare.calls.service import Calls
from telecare.calls.turn import TurnServer
from telecare.devices.service import Devices
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database
from telecare.runtime.feed import Feed
from telecare.web.board import Boards


@dataclass(frozen=True, slots=True)
class Floor:
    """`version` is that of the front end's files: a page of another one reloads itself."""

    database: Database
    clock: Clock
    feed: Feed
    boards: Boards
    calls: Calls
    devices: Devices
    receiving: Receiving
    turn: TurnServer | None
    version: str


FLOOR = web.AppKey("floor", Floor)

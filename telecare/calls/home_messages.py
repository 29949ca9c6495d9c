"""What home units are told of a call."""

import json

from telecare.calls.turn import TurnServer, credential
from telecare.devices.model import Endpoint
from telecare.devices.outgoing import Addressee
from telecare.runtime.errors import TelecareError
from telecare.wire import edge
from telecare.wire.errors import Code
from telecare.wire.ids import CallId
from telecare.wire.signalling import SignalKind


def units(endpoints: list[Endpoint]) -> list[Addressee]:
    return [
        Addressee(e.unit_id, e.mac_key)
        for e in endpoints
        if e.unit_id is not None and e.mac_key is not None
    ]


class CandidateMalformed(TelecareError):
    status = 422
    code = Code.MESSAGE_MALFORMED


def ice_servers(turn: TurnServer | None, call_id: CallId) -> list[edge.IceServer]:
    if turn is None:
        return []
    made = credential(turn, call_id)
    urls = list(made.urls)
    return [edge.IceServer(urls=urls, username=made.username, credential=made.credential)]


def unit_signal(
    call_id: CallId,
    generation: int,
    kind: SignalKind,
    body: str,
    *,
    turn: TurnServer | None,
    relay_only: bool,
) -> edge.Offer | edge.Candidate | None:
    """What a page's signal is to a home unit; None for what a unit has no use for."""
    if kind == "offer":
        return edge.Offer(
            call_id=call_id,
            n=generation,
            sdp=body,
            ice_servers=ice_servers(turn, call_id),
            relay_only=relay_only,
        )
    if kind != "candidate":
        return None
    try:
        candidate = json.loads(body)
        return edge.Candidate(
            call_id=call_id,
            n=generation,
            candidate=candidate.get("candidate") or "",
            mid=candidate.get("sdpMid"),
            line=candidate.get("sdpMLineIndex"),
        )
    except (ValueError, AttributeError) as error:
        raise CandidateMalformed("body") from error

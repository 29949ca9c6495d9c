"""Who acted, about whom, and a record ready to be entered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never
from uuid import UUID

from telecare.audit.actions import Action
from telecare.audit.format import Document, canonical
from telecare.wire.errors import Code
from telecare.wire.ids import AlarmUnitId, CareUnitId, EndpointId, ResidentId, ShiftId, StaffId


@dataclass(frozen=True, slots=True)
class StaffActor:
    """A member of staff at the console, with the provider, unit and shift she acted in."""

    id: StaffId
    name: str
    """Empty for one with protected identity: she appears by her roles."""
    roles: tuple[str, ...]
    provider: str
    unit_id: CareUnitId
    unit_name: str
    shift_id: ShiftId | None
    session_id: UUID
    signed_in_by: Literal["passkey", "demo"]


@dataclass(frozen=True, slots=True)
class HomeActor:
    """A key pressed in a home: the device and its home, never the person who held it."""

    endpoint_id: EndpointId
    device: Literal["tv", "unit"]
    resident_id: ResidentId


@dataclass(frozen=True, slots=True)
class AlarmUnitActor:
    """Another maker's unit in a home, by its entry in the municipality's register."""

    alarm_unit_id: AlarmUnitId
    resident_id: ResidentId


@dataclass(frozen=True, slots=True)
class SystemActor:
    """The system itself: a timer that came due, or a job."""

    name: str


@dataclass(frozen=True, slots=True)
class CommandLineActor:
    """Somebody at the server's command line; the operating system's login name."""

    login: str


@dataclass(frozen=True, slots=True)
class NobodyYet:
    """Somebody who has not signed in."""

    channel: Literal["console", "tv", "unit"] = "console"


Actor = StaffActor | HomeActor | AlarmUnitActor | SystemActor | CommandLineActor | NobodyYet


def actor_document(actor: Actor) -> Document:
    match actor:
        case StaffActor():
            return {
                "channel": "console",
                "id": str(actor.id),
                "kind": "staff",
                "name": actor.name,
                "provider": actor.provider,
                "roles": list(actor.roles),
                "session_id": str(actor.session_id),
                "shift_id": str(actor.shift_id) if actor.shift_id else None,
                "signed_in_by": actor.signed_in_by,
                "unit_id": str(actor.unit_id),
                "unit_name": actor.unit_name,
            }
        case HomeActor():
            return {
                "channel": actor.device,
                "home_of": str(actor.resident_id),
                "id": str(actor.endpoint_id),
                "kind": "home",
            }
        case AlarmUnitActor():
            return {
                "channel": "alarm_unit",
                "home_of": str(actor.resident_id),
                "id": str(actor.alarm_unit_id),
                "kind": "home",
            }
        case SystemActor():
            return {"channel": "timer", "id": actor.name, "kind": "system"}
        case CommandLineActor():
            return {"channel": "command_line", "id": actor.login, "kind": "operator"}
        case NobodyYet():
            return {"channel": actor.channel, "id": "nobody", "kind": "nobody"}
        case _:
            assert_never(actor)


def actor_text(actor: Actor) -> str:
    return canonical(actor_document(actor))


@dataclass(frozen=True, slots=True)
class Person:
    """A resident a record is about. Of one with protected identity the record has the id only, and
    is marked for review.
    """

    id: ResidentId
    name: str
    is_protected: bool = False

    @property
    def shown_name(self) -> str:
        return "" if self.is_protected else self.name


@dataclass(frozen=True, slots=True)
class Record:
    """One entry to be made: who did what, about whom, and on what ground."""

    action: Action
    actor: Actor
    persons: Sequence[Person] = ()
    what: Document = field(default_factory=dict)
    basis: Document = field(default_factory=dict)


def refused(
    code: Code, tried: Action | str, actor: Actor, persons: Sequence[Person], what: Document
) -> Record:
    """The record of something that was not allowed: what was tried, and the refusal's code."""
    return Record(Action.REFUSED, actor, persons, {**what, "code": str(code), "tried": str(tried)})

"""What staff pages and TV pages say over their WebSocket, both ways (docs/protocol.md).

`web/static/js/core/protocol.js` mirrors these shapes; a test holds both against the golden files.
From browsers unknown fields are refused; to browsers everything is a whole, versioned thing: a
snapshot first, then whole changed rows, so that a page never has to guess what it missed.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

MAX_FRAME_BYTES = 65_536
MAX_SDP_CHARS = 12_000
SignalKind = Literal["offer", "answer", "candidate"]
CallKind = Literal["visit", "video_call", "call_in", "look", "robot", "alarm"]
CallState = Literal["requested", "ready", "ringing", "connecting", "open", "dark", "ended"]
Language = Literal["sv", "fi", "en"]
AbsenceKind = Literal["hospital", "short_term", "travel", "other"]


class FromPage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToPage(BaseModel):
    model_config = ConfigDict(frozen=True)


# --- from a page -----------------------------------------------------------------------------


class Subscribe(FromPage):
    """Staff only: follow a view; answered by a `snapshot` and then `rows`."""

    type: Literal["subscribe"] = "subscribe"
    view: Literal["today"]
    unit: UUID


class Join(FromPage):
    """Follow a call and receive its signals after number `after` (0 = all)."""

    type: Literal["join"] = "join"
    call_id: UUID
    after: int = Field(default=0, ge=0)


class Signal(FromPage):
    """SDP or candidate for the other end; `generation` numbers the staff page's connections."""

    type: Literal["signal"] = "signal"
    call_id: UUID
    generation: int = Field(ge=1)
    kind: SignalKind
    body: str = Field(max_length=MAX_SDP_CHARS)
    """SDP; or for a candidate the JSON of RTCIceCandidateInit (empty candidate = no more)."""


class Alive(FromPage):
    """Each second while in a call. `mono_ms`: the page's performance.now(), echoed by leases."""

    type: Literal["alive"] = "alive"
    call_id: UUID
    mono_ms: int = Field(ge=0)


class Report(FromPage):
    type: Literal["report"] = "report"
    call_id: UUID
    what: Literal["first_frame", "dark", "lit", "quality", "stopped", "camera_on", "camera_off"]
    loss_percent: int | None = Field(default=None, ge=0, le=100)
    round_trip_ms: int | None = Field(default=None, ge=0, le=600_000)
    width: int | None = Field(default=None, ge=0, le=16_384)
    height: int | None = Field(default=None, ge=0, le=16_384)


class Touched(FromPage):
    """Staff only: somebody used key, pointer or touch since the last; at most once a minute."""

    type: Literal["touched"] = "touched"


class Lock(FromPage):
    """Staff only: nobody touched the page for half an hour; answered by `locked`."""

    type: Literal["lock"] = "lock"


class Ready(FromPage):
    """Staff only, every ten seconds: the page is there, and whether an alarm would be heard."""

    type: Literal["ready"] = "ready"
    sound: bool


class Watch(FromPage):
    """Staff only: the page shows the night's lists, or does so no more; answered by `nights` at
    each change in the units whose day it follows. Said again after each new connection.
    """

    type: Literal["watch"] = "watch"
    nights: bool


FromPageFrame = Subscribe | Join | Signal | Alive | Report | Touched | Lock | Ready | Watch
FROM_PAGE: TypeAdapter[FromPageFrame] = TypeAdapter(
    Annotated[
        Subscribe | Join | Signal | Alive | Report | Touched | Lock | Ready | Watch,
        Field(discriminator="type"),
    ]
)


# --- to a page -------------------------------------------------------------------------------


class Hello(ToPage):
    """First frame. A page whose own `version` differs reloads itself, never in a call."""

    type: Literal["hello"] = "hello"
    version: str
    now: AwareDatetime


class VisitRow(ToPage):
    """One planned visit on the day's list."""

    row: Literal["visit"] = "visit"
    id: UUID
    starts_at: AwareDatetime
    minutes: int
    insats: str
    resident_id: UUID
    resident_name: str
    resident_given_name: str
    resident_language: Language
    staff_id: UUID | None
    staff_name: str | None
    state: Literal[
        "planned",
        "ringing",
        "in_call",
        "unfinished",
        "needs_step",
        "stepped",
        "done",
        "cancelled",
        "absent",
    ]
    """`unfinished`: talked but no outcome saved; `needs_step`: unanswered, declined or missed;
    `absent`: she is away at its start. Home again before that, it is planned again."""
    call_id: UUID | None
    outcome: Literal["all_well", "ring_again", "needs_visit", "follow_up", "technical_fault"] | None
    step: Literal["ring_again", "home_visit", "talked_by_phone", "known_absence"] | None
    step_at: AwareDatetime | None
    screen: Literal["here", "silent", "off", "none"]
    """The home's endpoints now: heard from, not heard from, TV is off, nothing paired."""
    overdue_at: AwareDatetime | None
    """When it goes to the coordinator by itself, while it needs a step."""
    tasks: int
    """Things to do in the call."""
    unit_name: str | None = None
    """Another unit that the list's unit covers at this hour; None: its own."""


class CallRow(ToPage):
    """A resident rings and waits for an answer."""

    row: Literal["call"] = "call"
    id: UUID
    since: AwareDatetime
    resident_id: UUID
    resident_name: str
    resident_language: Language
    source: Literal["tv", "unit"]
    first_for: Language | None
    """Until `first_until` only those who speak it may answer; then everybody. None: nobody on
    shift speaks it."""
    first_until: AwareDatetime | None
    taken_by: str | None
    next_unit_at: AwareDatetime | None
    unit_name: str | None = None
    absent: AbsenceKind | None = None
    """She is registered absent, and somebody rings from her home."""


class TaskRow(ToPage):
    """A follow-up: stays until a human closes it."""

    row: Literal["task"] = "task"
    id: UUID
    kind: Literal[
        "call_back",
        "second_talk",
        "visit_overdue",
        "ask_again",
        "follow_up",
        "check_devices",
        "break_glass",
        "review_overdue",
        "log_question",
        "alarm_unanswered",
        "mend_device",
        "camera_withdrawn",
        "nobody_there",
        "night_visit_late",
        "reassess",
    ]
    since: AwareDatetime
    resident_id: UUID
    resident_name: str
    unit_name: str | None = None
    taken_by: str | None = None
    """Who said "Jag tar det"; None: anybody in the unit may."""
    taken_by_id: UUID | None = None
    absent: AbsenceKind | None = None


class DispatchRow(ToPage):
    row: Literal["dispatch"] = "dispatch"
    id: UUID
    state: Literal["asked", "accepted", "arrived", "done"]
    asked_at: AwareDatetime
    resident_id: UUID
    resident_name: str
    accepted_by: str | None
    unit_name: str | None = None
    absent: AbsenceKind | None = None
    accepted_by_id: UUID | None = None
    arrive_by: AwareDatetime | None = None
    """When whoever goes has promised to be there."""


class HandOverRow(ToPage):
    """Somebody who ends her shift asks that this be taken over. She sees a refusal, and that nobody
    answered, until she asks anew or keeps it; others see what is asked of them or their unit.
    """

    row: Literal["hand_over"] = "hand_over"
    id: UUID
    kind: str
    """What it is: `visit`, `dispatch`, `follow_up`; further kinds come."""
    state: Literal["asked", "declined", "unanswered"]
    since: AwareDatetime
    resident_id: UUID
    resident_name: str
    from_id: UUID
    from_name: str
    to_id: UUID | None
    """The colleague who is asked; None: anybody on shift in the unit."""
    to_name: str
    """The colleague's name, or the unit's."""
    to_here: bool
    """The list's own unit is where it goes (or one that it covers): its people may answer."""


class AbsenceRow(ToPage):
    """Somebody of the unit who is away now: each day on its list, until she is home again."""

    row: Literal["absence"] = "absence"
    id: UUID
    kind: AbsenceKind
    since: AwareDatetime
    until: AwareDatetime | None
    """None: nobody knows."""
    resident_id: UUID
    resident_name: str
    unit_name: str | None = None


class AlarmRow(ToPage):
    """An alarm that is open: what it is, how long it has waited, who has it, what comes next."""

    row: Literal["alarm"] = "alarm"
    id: UUID
    state: Literal["new", "taken", "handled"]
    since: AwareDatetime
    """When it was pressed, as far as the home's clock can be right."""
    trigger: str
    """Text `alarm.trigger.<trigger>`."""
    device: str
    place: str
    priority: int
    resident_id: UUID
    resident_name: str
    taken_by: str | None
    taken_by_id: UUID | None
    cancelled: bool
    """She has said that she pressed by mistake."""
    returned_from: str | None
    """Who had it and has it no more; `returned_why` is text `alarm.returned.<why>`."""
    returned_why: str | None
    returned_at: AwareDatetime | None
    next_at: AwareDatetime | None
    """While nobody has it: when somebody else is asked too."""
    unit_name: str | None = None
    absent: AbsenceKind | None = None


class ReceiversRow(ToPage):
    """Who receives this unit's alarms now. Nobody: every page says so."""

    row: Literal["receivers"] = "receivers"
    id: UUID
    """The care unit's."""
    names: list[str]
    records_owed: int | None = None
    """Alarms of the municipality whose record could not be entered yet: every page says so."""


class TechnicalRow(ToPage):
    """Something in a home does not work as it should; text `technical.<kind>`."""

    row: Literal["technical"] = "technical"
    id: UUID
    kind: str
    since: AwareDatetime
    device: str
    """Which in the home; empty: the unit itself."""
    detail: str
    resident_id: UUID | None
    """None: it came from a sender that nobody has registered."""
    resident_name: str
    taken_by: str | None
    taken_by_id: UUID | None
    unit_name: str | None = None


class SilentHome(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    resident_id: UUID
    resident_name: str


class OutageRow(ToPage):
    """Driftstörning: several homes were lost together; text `outage.<shares>`."""

    row: Literal["outage"] = "outage"
    id: UUID
    shares: Literal["area", "provider", "broker"]
    name: str
    since: AwareDatetime
    homes: list[SilentHome]
    taken_by: str | None
    taken_by_id: UUID | None


Row = Annotated[
    ReceiversRow
    | AlarmRow
    | TechnicalRow
    | OutageRow
    | VisitRow
    | CallRow
    | TaskRow
    | DispatchRow
    | HandOverRow
    | AbsenceRow,
    Field(discriminator="row"),
]


class Snapshot(ToPage):
    """The whole view (at most 100 rows), to replace what the page holds."""

    type: Literal["snapshot"] = "snapshot"
    view: Literal["today"] = "today"
    unit: UUID
    version: int
    rows: list[Row]


class Rows(ToPage):
    """Changed rows, whole, and ids that left. A gap in `version`: subscribe again."""

    type: Literal["rows"] = "rows"
    view: Literal["today"] = "today"
    unit: UUID
    version: int
    changed: list[Row]
    gone: list[UUID]


class Waits(ToPage):
    id: UUID
    since: AwareDatetime


class Locked(ToPage):
    """All that a locked page is told, at each change: which call-ins wait, and since when."""

    type: Literal["locked"] = "locked"
    waiting: list[Waits]


class Nights(ToPage):
    """Something on the night's lists may have changed: ask again. Names nobody."""

    type: Literal["nights"] = "nights"


class IceServer(ToPage):
    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Media(ToPage):
    """What may flow, per direction. The end that sends enforces it."""

    home_picture: bool
    home_sound: bool
    staff_picture: bool
    staff_sound: bool


class CallFrame(ToPage):
    """A call's whole state, sent on join and on every change. `ice_servers` only while open, or
    where it `connects_early`."""

    type: Literal["call"] = "call"
    call_id: UUID
    kind: CallKind
    state: CallState
    resident_id: UUID
    resident_name: str
    resident_given_name: str
    staff_id: UUID | None
    staff_name: str | None
    staff_given_name: str | None
    unit_name: str | None
    visit_id: UUID | None
    answered_by: Literal["tv", "unit"] | None
    mine: bool
    """TV: this screen is the one that answered. Staff: this person holds the call."""
    ring_until: AwareDatetime | None
    answers_itself_at: AwareDatetime | None
    opened_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    end_reason: str | None
    media: Media | None
    max_s: int | None
    ice_servers: list[IceServer] = []
    relay_only: bool = False
    connects_early: bool = False
    """Staff, while it rings: offer now. The home's picture and sound still wait for `open`."""
    phone: str | None = None
    """TV, on `no_answer` of a call-in: the number to ring instead."""


class SignalFrame(ToPage):
    """Signal number `n` to this end. Keep the highest and give it as `after` when joining anew."""

    type: Literal["signal"] = "signal"
    call_id: UUID
    n: int
    generation: int
    kind: SignalKind
    body: str


class Lease(ToPage):
    """Picture and sound may leave this end until `echo_ms + lease_ms` on its own clock."""

    type: Literal["lease"] = "lease"
    call_id: UUID
    echo_ms: int
    lease_ms: int


class NextThing(ToPage):
    at: AwareDatetime
    kind: Literal["visit"]
    who: str | None
    """Given name of who rings, None when only the unit is known."""
    insats: str
    state: Literal["planned", "late", "moved", "taken_over"]


class HomeAlarm(ToPage):
    """Her newest alarm that is open. It has arrived, or it would not be here."""

    id: UUID
    taken: bool
    by: str
    """Given name of who has taken it; empty: somebody."""
    cancelled: bool


class Home(ToPage):
    """Everything a TV page shows when nobody rings; the whole of it at each change."""

    type: Literal["home"] = "home"
    version: int
    resident_given_name: str
    language: Language
    next: NextThing | None
    today: list[NextThing]
    cameras: Literal["off", "on", "unknown"]
    camera_heard_at: AwareDatetime | None
    unit_phone: str
    unit_name: str
    scale_percent: Literal[100, 115, 130]
    ask_faces_for: UUID | None
    """Ask "how did it feel" about this call, at most once a day; silence is no answer."""
    yes: list[Literal["video_visit", "auto_answer", "camera_check"]]
    """Purposes the resident may take back here and now."""
    shows_looks: bool = False
    """She wants to see here who has looked."""
    alarm: HomeAlarm | None = None
    night: Literal["none", "planned", "paused"] = "none"
    """Whether her nights are looked after by camera, and whether she has paused this one."""


class Refused(ToPage):
    """A frame from the page was refused; nothing changed."""

    type: Literal["refused"] = "refused"
    code: str
    about: str | None = None


ToPageFrame = (
    Hello | Snapshot | Rows | Locked | Nights | CallFrame | SignalFrame | Lease | Home | Refused
)
TO_PAGE: TypeAdapter[ToPageFrame] = TypeAdapter(
    Annotated[
        Hello
        | Snapshot
        | Rows
        | Locked
        | Nights
        | CallFrame
        | SignalFrame
        | Lease
        | Home
        | Refused,
        Field(discriminator="type"),
    ]
)

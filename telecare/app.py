"""The composition root: everything is built here once, and runs in one task group."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from aiohttp import web

from telecare.absences import http as absence_http
from telecare.absences import service as absence_service
from telecare.absences.service import Absences
from telecare.access import http as access_http
from telecare.access import staffing
from telecare.access.care_units import CareUnits
from telecare.access.lists import Lists
from telecare.access.passkeys import Passkeys
from telecare.access.service import Access
from telecare.access.staffing import Staffing
from telecare.alarms import alarm_units, unit_trouble
from telecare.alarms import arriving as alarm_arriving
from telecare.alarms import asking as alarm_asking
from telecare.alarms import holding as alarm_holding
from telecare.alarms import http as alarm_http
from telecare.alarms import intake as alarm_intake
from telecare.alarms import service as alarm_service
from telecare.alarms.alarm_units import AlarmUnits
from telecare.alarms.arriving import Arrivals
from telecare.alarms.centre import AlarmCentres
from telecare.alarms.chain import Chains
from telecare.alarms.listening import receivers_of
from telecare.alarms.mqtt import AlarmLane
from telecare.alarms.receiving import Receiving
from telecare.alarms.recent import RecentAlarms
from telecare.alarms.service import Alarms
from telecare.alarms.technical import http as technical_http
from telecare.alarms.technical.overview import Overview
from telecare.alarms.technical.service import LOOK_EVERY as LOOK_FOR_SILENT_EVERY
from telecare.alarms.technical.service import TechnicalAlarms
from telecare.calls import holding as call_holding
from telecare.calls import http as call_http
from telecare.calls import opening
from telecare.calls import store as call_store
from telecare.calls.jobs import Leases
from telecare.calls.liveness import Liveness
from telecare.calls.mqtt import Inbox
from telecare.calls.service import Calls
from telecare.calls.turn import TurnServer
from telecare.consent import http as consent_http
from telecare.consent import objections_store
from telecare.consent import service as consent_service
from telecare.consent.rules import Rules
from telecare.consent.service import Consents
from telecare.deviations.service import Deviations
from telecare.devices import http as device_http
from telecare.devices.authority import Authority
from telecare.devices.broker_config import server_tls
from telecare.devices.certificates import LOOK_INTERVAL, LOOK_LIMIT, Certificates, Revocations
from telecare.devices.ingest import Ingest
from telecare.devices.mqtt import EventLane, Unsealing
from telecare.devices.service import Devices
from telecare.dispatches import holding as dispatch_holding
from telecare.dispatches import http as dispatch_http
from telecare.dispatches.service import Dispatches
from telecare.endings import service as ending_service
from telecare.endings.service import Endings
from telecare.integrity import looks_http
from telecare.integrity import public as log_public
from telecare.integrity import reviews as log_reviews
from telecare.integrity import searching as log_searching
from telecare.integrity.consent_history import ConsentHistory
from telecare.integrity.findings import Findings
from telecare.integrity.issuing import Issuing
from telecare.integrity.looks import Looks
from telecare.integrity.opening import Opening
from telecare.integrity.preservation import Preservation
from telecare.integrity.publications import Publications
from telecare.integrity.reconciling import Reconciling
from telecare.integrity.requests import Requests
from telecare.integrity.reviews import Reviews
from telecare.integrity.searching import Searching
from telecare.integrity.staff_data import StaffData
from telecare.integrity.story import Stories
from telecare.integrity.timelines import Timelines
from telecare.integrity.verifying import Verifying
from telecare.integrity.witnesses import addresses, speaking
from telecare.nightchecks import agreements as night_agreements
from telecare.nightchecks import disturbance_http
from telecare.nightchecks import http as night_http
from telecare.nightchecks import planning as night_planning
from telecare.nightchecks.agreements import Agreements
from telecare.nightchecks.disturbance import Disturbances
from telecare.nightchecks.looks import NightLooks
from telecare.nightchecks.service import NightChecks
from telecare.nightchecks.staying import Staying
from telecare.nightchecks.tonight import Tonight
from telecare.people import corrections_store, importing
from telecare.people import holding as people_holding
from telecare.people import http as people_http
from telecare.people.break_glass import BreakGlass
from telecare.people.correcting import Corrections
from telecare.people.importing import Importing
from telecare.people.keeping import Keeping
from telecare.people.relations import Relations
from telecare.people.service import People
from telecare.reactions import Reactions
from telecare.runtime import outbox
from telecare.runtime.broker import Broker, Publish, displace
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import Database, Transaction, open_database
from telecare.runtime.feed import Feed
from telecare.runtime.http import MAX_BODY_BYTES, Origins, Route, border
from telecare.runtime.sealing import Sealer, read_key
from telecare.runtime.tasks import Errands, every, running
from telecare.runtime.timers import TICK, Handler, Timers
from telecare.shifts import http as shift_http
from telecare.shifts import service as shift_service
from telecare.shifts.service import Shifts
from telecare.visits import holding as visit_holding
from telecare.visits import http as visit_http
from telecare.visits import notes_store
from telecare.visits import service as visit_service
from telecare.visits import store as visit_store
from telecare.visits.insatser import Insatser
from telecare.visits.model import UNFINISHED_AFTER
from telecare.visits.service import Visits
from telecare.web import (
    admin,
    admin_alarm_units,
    admin_endings,
    admin_import,
    admin_nights,
    admin_people,
    admin_rules,
    audit_consents,
    audit_findings,
    audit_keeping,
    audit_requests,
    audit_reviews,
    audit_search,
    audit_staff_data,
    audit_story,
    audit_timelines,
    audit_verify,
    card,
    html,
    openapi,
    pages,
    patrol,
    relations,
    shift_list,
    sockets,
    static_files,
)
from telecare.web.board import Boards
from telecare.web.floor import FLOOR, Floor
from telecare.web.page_socket import BEAT, SCREENS, Screens
from telecare.wire import edge, topics
from telecare.wire.ids import StaffId

LEASE_INTERVAL = timedelta(seconds=1)
JOB_LIMIT = timedelta(seconds=30)
PARTITION_INTERVAL = timedelta(hours=6)
COMPARE_INTERVAL = timedelta(minutes=10)
"""How often it is asked whether the night's comparison has been made."""
COMPARE_LIMIT = timedelta(minutes=10)
PRESENCE_INTERVAL = timedelta(seconds=5)
MAKE_PARTITIONS = "select due_partition($1)"
MAKE_EVENT_PARTITIONS = "select make_event_partitions($1, $2)"
PARTITIONS_AHEAD = 4
SHUTDOWN_S = 2.0
SIGNALS = (topics.filter_of(topics.Up.STATUS), topics.filter_of(topics.Up.SIGNAL))
ALARMS = (topics.filter_of(topics.Up.ALARM),)
EVENTS = (topics.filter_of(topics.Up.EVENT), topics.filter_of(topics.Up.VITAL))
INGEST_CONNECTIONS = 2
ALARM_CONNECTIONS = 3
READERS = 4
"""Connections for those who read the log; made when the first of them comes."""

ROUTES: tuple[Route, ...] = (
    *access_http.ROUTES,
    *shift_http.ROUTES,
    *people_http.ROUTES,
    *absence_http.ROUTES,
    *consent_http.ROUTES,
    *device_http.ROUTES,
    *call_http.ROUTES,
    *alarm_http.ROUTES,
    *technical_http.ROUTES,
    *dispatch_http.ROUTES,
    *visit_http.ROUTES,
    *night_http.ROUTES,
    *disturbance_http.ROUTES,
    *log_public.ROUTES,
    *looks_http.ROUTES,
    *card.ROUTES,
    *patrol.ROUTES,
    *admin.ROUTES,
    *admin_people.ROUTES,
    *admin_alarm_units.ROUTES,
    *admin_endings.ROUTES,
    *admin_import.ROUTES,
    *admin_nights.ROUTES,
    *admin_rules.ROUTES,
    *audit_search.ROUTES,
    *audit_timelines.ROUTES,
    *audit_story.ROUTES,
    *audit_consents.ROUTES,
    *audit_verify.ROUTES,
    *audit_reviews.ROUTES,
    *audit_staff_data.ROUTES,
    *audit_findings.ROUTES,
    *audit_requests.ROUTES,
    *audit_keeping.ROUTES,
    *pages.ROUTES,
    *shift_list.ROUTES,
    *relations.ROUTES,
    *sockets.ROUTES,
    *static_files.ROUTES,
    *openapi.ROUTES,
)


CORRECTABLES = (
    *corrections_store.CORRECTABLES,
    notes_store.CORRECTABLE,
    objections_store.CORRECTABLE,
)
"""Every place that holds a text about a resident which can be corrected."""


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case, for transports, the demo's seeding and tests."""

    database: Database
    reader: Database
    """Role reader: sees the log, and writes nothing."""
    clock: Clock
    access: Access
    shifts: Shifts
    staffing: Staffing
    care_units: CareUnits
    lists: Lists
    people: People
    break_glass: BreakGlass
    relations: Relations
    corrections: Corrections
    absences: Absences
    endings: Endings
    keeping: Keeping
    importing: Importing
    consents: Consents
    rules: Rules
    devices: Devices
    certificates: Certificates
    calls: Calls
    dispatches: Dispatches
    alarms: Alarms
    alarm_units: AlarmUnits
    technical: TechnicalAlarms
    chains: Chains
    deviations: Deviations
    receiving: Receiving
    visits: Visits
    insatser: Insatser
    nights: NightChecks
    night_looks: NightLooks
    staying: Staying
    disturbances: Disturbances
    tonight: Tonight
    agreements: Agreements
    passkeys: Passkeys
    searching: Searching
    opening: Opening
    timelines: Timelines
    stories: Stories
    consent_history: ConsentHistory
    verifying: Verifying
    publications: Publications
    reviews: Reviews
    staff_data: StaffData
    findings: Findings
    reconciling: Reconciling
    looks: Looks
    requests: Requests
    issuing: Issuing
    preservation: Preservation
    reactions: Reactions
    liveness: Liveness


def services(database: Database, reader: Database, clock: Clock, config: Config) -> Services:
    react = Reactions()
    liveness = Liveness()

    async def holds_open(db: Transaction, staff_id: StaffId) -> bool:
        """A call keeps its session (architecture §6), and so does the outcome it waits for."""
        if await call_store.live_of_staff(db, staff_id) is not None:
            return True
        since = clock.now() - UNFINISHED_AFTER
        return await visit_store.awaits_outcome(db, staff_id, since)

    turn = TurnServer(config.turn_urls, config.turn_secret) if config.turn_urls else None
    calls = Calls(database, clock, react, liveness.stamp_of, turn)
    visits = Visits(database, clock, react)
    nights = NightChecks(database, clock, react)
    agreements = Agreements(database, clock)
    absences = Absences(database, clock, react)
    consents = Consents(database, clock, react)
    alarms = Alarms(database, clock, react)
    # All that keeps a shift open, in the order it is listed. Rounds join here.
    holdings = (
        call_holding.HOLDING,
        dispatch_holding.holding(react),
        visit_holding.holding(react),
        people_holding.holding(react),
        alarm_holding.holding(alarms),
    )
    shifts = Shifts(database, clock, react, holdings)
    sealer = sealer_of(config)
    keeping = Keeping(database, clock, react, sealer)
    staffing_ = Staffing(database, clock, react)
    broker_url = config.broker_url_for_units or config.mqtt_url
    second_broker_url = config.second_broker_url_for_units or None
    authority = authority_of(config)
    devices = Devices(database, clock, react, (broker_url, second_broker_url), authority)
    react.calls, react.visits, react.devices = calls, visits, devices
    react.shifts = shifts
    react.nights, react.agreements = nights, agreements
    react.looks = night_looks = NightLooks(database, clock, react, liveness.stamp_of)
    react.staying = staying = Staying(database, clock, react, liveness.stamp_of)
    react.absences, react.consents = absences, consents
    witnesses = [witness.key for witness in addresses(config.witnesses)]
    staff_data = StaffData(database, clock, sealer)
    reviews = Reviews(database, reader, clock, staff_data, witnesses)
    react.reviews, react.alarms = reviews, alarms
    react.technical = technical = TechnicalAlarms(database, clock)
    return Services(
        database=database,
        reader=reader,
        clock=clock,
        access=Access(database, clock, react, holds_open),
        shifts=shifts,
        relations=Relations(database, clock),
        corrections=Corrections(database, clock, CORRECTABLES),
        staffing=staffing_,
        care_units=CareUnits(database, clock),
        lists=Lists(database, clock),
        people=People(database, clock),
        break_glass=BreakGlass(database, clock, react),
        absences=absences,
        endings=Endings(database, clock, react, consent_service.standing),
        keeping=keeping,
        importing=Importing(database, clock, keeping=keeping, staffing=staffing_, sealer=sealer),
        consents=consents,
        rules=Rules(database, clock),
        devices=devices,
        certificates=Certificates(database, clock, authority),
        calls=calls,
        dispatches=Dispatches(database, clock, react),
        alarms=alarms,
        alarm_units=AlarmUnits(database, clock, sealer),
        technical=technical,
        chains=Chains(database, clock, is_local=config.public_url.startswith("http://localhost")),
        deviations=Deviations(database, clock),
        receiving=Receiving(database, clock),
        visits=visits,
        insatser=Insatser(database, clock),
        nights=nights,
        night_looks=night_looks,
        disturbances=Disturbances(database, clock, react),
        staying=staying,
        tonight=Tonight(database, clock),
        agreements=agreements,
        passkeys=Passkeys(database, clock, config.public_url),
        searching=Searching(database, reader, clock),
        opening=Opening(database, reader),
        timelines=Timelines(database, reader),
        stories=Stories(database, reader),
        consent_history=ConsentHistory(database, reader, clock),
        publications=Publications(reader),
        verifying=Verifying(
            database,
            reader,
            clock,
            lambda: open_database(config.role_url("reader"), size=1),
            witnesses,
        ),
        reviews=reviews,
        staff_data=staff_data,
        findings=Findings(database, clock),
        reconciling=Reconciling(database, reader, clock),
        looks=Looks(database, reader, clock, reviews),
        requests=Requests(database, reader, clock),
        issuing=Issuing(database, reader, clock, witnesses),
        preservation=Preservation(database, reader, clock),
        reactions=react,
        liveness=liveness,
    )


def sealer_of(config: Config) -> Sealer | None:
    """Raises KeyUnusable."""
    return Sealer(read_key(Path(config.person_key_file))) if config.person_key_file else None


def authority_of(config: Config) -> Authority | None:
    """Raises AuthorityMissing."""
    return Authority.read(Path(config.broker_ca_dir)) if config.broker_ca_dir else None


def timer_handlers(made: Services) -> dict[str, Handler]:
    calls, visits = made.calls, made.visits
    return {
        opening.RING_OVER: calls.ring_over,
        opening.NEXT_UNIT: calls.next_unit,
        opening.MUST_END: calls.time_over,
        opening.NOT_CONNECTED: calls.not_connected,
        opening.HOME_LOST: calls.end_lost,
        opening.STAFF_LOST: calls.end_lost,
        visit_service.MISSED: visits.missed,
        visit_service.STEP_OVERDUE: visits.step_overdue,
        visit_service.HEAD: visits.to_head,
        visit_service.RING_AGAIN: visits.ring_again_missed,
        shift_service.LOOK: made.shifts.look,
        importing.IMPORT: made.importing.go_on,
        importing.FORGET: made.importing.forget,
        staffing.STAFF_ENDS: made.staffing.ends,
        consent_service.ASK_AGAIN: made.consents.ask_again,
        absence_service.BEGINS: made.absences.begins,
        absence_service.OVER: made.absences.over,
        ending_service.CARRY_OUT: made.endings.carry_out,
        log_reviews.OVERDUE: made.reviews.overdue,
        log_searching.FORGET: made.searching.forget,
        alarm_asking.NEXT: made.alarms.ask_next,
        alarm_arriving.UNANSWERED: made.alarms.unanswered,
        alarm_arriving.OWED: alarm_arriving.enter_owed,
        alarm_service.LEASE_OVER: made.alarms.lease_over,
        alarm_intake.NO_VOICE: alarm_intake.no_voice,
        alarm_units.SILENT: unit_trouble.fell_silent,
        night_planning.PLAN: made.nights.plan,
        night_planning.STEP: made.nights.step,
        night_agreements.REASSESS: made.agreements.reassess,
    }


def web_app(
    made: Services,
    config: Config,
    *,
    feed: Feed,
    brokers: Sequence[Broker],
    errands: Errands,
    is_demo: bool,
    extra: Sequence[Route] = (),
    direct: Sequence["TlsSite"] = (),
) -> web.Application:
    """`extra`: routes that only the demo has."""
    origins = Origins(config.public_url, frozenset(site.origin for site in direct))
    app = web.Application(
        middlewares=[border(origins, html.error_page)], client_max_size=MAX_BODY_BYTES
    )
    static = static_files.StaticFiles.of_package()
    app[access_http.ACCESS] = made.access
    app[night_http.NIGHTS] = made.nights
    app[disturbance_http.DISTURBANCES] = made.disturbances
    app[admin_nights.AGREEMENTS] = made.agreements
    app[night_http.NIGHT_LOOKS] = made.night_looks
    app[night_http.STAYING] = made.staying
    app[night_http.TONIGHT] = made.tonight
    app[shift_http.SHIFTS] = made.shifts
    app[people_http.PEOPLE] = made.people
    app[people_http.BREAK_GLASS] = made.break_glass
    app[people_http.RELATIONS] = made.relations
    app[people_http.CORRECTIONS] = made.corrections
    app[absence_http.ABSENCES] = made.absences
    app[consent_http.CONSENTS] = made.consents
    app[device_http.DEVICES] = made.devices
    app[device_http.CERTIFICATES] = made.certificates
    app[call_http.CALLS] = made.calls
    app[alarm_http.ALARMS] = made.alarms
    app[alarm_http.RECENT] = RecentAlarms(made.database, made.clock)
    app[technical_http.TECHNICAL] = made.technical
    app[technical_http.OVERVIEW] = Overview(made.database, made.clock)
    app[admin.CHAINS] = made.chains
    app[admin.DEVIATIONS] = made.deviations
    app[dispatch_http.DISPATCHES] = made.dispatches
    app[visit_http.VISITS] = made.visits
    _integrity(app, made)
    app[pages.PASSKEYS] = made.passkeys
    app[pages.BROKERS] = tuple(brokers)
    app[admin.STAFFING] = made.staffing
    app[admin.CARE_UNITS] = made.care_units
    app[admin_people.KEEPING] = made.keeping
    app[admin_alarm_units.ALARM_UNITS] = made.alarm_units
    app[admin_endings.ENDINGS] = made.endings
    app[admin_rules.LISTS] = made.lists
    app[admin_rules.INSATSER] = made.insatser
    app[admin_rules.RULES] = made.rules
    app[admin_import.IMPORTING] = made.importing
    app[admin.PUBLIC_URL] = config.public_url
    app[html.TEMPLATES] = html.templates(is_demo=is_demo)
    app[static_files.STATIC] = static
    app[FLOOR] = floor = Floor(
        database=made.database,
        clock=made.clock,
        feed=feed,
        boards=Boards(made.database, made.clock, feed),
        calls=made.calls,
        devices=made.devices,
        receiving=made.receiving,
        turn=made.calls.turn,
        version=static.version,
    )
    app[SCREENS] = Screens(floor, errands)
    routes = override(ROUTES, extra)
    app[openapi.DESCRIBED] = openapi.Described(routes)
    for route in routes:
        app.router.add_route(route.method, route.path, access_http.guarded(route))
    return app


def _integrity(app: web.Application, made: Services) -> None:
    """The log as the public, homes and reviewers see it."""
    app[log_public.READER] = made.reader
    app[log_public.TURNSTILE] = log_public.Turnstile(made.database, made.clock)
    app[audit_search.SEARCHING] = made.searching
    app[audit_search.OPENING] = made.opening
    app[audit_timelines.TIMELINES] = made.timelines
    app[audit_story.STORIES] = made.stories
    app[audit_consents.HISTORY] = made.consent_history
    app[audit_verify.VERIFYING] = made.verifying
    app[audit_verify.PUBLICATIONS] = made.publications
    app[audit_reviews.REVIEWS] = made.reviews
    app[audit_staff_data.STAFF_DATA] = made.staff_data
    app[looks_http.LOOKS] = made.looks
    app[audit_findings.FINDINGS] = made.findings
    app[audit_findings.RECONCILING] = made.reconciling
    app[audit_requests.REQUESTS] = made.requests
    app[audit_requests.ISSUING] = made.issuing
    app[audit_keeping.PRESERVATION] = made.preservation


def override(routes: Sequence[Route], extra: Sequence[Route]) -> Sequence[Route]:
    """`extra` stand before, and in place of those with the same method and path."""
    taken = {(route.method, route.path) for route in extra}
    return [*extra, *(r for r in routes if (r.method, r.path) not in taken)]


Prepare = Callable[[web.Application, Services], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TlsSite:
    """A further address that this process serves by TLS itself, beside the public one."""

    host: str
    port: int
    tls: ssl.SSLContext

    @property
    def origin(self) -> str:
        return f"https://{self.host}:{self.port}"


@contextlib.asynccontextmanager
async def serving(
    config: Config,
    clock: Clock,
    *,
    host: str,
    port: int,
    is_demo: bool = False,
    extra: Sequence[Route] = (),
    prepare: Prepare | None = None,
    direct: Sequence[TlsSite] = (),
) -> AsyncIterator[Services]:
    """The whole server, for the life of the block. `prepare` runs before it listens."""
    async with (
        open_database(config.role_url("app")) as database,
        open_database(config.role_url("reader"), size=READERS, least=0) as reader,
        open_database(config.role_url("ingest"), size=INGEST_CONNECTIONS) as ingest,
        open_database(config.role_url("app"), size=ALARM_CONNECTIONS) as alarm_database,
        speaking() as http,
    ):
        made = services(database, reader, clock, config)
        feed = Feed(database)
        outgoing = Outgoing()
        alive = Publish(topics.ALIVE, edge.Alive(epoch=uuid4()).model_dump_json().encode(), qos=0)
        unsealing = Unsealing(made.devices, outgoing.publish)
        inbox = Inbox(unsealing, made.devices, made.calls, made.liveness, outgoing.publish)
        events = EventLane(
            unsealing,
            made.devices,
            Ingest(ingest, clock),
            made.technical.reported,
            outgoing.publish,
        )
        alarm_devices = made.devices.on(alarm_database)
        alarms = AlarmLane(
            Unsealing(alarm_devices, outgoing.publish),
            alarm_devices,
            Arrivals(alarm_database, clock),
            outgoing.publish,
        )
        tls = server_tls(Path(config.broker_ca_dir)) if config.broker_ca_dir else None
        broker = Broker(config.mqtt_url, SIGNALS, inbox.take, tls=tls)
        alarm_broker = Broker(config.mqtt_url, ALARMS, alarms.take, outgoing.hello, tls)
        event_broker = Broker(config.mqtt_url, EVENTS, events.take, outgoing.hello, tls)
        outgoing.broker = broker
        database.dispatch = alarm_database.dispatch = outgoing.dispatch
        leases = Leases(made.calls, made.liveness, outgoing.publish)
        timers = Timers(database, clock, timer_handlers(made))
        centres = AlarmCentres(alarm_database, clock, http, config.public_url)
        letters = outbox.Outbox(alarm_database, clock, {alarm_asking.CENTRE: centres})

        async def make_partitions() -> None:
            async with database.across_tenants() as db:
                await db.execute(MAKE_PARTITIONS, PARTITIONS_AHEAD)
                await db.execute(MAKE_EVENT_PARTITIONS, clock.now(), PARTITIONS_AHEAD)

        async def say_alive() -> None:
            """Only while an alarm that came now would be stored (P4)."""
            if await alarm_database.is_up() and alarm_broker.is_up:
                alarm_broker.publish(alive)

        async def look_for_silent() -> None:
            await made.technical.look_for_silent(hears=broker.is_up)

        errands = Errands()
        app = web_app(
            made,
            config,
            feed=feed,
            brokers=(broker, event_broker, alarm_broker),
            errands=errands,
            is_demo=is_demo,
            extra=extra,
            direct=direct,
        )
        if prepare is not None:
            await prepare(app, made)
        receivers = await receivers_of(config, alarm_database, clock, sealer_of(config), errands)
        await made.calls.suspect_all()
        await made.devices.remember_units()
        async with (
            running(
                errands=errands.run(),
                feed=feed.run(),
                beat=every(BEAT, app[SCREENS].beat, limit=JOB_LIMIT),
                broker=broker.run(),
                events=event_broker.run(),
                alarms=alarm_broker.run(),
                receivers=receivers.run(),
                revocations=revoking(config, database, clock, tls),
                alive=every(edge.ALIVE_EVERY, say_alive, limit=JOB_LIMIT),
                outbox=every(outbox.ROUND, letters.send_due, limit=outbox.ROUND_LIMIT),
                timers=every(TICK, timers.run_due, limit=JOB_LIMIT),
                leases=every(LEASE_INTERVAL, leases.renew, limit=JOB_LIMIT),
                presence=every(PRESENCE_INTERVAL, made.devices.keep_signs_of_life, limit=JOB_LIMIT),
                comparing=every(COMPARE_INTERVAL, made.reconciling.go_on, limit=COMPARE_LIMIT),
                silent=every(LOOK_FOR_SILENT_EVERY, look_for_silent, limit=JOB_LIMIT),
                partitions=every(PARTITION_INTERVAL, make_partitions, limit=JOB_LIMIT),
            ),
            listening(app, host, port, direct),
        ):
            yield made


async def revoking(
    config: Config, database: Database, clock: Clock, tls: ssl.SSLContext | None
) -> None:
    """Ends at once where the broker asks for no certificates."""
    authority = authority_of(config)
    if authority is None or tls is None or not config.broker_revoked_file:
        return
    revocations = Revocations(
        database,
        clock,
        authority,
        Path(config.broker_revoked_file),
        partial(displace, config.mqtt_url, tls),
    )
    await every(LOOK_INTERVAL, revocations.look, limit=LOOK_LIMIT)


class Outgoing:
    """Effects after a commit: messages to units."""

    def __init__(self) -> None:
        self.broker: Broker | None = None

    def dispatch(self, effect: object) -> None:
        assert isinstance(effect, Publish)  # noqa: S101 - the only kind of effect there is
        self.publish(effect)

    def publish(self, message: Publish) -> None:
        if self.broker is not None:
            self.broker.publish(message)

    async def hello(self) -> None:
        """A new subscription: units replay what has no receipt."""
        hello = edge.Hello(epoch=uuid4())
        self.publish(Publish(topics.HELLO, hello.model_dump_json().encode()))


@contextlib.asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, direct: Sequence[TlsSite] = ()
) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_address=True).start()
        for site in direct:
            tls = site.tls
            await web.TCPSite(
                runner, site.host, site.port, reuse_address=True, ssl_context=tls
            ).start()
        yield
    finally:
        await app[SCREENS].close(SHUTDOWN_S)
        await runner.cleanup()

"""The command line: `telecare serve | migrate | demo | bench | tenant add | staff invite | …`.

Each command loads what it needs itself: what the demo's supervisor loads delays its first screen.
"""

import argparse
import asyncio
import getpass
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from uuid import UUID

from telecare.runtime import log
from telecare.runtime.errors import CannotStart, NotFound

Command = Callable[[argparse.Namespace], Coroutine[None, None, None]]


async def run_serve(options: argparse.Namespace) -> None:
    from telecare.app import serving
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config
    from telecare.runtime.ports import free_port
    from telecare.runtime.turns import settle

    config = Config.from_environment(os.environ, "mqtt_url")
    free_port(options.port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(config, SystemClock(), host=options.host, port=options.port):
        settle()
        await stop.wait()


async def run_sequencer(options: argparse.Namespace) -> None:
    from telecare.integrity.process import sequence
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config
    from telecare.runtime.tasks import running

    del options
    config = Config.from_environment(os.environ, "log_key_dir")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(sequencer=sequence(config, SystemClock())):
        await stop.wait()


async def run_witness(options: argparse.Namespace) -> None:
    """Sign heads of other people's logs; `key` makes the key and says what to tell them."""
    from telecare.integrity.witness_http import witness_key, witnessing
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import WitnessConfig
    from telecare.runtime.ports import free_port

    config = WitnessConfig.from_environment(os.environ)
    if options.what == "key":
        print(witness_key(config))
        return
    free_port(options.port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with witnessing(config, SystemClock(), host=options.host, port=options.port):
        await stop.wait()


async def run_audit_key(options: argparse.Namespace) -> None:
    """Make a municipality's signing key, or the one that will follow it; says its fingerprint.
    `show`: the lines that a witness knows its logs by.
    """
    from telecare.audit.note import ED25519, VerifierKey
    from telecare.integrity.keys import LogFiles
    from telecare.integrity.process import verifier_keys
    from telecare.runtime.config import Config

    config = Config.from_environment(os.environ, "log_key_dir")
    files = LogFiles(Path(config.log_key_dir))
    if options.which == "show":
        print("\n".join(map(str, verifier_keys(config, files, options.slug, options.log))))
        return
    made = files.make(options.slug) if options.which == "new" else files.make_next(options.slug)
    key = VerifierKey(options.slug, ED25519, made.public_key().public_bytes_raw())
    print(key.fingerprint)


async def run_audit_publish(options: argparse.Namespace) -> None:
    """Bring the newest head to every witness and address, and write the page for the diary."""
    from telecare.integrity.publish_command import publish
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config

    config = Config.from_environment(os.environ)
    told = await publish(
        config, options.slug, page=options.page, language=options.language, clock=SystemClock()
    )
    print("\n".join(told.lines))
    if told.status:
        sys.exit(told.status)


async def run_audit_reopen(options: argparse.Namespace) -> None:
    """Begin a new log after one that stopped: two people and a decision."""
    from telecare.integrity.reopening import Order, reopen
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config

    config = Config.from_environment(os.environ, "log_key_dir")
    order = Order.read(options.decision, options.by, getpass.getuser())
    print("\n".join((await reopen(config, options.slug, order, SystemClock())).lines))


async def run_audit_erase(options: argparse.Namespace) -> None:
    """Erase what records say: two people and a decision."""
    from telecare.integrity.erasing import Named, erase, order
    from telecare.runtime.config import Config

    named = Named.read(options.record, options.resident, options.number)
    given = order(
        options.decision, options.law, options.decided_by, options.done_by, getpass.getuser()
    )
    config = Config.from_environment(os.environ)
    print("\n".join((await erase(config, options.slug, named, given)).lines))


async def run_audit_retention(options: argparse.Namespace) -> None:
    """For how many years the log's texts are kept: two people and a decision."""
    from telecare.integrity.erasing import order, set_retention
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config

    login = getpass.getuser()
    given = order(options.decision, options.law, options.decided_by, options.done_by, login)
    config = Config.from_environment(os.environ)
    told = await set_retention(config, options.slug, options.years, given, login, SystemClock())
    print("\n".join(told.lines))


async def run_audit_verify(options: argparse.Namespace) -> None:
    """An extract, or a whole log; ends with 0, with 1 when something does not fit, 2 when it cannot
    be checked.
    """
    from telecare.integrity.verify_command import Wanted, verify_extract, verify_log
    from telecare.runtime.config import Config

    try:
        wanted = Wanted.read(options.key, options.checkpoint, options.since)
        if options.full or options.since:
            actor = getpass.getuser()
            config = Config.from_environment(os.environ)
            told = await verify_log(config, options.what, wanted, login=actor)
        else:
            told = verify_extract(options.what, wanted, of=options.of)
    except CannotStart as error:
        print(error.told)
        sys.exit(2)
    print("\n".join(told.lines))
    sys.exit(told.status)


async def run_backup(options: argparse.Namespace) -> None:
    """A copy of the whole database, with the archive of what follows."""
    from telecare.integrity.backup import backup
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config

    config = Config.from_environment(os.environ)
    told = await backup(config, Path(options.folder), options.keep, SystemClock())
    print("\n".join(told.lines))
    sys.exit(told.status)


async def run_restore(options: argparse.Namespace) -> None:
    """A cluster from a folder of backups: erasures are done again, every log is checked."""
    from telecare.integrity.restoring import moment, restore
    from telecare.runtime.config import Config

    until = moment(options.until)
    config = Config.from_environment(os.environ)
    told = await restore(config, Path(options.folder), Path(options.into), until, getpass.getuser())
    print("\n".join(told.lines))
    sys.exit(told.status)


async def run_migrate(options: argparse.Namespace) -> None:
    from telecare.runtime.config import Config
    from telecare.runtime.migrate import migrate

    del options
    for name in await migrate(Config.from_environment(os.environ).role_url("owner")):
        print(name)


async def run_demo(options: argparse.Namespace) -> None:
    from telecare.demo.run import DemoOptions, default_folder, demo

    log.begin(logging.WARNING)  # one short screen
    await demo(
        DemoOptions(
            folder=Path(options.data) if options.data else default_folder(),
            port=options.port,
            fresh=options.fresh,
            clock_file=options.clock,
            lan=options.lan,
            camera=options.camera,
        )
    )


async def run_simulate(options: argparse.Namespace) -> None:
    """Light homes against a running server, in a database of invented municipalities only."""
    from telecare.load.command import Load, say_live, simulate
    from telecare.load.living import Pace
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config

    config = Config.from_environment(os.environ, "mqtt_url")
    pace = Pace(options.events, options.alarms, options.outages, options.outage_seconds)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    load = Load(options.homes, pace, options.seconds)
    told = await simulate(load, config, SystemClock(), stop, say_live)
    print("\n" + "\n".join(told))


async def run_bench(options: argparse.Namespace) -> None:
    from telecare.bench.run import BenchOptions, bench

    await bench(
        BenchOptions(
            options.name,
            rounds=options.rounds if options.homes is None else options.homes,
            kind=options.kind,
            as_json=options.json,
        )
    )


async def run_roles(options: argparse.Namespace) -> None:
    from telecare.runtime.migrate import roles_sql

    del options
    print(roles_sql())


async def run_tenant_add(options: argparse.Namespace) -> None:
    """A municipality; with `--head`, a first unit and the one-time link of its head."""
    from telecare.access import passkeys
    from telecare.access import store as access_store
    from telecare.access.staffing import first_head
    from telecare.audit.model import CommandLineActor, actor_text
    from telecare.consent.tenants import add_tenant
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config, check_slug
    from telecare.runtime.db import open_database

    config = Config.from_environment(os.environ)
    actor = CommandLineActor(getpass.getuser())
    clock = SystemClock()
    check_slug(options.slug)
    async with (
        open_database(config.role_url("app"), size=1) as database,
        database.across_tenants(actor_text(actor)) as db,
    ):
        if await access_store.tenant_by_slug(db, options.slug):
            raise SystemExit(f"telecare: A municipality is called {options.slug} already.")
        await add_tenant(
            db,
            slug=options.slug,
            name=options.name,
            phone=options.phone,
            actor=actor,
            now=clock.now(),
        )
        if not options.head:
            return
        head = await first_head(
            db,
            name=options.head,
            provider=options.name,
            unit=options.unit,
            phone=options.phone,
            actor=actor,
            now=clock.now(),
        )
        token = await passkeys.invite(db, head, actor, clock)
    print(f"{config.public_url}/invitation#{token}")


async def run_invite(options: argparse.Namespace) -> None:
    """A one-time link for a member of staff, who registers a passkey with it."""
    from telecare.access import passkeys
    from telecare.access import store as access_store
    from telecare.audit.model import CommandLineActor
    from telecare.runtime.clock import SystemClock
    from telecare.runtime.config import Config
    from telecare.runtime.db import open_database
    from telecare.wire.ids import StaffId

    config = Config.from_environment(os.environ)
    actor = CommandLineActor(getpass.getuser())
    async with open_database(config.role_url("app"), size=1) as database:
        async with database.across_tenants() as db:
            tenant = await access_store.tenant_by_slug(db, options.tenant)
        if tenant is None:
            raise SystemExit(f"telecare: No municipality is called {options.tenant}.")
        async with database.transaction(tenant.id) as db:
            try:
                token = await passkeys.invite(
                    db, StaffId(UUID(options.staff)), actor, SystemClock()
                )
            except (NotFound, ValueError) as error:
                raise SystemExit("telecare: Nobody with that id works there.") from error
    print(f"{config.public_url}/invitation#{token}")


async def run_broker_config(options: argparse.Namespace) -> None:
    """Everything Mosquitto needs for real homes, into a folder; run again, the authority stays."""
    from telecare.devices.broker_config import write_broker_config
    from telecare.runtime.clock import SystemClock

    into = Path(options.folder)
    installed_at = options.installed_at or str((into / "broker").resolve())
    write_broker_config(into, options.host, installed_at, SystemClock().now())


def _add_audit(audit: argparse.ArgumentParser) -> None:
    audits = audit.add_subparsers(required=True, metavar="what")
    key = audits.add_parser("key", help="make or show a municipality's signing key")
    key.set_defaults(run=run_audit_key)
    key.add_argument("which", choices=["new", "rotate", "show"])
    key.add_argument("slug", help="the municipality's short name")
    key.add_argument("--log", type=int, default=1, help="show: which of its logs")
    publish = audits.add_parser("publish", help="bring the newest head to witnesses and mailboxes")
    publish.set_defaults(run=run_audit_publish)
    publish.add_argument("slug", help="the municipality's short name")
    publish.add_argument("--page", default="", help="write a page for the diary to this file")
    publish.add_argument("--language", choices=["sv", "fi", "en"], default="sv")
    reopen = audits.add_parser("reopen", help="begin a new log after one that stopped")
    reopen.set_defaults(run=run_audit_reopen)
    reopen.add_argument("slug", help="the municipality's short name")
    reopen.add_argument("--decision", required=True, help="its number in the diary")
    reopen.add_argument("--by", action="append", default=[], help="who decided; twice")
    erase = audits.add_parser("erase", help="erase what records say, by decision")
    erase.set_defaults(run=run_audit_erase)
    _add_decision(erase)
    erase.add_argument("--record", action="append", default=[], help="LOG/FIRST-LAST")
    erase.add_argument("--resident", default="", help="whose records; with --number")
    erase.add_argument("--number", action="append", default=[], help="her own: FIRST-LAST")
    retention = audits.add_parser("retention", help="how long the log's texts are kept")
    retention.set_defaults(run=run_audit_retention)
    _add_decision(retention)
    retention.add_argument("--years", type=int, required=True, help="five at least")
    verify = audits.add_parser("verify", help="check an extract, or with --full a whole log")
    verify.set_defaults(run=run_audit_verify)
    verify.add_argument("what", help="an extract's file, or a municipality's short name")
    verify.add_argument("--full", action="store_true", help="the municipality's whole log")
    verify.add_argument("--since", default="", help="its whole tree, and texts from that date on")
    verify.add_argument("--key", default="", help="the published public key, in hexadecimal")
    verify.add_argument("--checkpoint", action="append", default=[], help="a head you hold, a file")
    verify.add_argument("--of", default="", help="whose extract it must be: a short name")


def _add_devices(devices: argparse.ArgumentParser) -> None:
    what = devices.add_subparsers(required=True, metavar="what")
    broker_config = what.add_parser(
        "broker-config", help="write Mosquitto's configuration, certificates and rights"
    )
    broker_config.set_defaults(run=run_broker_config)
    broker_config.add_argument("folder", help="broker/ is for its machine, server/ for ours")
    broker_config.add_argument(
        "--host", action="append", required=True, help="what homes and server call it; repeat"
    )
    broker_config.add_argument(
        "--installed-at", default="", help="where broker/ lies on the broker's machine"
    )


def _add_decision(command: argparse.ArgumentParser) -> None:
    command.add_argument("slug", help="the municipality's short name")
    command.add_argument("--decision", required=True, help="its number in the diary")
    command.add_argument("--law", required=True, help="the legal basis")
    command.add_argument("--decided-by", required=True, help="who decided")
    command.add_argument("--done-by", required=True, help="who carries it out: somebody else")


def _add_simulate(simulating: argparse.ArgumentParser) -> None:
    simulating.add_argument("--homes", type=int, required=True, help="how many, at most 100,000")
    simulating.add_argument("--seconds", type=float, help="for how long; else until Ctrl-C")
    simulating.add_argument("--events", type=float, default=12.0, help="of each home an hour; 12")
    simulating.add_argument("--alarms", type=float, default=0.0, help="of each home an hour; 0")
    simulating.add_argument("--outages", type=float, default=0.0, help="of each home an hour; 0")
    simulating.add_argument("--outage-seconds", type=float, default=60.0, help="how long; 60")


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="telecare")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text)
        made.set_defaults(run=run)
        return made

    serve = command("serve", run_serve, "run the server")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8080)
    command("sequencer", run_sequencer, "keep and sign the log's tree")
    witness = command("witness", run_witness, "sign heads of other people's logs")
    witness.add_argument("what", nargs="?", choices=["serve", "key"], default="serve")
    witness.add_argument("--host", default="127.0.0.1")
    witness.add_argument("--port", type=int, default=8090)
    _add_audit(commands.add_parser("audit", help="keys and proofs of the log"))
    backup_ = command("backup", run_backup, "copy the database, and rotate old copies away")
    backup_.add_argument("folder", help="where copies, archive and the journal of erasures are")
    backup_.add_argument("--keep", type=int, default=35, help="days a copy is kept; 35")
    restore_ = command("restore", run_restore, "make a database of a folder of backups")
    restore_.add_argument("folder", help="where copies, archive and the journal of erasures are")
    restore_.add_argument("into", help="a new folder; the cluster lies in its data/")
    restore_.add_argument("--until", default="", help="not to its end, but to that moment")
    command("migrate", run_migrate, "bring the database's tables up to date")
    command("roles", run_roles, "print the SQL that makes the login roles")
    demo_ = command("demo", run_demo, "run everything here, with invented people")
    demo_.add_argument("--data", default="", help="where the data is kept")
    demo_.add_argument("--port", type=int, default=0, help="8080 or the next free one")
    demo_.add_argument("--fresh", action="store_true", help="throw the data away first")
    demo_.add_argument("--clock", default="", help="a file with seconds to move the clock by")
    demo_.add_argument("--lan", action="store_true", help="let devices on this network in, by code")
    demo_.add_argument(
        "--camera", nargs="?", const="/dev/video0", default="", help="a real camera at Ingrid's"
    )
    _add_simulate(command("simulate", run_simulate, "simulated homes against a running server"))
    bench_ = command("bench", run_bench, "measure a speed beside its reference")
    bench_.add_argument("name", help="one it does not know names them all")
    bench_.add_argument("--json", action="store_true", help="one JSON object as the last line")
    bench_.add_argument(
        "--rounds", type=int, help="how many times; for screens and homes, how many of them"
    )
    bench_.add_argument("--kind", default="", help="of first-picture: look")
    bench_.add_argument("--homes", type=int, help="of round: how many homes")
    tenant = command("tenant", run_tenant_add, "add a municipality")
    tenant.add_argument("action", choices=["add"])
    tenant.add_argument("slug")
    tenant.add_argument("name")
    tenant.add_argument("--phone", required=True)
    tenant.add_argument("--head", default="", help="the first unit head; prints her one-time link")
    tenant.add_argument("--unit", default="Hemtjänsten", help="the name of her unit")
    _add_devices(commands.add_parser("devices", help="the broker of the home units"))
    invite = command("staff", run_invite, "invite a member of staff to sign in")
    invite.add_argument("action", choices=["invite"])
    invite.add_argument("tenant", help="the municipality's short name")
    invite.add_argument("staff", help="the id of the member of staff")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    options = parsed(arguments)
    log.begin()
    try:
        asyncio.run(options.run(options))
    except CannotStart as error:
        raise SystemExit(error.told) from error
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

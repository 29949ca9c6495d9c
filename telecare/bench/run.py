"""`telecare bench NAME`: brings up what it needs, measures, prints. Judges nothing: exit is 0."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from telecare.bench.alarm import alarm, alarm_under_replay
from telecare.bench.boot import boot
from telecare.bench.cut import cut
from telecare.bench.first_picture import first_picture
from telecare.bench.homes import homes
from telecare.bench.ingest import ingest, ingest_db
from telecare.bench.log import audit_append, audit_proof, audit_sequence, audit_verify
from telecare.bench.night import look, round_of
from telecare.bench.report import Part, lines, load_now, made
from telecare.bench.screens import screens
from telecare.bench.search import audit_search
from telecare.runtime.errors import CannotStart

Measure = Callable[[int | None], Awaitable[list[Part]]]

BENCHES: Mapping[str, Measure] = {
    "alarm": alarm,
    "alarm-under-replay": alarm_under_replay,
    "audit-append": audit_append,
    "audit-proof": audit_proof,
    "audit-search": audit_search,
    "audit-sequence": audit_sequence,
    "audit-verify": audit_verify,
    "boot": boot,
    "cut": cut,
    "first-picture": first_picture,
    "first-picture look": look,
    "homes": homes,
    "ingest": ingest,
    "ingest-db": ingest_db,
    "round": round_of,
    "screens": screens,
}


class BenchUnknown(CannotStart):
    """There is no bench of that name."""


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """`rounds`: None for the bench's own number (for `screens` and `homes`, how many of them)."""

    name: str
    rounds: int | None = None
    kind: str = ""
    as_json: bool = False


async def bench(options: BenchOptions) -> None:
    name = f"{options.name} {options.kind}".strip()
    measure = BENCHES.get(name)
    if measure is None:
        raise BenchUnknown(f"{name}; there are {', '.join(sorted(BENCHES))}")
    load = load_now()
    report = made(name, await measure(options.rounds), load)
    for line in lines(report):
        print(line)
    if options.as_json:
        print(report.model_dump_json())

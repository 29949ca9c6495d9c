"""Go's own checksum-database code accepts what a log and its witness publish, and nothing altered.

Whole processes: server, sequencer, witness. The program is tests/goverify, of Debian's packages.
"""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import unused_port

from telecare.app import services
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Record
from telecare.audit.note import Checkpoint, Note, VerifierKey
from telecare.audit.tree import TILE_WIDTH, consistency, hashes, in_tile, tile_path, tiles
from telecare.demo.seed import ACTOR
from telecare.integrity import extract
from telecare.integrity.witness_http import witness_key
from telecare.runtime.clock import SystemClock
from telecare.runtime.config import Config, WitnessConfig
from telecare.runtime.db import open_database
from telecare.runtime.embedded import process
from telecare.runtime.embedded.postgres import SUPERUSER
from tests.flows.conftest import remove, started
from tests.world import World

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
]

GOPATH = Path("/usr/share/gocode")
SOURCE = Path(__file__).parents[1] / "goverify" / "main.go"
SIGNED_S = 100
"""A second head is signed a minute after the first."""


@pytest.fixture(scope="module")
def goverify():
    """Build it; the packages are not there on every machine."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod").exists():
        pytest.skip("golang-go or golang-golang-x-mod-dev is not installed")
    folder = Path(tempfile.mkdtemp(prefix="telecare-go-"))
    environment = {
        **os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }  # fmt: skip
    program = folder / "goverify"
    subprocess.run(["go", "build", "-o", program, SOURCE], check=True, env=environment)
    yield program
    shutil.rmtree(folder)


@dataclass
class Town:
    """A municipality with its own log, and the neighbour's witness."""

    stack: object
    world: World
    slug: str
    witness_folder: Path
    witness_port: int
    witness: object = None

    @property
    def base(self) -> str:
        return f"{self.stack.url}/t/{self.slug}/audit/1/"

    async def write(self, count: int) -> None:
        async with self.world.begun() as db:
            for _ in range(count):
                await append(db, Record(Action.SEARCHED, ACTOR))

    def start_witness(self) -> None:
        with (self.stack.folder / "witness.log").open("ab") as output:
            self.witness = process.start(
                [sys.executable, "-m", "telecare", "witness", "--port", str(self.witness_port)],
                output=output,
                environment=self.stack.environment,
            )

    async def head(self, *, least: int, signatures: int = 1) -> str:
        """As anybody fetches it, once it is so large and so often signed."""
        async with asyncio.timeout(SIGNED_S), aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"{self.base}checkpoint") as answer:
                    text = await answer.text()
                if answer.status == 200:
                    note = Note.parse(text)
                    size = Checkpoint.parse(note.text).size
                    if size >= least and len(note.signatures) >= signatures:
                        return text
                await asyncio.sleep(0.2)


@asynccontextmanager
async def town():
    folder = Path(tempfile.mkdtemp(prefix="telecare-town-"))
    witness = folder / "neighbour"
    port = unused_port()
    named = {"TELECARE_WITNESS_DIR": str(witness), "TELECARE_WITNESS_NAME": "neighbour.example"}
    config = WitnessConfig(folder=str(witness), name="neighbour.example")
    vkey = str(witness_key(config))
    stack = await started(
        folder, is_demo=False, TELECARE_WITNESSES=f"http://127.0.0.1:{port} {vkey}", **named
    )
    stack.extra["TELECARE_LOG_KEY_DIR"] = str(stack.services.log_key_dir)
    own = Config.from_environment(stack.environment)
    (folder / "witness.vkey").write_text(vkey)
    made = None
    try:
        async with (
            open_database(own.role_url("app"), size=3) as database,
            open_database(own.role_url("reader"), size=2) as reader,
        ):
            database.dispatch = lambda effect: None
            made = services(database, reader, SystemClock(), own)
            async with World.found(made, stack.services.postgres.url(SUPERUSER)) as world:
                [row] = await world.rows("select slug from tenant where id = $1", world.tenant)
                made = Town(stack, world, row["slug"], witness, port)
                yield made
    finally:
        if isinstance(made, Town) and made.witness is not None:
            process.stop(made.witness, signal.SIGTERM, 10)
        stack.stop()
        remove(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def published(goverify):
    """What a stranger has fetched: two heads, all tiles, an extract; as files."""
    async with town() as made:
        stack = made.stack
        await stack.telecare("audit", "key", "new", made.slug)
        vkey = await stack.telecare("audit", "key", "show", made.slug)
        (made.witness_folder / "logs.vkeys").write_text(f"{vkey}\n")
        ingrid = await made.world.resident("Ingrid")
        await made.write(120)
        made.start_witness()
        process.stop(stack.sequencer, signal.SIGTERM, 10)  # it would wait before it asks again
        stack.start_sequencer()
        await made.head(least=120)
        await stack.telecare("audit", "publish", made.slug)  # its hourly one may have been before
        old = await made.head(least=120, signatures=2)
        await made.write(300)
        await made.head(least=420)
        page = stack.folder / "page.html"
        said = await stack.telecare("audit", "publish", made.slug, "--page", str(page))
        assert "has signed" in said
        new = await made.head(least=420, signatures=2)
        files = {"checkpoint": new.encode(), "checkpoint.old": old.encode()}
        files |= await fetched(made, Checkpoint.parse(Note.parse(new).text).size)
        package = await extract_of(made, ingrid, VerifierKey.parse(
            (stack.folder / "witness.vkey").read_text()))  # fmt: skip
        assert "Nothing" in await stack.telecare("audit", "verify", made.slug, "--full")
        files["log.vkey"] = vkey.encode()
        files["witness.vkey"] = (stack.folder / "witness.vkey").read_bytes()
        files["proofs.json"] = proofs(files, package)
        assert str(Note(Note.parse(new).text)).split("\n")[2] in page.read_text()
        yield files, package


async def fetched(made: Town, size: int) -> dict[str, bytes]:
    found = {}
    async with aiohttp.ClientSession() as http:
        for level, n, width in tiles(size):
            path = tile_path(level, n, width)
            async with http.get(made.base + path) as answer:
                assert answer.status == 200
                found[path] = await answer.read()
    return found


async def extract_of(made: Town, person, witness: VerifierKey) -> bytes:
    [row] = await made.world.rows(
        "select n from audit.subject_counter where resident_id = $1", person.id
    )
    order = extract.Order(
        resident_id=person.id, name=person.name, last_number=row["n"], language="sv",
        made_at=made.world.now, witnesses=[witness],
    )  # fmt: skip
    async with made.world.services.reader.transaction(made.world.tenant) as db:
        return extract.zipped(await extract.make(db, order))


def proofs(files: dict[str, bytes], package: bytes) -> bytes:
    """The extract's records with their proofs, and how the new head follows from the old."""
    stored = {}
    head, old = (
        Checkpoint.parse(Note.parse(files[name].decode()).text)
        for name in ("checkpoint", "checkpoint.old")
    )
    for level, n, width in tiles(head.size):
        packed = files[tile_path(level, n, width)]
        for at in range(width):
            stored[level * 8, n * TILE_WIDTH + at] = in_tile(packed, at)
    between = hashes(consistency(old.size, head.size), stored.__getitem__)
    with tempfile.TemporaryFile() as file:
        file.write(package)
        with zipfile.ZipFile(file) as opened:
            lines = map(json.loads, opened.read("records.jsonl").splitlines())
            records = [
                {"index": one["index"], "entry": one["entry"], "proof": one["proof"]}
                for one in lines
            ]
    return json.dumps(
        {"old": [base64.b64encode(one).decode() for one in between], "records": records}
    ).encode()


def judged(goverify: Path, folder: Path, files: dict[str, bytes]) -> tuple[int, str]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    run = subprocess.run([goverify, folder], capture_output=True, check=False, text=True)
    return run.returncode, run.stdout + run.stderr


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def test_go_accepts_the_log_its_witness_and_its_proofs(published, goverify, tmp_path):
    files, _ = published

    code, said = judged(goverify, tmp_path, files)

    assert code == 0, said
    print(said)  # noqa: T201
    assert said.count("OK") == 4
    assert "tile/0/000" in files
    assert "tile/1/000.p/1" in files


def test_go_refuses_each_file_with_one_bit_turned(published, goverify, tmp_path):
    files, _ = published
    accepted = []
    for name in files:
        for at in {len(files[name]) // 3, len(files[name]) - 5}:
            folder = tmp_path / f"{name.replace('/', '-')}-{at}"
            code, said = judged(goverify, folder, {**files, name: flipped(files[name], at)})
            if code == 0 or "panic" in said:
                accepted.append((name, at, said))
    assert accepted == []


def test_go_refuses_another_record_and_another_past(published, goverify, tmp_path):
    files, _ = published
    told = json.loads(files["proofs.json"])
    entry = base64.b64decode(told["records"][0]["entry"])
    for change in (
        {"records": [{**told["records"][0], "entry": base64.b64encode(entry + b" ").decode()}]},
        {"records": [{**told["records"][0], "index": told["records"][0]["index"] + 1}]},
        {"old": told["old"][:-1]},
        {"old": [*told["old"][:-1], told["old"][0]]},
    ):
        folder = tmp_path / str(abs(hash(str(change))))
        changed = {**files, "proofs.json": json.dumps({**told, **change}).encode()}
        assert judged(goverify, folder, changed)[0] == 1


def test_the_extract_says_when_the_witness_saw_it_to_a_program_that_stands_alone(
    published, tmp_path
):
    _, package = published
    (tmp_path / "extract.zip").write_bytes(package)
    with zipfile.ZipFile(tmp_path / "extract.zip") as opened:
        (tmp_path / "verify.py").write_bytes(opened.read("verify.py"))

    run = subprocess.run(
        [sys.executable, "-I", "-S", tmp_path / "verify.py", tmp_path / "extract.zip"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout
    assert "3. Vittnet neighbour.example såg logg 1 20" in run.stdout

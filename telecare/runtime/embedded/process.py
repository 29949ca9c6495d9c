"""Child processes that die with us and that Ctrl-C does not reach directly."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
"""prctl(2). Fires when the thread that forked ends: children are started on the main thread."""


def start(
    command: Sequence[str],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
    output: IO[bytes] | int | None = None,
    stdin: int | None = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start `command` in a session of its own; it gets `death_signal` when we are gone."""
    library = ctypes.CDLL(None)
    parent = os.getpid()

    def die_with_parent() -> None:
        library.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(  # noqa: S603 - our own commands, no shell
        command,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one thread at this point, by contract
        env=dict(environment) if environment is not None else None,
        cwd=folder,
    )


def stop(process: "subprocess.Popen[bytes]", how: signal.Signals, limit_s: float) -> None:
    """Ask with `how`, wait up to `limit_s`, then kill."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

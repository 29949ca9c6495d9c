"""The witness's own small server, beside which nothing of the care system runs.

`POST /add-checkpoint` (C2SP tlog-witness); `GET /SHA-256-OF-ORIGIN/checkpoint`, the newest head it
has signed of a log; `GET /`, its key and its logs for people to read.
"""

import contextlib
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from telecare.audit.note import COSIGNATURE_V1, Checkpoint, NoteMalformed, VerifierKey
from telecare.integrity.submission import MAX_BYTES, SIZE_TYPE, path_of
from telecare.integrity.witness import (
    AnotherHead,
    Witness,
    WitnessFiles,
    WitnessRefusal,
    WitnessUnusable,
)
from telecare.runtime.clock import Clock
from telecare.runtime.config import WitnessConfig

log = logging.getLogger(__name__)

WITNESS = web.AppKey("witness", Witness)


async def add_checkpoint(request: web.Request) -> web.Response:
    """Sign a head that follows from the last."""
    try:
        line = await request.app[WITNESS].add(await request.read())
    except AnotherHead as error:
        log.warning("head refused", extra={"status": error.status})
        body = f"{error.size}\n".encode()
        return web.Response(status=error.status, body=body, headers={"Content-Type": SIZE_TYPE})
    except WitnessRefusal as error:
        log.warning("head refused", extra={"status": error.status})
        return web.Response(status=error.status, text=f"{type(error).__name__}\n")
    return web.Response(text=line)


async def newest_head(request: web.Request) -> web.Response:
    """The newest head it has signed of a log."""
    witness = request.app[WITNESS]
    for origin in witness.logs:
        head = witness.head(origin)
        if head is not None and request.path == path_of(origin):
            return web.Response(text=str(head), headers={"Cache-Control": "no-cache"})
    raise web.HTTPNotFound


async def front(request: web.Request) -> web.Response:
    """Who it is, and what it has seen."""
    witness = request.app[WITNESS]
    lines = [str(witness.key), f"fingerprint {witness.key.fingerprint}", ""]
    for origin in witness.logs:
        head = witness.head(origin)
        size = Checkpoint.parse(head.text).size if head else 0
        lines.append(f"{origin} {size} {path_of(origin)}")
    return web.Response(text="\n".join(lines) + "\n")


def witness_app(witness: Witness) -> web.Application:
    app = web.Application(client_max_size=MAX_BYTES)
    app[WITNESS] = witness
    app.router.add_post("/add-checkpoint", add_checkpoint)
    app.router.add_get("/{digest}/checkpoint", newest_head)
    app.router.add_get("/", front)
    return app


def witness_key(config: WitnessConfig) -> VerifierKey:
    """Its key, made the first time: what the logs' keepers are told. Raises WitnessUnusable."""
    public = WitnessFiles(Path(config.folder)).key().public_key().public_bytes_raw()
    try:
        return VerifierKey.parse(str(VerifierKey(config.name, COSIGNATURE_V1, public)))
    except NoteMalformed as error:
        raise WitnessUnusable(f"name {config.name}") from error


@contextlib.asynccontextmanager
async def witnessing(
    config: WitnessConfig, clock: Clock, *, host: str, port: int
) -> AsyncIterator[Witness]:
    """The whole witness, for the life of the block. Raises WitnessUnusable."""
    witness_key(config)
    files = WitnessFiles(Path(config.folder))
    lock = files.take()
    try:
        witness = Witness(config.name, files, clock)
        runner = web.AppRunner(witness_app(witness), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, reuse_address=True).start()
            yield witness
        finally:
            await runner.cleanup()
    finally:
        os.close(lock)

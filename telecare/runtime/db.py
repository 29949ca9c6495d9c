"""PostgreSQL: one transaction is one use case of one tenant. The only importer of asyncpg."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncpg

from telecare.runtime.errors import CannotStart, DatabaseUnavailable, Refusal, TelecareError
from telecare.wire.ids import TenantId

if TYPE_CHECKING:
    from asyncpg.pool import Pool

    type_pool = Pool[asyncpg.Record]
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    Row = asyncpg.Record
else:
    Row = asyncpg.Record

log = logging.getLogger(__name__)

STATEMENT_LIMIT_MS = 10_000
POOL_SIZE = 10

BEGIN = "begin; set local app.tenant = '{}'"
"""One round trip for both; what stands in it is a number of ours, or nothing."""
ENTER = "select set_config('app.tenant', $1, true), set_config('app.actor', $2, true)"
NOTIFY = "select pg_notify('telecare', topic) from unnest($1::text[]) as topic"

UniqueViolation = asyncpg.UniqueViolationError
DatabaseExists = asyncpg.DuplicateDatabaseError
LockTaken = asyncpg.LockNotAvailableError
RefusedByDatabase = asyncpg.PostgresError
"""Any statement that the database answered with an error; a lost connection is one too."""
NoSuchPartition = asyncpg.CheckViolationError
"""Also any other check: of an insert into a partitioned table that has none."""


class DatabaseUnreachable(CannotStart):
    """TELECARE_DATABASE_URL leads to no database that lets this login in. Is PostgreSQL up, and
    have `telecare roles` and `telecare migrate` been run?
    """


_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # a full disk, no memory, too many connections
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that died under a statement, when it is put back
)

Effect = object
"""A frozen dataclass that says what must happen after the commit; lost in a crash."""


class Transaction:
    """An open transaction. asyncpg's values are untyped: stores turn rows into dataclasses."""

    __slots__ = ("_connection", "effects", "tenant", "topics")

    def __init__(self, connection: "Connection", tenant: TenantId) -> None:
        self._connection = connection
        self.tenant = tenant
        self.effects: list[Effect] = []
        self.topics: set[str] = set()

    async def fetch(self, sql: str, *values: object) -> Sequence[Row]:
        return await self._connection.fetch(sql, *values)

    async def fetchrow(self, sql: str, *values: object) -> Row | None:
        return await self._connection.fetchrow(sql, *values)

    async def fetchval(self, sql: str, *values: object) -> Any:
        return await self._connection.fetchval(sql, *values)

    async def execute(self, sql: str, *values: object) -> None:
        await self._connection.execute(sql, *values)

    async def enter(self, tenant: TenantId, actor: str) -> None:
        """Become `tenant` for the rest of the transaction (after a cross-tenant function)."""
        self.tenant = tenant
        await self._connection.execute(ENTER, str(tenant or ""), actor)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Work that may be refused without undoing the rest."""
        steps = ("savepoint kept", "release savepoint kept", "rollback to savepoint kept")
        async with _bracketed(self._connection, *steps):
            yield

    def after_commit(self, effect: Effect) -> None:
        self.effects.append(effect)

    def changed(self, topic: str) -> None:
        """Tell every process, at commit, that what `topic` shows has changed (ids only)."""
        self.topics.add(topic)


class Database:
    """Makes transactions. `dispatch` receives each effect once its transaction is committed."""

    def __init__(self, pool: "type_pool") -> None:
        self._pool = pool
        self.dispatch: Callable[[Effect], None] = _drop

    @asynccontextmanager
    async def transaction(self, tenant: TenantId, actor: str = "") -> AsyncIterator[Transaction]:
        """One use case. A `Refusal` rolls back, leaves its record, and goes on to the caller.

        `actor` is the audit document of whoever acts; triggers record it.
        Raises DatabaseUnavailable when the database cannot be reached.
        """
        with _translated():
            try:
                async with self._begun(tenant, actor) as db:
                    yield db
            except Refusal as refusal:
                async with self._begun(tenant, actor) as db:
                    await refusal.record.write(db)
                refusal.is_recorded = True
                raise
        self._carry_out(db)

    @asynccontextmanager
    async def across_tenants(self, actor: str = "") -> AsyncIterator[Transaction]:
        """For the few SECURITY DEFINER functions; no row of any tenant is visible before them."""
        with _translated():
            async with self._begun(TenantId(0), actor) as db:
                yield db
        self._carry_out(db)

    @asynccontextmanager
    async def one_question(self) -> AsyncIterator[Transaction]:
        """As `across_tenants`, for one statement that reads: it is a transaction by itself, and
        three round trips shorter.

        Raises DatabaseUnavailable.
        """
        with _translated():
            async with self._pool.acquire() as connection:
                yield Transaction(connection, TenantId(0))

    async def alone(self, sql: str) -> None:
        """A statement that cannot be in a transaction. Raises DatabaseUnavailable."""
        with _translated():
            async with self._pool.acquire() as connection:
                await connection.execute(sql)

    async def is_up(self) -> bool:
        try:
            async with self._pool.acquire() as connection:
                return bool(await connection.fetchval("select 1") == 1)
        except _LOST:
            return False

    async def listen(
        self, channel: str, heard: Callable[[str], None], lost: Callable[[], None]
    ) -> Callable[[], Awaitable[None]]:
        """Call `heard(payload)` per notification until the returned function is awaited.

        `lost` is called once when the connection goes; whatever was notified then is gone.
        Raises DatabaseUnavailable.
        """
        with _translated():
            connection = await self._pool.acquire()
            try:
                await connection.add_listener(channel, lambda *parts: heard(str(parts[3])))
                connection.add_termination_listener(lambda *_: lost())
            except BaseException:
                await self._pool.release(connection)
                raise

        async def stop() -> None:
            with suppress(asyncpg.InterfaceError):  # a lost connection has left the pool by itself
                await connection.close()
            await self._pool.release(connection)

        return stop

    @asynccontextmanager
    async def _begun(self, tenant: TenantId, actor: str) -> AsyncIterator[Transaction]:
        begin = BEGIN.format(int(tenant) or "")
        async with (
            self._pool.acquire() as connection,
            _bracketed(connection, begin, "commit", "rollback"),
        ):
            db = Transaction(connection, tenant)
            if actor:
                await db.enter(tenant, actor)
            yield db
            if db.topics:
                await db.execute(NOTIFY, sorted(db.topics))

    def _carry_out(self, db: Transaction) -> None:
        for effect in db.effects:
            self.dispatch(effect)


@asynccontextmanager
async def _bracketed(
    connection: "Connection", begin: str, keep: str, undo: str
) -> AsyncIterator[None]:
    """Statements without values: `begin`, and at the end `keep` or, after any error, `undo`."""
    await connection.execute(begin)
    try:
        yield
    except BaseException:
        await connection.execute(undo)
        raise
    await connection.execute(keep)


class _translated:  # noqa: N801 - reads as a word in a with statement
    """What another try may mend becomes DatabaseUnavailable; anything else goes on."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _LOST) and not isinstance(error, TelecareError):
            raise DatabaseUnavailable from error


def _drop(effect: Effect) -> None:
    log.error("effect without a dispatcher", extra={"effect": type(effect).__name__})


async def _keep(connection: object) -> None:
    """Nothing outlives a transaction here (settings are local to it): no reset is needed, which
    would be one more round trip each."""


@asynccontextmanager
async def open_database(
    url: str, *, size: int = POOL_SIZE, least: int = 1
) -> AsyncIterator[Database]:
    """At most `size` connections, and at least `least` from the start.

    Raises DatabaseUnreachable.
    """
    pool = asyncpg.create_pool(
        url,
        min_size=least,
        max_size=size,
        server_settings={
            "application_name": "telecare",
            "timezone": "UTC",
            "statement_timeout": str(STATEMENT_LIMIT_MS),
            "idle_in_transaction_session_timeout": str(STATEMENT_LIMIT_MS),
            "jit": "off",
        },
        reset=_keep,
    )
    with _reaching():
        await pool
    async with pool:
        yield Database(pool)


@contextmanager
def _reaching() -> Iterator[None]:
    """Raises DatabaseUnreachable."""
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnreachable(str(error).rstrip(".")) from error


async def run_script(url: str, sql: str) -> None:
    """Run a trusted script of several statements on a connection of its own (bootstrap only)."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@asynccontextmanager
async def single_connection(url: str) -> AsyncIterator["asyncpg.Connection[Row]"]:
    """One plain connection, for migrations. Raises DatabaseUnreachable."""
    with _reaching():
        connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()

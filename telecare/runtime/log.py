"""One JSON line per fact. Values come in `extra` and only the listed fields get out."""

import json
import logging
import sys
from datetime import UTC, datetime
from types import TracebackType

from telecare.runtime.errors import Refusal, TelecareError

log = logging.getLogger(__name__)

FIELDS = frozenset({
    "action", "attempt", "call_id", "code", "count", "effect", "endpoint_id", "job", "kind",
    "lane", "method", "migration", "pid", "port", "reason", "route", "seconds", "status",
    "tenant_id", "topic_kind", "unit_id", "version", "visit_id",
})  # fmt: skip
"""Ids of our own objects and numbers; never a name, an address, free text or a payload."""

OURS = frozenset({"telecare", "edge", "__main__"})
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Drops what is not listed and counts it, so that a slip shows without telling."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "says": _says(record),
        }
        extra = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        line.update({k: v for k, v in extra.items() if k in FIELDS})
        if dropped := len(extra.keys() - FIELDS):
            line["dropped_fields"] = dropped
        if record.exc_info:
            line["trace"] = _trace(record)
        return json.dumps(line, default=str, ensure_ascii=False)


def _says(record: logging.LogRecord) -> str:
    """Our own phrases are constants. Of what libraries say, the first line without its values: they
    put addresses of callers there, and errors with all that these quote.
    """
    if record.name.split(".")[0] in OURS:
        return record.getMessage()
    return str(record.msg).partition("\n")[0]


def _trace(record: logging.LogRecord) -> list[str]:
    """File, line and function of each frame and the error's type; not its message, which may
    quote a value. What a group holds follows it.
    """
    error = record.exc_info[1] if record.exc_info else None
    return _frames(error) if error is not None else []


def _frames(error: BaseException) -> list[str]:
    frames, trace = [type(error).__name__], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    if isinstance(error, BaseExceptionGroup):
        frames += [line for inner in error.exceptions for line in _frames(inner)]
    return frames


def begin(level: int = logging.INFO) -> None:
    """Send everything to standard error as JSON lines."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[out], force=True)
    logging.getLogger("aiohttp.access").disabled = True  # it would write addresses and paths
    sys.excepthook = _process_ends


def _process_ends(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """In place of Python's own way, which prints the error's message."""
    log.critical("process ends", exc_info=(kind, error, trace))


def tell_if_unrecorded(error: TelecareError) -> None:
    """A refusal that reaches the border without its record (architecture §1.3) is a fault."""
    if isinstance(error, Refusal) and not error.is_recorded:
        log.error("refusal without its record", exc_info=error, extra={"code": str(error.code)})

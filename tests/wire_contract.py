"""Every kind of message that crosses a border, by the lane it travels in; and AsyncAPI of them.

`python -m tests.wire_contract` writes docs/asyncapi.json anew.
"""

import json
import typing
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from telecare.wire import edge, signalling

ASSETS = Path(__file__).parent / "assets" / "wire"
DOCUMENT = Path(__file__).parent.parent / "docs" / "asyncapi.json"
UNIT_LANES: dict[str, tuple[str, TypeAdapter]] = {
    "up-event": ("tc/1/{unit}/up/event", edge.UP_EVENT),
    "up-alarm": ("tc/1/{unit}/up/alarm", edge.UP_ALARM),
    "up-status": ("tc/1/{unit}/up/status", TypeAdapter(edge.UnitStatus)),
    "up-signal": ("tc/1/{unit}/up/signal", edge.UP_SIGNAL),
    "down-receipt": ("tc/1/{unit}/down/receipt", TypeAdapter(edge.Receipt)),
    "down-call": ("tc/1/{unit}/down/call", edge.DOWN_CALL),
    "down-signal": ("tc/1/{unit}/down/signal", edge.DOWN_SIGNAL),
    "down-config": ("tc/1/{unit}/down/config", TypeAdapter(edge.Wipe)),
    "down-alarm": ("tc/1/{unit}/down/alarm", TypeAdapter(edge.AlarmIs)),
    "all-alive": ("tc/1/all/alive", TypeAdapter(edge.Alive)),
    "all-hello": ("tc/1/all/hello", TypeAdapter(edge.Hello)),
}
PAGE_LANES: dict[str, TypeAdapter] = {
    "from-page": signalling.FROM_PAGE,
    "to-page": signalling.TO_PAGE,
}
LANES = {**{name: adapter for name, (_, adapter) in UNIT_LANES.items()}, **PAGE_LANES}


def kinds(adapter: TypeAdapter) -> dict[str, type[BaseModel]]:
    """The lane's messages by the word that tells them apart."""
    found = {}
    for model in _models(adapter._type):
        field = model.model_fields.get("kind") or model.model_fields.get("type")
        found[typing.get_args(field.annotation)[0]] = model
    return found


def _models(annotation) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models(part)]


def golden(lane: str) -> list[Path]:
    return sorted((ASSETS / lane).glob("*.json"))


def asyncapi() -> dict:
    """The units' MQTT contract (AsyncAPI 3.0)."""
    channels, operations, messages, schemas = {}, {}, {}, {}
    for lane, (topic, adapter) in UNIT_LANES.items():
        names = {}
        for kind, model in kinds(adapter).items():
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
            messages[model.__name__] = {
                "name": kind,
                "summary": (model.__doc__ or "").strip().split("\n")[0],
                "contentType": "application/json",
                "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
            }
            names[model.__name__] = {"$ref": f"#/components/messages/{model.__name__}"}
        channels[lane] = {"address": topic, "messages": names}
        if "{unit}" in topic:
            channels[lane]["parameters"] = {"unit": {"description": "u- and 26 base32 letters"}}
        operations[lane] = {
            "action": "receive" if lane.startswith("up") else "send",
            "channel": {"$ref": f"#/channels/{lane}"},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Telecare, server and home units",
            "version": "1",
            "description": "Seen from the server. Each message but the hello is sealed: see "
            "docs/protocol.md. Unknown fields are ignored.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def as_text(document: dict) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(as_text(asyncapi()), encoding="utf-8")

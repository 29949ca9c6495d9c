"""/openapi.json, made from the route tables (OpenAPI 3.1)."""

import re
from collections.abc import Sequence
from functools import cached_property

from aiohttp import web
from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.json_schema import models_json_schema

from telecare.runtime.http import PUBLIC, Exempt, Route
from telecare.wire.errors import Code

REF = "#/components/schemas/{model}"
ALWAYS = (
    Code.FIELD_UNKNOWN, Code.FIELD_INVALID, Code.BODY_MALFORMED, Code.BODY_TOO_LARGE,
    Code.ORIGIN_REFUSED, Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED, Code.UNAVAILABLE,
)  # fmt: skip


class Document(BaseModel):
    model_config = ConfigDict(frozen=True)
    openapi: str
    info: dict[str, str]
    paths: dict[str, dict[str, JsonValue]]
    components: JsonValue


def document(routes: Sequence[Route]) -> str:
    """JSON text describing every JSON route."""
    spoken = [route for route in routes if route.kind == "json"]
    bodies = {r.body for r in spoken if r.body} | {r.answer for r in spoken if r.answer}
    _, definitions = models_json_schema(
        [(model, "validation") for model in sorted(bodies, key=lambda m: m.__name__)],
        ref_template=REF,
    )
    schemas = dict(definitions.get("$defs", {}))
    schemas["Problem"] = {
        "type": "object",
        "required": ["type", "status", "code", "title", "fields"],
        "properties": {
            "type": {"const": "about:blank"},
            "status": {"type": "integer"},
            "code": {"enum": [str(code) for code in Code]},
            "title": {"type": "string"},
            "fields": {"type": "array", "items": {"type": "string"}},
        },
    }
    paths: dict[str, dict[str, JsonValue]] = {}
    for route in spoken:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return Document(
        openapi="3.1.0",
        info={"title": "Telecare", "version": "1"},
        paths=paths,
        components={
            "schemas": schemas,
            "securitySchemes": {
                "staff": {"type": "apiKey", "in": "cookie", "name": "__Host-telecare"},
                "screen": {"type": "apiKey", "in": "cookie", "name": "__Host-telecare-tv"},
            },
        },
    ).model_dump_json()


def _operation(route: Route) -> JsonValue:
    parameters: list[JsonValue] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)", route.path)
    ]
    operation: dict[str, JsonValue] = {
        "summary": ((route.handler.__doc__ or route.path).strip().splitlines()[0]),
        "parameters": parameters,
        "responses": _responses(route),
    }
    if route.who != PUBLIC:
        operation["security"] = [{"screen" if route.who == "screen" else "staff": []}]
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(route.body)}},
        }
    return operation


def _responses(route: Route) -> JsonValue:
    good: dict[str, JsonValue] = {"description": "done"}
    if route.answer is not None:
        good["content"] = {"application/json": {"schema": _ref(route.answer)}}
    problem: JsonValue = {
        "description": ", ".join(sorted({str(c) for c in (*route.errors, *ALWAYS)})),
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}},
    }
    return {str(route.status): good, "4XX": problem, "503": problem}


def _ref(model: type[BaseModel]) -> JsonValue:
    return {"$ref": REF.format(model=model.__name__)}


class Described:
    """Made when it is first asked for: it takes longer than all else of a start."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes

    @cached_property
    def text(self) -> str:
        return document(self._routes)


DESCRIBED = web.AppKey("openapi", Described)


async def openapi(request: web.Request) -> web.Response:
    """This document."""
    return web.json_response(text=request.app[DESCRIBED].text)


ROUTES = (
    Route("GET", "/openapi.json", openapi, "public", Exempt("no personal data"), kind="file"),
)

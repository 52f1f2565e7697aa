"""Describe the interface as an OpenAPI 3.1 document, built from the tables that also read and answer calls."""

from functools import cache

from aiohttp import web

from bot.domain.dossier_exchange import FIELDS
from handlers.api.entrance import CALLS_PER_MINUTE
from handlers.api.openapi_schemas import MAX_ITEMS, Json, ref, schemas
from handlers.api.problem import MAX_BODY_MIB, TYPES, written
from handlers.api.repetition import HEADER, MAX_KEY, REPLAYED
from handlers.api.words import document_words, table

VERSION = "1.0.0"
_AGAIN = frozenset({409, 429, 503})
"""After these one is told when to call again."""
_READING = ("no_key", "wrong_key", "too_many_wrong_keys", "too_many_calls", "unexpected", "unavailable", "bad_request")
_WRITING = (
    *_READING, "not_json", "idempotency_key", "media_type", "too_large", "invalid", "other_call", "still_running",
)  # fmt: skip


async def document(_request: web.Request) -> web.Response:
    """Give out the document, to anybody."""
    return web.Response(body=written(described()), content_type="application/json")


@cache
def described() -> Json:
    """Return the document."""
    about = document_words("about", calls=CALLS_PER_MINUTE, mebibytes=MAX_BODY_MIB)
    return {
        "openapi": "3.1.0",
        "info": {"title": document_words("title"), "version": VERSION, "description": about},
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "loa_…"}},
            "schemas": schemas(),
            "parameters": _parameters(),
            "responses": {code: _problem_answer(code) for code in table()["problem"]},
        },
    }


def _paths() -> Json:
    key, code = ref("parameters", "IdempotencyKey"), ref("parameters", "Code")
    whole = _example()
    event = {name: value for name, value in whole.items() if name != FIELDS[0].name}
    later = {**whole, "TrangThaiHoSo": "Đang xử lý", "ThoiGian": "23/11/2026 14:00"}
    batch = {
        "operationId": "pushDossiers",
        "summary": document_words("batch", items=MAX_ITEMS),
        "parameters": [key],
        "requestBody": _content("Batch", {"items": [whole, later]}),
        "responses": _answers("BatchAnswer", *_WRITING, replayed=True),
    }
    events = {
        "operationId": "pushDossierEvent",
        "summary": document_words("events"),
        "parameters": [code, key],
        "requestBody": _content("Event", event),
        "responses": _answers("Result", *_WRITING, "not_found", replayed=True),
    }
    one = {
        "operationId": "showDossier",
        "summary": document_words("one"),
        "parameters": [code],
        "responses": _answers("Dossier", *_READING, "not_found"),
    }
    own = {"application/json": {"schema": {"type": "object"}}}
    describe = {
        "operationId": "describe",
        "summary": document_words("openapi"),
        "security": [],
        "responses": {"200": {"description": "OpenAPI 3.1", "content": own}, **_problems(("unexpected",))},
    }
    return {
        "/api/v1/dossiers:batch": {"post": batch},
        "/api/v1/dossiers/{code}/events": {"post": events},
        "/api/v1/dossiers/{code}": {"get": one},
        "/api/v1/openapi.json": {"get": describe},
    }


def _answers(schema: str, *problems: str, replayed: bool = False) -> Json:
    content = {"application/json": {"schema": ref("schemas", schema)}}
    answer: Json = {"description": document_words("done"), "content": content}
    if replayed:
        said = {"description": document_words("replayed"), "schema": {"type": "string", "enum": ["true"]}}
        answer["headers"] = {REPLAYED: said}
    return {"200": answer, **_problems(problems)}


def _problems(codes: tuple[str, ...]) -> Json:
    """Return the answers to calls that cannot be done, by status; several problems may share one."""
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(table()["problem"][code]["status"]), []).append(code)
    return {
        status: ref("responses", many[0]) if len(many) == 1 else _problem_answer(*many)
        for status, many in sorted(by_status.items())
    }


def _problem_answer(*codes: str) -> Json:
    words = table()["problem"]
    status = words[codes[0]]["status"]
    examples = {}
    for code in codes:
        title, detail = words[code]["vi"]
        value = {"type": f"{TYPES}{code}", "title": title, "status": status, "detail": detail, "instance": "/api/v1/…"}
        examples[code] = {"value": value}
    schema = {"allOf": [ref("schemas", "Problem"), {"properties": {"status": {"const": status}}}]}
    answer: Json = {
        "description": "; ".join(words[code]["vi"][0] for code in codes),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }
    if status in _AGAIN:
        seconds = {"description": document_words("seconds"), "required": True, "schema": {"type": "integer"}}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _parameters() -> Json:
    code = {
        "name": "code", "in": "path", "required": True, "description": document_words("code"),
        "schema": {"type": "string", "minLength": 1}, "example": FIELDS[0].example,
    }  # fmt: skip
    key = {
        "name": HEADER, "in": "header", "required": False, "description": document_words("idempotency"),
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
    }  # fmt: skip
    return {"Code": code, "IdempotencyKey": key}


def _example() -> Json:
    names = {"MaHoSo", "TrangThaiHoSo", "ThoiGian", "MaTTHC", "TenTTHC", "ChuHoSo", "SoDienThoai", "NgayHenTra"}
    return {each.name: each.example for each in FIELDS if each.name in names}


def _content(schema: str, example: Json) -> Json:
    content = {"schema": ref("schemas", schema), "example": example}
    return {"required": True, "content": {"application/json": content}}

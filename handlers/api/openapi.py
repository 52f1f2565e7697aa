"""Describe the interface as an OpenAPI 3.1 document, built from the tables that also read and answer calls."""

from functools import cache
from typing import Any

from aiohttp import web

from bot.actions.dossier_push import REFUSED
from bot.actions.dossiers import CHANGED, NEW, ODD, OLDER, SAME
from bot.domain.dossier import Status
from bot.domain.dossier_exchange import FIELDS, REQUIRED, ExchangeField
from handlers.api.dossiers import MAX_ITEMS
from handlers.api.entrance import CALLS_PER_MINUTE
from handlers.api.problem import MAX_BODY_MIB, TYPES, written
from handlers.api.repetition import HEADER, MAX_KEY, REPLAYED
from handlers.api.words import table

Json = dict[str, Any]

VERSION = "1.0.0"
_EXAMPLE_CODE = FIELDS[0].example
_PATHS = {
    "batch": "/api/v1/dossiers:batch",
    "events": "/api/v1/dossiers/{code}/events",
    "one": "/api/v1/dossiers/{code}",
}
_TEXT: Json = {"type": "string"}
_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
_TYPES: dict[str, Json] = {
    "code": {"type": "string"},
    "status": {"type": ["integer", "string"]},
    "moment": {"type": ["string", "integer"]},
    "text": {"type": ["string", "integer"]},
    "phone": {"type": ["string", "integer"]},
    "channel": {"type": ["integer", "string", "boolean"]},
    "money": {"type": ["number", "string"]},
    "papers": {"type": ["string", "array"], "items": {"type": ["string", "object"]}},
}
"""What each kind of field may be written as; what it has to say stands in its description."""


async def document(_request: web.Request) -> web.Response:
    """Give out the document, to anybody."""
    return web.Response(body=written(described()), content_type="application/json")


@cache
def described() -> Json:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Loa: hồ sơ thủ tục hành chính",
            "version": VERSION,
            "description": (
                "Nhận từng lần thay đổi trạng thái của hồ sơ từ hệ thống một cửa, theo tên trường của Cổng Dịch vụ công "
                f"quốc gia. Mỗi khoá gọi nhiều nhất {CALLS_PER_MINUTE} lần một phút, mỗi lần nhiều nhất "
                f"{MAX_BODY_MIB} MiB. Lỗi trả về theo RFC 9457."
            ),
        },
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "loa_…"}},
            "schemas": _schemas(),
            "parameters": _parameters(),
            "responses": {code: _problem_answer(code) for code in table()["problem"]},
        },
    }


def _paths() -> Json:
    key, code = _ref("parameters", "IdempotencyKey"), _ref("parameters", "Code")
    return {
        _PATHS["batch"]: {
            "post": {
                "operationId": "pushDossiers",
                "summary": f"Gửi trạng thái của nhiều hồ sơ, nhiều nhất {MAX_ITEMS} một lần",
                "parameters": [key],
                "requestBody": _content(
                    "Batch", {"items": [_example(), {**_example(), "TrangThaiHoSo": "Đã có kết quả"}]}
                ),
                "responses": _answers("BatchAnswer", *_WRITING, replayed=True),
            }
        },
        _PATHS["events"]: {
            "post": {
                "operationId": "pushDossierEvent",
                "summary": "Gửi một trạng thái của một hồ sơ",
                "parameters": [code, key],
                "requestBody": _content("Event", {k: v for k, v in _example().items() if k != "MaHoSo"}),
                "responses": _answers("Result", *_WRITING, "not_found", replayed=True),
            }
        },
        _PATHS["one"]: {
            "get": {
                "operationId": "showDossier",
                "summary": "Xem một hồ sơ: tình trạng, những gì đã nhận và những gì đã báo cho công dân",
                "parameters": [code],
                "responses": _answers("Dossier", *_READING, "not_found"),
            }
        },
        "/api/v1/openapi.json": {
            "get": {
                "operationId": "describe",
                "summary": "Tài liệu này",
                "security": [],
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    **_problems(("unexpected",)),
                },
            }
        },
    }


_READING = ("no_key", "wrong_key", "too_many_wrong_keys", "too_many_calls", "unexpected", "unavailable", "bad_request")
_WRITING = (
    *_READING, "not_json", "idempotency_key", "media_type", "too_large", "invalid", "other_call", "still_running",
)  # fmt: skip


def _answers(schema: str, *problems: str, replayed: bool = False) -> Json:
    answer: Json = {"description": "OK", "content": {"application/json": {"schema": _ref("schemas", schema)}}}
    if replayed:
        words = f"true khi đây là câu trả lời của lần gửi trước với cùng {HEADER}"
        answer["headers"] = {REPLAYED: {"description": words, "schema": {"type": "string", "enum": ["true"]}}}
    return {"200": answer, **_problems(problems)}


def _problems(codes: tuple[str, ...]) -> Json:
    """Return the answers to calls that cannot be done, by status; several problems may share one."""
    by_status: dict[str, list[str]] = {}
    for code in codes:
        by_status.setdefault(str(table()["problem"][code]["status"]), []).append(code)
    return {
        status: _ref("responses", many[0]) if len(many) == 1 else _problem_answer(*many)
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
    schema = {"allOf": [_ref("schemas", "Problem"), {"properties": {"status": {"const": status}}}]}
    answer: Json = {
        "description": "; ".join(words[code]["vi"][0] for code in codes),
        "content": {"application/problem+json": {"schema": schema, "examples": examples}},
    }
    again = status in {409, 429, 503}
    if again:
        answer["headers"] = {"Retry-After": {"description": "giây", "required": True, "schema": {"type": "integer"}}}
    return answer


def _parameters() -> Json:
    return {
        "Code": {
            "name": "code",
            "in": "path",
            "required": True,
            "description": "Mã hồ sơ",
            "schema": {"type": "string", "minLength": 1},
            "example": _EXAMPLE_CODE,
        },
        "IdempotencyKey": {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "Gửi lại với cùng khoá trong 24 giờ thì nhận lại câu trả lời cũ, không việc gì làm hai lần",
            "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
        },
    }


def _schemas() -> Json:
    results = [NEW, CHANGED, SAME, OLDER, ODD, REFUSED]
    problem = _object(field=_TEXT, code={"type": "string", "enum": sorted(table()["field"])}, detail=_TEXT)
    return {
        "Item": _item(REQUIRED),
        "Event": _item(("TrangThaiHoSo",)),
        "Batch": {
            "type": "object",
            "required": ["items"],
            "properties": {
                "items": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_ITEMS,
                    "items": _ref("schemas", "Item"),
                    "description": "Mục sai được trả về là refused kèm lý do; các mục khác vẫn được ghi nhận",
                }
            },
        },
        "FieldProblem": problem,
        "Result": _object(
            code=_TEXT,
            result={"type": "string", "enum": results},
            problems={"type": "array", "items": _ref("schemas", "FieldProblem")},
        ),
        "BatchAnswer": _object(
            received={"type": "integer"},
            counts={"type": "object", "additionalProperties": {"type": "integer"}, "propertyNames": {"enum": results}},
            results={
                "type": "array",
                "items": {"allOf": [_ref("schemas", "Result"), _object(index={"type": "integer"})]},
            },
        ),
        "Problem": _problem(),
        "Dossier": _dossier(),
    }


def _problem() -> Json:
    kind: Json = {"type": "string", "format": "uri-reference"}
    whole = _object(type=kind, title=_TEXT, status={"type": "integer"}, detail=_TEXT, instance=_TEXT)
    one = {"allOf": [_ref("schemas", "FieldProblem"), _object(pointer=_TEXT)]}
    whole["properties"]["errors"] = {"type": "array", "items": one, "description": "Từng lỗi và chỗ của nó"}
    return {**whole, "description": "RFC 9457"}


def _dossier() -> Json:
    status: Json = {"type": "integer", "minimum": min(Status), "maximum": max(Status)}
    maybe: Json = {"type": ["string", "null"]}
    moment: Json = {"type": "string", "format": "date-time"}
    event = _object(
        TrangThaiHoSo=status, TenTrangThai=_TEXT, ThoiGian=moment, reported_at=moment, own={"type": "boolean"},
        facts={"type": "object"},
    )  # fmt: skip
    notice = _object(
        kind=_TEXT, round={"type": "integer"}, at=moment, state=_TEXT, way=_TEXT, reason=_TEXT, told_at=_MOMENT
    )
    return _object(
        MaHoSo=_TEXT, TrangThaiHoSo=status, TenTrangThai=_TEXT, ThoiGian=moment, MaDonVi=_TEXT, MaTTHC=_TEXT,
        TenTTHC=_TEXT, TenLinhVuc=_TEXT, ChuHoSo=maybe, SoDienThoai=maybe, NgayTiepNhan=_MOMENT, NgayHenTra=_MOMENT,
        NgayHenTraDauTien=_MOMENT, NgayKetThucXuLy=_MOMENT, NgayTra=_MOMENT, TrucTuyen={"type": ["boolean", "null"]},
        outcome={"type": "string", "enum": ["", "early", "on_time", "late"]}, odd={"type": "array", "items": _TEXT},
        events={"type": "array", "items": event}, notices={"type": "array", "items": notice},
    )  # fmt: skip


def _item(required: tuple[str, ...]) -> Json:
    properties: Json = {}
    for each in FIELDS:
        properties[each.name] = {**_property(each), "examples": [each.example]}
        for alias in each.aliases:
            properties[alias] = {**_property(each), "description": f"Như {each.name}"}
    either = []
    for name in required:
        each = next(one for one in FIELDS if one.name == name)
        either.append({"anyOf": [{"required": [one]} for one in (each.name, *each.aliases)]})
    return {
        "type": "object",
        "description": "Tên trường viết hoa hay thường đều được; trường khác được bỏ qua; trường để trống coi như không có",
        "properties": properties,
        "allOf": either,
        "additionalProperties": True,
    }


def _property(each: ExchangeField) -> Json:
    kind = dict(_TYPES[each.kind])
    kind["type"] = [*([kind["type"]] if isinstance(kind["type"], str) else kind["type"]), "null"]
    return {**kind, "maxLength": each.most, "description": table()["reads"][each.name]}


def _example() -> Json:
    names = ("MaHoSo", "TrangThaiHoSo", "ThoiGian", "MaTTHC", "TenTTHC", "ChuHoSo", "SoDienThoai", "NgayTiepNhan",
             "NgayHenTra", "KenhThucHien")  # fmt: skip
    return {each.name: each.example for each in FIELDS if each.name in names}


def _content(schema: str, example: Json) -> Json:
    return {
        "required": True,
        "content": {"application/json": {"schema": _ref("schemas", schema), "example": example}},
    }


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def _ref(kind: str, name: str) -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}

"""Describe what calls carry and what is answered, from the tables that read the fields and name the problems."""

from typing import Any

from bot.actions.dossier_push import REFUSED
from bot.actions.dossiers import CHANGED, NEW, ODD, OLDER, SAME
from bot.domain.dossier import Outcome, Status
from bot.domain.dossier_exchange import FIELDS, MOST_FEE, REQUIRED, ExchangeField
from handlers.api.words import document_words, table

Json = dict[str, Any]

MAX_ITEMS = 1000
_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}
_MAYBE_MOMENT: Json = {"type": ["string", "null"], "format": "date-time"}
_RESULTS = [NEW, CHANGED, SAME, OLDER, ODD, REFUSED]
_TYPES: dict[str, tuple[str, ...]] = {
    "code": ("string",),
    "status": ("integer", "string"),
    "moment": ("string", "integer"),
    "text": ("string", "integer"),
    "phone": ("string", "integer"),
    "channel": ("integer", "string", "boolean"),
    "money": ("integer", "string"),
    "papers": ("string", "array"),
}
"""What each kind of field may be written as; null everywhere, and what it has to say stands in its description."""


def ref(kind: str, name: str) -> Json:
    """Point to a component of the document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def schemas() -> Json:
    """Return every schema by its name."""
    words = document_words
    items = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": ref("schemas", "Item")}
    field = _object(field=_TEXT, code={"type": "string", "enum": sorted(table()["field"])}, detail=_TEXT)
    problems: Json = {"type": "array", "items": ref("schemas", "FieldProblem")}
    result = _object(code=_TEXT, result={"type": "string", "enum": _RESULTS}, problems=problems)
    counts: Json = {"type": "object", "additionalProperties": _WHOLE, "propertyNames": {"enum": _RESULTS}}
    one: Json = {"allOf": [ref("schemas", "Result"), _object(index=_WHOLE)]}
    return {
        "Item": _item(REQUIRED),
        "Event": _item(tuple(name for name in REQUIRED if name != FIELDS[0].name)),
        "Batch": {**_object(items={**items, "description": words("items")}), "additionalProperties": True},
        "FieldProblem": field,
        "Result": result,
        "BatchAnswer": _object(received=_WHOLE, counts=counts, results={"type": "array", "items": one}),
        "Problem": _problem(),
        "Dossier": _dossier(),
    }


def _problem() -> Json:
    kind: Json = {"type": "string", "format": "uri-reference"}
    whole = _object(type=kind, title=_TEXT, status=_WHOLE, detail=_TEXT, instance=_TEXT)
    one = {"allOf": [ref("schemas", "FieldProblem"), _object(pointer=_TEXT)]}
    whole["properties"]["errors"] = {"type": "array", "items": one, "description": document_words("errors")}
    return {**whole, "description": document_words("problem")}


def _dossier() -> Json:
    status: Json = {"type": "integer", "minimum": int(min(Status)), "maximum": int(max(Status))}
    outcomes = ["", Outcome.EARLY, Outcome.ON_TIME, Outcome.LATE]
    event = _object(
        TrangThaiHoSo=status, TenTrangThai=_TEXT, ThoiGian=_MOMENT, reported_at=_MOMENT, own={"type": "boolean"},
        facts={"type": "object"},
    )  # fmt: skip
    notice = _object(kind=_TEXT, round=_WHOLE, at=_MOMENT, state=_TEXT, way=_TEXT, reason=_TEXT, told_at=_MAYBE_MOMENT)
    return _object(
        MaHoSo=_TEXT, TrangThaiHoSo=status, TenTrangThai=_TEXT, ThoiGian=_MOMENT, MaDonVi=_TEXT, MaTTHC=_TEXT,
        TenTTHC=_TEXT, TenLinhVuc=_TEXT, ChuHoSo=_MAYBE_TEXT, SoDienThoai=_MAYBE_TEXT, NgayTiepNhan=_MAYBE_MOMENT,
        NgayHenTra=_MAYBE_MOMENT, NgayHenTraDauTien=_MAYBE_MOMENT, NgayKetThucXuLy=_MAYBE_MOMENT,
        NgayTra=_MAYBE_MOMENT, TrucTuyen={"type": ["boolean", "null"]}, outcome={"type": "string", "enum": outcomes},
        odd={"type": "array", "items": _TEXT}, events={"type": "array", "items": event},
        notices={"type": "array", "items": notice},
    )  # fmt: skip


def _item(required: tuple[str, ...]) -> Json:
    properties: Json = {}
    for each in FIELDS:
        properties[each.name] = {**_property(each), "examples": [each.example]}
        for alias in each.aliases:
            properties[alias] = {**_property(each), "description": document_words("alias", name=each.name)}
    told = [each for each in FIELDS if each.name in required]
    return {
        "type": "object",
        "description": document_words("item"),
        "properties": properties,
        "allOf": [{"anyOf": [{"required": [one]} for one in (each.name, *each.aliases)]} for each in told],
        "additionalProperties": True,
    }


def _property(each: ExchangeField) -> Json:
    kind: Json = {"type": [*_TYPES[each.kind], "null"], "description": table()["reads"][each.name]}
    if each.kind == "papers":
        kind["items"] = {"type": ["string", "object"]}
    if each.kind == "money":
        kind |= {"minimum": 0, "maximum": MOST_FEE}
    return {**kind, "maxLength": each.most}


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}

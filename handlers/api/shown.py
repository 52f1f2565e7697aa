"""Lay out a dossier for the system that asks: its own facts in full, people masked and only if it has named them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.domain.dossier import Status
from bot.domain.dossier_exchange import FIELDS
from bot.domain.dossier_words import STATUS_WORDS
from bot.domain.privacy import initials, mask_identity, mask_phone, mask_phones
from bot.secrets import SecretBox
from bot.store.api_keys import ApiKeyRow
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierEventRow, DossierRow

_FACTS = {each.to: each.name for each in FIELDS} | {"unit_code": "MaDonVi"}


def shown(
    box: SecretBox,
    key: ApiKeyRow,
    row: DossierRow,
    unit_code: str,
    events: Sequence[DossierEventRow],
    notices: Sequence[DossierNoticeRow],
) -> dict[str, Any]:
    """Return a dossier as JSON; fields are called as in the national exchange."""
    own = f"api:{key.id}"
    named = any(event.source == own for event in events)
    person = {
        "ChuHoSo": initials(box.open(row.applicant)) if named and row.applicant else None,
        "SoDienThoai": mask_phone(box.open(row.phone)) if named and row.phone else None,
    }
    return {
        "MaHoSo": row.code,
        **_status(row.status),
        "ThoiGian": _iso(row.status_at),
        "MaDonVi": unit_code,
        "MaTTHC": row.procedure_code,
        "TenTTHC": row.procedure_name,
        "TenLinhVuc": row.field,
        **person,
        "NgayTiepNhan": _iso(row.received_at),
        "NgayHenTra": _iso(row.due_at),
        "NgayHenTraDauTien": _iso(row.first_due_at),
        "NgayKetThucXuLy": _iso(row.finished_at),
        "NgayTra": _iso(row.returned_at),
        "TrucTuyen": row.online,
        "outcome": row.outcome,
        "odd": list(row.odd),
        "events": [_event(event, own) for event in events],
        "notices": [_notice(notice) for notice in notices],
    }


def _event(event: DossierEventRow, own: str) -> dict[str, Any]:
    mine = event.source == own
    return {
        **_status(event.status),
        "ThoiGian": _iso(event.at),
        "reported_at": _iso(event.reported_at),
        "own": mine,
        "facts": _facts(event.facts, mine=mine),
    }


def _facts(facts: Mapping[str, Any], *, mine: bool) -> dict[str, Any]:
    """Return the facts of an event; numbers of people that another system wrote into its texts are hidden."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        hidden = isinstance(value, str) and not mine and name in {"reason", "papers", "fee_note", "appointment_place"}
        found[_FACTS.get(name, name)] = mask_phones(mask_identity(value)) if hidden else value
    return found


def _notice(notice: DossierNoticeRow) -> dict[str, Any]:
    return {
        "kind": notice.kind,
        "round": notice.round,
        "at": _iso(notice.at),
        "state": notice.state,
        "way": notice.way,
        "reason": notice.reason,
        "told_at": _iso(notice.told_at),
    }


def _status(status: int) -> dict[str, Any]:
    return {"TrangThaiHoSo": status, "TenTrangThai": STATUS_WORDS[Status(status)][0]}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None

"""Say what a notice about a dossier says: as a chat's message, or as what fills a provider's template."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from bot import render
from bot.actions.dossier_settings import Choices
from bot.clock import to_local
from bot.domain.dossier import Kind, moment
from bot.domain.dossier_notice import OF_THE_BOUND, dong, number_of
from bot.domain.message import Media, Message
from bot.domain.privacy import initials, mask_identity
from bot.domain.text import clean
from bot.secrets import SecretBox
from bot.store.dossier_notices import DossierNoticeRow
from bot.store.dossiers import DossierRow
from bot.store.units import UnitRow

_MOST_PAPERS = 20
_MOST_WORDS = 400
_APART = re.compile(r"[;\n]+")
_TEXTS = {
    Kind.REGISTERED: "dossier_registered",
    Kind.ACCEPTED: "dossier_accepted",
    Kind.REFUSED: "dossier_refused",
    Kind.SUPPLEMENT: "dossier_supplement",
    Kind.FEE: "dossier_fee",
    Kind.WITHDRAWN: "dossier_withdrawn",
    Kind.STOPPED: "dossier_stopped",
    Kind.READY: "dossier_ready",
    Kind.RETURNED: "dossier_returned",
    Kind.POSTED: "dossier_posted",
    Kind.LATE: "dossier_late",
}


@dataclass(frozen=True, slots=True)
class Said:
    """All that a notice can say; `name` is masked, `papers` and `reason` are for whose dossier it is alone."""

    kind: Kind
    code: str
    name: str
    procedure: str
    unit: str
    desk: str
    bank: Mapping[str, str]
    due_at: datetime | None = None
    old_due_at: datetime | None = None
    limit_at: datetime | None = None
    fee: int | None = None
    fee_note: str = ""
    reason: str = ""
    papers: tuple[str, ...] = ()
    post_code: str = ""


def said_of(box: SecretBox, dossier: DossierRow, notice: DossierNoticeRow, unit: UnitRow, choices: Choices) -> Said:
    """Gather what a notice says from what was known when it happened, and from what its unit has set."""
    facts = notice.facts
    name = box.open(dossier.applicant) if dossier.applicant else ""
    return Said(
        Kind(notice.kind),
        dossier.code,
        initials(name),
        dossier.procedure_name,
        unit.name,
        _words(facts.get("appointment_place")) or choices.desk,
        choices.bank,
        due_at=moment(facts.get("due_at")) or dossier.due_at,
        old_due_at=moment(facts.get("old_due_at")),
        limit_at=moment(facts.get("limit_at")),
        fee=number_of(facts.get("fee")),
        fee_note=_words(facts.get("fee_note")),
        reason=_words(facts.get("reason")),
        papers=papers_of(facts.get("papers")),
        post_code=_words(facts.get("post_code")),
    )


def papers_of(value: object) -> tuple[str, ...]:
    """Return a list of papers, however it was told: as a list, or as one text with semicolons or lines."""
    parts = value if isinstance(value, list) else _APART.split(str(value or ""))
    found = [_words(part).lstrip("-•+ ") for part in parts]
    return tuple(dict.fromkeys(part for part in found if part))[:_MOST_PAPERS]


def _words(value: object) -> str:
    return mask_identity(clean(str(value or "")))[:_MOST_WORDS]


def message_of(said: Said, picture: Media | None = None) -> Message:
    """Return the message of a notice for the chat of somebody whose dossier it is."""
    values = {name: getattr(said, name) for name in Said.__slots__ if name != "kind"}
    values |= {"amount": dong(said.fee), "scan": picture is not None, "transfer_note": transfer_note(said.code)}
    message = render.message(f"citizen/{_TEXTS[said.kind]}", values)
    return replace(message, media=picture) if picture is not None else message


@cache
def states() -> dict[str, str]:
    """Return what kinds of notices are called in parameters of templates, each at most 30 characters."""
    path = render.TEMPLATES / "messages" / "vi" / "dossier_states.toml"
    return {kind: str(words) for kind, words in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def transfer_note(code: str) -> str:
    """Return what a transfer for a dossier is to say, so that the office finds it: letters, digits, no signs."""
    return f"HS {''.join(c for c in code if c.isalnum())}"[:25]


def merged_of(said: Said, *, bound: bool) -> dict[str, str]:
    """Return what the parameters of a template can be filled with (bot.domain.dossier_notice.FIELDS)."""
    values = {
        "mã hồ sơ": said.code,
        "tên": said.name,
        "thủ tục": said.procedure,
        "tình trạng": states()[said.kind],
        "đơn vị": said.unit,
        "ngày hẹn": _day(said.due_at),
        "ngày hẹn cũ": _day(said.old_due_at),
        "số tiền": str(said.fee or ""),
        "hạn": _day(said.limit_at),
        "lý do": said.reason,
        "giấy tờ": "; ".join(said.papers),
        "nơi nhận": said.desk,
        "mã bưu gửi": said.post_code,
    }
    return {name: value if bound or name not in OF_THE_BOUND else "" for name, value in values.items()}


def _day(moment_: datetime | None) -> str:
    return to_local(moment_).strftime("%d/%m/%Y") if moment_ else ""

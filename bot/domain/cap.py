"""Read an official warning in the Common Alerting Protocol (OASIS CAP 1.2) and make a draft of it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.clock import to_local
from bot.domain.cap_elements import Element, read_alert, wrong
from bot.domain.text import excerpt

MAX_BYTES = 1024 * 1024
MAX_DRAFT = 900
_BRACES = re.compile(r"\{{2,}|\}{2,}")
_VALUES = {
    "status": ("Actual", "Exercise", "System", "Test", "Draft"),
    "msgType": ("Alert", "Update", "Cancel", "Ack", "Error"),
    "scope": ("Public", "Restricted", "Private"),
    "urgency": ("Immediate", "Expected", "Future", "Past", "Unknown"),
    "severity": ("Extreme", "Severe", "Moderate", "Minor", "Unknown"),
    "certainty": ("Observed", "Likely", "Possible", "Unlikely", "Unknown"),
}
_OF_ALERT = ("identifier", "sender", "sent", "status", "msgType", "scope")
_OF_INFO = ("category", "event", "urgency", "severity", "certainty")


@dataclass(frozen=True, slots=True)
class CapWarning:
    """One warning, with one of its info blocks: the Vietnamese one if there is one, else the first.

    Words are as CAP has them, cleaned; times are UTC, None where not given. A cancellation may have no info block: then
    `event` and what follows it are empty. `references` are "sender,identifier,sent" of the messages it replaces.
    """

    identifier: str
    sender: str
    sent: datetime
    status: str
    message_type: str
    scope: str
    references: tuple[str, ...] = ()
    note: str = ""
    language: str = ""
    event: str = ""
    urgency: str = ""
    severity: str = ""
    certainty: str = ""
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    areas: tuple[str, ...] = ()

    @property
    def begins(self) -> datetime:
        """When what it warns of begins: its onset, else when it holds from, else when it was sent."""
        return self.onset or self.effective or self.sent

    @property
    def kind(self) -> str:
        """The kind of announcement it makes: emergency for what is actual, near and severe, else notice."""
        near = self.urgency in {"Immediate", "Expected"} and self.severity in {"Extreme", "Severe"}
        return "emergency" if near and self.status == "Actual" and self.message_type != "Cancel" else "notice"

    def remarks(self, now: datetime) -> list[str]:
        """Name what whoever makes an announcement of it should look at, as codes for the page.

        test | exercise | draft | system, update | cancel, not_public, not_vietnamese, expired.
        """
        found = [] if self.status == "Actual" else [self.status.lower()]
        found += [self.message_type.lower()] if self.message_type != "Alert" else []
        found += ["not_public"] if self.scope != "Public" else []
        found += ["not_vietnamese"] if self.event and not _is_vietnamese(self.language) else []
        found += ["expired"] if self.expires is not None and self.expires <= now else []
        return found


def read_cap(data: bytes) -> CapWarning:
    """Read one CAP 1.2 warning.

    Raises InvalidInputError for "file": cap_too_large (most, in MB), cap_dtd for document types and entities, not_cap,
    cap_broken (line), cap_version (version), cap_missing (fields), cap_value (name, value), cap_no_warning for
    acknowledgements and errors, which tell of messages and warn of nothing.
    """
    if len(data) > MAX_BYTES:
        raise wrong("cap_too_large", most=MAX_BYTES // 1024 // 1024)
    alert = read_alert(data)
    missing = [name for name in _OF_ALERT if not alert.word(name)]
    info = _chosen(list(alert.all("info")))
    if info is not None:
        missing += [name for name in _OF_INFO if not info.word(name)]
        missing += ["areaDesc"] if any(not area.word("areaDesc") for area in info.all("area")) else []
    elif alert.word("msgType") in {"Alert", "Update"}:
        missing.append("info")
    if missing:
        raise wrong("cap_missing", fields=", ".join(missing))
    values: dict[str, Any] = {name: _one_of(alert, name) for name in ("status", "scope")}
    values["message_type"] = _one_of(alert, "msgType")
    if values["message_type"] in {"Ack", "Error"}:
        raise wrong("cap_no_warning")
    sent = _moment(alert, "sent")
    assert sent is not None
    return CapWarning(
        identifier=alert.word("identifier"),
        sender=alert.word("sender"),
        sent=sent,
        references=tuple(alert.word("references").split()),
        note=alert.word("note"),
        **values,
        **(_of_info(info) if info is not None else {}),
    )


def _of_info(info: Element) -> dict[str, Any]:
    words = ("event", "headline", "description", "instruction", "web")
    return {
        "language": info.word("language") or "en-US",  # what the standard says of an info block that names none
        "sender_name": info.word("senderName"),
        "areas": tuple(dict.fromkeys(area.word("areaDesc") for area in info.all("area"))),
        **{name: info.word(name) for name in words},
        **{name: _one_of(info, name) for name in ("urgency", "severity", "certainty")},
        **{name: _moment(info, name) for name in ("effective", "onset", "expires")},
    }


def _chosen(blocks: list[Element]) -> Element | None:
    in_vietnamese = (block for block in blocks if _is_vietnamese(block.word("language")))
    return next(in_vietnamese, blocks[0] if blocks else None)


def _is_vietnamese(language: str) -> bool:
    return re.split(r"[-_]", language.lower())[0] == "vi"


def _one_of(element: Element, name: str) -> str:
    value = element.word(name)
    if value not in _VALUES[name]:
        raise wrong("cap_value", name=name, value=excerpt(value, 40))
    return value


def _moment(element: Element, name: str) -> datetime | None:
    text = element.word(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        found = moment.astimezone(UTC) if moment.tzinfo else None  # without its zone nobody knows when that is
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise wrong("cap_value", name=name, value=excerpt(text, 40))
    return found


_STATUS = {
    "Exercise": ("[DIỄN TẬP] ", "Đây là tin diễn tập, không phải cảnh báo thật."),
    "Test": ("[THỬ NGHIỆM] ", "Đây là tin thử nghiệm, không phải cảnh báo thật."),
    "System": ("[THỬ NGHIỆM] ", "Đây là tin kiểm tra hệ thống, không phải cảnh báo thật."),
    "Draft": ("[BẢN NHÁP] ", "Tin gốc mới là bản nháp, chưa phải cảnh báo chính thức."),
}
_TYPE = {
    "Update": ("Cập nhật: ", "Tin này thay cho cảnh báo đã phát trước đó."),
    "Cancel": ("Hủy cảnh báo: ", "Cảnh báo đã phát trước đó được hủy."),
}
_SEVERITY = {"Extreme": "đặc biệt nghiêm trọng", "Severe": "nghiêm trọng", "Moderate": "trung bình", "Minor": "nhẹ"}
_MOST_TITLE = 100
_MOST = {"event": 80, "areas": 140, "instruction": 220, "source": 80, "web": 80}


def draft_of(warning: CapWarning) -> tuple[str, str]:
    """Write the title (at most 100 characters) and the text (at most 900) of an announcement in Vietnamese.

    The words of the warning itself stay in its own language. What would be taken for a merge field loses its braces.
    """
    mark, says_status = _STATUS.get(warning.status, ("", ""))
    about, says_type = _TYPE.get(warning.message_type, ("", ""))
    subject = warning.headline or warning.event or warning.note or warning.identifier
    title = excerpt(f"{mark}{about}{_plain(subject)}", _MOST_TITLE)
    cancelled = warning.message_type == "Cancel"
    severity = _SEVERITY.get(warning.severity, "")
    event = _short(warning.event, "event")
    head = [
        says_status,
        says_type,
        f"{event} (mức độ {severity})" if event and severity and not cancelled else event,
        f"Khu vực: {_short('; '.join(warning.areas), 'areas')}" if warning.areas else "",
        f"Thời gian: {_time_words(warning)}" if warning.event and not cancelled else "",
    ]
    web = warning.web if warning.web.startswith(("https://", "http://")) and len(warning.web) <= _MOST["web"] else ""
    source = _short(warning.sender_name or warning.sender, "source")
    tail = [
        f"Cần làm: {_short(warning.instruction, 'instruction')}" if warning.instruction and not cancelled else "",
        f"Nguồn: {source}, phát lúc {_clock(warning.sent)}",
        _plain(web),
    ]
    room = MAX_DRAFT - sum(len(line) + 1 for line in (*head, *tail))
    told = warning.description or (warning.note if warning.note != subject else "")
    return title, "\n".join(line for line in (*head, excerpt(_plain(told), max(room, 0)), *tail) if line)


def _time_words(warning: CapWarning) -> str:
    if warning.expires is None:
        return f"từ {_clock(warning.begins)}"
    return f"từ {_clock(warning.begins)} đến {_clock(warning.expires)}"


def _clock(moment: datetime) -> str:
    return to_local(moment).strftime("%H:%M ngày %d/%m/%Y")


def _short(text: str, name: str) -> str:
    return excerpt(_plain(text), _MOST[name])


def _plain(text: str) -> str:
    return _BRACES.sub(lambda found: found[0][0], text)

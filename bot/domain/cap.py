"""Read an official warning in the Common Alerting Protocol (OASIS CAP 1.2) and make a draft of it."""

import re
from collections.abc import Mapping
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

    def to_json(self) -> dict[str, Any]:
        """Return what an announcement keeps of it: which it was, until when it holds, and the lasting remarks."""
        return {
            "identifier": self.identifier,
            "sender": self.sender,
            "expires": self.expires.isoformat() if self.expires else "",
            "remarks": [each for each in self.remarks(self.sent) if each != "expired"],
        }


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


_MOST_TITLE = 100
_MOST = {"event": 80, "areas": 140, "instruction": 220, "source": 80, "web": 80}

Words = Mapping[str, Mapping[str, Any]]
"""What a draft says around the words of a warning, as templates/messages/vi/warning.toml has it."""


def draft_of(warning: CapWarning, words: Words) -> tuple[str, str]:
    """Write the title (at most 100 characters) and the text (at most 900) of an announcement.

    The words of the warning itself stay in its own language. What would be taken for a merge field loses its braces.
    """
    line, severities = words["line"], words["severity"]
    status, kind = words["status"].get(warning.status, {}), words["type"].get(warning.message_type, {})
    subject = warning.headline or warning.event or warning.note or warning.identifier
    title = excerpt(f"{status.get('mark', '')}{kind.get('mark', '')}{_plain(subject)}", _MOST_TITLE)
    cancelled = warning.message_type == "Cancel"
    severity = severities.get(warning.severity, "")
    event = _short(warning.event, "event")
    head = [
        status.get("says", ""),
        kind.get("says", ""),
        line["severe"].format(event=event, severity=severity) if event and severity and not cancelled else event,
        line["areas"].format(areas=_short("; ".join(warning.areas), "areas")) if warning.areas else "",
        _time_words(warning, line) if warning.event and not cancelled else "",
    ]
    web = warning.web if warning.web.startswith(("https://", "http://")) and len(warning.web) <= _MOST["web"] else ""
    source, todo = _short(warning.sender_name or warning.sender, "source"), _short(warning.instruction, "instruction")
    tail = [
        line["todo"].format(instruction=todo) if todo and not cancelled else "",
        line["source"].format(source=source, sent=_clock(warning.sent, line)),
        _plain(web),
    ]
    room = MAX_DRAFT - sum(len(each) + 1 for each in (*head, *tail))
    told = warning.description or (warning.note if warning.note != subject else "")
    return title, "\n".join(each for each in (*head, excerpt(_plain(told), max(room, 0)), *tail) if each)


def _time_words(warning: CapWarning, line: Mapping[str, str]) -> str:
    begins = _clock(warning.begins, line)
    if warning.expires is None:
        return line["from"].format(begins=begins)
    return line["until"].format(begins=begins, expires=_clock(warning.expires, line))


def _clock(moment: datetime, line: Mapping[str, str]) -> str:
    return to_local(moment).strftime(line["moment"])


def _short(text: str, name: str) -> str:
    return excerpt(_plain(text), _MOST[name])


def _plain(text: str) -> str:
    return _BRACES.sub(lambda found: found[0][0], text)


def remarks_of(kept: Mapping[str, Any], at: datetime) -> list[str]:
    """Return what is to be looked at of an announcement that was made of a warning, at a moment; [] for any other."""
    if not kept:
        return []
    return [*kept["remarks"], *(["expired"] if expired(kept, at) else [])]


def expired(kept: Mapping[str, Any], at: datetime) -> bool:
    """Say whether the warning that an announcement was made of is over at a moment; False for any other."""
    return bool(kept and kept["expires"]) and datetime.fromisoformat(kept["expires"]) <= at

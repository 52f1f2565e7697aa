"""Rules of notices about dossiers: which are told and which stay silent, by which way each leaves, and when it may."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from bot.clock import LOCAL_ZONE, to_local
from bot.domain.dossier import TELL_WITHIN, TOLD_BY_DEFAULT, Kind, Status

PURPOSE = "dossier"
"""The purpose of messages that carry a notice, in the outbox."""


class Way(StrEnum):
    """By which way a notice leaves, the first that is allowed; chats of other providers come after the templates."""

    CHAT = "chat"
    TEMPLATE_USER = "template_user"
    TEMPLATE_PHONE = "template_phone"
    TELEGRAM = "telegram"


_ORDER = {way: place for place, way in enumerate(Way)}
TEMPLATE_WAYS = frozenset({Way.TEMPLATE_USER, Way.TEMPLATE_PHONE})


class Silence(StrEnum):
    """Why a notice is not told at all."""

    NOT_CHOSEN = "not_chosen"
    NOT_ONLINE = "not_online"
    OVERTAKEN = "overtaken"
    TOO_OLD = "too_old"
    GONE = "gone"


class Unreached(StrEnum):
    """Why a notice that should be told reaches nobody, where no refusal says it."""

    NOBODY = "nobody_known"
    NO_WAY = "no_way"
    UNFIT = "template_unfit"
    OUTCOME = "outcome_unknown"


def told_kinds(chosen: object) -> frozenset[Kind]:
    """Return which kinds a unit tells: what it or the nearest unit above has chosen; the default for None."""
    if not isinstance(chosen, list):
        return TOLD_BY_DEFAULT
    return frozenset(kind for kind in Kind if kind.value in chosen)


WANTED = ("papers", "reason", "limit_at", "fee")
"""The facts by which two notices want the same of people."""


class Fact(NamedTuple):
    """What silence is decided by: one notice of a dossier, its kind and the moment it is of.

    `wants` are its facts of WANTED in their order; `state` is as of the notice.
    """

    kind: Kind
    at: datetime
    wants: tuple[object, ...] = ()
    state: str = "due"


_STANDS: Mapping[Kind, Status] = {
    Kind.SUPPLEMENT: Status.SUPPLEMENT,
    Kind.FEE: Status.FEE,
    Kind.REFUSED: Status.REFUSED,
}
"""What wants something of the citizen, or ends their matter: told as long as the dossier stands there."""
_STEPS = (
    Kind.REGISTERED, Kind.ACCEPTED, Kind.SUPPLEMENT, Kind.FEE, Kind.READY, Kind.RETURNED, Kind.REFUSED, Kind.WITHDRAWN,
    Kind.STOPPED,
)  # fmt: skip
"""Kinds that are statuses, in the order in which those of one moment follow each other."""
_ENDS = frozenset({Kind.READY, Kind.RETURNED, Kind.REFUSED, Kind.WITHDRAWN, Kind.STOPPED})


def silence(
    notice: Fact,
    others: Iterable[Fact],
    *,
    status: Status,
    chosen: frozenset[Kind],
    online: bool | None,
    now: datetime,
) -> Silence | None:
    """Say why a notice stays silent, or None when it is to be told; `others` are all notices of the same dossier.

    `status` is where the dossier stands now, `chosen` what its unit tells, `online` whether it was filed online.
    """
    if notice.kind not in chosen:
        return Silence.NOT_CHOSEN
    if notice.kind is Kind.REGISTERED and not online:
        return Silence.NOT_ONLINE
    if now - notice.at > TELL_WITHIN:
        return Silence.TOO_OLD
    if notice.kind in _STANDS:
        stands = status is _STANDS[notice.kind] and not any(_repeats(other, notice) for other in others)
        return None if stands else Silence.OVERTAKEN
    return Silence.OVERTAKEN if any(_overtakes(other, notice) for other in others) else None


def _repeats(other: Fact, notice: Fact) -> bool:
    """Say whether another notice tells what people have to do: newer, or the same that day as a source times it.

    One that stays silent itself takes nothing from others: else each of two could be silent for the other.
    """
    if other.kind is not notice.kind:
        return False
    if other.at > notice.at:
        return other.state != "silent"
    same = other.wants == notice.wants and to_local(other.at).date() == to_local(notice.at).date()
    return same and other.state in {"leaving", "told"}


def _overtakes(later: Fact, notice: Fact) -> bool:
    """Say whether one notice makes another worthless that has not left yet."""
    if notice.kind is Kind.LATE:
        return later.at > notice.at and (later.kind is Kind.LATE or later.kind in _ENDS)
    if later.kind is Kind.POSTED:
        return notice.kind is Kind.READY and later.at >= notice.at
    if notice.kind not in _STEPS or later.kind not in _STEPS:
        return False
    return (later.at, _STEPS.index(later.kind)) > (notice.at, _STEPS.index(notice.kind))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to one contact; `contact_id` is "" for a phone that nobody is known by, `person` whose contact it is.

    `heard_at` is when the contact was heard of last.
    """

    way: Way
    account_id: str
    contact_id: str = ""
    person: str = ""
    heard_at: datetime | None = None
    template_id: str = ""

    @property
    def key(self) -> str:
        """What is kept of a try by this way, so that none is made twice."""
        return f"{self.way.value}:{self.contact_id or self.account_id}"


_LONG_AGO = datetime.fromtimestamp(0, UTC)


def in_order(candidates: Iterable[Candidate], tried: Iterable[str] = (), told: Collection[str] = ()) -> list[Candidate]:
    """Return what is left to be tried, the first that is allowed first; of equals who was heard of last.

    People in `told` have the notice already, and are left out with all their ways.
    """
    done = set(tried)
    left = [one for one in candidates if one.key not in done and not (one.person and one.person in told)]
    return sorted(left, key=lambda one: (_ORDER[one.way], -(one.heard_at or _LONG_AGO).timestamp(), one.key))


def others_told(ordered: Iterable[Candidate], first: Candidate) -> list[Candidate]:
    """Return by which chat each other person is told too whose dossier it is; templates cost, and go to one alone."""
    found: dict[str, Candidate] = {}
    for one in ordered:
        if one.person and one.person != first.person and one.way in {Way.CHAT, Way.TELEGRAM}:
            found.setdefault(one.person, one)
    return list(found.values())


_CHAT_HOURS = (time(7), time(22))
_TEMPLATE_HOURS = (time(6), time(22))
"""Zalo takes templates from 06:00 to 21:59 (contract §3.5); what comes in by chat earlier than seven wakes people."""
JUST_WRITTEN = timedelta(minutes=15)
"""Whoever has written so lately is awake, and waits for what happens."""


def leaves_at(candidate: Candidate, now: datetime) -> datetime:
    """Return `now` when a notice may leave by a way, else the next moment when it may, in UTC."""
    by_template = candidate.way in TEMPLATE_WAYS
    if not by_template and candidate.heard_at is not None and now - candidate.heard_at <= JUST_WRITTEN:
        return now
    start, end = _TEMPLATE_HOURS if by_template else _CHAT_HOURS
    local = to_local(now)
    if start <= local.time() < end:
        return now
    day = local.date() + timedelta(days=local.time() >= end)
    return datetime.combine(day, start, LOCAL_ZONE).astimezone(UTC)


FIELDS = (
    "mã hồ sơ", "tên", "thủ tục", "tình trạng", "đơn vị", "ngày hẹn", "ngày hẹn cũ", "số tiền", "hạn", "lý do",
    "giấy tờ", "nơi nhận", "mã bưu gửi",
)  # fmt: skip
"""What the parameters of a template can be filled with, as `{{mã hồ sơ}}`."""
OF_THE_BOUND = frozenset({"lý do", "giấy tờ"})
"""Of these only who is known to be the dossier's is told."""


def number_of(value: object) -> int | None:
    """Return an amount in đồng as facts keep it; None for none, or one of nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = int(float(value))
    except (ValueError, OverflowError):
        return None
    return amount if amount > 0 else None


def dong(amount: int | None) -> str:
    """Return an amount as people write it: 150000 as 150.000; "" for none."""
    return "" if amount is None else f"{amount:,}".replace(",", ".")


RATE_WITHIN = timedelta(days=30)
"""So long after its result was returned a dossier can be rated."""
RATINGS = 2
"""How often: once, and once again by whoever thinks better of it."""


def may_be_rated(status: Status, returned_at: datetime | None, times: int, now: datetime) -> bool:
    """Say whether a dossier can be rated, which was rated so many times before."""
    back = status is Status.RETURNED and returned_at is not None and now - returned_at <= RATE_WITHIN
    return back and times < RATINGS


BANK = ("bin", "account", "name", "label")
"""What is kept of the account that fees are paid to."""


def bank_of(value: Any) -> dict[str, str]:
    """Return a unit's account for fees: bin, account, name, and label (the bank's name); {} where none is set."""
    if not isinstance(value, dict):
        return {}
    found = {name: str(value.get(name, "")) for name in BANK}
    return found if found["bin"] and found["account"] else {}

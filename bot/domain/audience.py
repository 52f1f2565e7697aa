"""Say whom an announcement is for, by rules or by an uploaded list, and by which way each person is reached."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.errors import InvalidInputError

_LISTS = ("unit_ids", "area_ids", "topic_ids", "tags", "without_tags", "dossier_fields")
_MOST = 500


class Way(StrEnum):
    """By which way one person is written to, the first that is allowed; NONE reaches nobody."""

    CHAT = "chat"
    TEMPLATE_USER = "template_user"
    TEMPLATE_PHONE = "template_phone"
    NONE = "none"


EVER, UNFINISHED = "", "open"
"""Who is meant by a dossier in a field: whoever has or had one, or only who has one now that is not finished."""
TEMPLATE_USER_WINDOW = timedelta(days=365)
"""A template by user id asks for an interaction within a year (contract §3.5, mark B)."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom an announcement is for; each rule that is not empty narrows it, several values of one rule widen it.

    `unit_ids` are units whose accounts send, with all below them; `topic_ids` topics that people have chosen
    themselves. `dossier_fields` are fields of which somebody has or had a dossier with the unit or one below it, with
    `dossier_state` "open" only one that is not finished. With `list_id` it is the people of an uploaded list instead.
    """

    unit_ids: tuple[str, ...] = ()
    area_ids: tuple[str, ...] = ()
    topic_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    dossier_fields: tuple[str, ...] = ()
    dossier_state: str = EVER
    list_id: str = ""

    def __post_init__(self) -> None:
        """Refuse what nobody would choose by hand; raises InvalidInputError."""
        if any(len(getattr(self, name)) > _MOST for name in _LISTS):
            raise InvalidInputError("audience", "too_many_rules")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able dictionary, empty rules left out."""
        return {name: list(value) if name in _LISTS else value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Audience":
        """Read what `to_json` wrote."""
        lists = {name: tuple(str(value) for value in data.get(name, ())) for name in _LISTS}
        state = str(data.get("dossier_state", EVER))
        return cls(**lists, dossier_state=state, list_id=str(data.get("list_id", "")))


@dataclass(frozen=True, slots=True)
class Sender:
    """One account that an announcement leaves by, with what it may do at the moment `at` when it is due.

    `windowed` accounts take free text only from whom they heard after `since`, free of charge after `free_since`.
    `by_user` and `by_phone` say which ways the chosen template opens; "" for `template_id` is none.
    """

    account_id: str
    provider: str
    at: datetime
    windowed: bool
    since: datetime
    free_since: datetime
    template_id: str = ""
    by_user: bool = False
    by_phone: bool = False
    price_user: int = 0
    price_phone: int = 0
    per_minute: int = 0

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways that this account has, the first that is allowed first; NONE stands at the end."""
        by_template = ((Way.TEMPLATE_USER, self.by_user), (Way.TEMPLATE_PHONE, self.by_phone))
        return (Way.CHAT, *(way for way, has in by_template if has and self.windowed), Way.NONE)


@dataclass(slots=True)
class Reach:
    """How many people an announcement reaches: by account and way, and who not, by reason.

    `paid` of those reached by free text are outside the free hours; `doubled` would have got it twice and are counted
    once; `left_out` have decided against it (stopped, topic_off, no_consent).
    """

    ways: dict[tuple[str, Way], int] = field(default_factory=dict)
    paid: int = 0
    unreached: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    doubled: int = 0

    @property
    def reached(self) -> int:
        """How many people get it."""
        return sum(number for (_, way), number in self.ways.items() if way is not Way.NONE)

    @property
    def missed(self) -> int:
        """How many people of the audience no way reaches."""
        return sum(self.unreached.values())

    def by_way(self, way: Way) -> int:
        """How many are reached by a way, over all accounts."""
        return sum(number for (_, each), number in self.ways.items() if each is way)

    def to_json(self) -> dict[str, Any]:
        """Return what a run keeps of it."""
        return {
            "ways": [[account, way.value, number] for (account, way), number in sorted(self.ways.items())],
            "paid": self.paid,
            "unreached": self.unreached,
            "left_out": self.left_out,
            "doubled": self.doubled,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Reach":
        """Read what `to_json` wrote."""
        return cls(
            {(account, Way(way)): int(number) for account, way, number in data.get("ways", [])},
            int(data.get("paid", 0)),
            dict(data.get("unreached", {})),
            dict(data.get("left_out", {})),
            int(data.get("doubled", 0)),
        )


STATE_AGENCY_PRICE = 120
"""Đồng for a template of a state agency of which the provider tells no price (contract §3.5, mark B)."""
CHAT_PRICE = 55
"""Đồng for a free text outside the free hours once the package's allowance is used up (contract §3.5, mark A)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an announcement costs at most, in đồng before VAT, and how long it takes at the accounts' limits."""

    dong: int
    seconds: float


def estimate(reach: Reach, senders: list[Sender], parts: int) -> Estimate:
    """Work out cost and duration; `parts` is into how many messages the text is split.

    Free text outside the free hours is counted at the full price: what is left of a package's allowance is told by
    the provider with each answer, and stands beside it. Accounts send side by side, so the slowest one decides.
    """
    known = {sender.account_id: sender for sender in senders}
    dong, seconds = reach.paid * CHAT_PRICE * parts, 0.0
    requests: dict[str, int] = {}
    for (account, way), number in reach.ways.items():
        sender = known.get(account)
        if sender is None or way is Way.NONE:
            continue
        dong += {Way.TEMPLATE_USER: sender.price_user, Way.TEMPLATE_PHONE: sender.price_phone}.get(way, 0) * number
        if way is not Way.TEMPLATE_PHONE:  # sends by phone are outside the account's requests a minute (contract §3.3)
            requests[account] = requests.get(account, 0) + number * (parts if way is Way.CHAT else 1)
    for account, number in requests.items():
        per_minute = known[account].per_minute
        seconds = max(seconds, number * 60 / per_minute if per_minute else 0.0)
    return Estimate(dong, seconds)

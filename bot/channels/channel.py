"""The contract every way of reaching people fulfils, and the abilities that only some have."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol, runtime_checkable

from bot.channels.rate_limit import Window
from bot.domain.delivery import Sent
from bot.domain.message import Capabilities, Message
from bot.domain.template import TemplateFacts
from bot.domain.update import Update


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One OA or bot as a channel needs it: our row id, the provider's id, its kind, and what was learnt about it.

    `learnt` holds small facts found by trying (such as which endpoint the provider accepts for this account).
    """

    id: str
    external_id: str
    kind: str
    learnt: Mapping[str, str] = field(default_factory=dict)


class Recipient(NamedTuple):
    """Whom to write to: the provider's user id, or with `by` "phone" a phone number (84…) in its place.

    `tracking` comes back with the receipts of what is sent by phone, at most 48 characters; "" for none.
    """

    external_id: str
    conversation_id: str | None = None
    by: str = "user_id"
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class FileContent:
    """The bytes of a picture or file that is to be sent."""

    name: str
    media_type: str
    data: bytes


LoadFile = Callable[[str], Awaitable[FileContent]]
Learn = Callable[[str, str, str], Awaitable[None]]
"""`await learn(account_id, key, value)` remembers a fact about an account for good."""


class VerificationError(Exception):
    """A webhook request is not from the provider; `reason` is no_signature | bad_signature | no_key."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RawEvent(NamedTuple):
    """What intake stores of one verified webhook: enough to route, order and de-duplicate without parsing it all.

    `key` is unique per account and event, `contact` groups events that must be handled in order.
    """

    account: str
    event: str
    key: str
    contact: str
    occurred_at: datetime


class Channel(Protocol):
    """Speak to one provider for all its accounts."""

    provider: str

    def verify(self, headers: Mapping[str, str], body: bytes, account: str = "") -> RawEvent | None:
        """Check a webhook on its raw bytes; None for a probe to be answered 200 and forgotten.

        `account` is the provider's id of the account where the address of the webhook names it. Raises
        VerificationError for a forgery and ValueError for a body that is not JSON.
        """

    def parse(self, raw: bytes) -> list[Update]:
        """Read a stored webhook; pure, and never raises: what is odd becomes Unrecognised."""

    def capabilities(self, account: AccountRef) -> Capabilities:
        """Say what this account can carry."""

    def limits(self, account: AccountRef) -> tuple[Window, ...]:
        """Return the windows in which each request of this account counts, the account's own first.

        () for none, and where a channel counts by itself each request as it leaves: its windows are so short, or each
        recipient's own, that a request paid for earlier would be counted in the wrong one. What goes to phones is
        always counted so.
        """

    async def send(self, account: AccountRef, to: Recipient, message: Message) -> Sent:
        """Hand one fitted message to the provider. Raises the SendError family and nothing else."""


@runtime_checkable
class FindsSent(Protocol):
    """The provider can be asked whether a message of unknown outcome arrived."""

    async def find_sent(
        self, account: AccountRef, to: Recipient, message: Message, since: datetime, known: Collection[str] = ()
    ) -> str | None:
        """Return the provider's id of an equal message sent since then, or None; raises SendError if it cannot say.

        `known` are ids of other messages, which may have the same words.
        """


@runtime_checkable
class AnswersTaps(Protocol):
    """The provider wants to hear that a button press arrived, and can show a few words over the chat."""

    async def answer_tap(self, account: AccountRef, tap_id: str, text: str = "") -> None:
        """Answer one press, showing `text` for a moment ("" shows nothing); raises the SendError family."""


@runtime_checkable
class RefreshesCredentials(Protocol):
    """The provider's credentials age and must be renewed."""

    async def refresh(self, account: AccountRef) -> bool:
        """Renew when due (or already renewed elsewhere); True when a new pair is in use. Raises SendError."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the provider tells about a person; they have certainly interacted at or after `heard_since`."""

    name: str
    avatar_url: str | None = None
    follows: bool | None = None
    heard_since: datetime | None = None


@runtime_checkable
class KnowsProfiles(Protocol):
    """The provider can be asked who somebody is."""

    async def profile(self, account: AccountRef, external_id: str) -> Profile:
        """Return the person's display name; raises the SendError family."""


@dataclass(frozen=True, slots=True)
class FollowerQuery:
    """Which followers are asked for: everybody, those with a `tag`, or those heard of last on these `days`.

    `days` are the first and the last day on the Vietnamese calendar.
    """

    tag: str = ""
    days: tuple[date, date] | None = None


class FollowerPage(NamedTuple):
    """Some followers by the provider's user ids; `total` is how many the whole list has, as the provider tells.

    `next_offset` is None at the end of the list. `cut` says that the list is longer than anybody is let read.
    """

    user_ids: list[str]
    total: int
    next_offset: int | None = None
    cut: bool = False


@runtime_checkable
class ListsFollowers(Protocol):
    """The provider tells who follows an account."""

    async def followers(self, account: AccountRef, query: FollowerQuery, offset: int) -> FollowerPage:
        """Return a page of followers from `offset` on; raises MessageInvalidError for what it cannot be asked.

        Raises the SendError family.
        """

    async def follower_tags(self, account: AccountRef) -> list[str]:
        """Return the names of the tags that the office has given to followers; raises the SendError family."""


class FileRefusedError(Exception):
    """The provider does not hand out a file; `reason` as for attachments, `again` says whether to ask later."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


@runtime_checkable
class FetchesFiles(Protocol):
    """What is attached comes as a reference that only the provider can turn into an address, and not as an address."""

    async def file_address(self, account: AccountRef, reference: str) -> str:
        """Return where the bytes are now; it may hold a secret, so never store or log it.

        Raises FileRefusedError, or SendError when the provider cannot be asked.
        """


@runtime_checkable
class LoadsLate(Protocol):
    """What the channel needs is large, and brought in once there is an account."""

    async def load(self) -> None:
        """Bring it in beside the event loop; at once when it is there already."""


@runtime_checkable
class FinishesWork(Protocol):
    """Something may be under way that must not be cut off when the process ends, such as a renewal of tokens."""

    async def finish(self) -> None:
        """Return once nothing of the kind is under way; never raises."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """What the provider says an account is; `kind` is state | business | "" where it does not say."""

    external_id: str
    name: str
    kind: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateAllowance:
    """How many templates an account may send a day, how many are left, and how well what it sends is received."""

    per_day: int | None = None
    left: int | None = None
    quality: str = ""


@runtime_checkable
class KnowsTemplates(Protocol):
    """The provider approves templates for an account, and can be asked about them."""

    async def templates(self, account: AccountRef) -> list[TemplateFacts]:
        """List every template of the account: id, name, status and quality only; raises the SendError family."""

    async def template(self, account: AccountRef, template_id: str) -> TemplateFacts:
        """Ask for one template with its parameters and prices; raises the SendError family."""

    async def template_allowance(self, account: AccountRef) -> TemplateAllowance:
        """Ask what may be sent today, None and "" for what is not told; raises the SendError family."""


@runtime_checkable
class KnowsAccounts(Protocol):
    """The provider can be asked about the account itself."""

    async def account_info(self, account: AccountRef) -> AccountInfo:
        """Ask who this account is; raises the SendError family."""


@runtime_checkable
class ConnectsByToken(Protocol):
    """An account is connected by one token that does not age and says itself which account it is."""

    async def identify(self, token: str) -> AccountInfo:
        """Ask whose token this is; raises AccountStoppedError for one that is not valid, else the SendError family."""


@dataclass(frozen=True, slots=True)
class WebhookState:
    """What the provider says of an account's webhook: how many updates wait for it, and its last failure there."""

    waiting: int
    error: str = ""
    error_at: datetime | None = None


@runtime_checkable
class SetsWebhook(Protocol):
    """The address of an account's webhook is set by us, and the provider tells how it fares."""

    async def keep_webhook(self, account: AccountRef, url: str, *, anew: bool = False) -> WebhookState:
        """Make sure that updates come to `url`, set `anew` even if it seems so; raises the SendError family."""


class Fetched(NamedTuple):
    """One update that was fetched: its number, what intake stores of it, and its bytes."""

    number: int
    event: RawEvent
    raw: bytes


class PollConflictError(Exception):
    """Updates are on their way to somebody else; `reason` is webhook_elsewhere | polled_elsewhere."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@runtime_checkable
class GivesUpdates(Protocol):
    """Updates can be fetched, by whom no webhook can reach."""

    async def begin_polling(self, account: AccountRef) -> None:
        """Take the webhook away, which stands against fetching; nothing that waits is dropped. Raises SendError."""

    async def updates(self, account: AccountRef, offset: int | None, seconds: int) -> list[Fetched]:
        """Wait up to `seconds` for updates numbered `offset` or more and return them, oldest first.

        With an offset the provider forgets those before it. Raises PollConflictError and the SendError family.
        """


class GrantedTokens(Protocol):
    """What a provider issues once an account's administrator has agreed; `expires_at` in UTC."""

    @property
    def access_token(self) -> str:
        """The token to speak with."""

    @property
    def refresh_token(self) -> str:
        """The token to renew with."""

    @property
    def expires_at(self) -> datetime:
        """When the access token ends."""


class PermissionPage(Protocol):
    """The provider's own page on which an administrator connects an account."""

    def permission_url(self, redirect_uri: str, state: str, challenge: str = "") -> str:
        """Return the page's address."""

    async def exchange_code(self, code: str, verifier: str = "") -> GrantedTokens:
        """Turn the code that comes back into tokens; raises the SendError family."""


@runtime_checkable
class ConnectsByPage(Protocol):
    """The provider lets an administrator connect an account without copying tokens by hand."""

    @property
    def oauth(self) -> PermissionPage:
        """The page and what follows it."""

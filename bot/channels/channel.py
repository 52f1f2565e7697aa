"""The contract every way of reaching people fulfils, and the abilities that only some have."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from bot.channels.rate_limit import Window
from bot.domain.delivery import Sent
from bot.domain.message import Capabilities, Message
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
    """Whom to write to: the provider's user id, or a phone where the account is addressed by phone."""

    external_id: str
    conversation_id: str | None = None


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

    def verify(self, headers: Mapping[str, str], body: bytes) -> RawEvent | None:
        """Check a webhook on its raw bytes; None for a probe to be answered 200 and forgotten.

        Raises VerificationError for a forgery and ValueError for a body that is not JSON.
        """

    def parse(self, raw: bytes) -> list[Update]:
        """Read a stored webhook; pure, and never raises: what is odd becomes Unrecognised."""

    def capabilities(self, account: AccountRef) -> Capabilities:
        """Say what this account can carry."""

    def limits(self, account: AccountRef) -> tuple[Window, ...]:
        """Return the windows in which each request of this account counts, the account's own first; () for none."""

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
    """What the provider tells about a person."""

    name: str
    avatar_url: str | None = None
    follows: bool | None = None


@runtime_checkable
class KnowsProfiles(Protocol):
    """The provider can be asked who somebody is."""

    async def profile(self, account: AccountRef, external_id: str) -> Profile:
        """Return the person's display name; raises the SendError family."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """What the provider says an account is; `kind` is state | business | "" where it does not say."""

    external_id: str
    name: str
    kind: str
    details: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class KnowsAccounts(Protocol):
    """The provider can be asked about the account itself."""

    async def account_info(self, account: AccountRef) -> AccountInfo:
        """Ask who this account is; raises the SendError family."""


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

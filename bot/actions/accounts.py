"""Connect Official Accounts and bots, and start again one that was stopped."""

from dataclasses import dataclass
from datetime import datetime

from bot.actions.case_trail import audit
from bot.errors import InvalidInputError, NotFoundError
from bot.secrets import SecretBox
from bot.store import accounts, credentials, inbox, outbox, receptions, units
from bot.store.accounts import AccountRow
from bot.store.credentials import CredentialRow
from bot.store.unit_of_work import UnitOfWork

KINDS = ("state", "business")
NEEDS_GRANT = frozenset(
    {"refresh_token_dead", "token_refused", "no_credentials", "bot_token_refused", "bot_token_missing"}
)
"""Why an account stands still that only new tokens of its administrator put right (contract: -14014 and its kin)."""
MODE, POLLING, WEBHOOK = "mode", "polling", "webhook"
"""The fact by which an account's updates are fetched or sent to our webhook, where that is for us to choose."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an account speaks with.

    `refresh_token` is "" where tokens do not age, `webhook_key` when the app's key holds, `expires_at` None when not
    known.
    """

    access_token: str
    refresh_token: str = ""
    webhook_key: str = ""
    expires_at: datetime | None = None


async def add_account(
    uow: UnitOfWork, box: SecretBox, *, oa_id: str, name: str, unit_code: str, kind: str, secrets: Secrets
) -> AccountRow:
    """Connect a Zalo Official Account to a unit, or give one that is connected new secrets; waiting updates go in.

    Raises InvalidInputError for an id that is no number, an unknown unit or kind, or missing tokens.
    """
    if not oa_id.isdigit():
        raise InvalidInputError("oa_id", "digits_only")
    if kind not in KINDS:
        raise InvalidInputError("type", "unknown_kind")
    _require_tokens(secrets, "access_token", "refresh_token")
    row = await _described(uow, "zalo", oa_id, name, unit_code)
    row.kind = kind
    await _keep(uow, box, row, secrets)
    await _let_in(uow, row)
    audit(uow, "account.connect", f"account:{row.id}", {"oa_id": oa_id, "kind": kind})
    return row


async def add_bot(
    uow: UnitOfWork,
    box: SecretBox,
    *,
    provider: str,
    external_id: str,
    name: str,
    unit_code: str,
    polling: bool,
    secrets: Secrets,
    username: str = "",
) -> AccountRow:
    """Connect an account whose one token does not age, or give it a new token; how its updates come in starts anew.

    `username` is by what the provider's links open it, where it has one.
    Raises InvalidInputError for an unknown unit, an empty name or a missing token.
    """
    _require_tokens(secrets, "access_token")
    row = await _described(uow, provider, external_id, name, unit_code)
    known = {"username": username} if username else {}
    row.learnt = {**row.learnt, **known, MODE: POLLING if polling else WEBHOOK}
    await _begin(uow, box, row, secrets)
    return row


async def renew_bot(uow: UnitOfWork, box: SecretBox, account_id: str, external_id: str, secrets: Secrets) -> AccountRow:
    """Give a bot a new token and let it work again; raises InvalidInputError for the token of another bot."""
    row = await accounts.account(uow.session, account_id)
    if row is None:
        raise NotFoundError(f"account {account_id}")
    if row.external_id != external_id:
        raise InvalidInputError("token", "another_bot")
    await _begin(uow, box, row, secrets)
    return row


async def _begin(uow: UnitOfWork, box: SecretBox, row: AccountRow, secrets: Secrets) -> None:
    await _keep(uow, box, row, secrets)
    await _let_in(uow, row)
    reception = await receptions.begin(uow.session, row.id)
    reception.error, reception.detail, reception.error_at, reception.checked_at = "", "", None, None
    uow.after_commit("poll_updates" if row.learnt.get(MODE) == POLLING else "keep_webhooks")
    audit(uow, "account.connect", f"account:{row.id}", {"id": row.external_id, MODE: row.learnt.get(MODE, "")})


async def _described(uow: UnitOfWork, provider: str, external_id: str, name: str, unit_code: str) -> AccountRow:
    """Return the account, made when it is new, with its name and unit."""
    unit = next(iter(await units.units_by_code(uow.session, unit_code)), None)
    if unit is None:
        raise InvalidInputError("unit", "unknown_unit")
    if not name.strip():
        raise InvalidInputError("name", "empty")
    row = await accounts.by_external_id(uow.session, provider, external_id)
    if row is None:
        row = AccountRow(
            id=uow.new_id(),
            provider=provider,
            external_id=external_id,
            name=name.strip(),
            unit_id=unit.id,
            created_at=uow.now,
        )
        uow.session.add(row)
        await uow.session.flush()
    row.name, row.unit_id = name.strip(), unit.id
    return row


async def reconnect(uow: UnitOfWork, box: SecretBox, account_id: str, secrets: Secrets) -> AccountRow:
    """Give an account new tokens and let it work again; raises InvalidInputError for a missing one."""
    row = await accounts.account(uow.session, account_id)
    if row is None:
        raise NotFoundError(f"account {account_id}")
    _require_tokens(secrets, "access_token", "refresh_token")
    await _keep(uow, box, row, secrets)
    await _let_in(uow, row)
    audit(uow, "account.connect", f"account:{row.id}", {"oa_id": row.external_id, "kind": row.kind})
    return row


def _require_tokens(secrets: Secrets, *needed: str) -> None:
    for field in needed:
        if not getattr(secrets, field):
            raise InvalidInputError(field, "empty")


async def _keep(uow: UnitOfWork, box: SecretBox, row: AccountRow, secrets: Secrets) -> None:
    kept = await credentials.credential(uow.session, row.id)
    if kept is None:
        kept = CredentialRow(account_id=row.id)
        uow.session.add(kept)
    kept.access_token = box.seal(secrets.access_token)
    kept.refresh_token = box.seal(secrets.refresh_token) if secrets.refresh_token else None
    kept.previous_access_token = kept.previous_refresh_token = None
    if secrets.webhook_key:
        kept.webhook_key = box.seal(secrets.webhook_key)
    kept.expires_at, kept.refreshed_at, kept.error = secrets.expires_at, uow.now, ""
    await uow.session.flush()


async def _let_in(uow: UnitOfWork, row: AccountRow) -> None:
    accounts.let_in(row, uow.now)
    if await inbox.replay_account(uow.session, row.provider, row.external_id, uow.now):
        uow.after_commit("handle_updates")
    if await outbox.wake_account(uow.session, row.id, uow.now):
        uow.after_commit("deliver_messages")
    uow.announce("health")


async def restart(uow: UnitOfWork, account_id: str) -> AccountRow:
    """Let a stopped account send again, after a person has put right what was wrong; what waited is due at once.

    Raises InvalidInputError when only new tokens can help: without them it would stop again at its first message.
    """
    row = await accounts.account(uow.session, account_id)
    if row is None:
        raise NotFoundError(f"account {account_id}")
    if row.state != "active" and row.stopped_reason in NEEDS_GRANT:
        raise InvalidInputError("access_token", "grant_needed")
    await _let_in(uow, row)
    audit(uow, "account.restart", f"account:{row.id}")
    return row


async def describe(uow: UnitOfWork, account_id: str, name: str, kind: str) -> AccountRow:
    """Keep what the provider says an account is called and of which kind it is; "" leaves what is known."""
    row = await accounts.account(uow.session, account_id)
    if row is None:
        raise NotFoundError(f"account {account_id}")
    row.name = name.strip()[:200] or row.name
    row.kind = kind if kind in KINDS else row.kind
    audit(uow, "account.describe", f"account:{row.id}", {"name": row.name, "kind": row.kind})
    return row

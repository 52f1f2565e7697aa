"""Look at the accounts: whether each can send, hears from its provider and gets receipts; and at refused webhooks."""

from datetime import datetime, timedelta

from bot.health.line import Light, Line
from bot.store import accounts, books, credentials, health, receptions
from bot.store.accounts import AccountRow
from bot.store.credentials import CredentialRow
from bot.store.database import Session
from bot.store.receptions import ReceptionRow

REFUSALS_SHOWN = timedelta(hours=24)
REFUSALS_LOUD = timedelta(hours=2)
"""Zalo switches a webhook off about two hours after it began to be refused (contract §1.1)."""
TOKEN_SOON = timedelta(hours=3)
QUIET_ACCOUNT = timedelta(days=7)
REPORTED_LATELY = timedelta(minutes=30)
FEW_MESSAGES = 10
"""Receipts missing of fewer messages say nothing: a phone may be off for days."""


async def refusal_lines(session: Session, now: datetime) -> list[Line]:
    """Look at webhooks that were refused lately."""
    lines = []
    for provider, reason, number, last_at in await health.refusals(session, now - REFUSALS_SHOWN):
        forged = reason in {"bad_signature", "no_signature", "no_key"}
        light = Light.BAD if forged and now - last_at < REFUSALS_LOUD else Light.WARN
        lines.append(Line("refused", light, reason, {"provider": provider, "number": number, "last_at": last_at}))
    return lines


async def account_lines(session: Session, now: datetime) -> list[Line]:
    """Look at each account, and at the receipts of those that get any."""
    secrets = {row.account_id: row for row in await credentials.all_credentials(session)}
    coming_in = await receptions.all_receptions(session)
    rows = await accounts.all_accounts(session)
    looked = [_account(row, secrets.get(row.id), coming_in.get(row.id), now) for row in rows]
    return looked + await _receipts(session, rows)


def _account(row: AccountRow, secret: CredentialRow | None, reception: ReceptionRow | None, now: datetime) -> Line:
    why, light = "", Light.OK
    expires = secret.expires_at if secret else None
    if row.state != "active":
        why, light = "stopped", Light.BAD
    elif secret is None or secret.access_token is None:
        why, light = "no_token", Light.BAD
    elif secret.error:
        why, light = "refresh_fails", Light.BAD if expires and expires < now else Light.WARN
    elif expires and expires < now + TOKEN_SOON:
        why, light = "token_soon", Light.WARN if expires > now else Light.BAD
    elif reception is not None and reception.error:
        why, light = "reception", Light.BAD
    elif reception is not None and _reported_lately(reception, now):
        why, light = "reported", Light.WARN
    elif row.last_update_at is None:
        why, light = "never_heard", Light.WARN
    elif now - row.last_update_at > QUIET_ACCOUNT:
        why, light = "quiet", Light.WARN
    values = {
        "name": row.name,
        "external_id": row.external_id,
        "provider": row.provider,
        "why": why,
        "stopped_reason": row.stopped_reason if row.state != "active" else "",
        "stopped_at": row.stopped_at if row.state != "active" else None,
        "refresh_error": secret.error if secret else "",
        "expires_at": expires,
        "last_update_at": row.last_update_at,
        "last_test_at": row.last_test_at,
        "quota": row.quota,
        "reception_error": reception.error if reception else "",
        "waiting": reception.waiting if reception else None,
    }
    return Line("account", light, row.id, values)


def _reported_lately(reception: ReceptionRow, now: datetime) -> bool:
    """Say whether the provider has lately failed to bring updates, and still holds some."""
    at = reception.reported_at
    return at is not None and now - at < REPORTED_LATELY and bool(reception.waiting)


async def _receipts(session: Session, rows: list[AccountRow]) -> list[Line]:
    """Name accounts whose receipts stay away, as the daily look found; those that never get any are left in peace."""
    names = {row.id: row.name for row in rows}
    looked = await books.last_result(session, "receipts")
    lines = []
    for one in looked.found if looked else []:
        lacking, arrived = int(one["waiting"]), int(one["arrived"])
        if arrived and lacking >= FEW_MESSAGES and one["account"] in names:
            light = Light.WARN if lacking > arrived else Light.OK
            values = {"name": names[one["account"]], "number": lacking, "total": lacking + arrived}
            lines.append(Line("receipts", light, one["account"], values))
    return lines

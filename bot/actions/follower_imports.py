"""Import the people who follow an account: begun, page by page, and ended; to be imported is no interaction."""

from dataclasses import dataclass
from datetime import datetime

from bot.actions.case_trail import audit
from bot.domain.follower_import import Listing, Part, after_page, first_plan, plan_beyond, with_tags
from bot.errors import InvalidInputError, NotFoundError
from bot.store import accounts
from bot.store import follower_imports as rows
from bot.store.follower_imports import DONE, FAILED, RUNNING, FollowerImportRow
from bot.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Position:
    """Where an import stands: which list is read, and from where on. Who asked from an older one has come too late."""

    account_id: str
    begun_at: datetime
    listing: Listing
    cursor: int


def position(row: FollowerImportRow) -> Position:
    """Return where an import stands."""
    return Position(row.account_id, row.begun_at, Listing.from_json(row.plan[0]), row.cursor)


async def begin(uow: UnitOfWork, account_id: str) -> FollowerImportRow:
    """Begin to import an account's followers; raises InvalidInputError while that is already under way."""
    if await accounts.account(uow.session, account_id) is None:
        raise NotFoundError(f"account {account_id}")
    row = await rows.locked(uow.session, account_id)
    if row is not None and row.state == RUNNING:
        raise InvalidInputError("followers", "import_runs")
    if row is None:
        row = FollowerImportRow(account_id=account_id, begun_at=uow.now, progress_at=uow.now)
        uow.session.add(row)
    row.state, row.plan, row.cursor = RUNNING, [one.to_json() for one in first_plan(uow.now)], 0
    row.told, row.found, row.made, row.beyond = 0, await rows.known(uow.session, account_id), 0, False
    row.error, row.begun_at, row.progress_at, row.ended_at = "", uow.now, uow.now, None
    audit(uow, "account.followers", f"account:{account_id}")
    uow.after_commit("import_followers")
    return row


async def take(
    uow: UnitOfWork, at: Position, user_ids: list[str], *, total: int, next_offset: int | None, cut: bool
) -> int | None:
    """Take in the page that was asked for at a position; returns how many people are new.

    None when the import stands elsewhere by now: another process was quicker, and nothing is changed.
    """
    row = await _standing(uow, at)
    if row is None:
        return None
    made = await rows.meet(uow.session, at.account_id, {known: uow.new_id() for known in user_ids}, uow.now)
    turned = await rows.follow(uow.session, at.account_id, user_ids)
    if at.listing.heard_since is not None:
        await rows.heard(uow.session, at.account_id, user_ids, at.listing.heard_since)
    if at.listing.part is Part.EVERYBODY:
        row.told = total
    row.made, row.found = row.made + made, row.found + made + turned
    plan, cursor, beyond = after_page(_plan(row), row.begun_at, next_offset, cut=cut)
    row.beyond = row.beyond or beyond
    await _go_on(uow, row, plan, cursor)
    return made


async def take_tags(uow: UnitOfWork, at: Position, tags: list[str]) -> bool:
    """Take in which tags there are, each of them a list to be read; False when the import stands elsewhere."""
    row = await _standing(uow, at)
    if row is None:
        return False
    await _go_on(uow, row, with_tags(_plan(row), tags), 0)
    return True


async def refused(uow: UnitOfWork, at: Position, reason: str) -> bool:
    """Leave out a list, or the rest of it, that the provider does not give; False when the import stands elsewhere.

    Without that of everybody there is nothing to import; when only its rest is refused, it ends there.
    """
    row = await _standing(uow, at)
    if row is None:
        return False
    if at.listing.part is not Part.EVERYBODY:
        await _go_on(uow, row, _plan(row)[1:], 0)
    elif at.cursor:
        row.beyond = True
        await _go_on(uow, row, plan_beyond(row.begun_at), 0)
    else:
        await _end(uow, row, FAILED, reason)
    return True


async def held_up(uow: UnitOfWork, at: Position, reason: str) -> None:
    """Note why an import does not get on just now."""
    row = await _standing(uow, at)
    if row is not None:
        row.error = reason


def _plan(row: FollowerImportRow) -> list[Listing]:
    return [Listing.from_json(one) for one in row.plan]


async def _standing(uow: UnitOfWork, at: Position) -> FollowerImportRow | None:
    row = await rows.locked(uow.session, at.account_id)
    return row if row is not None and row.state == RUNNING and position(row) == at else None


async def _go_on(uow: UnitOfWork, row: FollowerImportRow, plan: list[Listing], cursor: int) -> None:
    row.plan, row.cursor, row.progress_at, row.error = [one.to_json() for one in plan], cursor, uow.now, ""
    if not plan:
        await _end(uow, row, DONE, "")


async def _end(uow: UnitOfWork, row: FollowerImportRow, state: str, reason: str) -> None:
    row.state, row.error, row.plan, row.cursor, row.ended_at = state, reason, [], 0, uow.now
    row.found = await rows.known(uow.session, row.account_id)
    told = {"told": row.told, "found": row.found, "made": row.made, "beyond": row.beyond}
    audit(uow, f"account.followers_{state}", f"account:{row.account_id}", {**told, "reason": reason})
    uow.announce("health")
    if row.made:
        uow.after_commit("fetch_profiles")

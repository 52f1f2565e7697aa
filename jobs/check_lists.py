"""Check uploaded lists, each in a process of its own, and take away the lines of removed ones."""

from contextlib import aclosing

from bot.actions import recipient_lists as actions
from bot.checker import process
from bot.checker.process import Found, TooHeavyError
from bot.clock import new_id
from bot.domain.recipient_list import Problem
from bot.logs import logger
from bot.runtime import Runtime
from bot.store import recipients
from bot.store.recipients import Line, RecipientListRow

_log = logger("lists")
_GIVE_WAY_SECONDS = 1.0


async def check_lists(runtime: Runtime) -> int:
    """Check or remove every list that waits for it; returns how many."""
    done = 0
    while not runtime.stopping.is_set():
        token = new_id()
        async with runtime.units_of_work() as uow:
            row = await actions.take(uow, token)
        if row is None:
            break
        await _one(runtime, row, token)
        done += 1
    return done


async def _one(runtime: Runtime, row: RecipientListRow, token: str) -> None:
    await _cleared(runtime, row, token)
    if row.state == "removing":
        await runtime.blobs.delete(actions.blob_key(row.id))
        async with runtime.units_of_work() as uow:
            await actions.removed(uow, row.id, token)
        return
    if row.tries > actions.MOST_TRIES:
        ended = await _end(runtime, row, token, _refused("too_heavy"))
    else:
        ended = await _checked(runtime, row, token)
    if ended:
        await runtime.blobs.delete(actions.blob_key(row.id))


async def _cleared(runtime: Runtime, row: RecipientListRow, token: str) -> None:
    """Take away the lines of a list, some at a time."""
    more = True
    while more:
        async with runtime.units_of_work() as uow:
            more = await actions.clear(uow, row.id, token)
        await runtime.urgency.give_way(_GIVE_WAY_SECONDS)


def _refused(code: str) -> Found:
    return Found([], "", "", [Problem("", code).to_json()])


async def _checked(runtime: Runtime, row: RecipientListRow, token: str) -> bool:
    """Check one list; False when it is not at its end, since another has it or this process is about to end."""
    try:
        data = await runtime.blobs.get(actions.blob_key(row.id))
    except FileNotFoundError:
        return await _end(runtime, row, token, _refused("file_gone"))
    secret = runtime.settings.security.secret_key
    try:
        async with aclosing(process.check(data, secret, row.key_column, row.key_kind)) as answers:
            async for answer in answers:
                if isinstance(answer, Found):
                    return await _end(runtime, row, token, answer)
                if runtime.stopping.is_set():
                    async with runtime.units_of_work() as uow:
                        await recipients.give_back(uow.session, row.id, token)
                    return False
                if not await _kept(runtime, row, token, answer):
                    return False
    except TooHeavyError:
        _log.warning("list too heavy to check", list=row.id)
        return await _end(runtime, row, token, _refused("too_heavy"))
    return False


async def _kept(runtime: Runtime, row: RecipientListRow, token: str, lines: list[Line]) -> bool:
    await runtime.urgency.give_way(_GIVE_WAY_SECONDS)
    async with runtime.units_of_work() as uow:
        return await actions.add_lines(uow, row.id, token, lines)


async def _end(runtime: Runtime, row: RecipientListRow, token: str, found: Found) -> bool:
    if found.refused:
        await _cleared(runtime, row, token)
    async with runtime.units_of_work() as uow:
        return await actions.checked(
            uow, row.id, token, fields=found.fields, key_column=found.key_column, key_kind=found.key_kind,
            refused=found.refused, left_out=found.left_out,
        )  # fmt: skip

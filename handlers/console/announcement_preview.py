"""Show an announcement as people will see it, on a phone for each kind of account, split as it will be."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from bot.actions.announcement_senders import accounts_of, fields_known, free_text
from bot.domain.announcement import NAME_FIELD, SOMEBODY
from bot.domain.broadcast import fields_of, personal
from bot.domain.message import Capabilities, Message, fit
from bot.store.accounts import AccountRow
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from handlers.console.announcement_access import able, tried, visible
from handlers.console.announcement_words import FIELDS
from handlers.console.page import Form, form_of, is_htmx, render, runtime_of


@dataclass(frozen=True, slots=True)
class Phone:
    """What one kind of account shows: each part into which the message is split, in sending order."""

    account: AccountRow
    parts: tuple[Message, ...]


async def show(request: web.Request) -> web.Response:
    """Answer with the phones; words that were typed stand in place of those that are saved."""
    form = Form(request.query) if request.method == "GET" else await form_of(request)
    async with runtime_of(request).database.reading() as session:
        row, _ = await visible(request, session)
        if form.has("text"):
            row = tried(row, **{name: form.text(name) for name in FIELDS if name != "topic_id"})
        values = await phones_of(session, row)
    return part_of(request, "preview", values)


def part_of(request: web.Request, part: str, values: dict[str, Any]) -> web.Response:
    """Answer with a part of a page, or with a page around it when a browser without JavaScript asks for it alone."""
    if is_htmx(request):
        return render(request, f"announcements/{part}", values)
    return render(request, "announcements/alone", {**values, "part": part})


async def phones_of(session: Session, row: AnnouncementRow) -> dict[str, Any]:
    """Return what the preview shows of an announcement."""
    values = await example_of(session, row)
    message = personal(await free_text(session, row), values)
    phones = _phones(await accounts_of(session, row), message)
    return {"row": row, "phones": phones, "empty": not (row.text or row.title)}


def _phones(accounts: Iterable[AccountRow], message: Message) -> list[Phone]:
    """Return one phone for each kind of account: those of a provider that split it alike look alike."""
    found: dict[str, Phone] = {}
    for account in sorted(accounts, key=lambda a: (a.provider != "zalo", a.provider)):
        found.setdefault(account.provider, Phone(account, tuple(_parts(message, able(account)))))
    return list(found.values())


def _parts(message: Message, can: Capabilities) -> list[Message]:
    """Return the parts; labels of buttons that had to become lines stand in the text, as they will."""
    return [replace(part, text=part.text.strip()) for part in fit(message, can)]


async def example_of(session: Session, row: AnnouncementRow) -> dict[str, str]:
    """Return made-up values for the merge fields: each one's name in brackets, and a form of address for the name.

    What stands in a real list is nobody's to see here. A field that nobody knows stays as it is written, to be seen.
    """
    known = await fields_known(session, row, NAME_FIELD)
    named = fields_of(await free_text(session, row))
    samples = {name: f"[{name}]" if name in known else f"{{{{{name}}}}}" for name in named}
    return {**samples, **({NAME_FIELD: SOMEBODY} if NAME_FIELD in known else {})}

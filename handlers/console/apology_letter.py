"""Edit the words of a unit's letters of apology, and look at how one will be."""

from typing import Any

from aiohttp import web

from bot import letters
from bot.actions import apology_letters, dossier_settings
from bot.domain.letter import FIELDS, LetterText
from bot.errors import InvalidInputError, NotFoundError
from bot.letters import docx_of
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console.dossier_scope import WORK, offices
from handlers.console.media import disposition
from handlers.console.page import Form, form_of, in_scope, of, render, runtime_of, see_other, visit_of, writing

HOME = "/dossiers/letter"
_PARTS = ("subject", "body", "recipients", "place", "signer")
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def show(request: web.Request) -> web.Response:
    """Show the words that hold for a unit, with a preview."""
    return await _page(request, await _chain(request))


async def save(request: web.Request) -> web.StreamResponse:
    """Keep, look at, or give up what was typed."""
    form = await form_of(request)
    chain = await _chain(request, form.text("unit"))
    text = LetterText(**{part: form.text(part) for part in _PARTS})
    try:
        if form.has("look"):
            return await _page(request, chain, text.checked())
        async with writing(request) as uow:
            if form.has("reset"):
                await apology_letters.reset(uow, chain[0].id)
            else:
                await apology_letters.save(uow, chain[0].id, text)
    except InvalidInputError as error:
        return await _page(request, chain, text, error)
    return see_other(HOME, unit=chain[0].id, done="letter_reset" if form.has("reset") else "letter_saved")


async def example(request: web.Request) -> web.StreamResponse:
    """Give out a letter with made-up values, to see it on paper."""
    chain = await _chain(request)
    letter = apology_letters.sample(apology_letters.text_of(chain), chain, runtime_of(request).now())
    headers = {"Content-Disposition": disposition("attachment", "Thư xin lỗi mẫu.docx")}
    return web.Response(body=docx_of(letter), content_type=_DOCX, headers=headers)


async def _page(
    request: web.Request, chain: list[UnitRow], text: LetterText | None = None, error: InvalidInputError | None = None
) -> web.Response:
    runtime, unit = runtime_of(request), chain[0]
    async with runtime.database.reading() as session:
        choices = await _own(request, session)
    shown = text or apology_letters.text_of(chain)
    values: dict[str, Any] = {
        "unit": unit,
        "choices": choices,
        "text": shown,
        "fields": FIELDS,
        "own": apology_letters.SETTING in unit.settings,
        "versions": apology_letters.versions(unit),
        "sample": apology_letters.sample(shown, chain, runtime.now()),
        "form": letters,
        "errors": of(error) if error else {},
    }
    return render(request, "dossiers/letter", values, 422 if error else 200)


async def _own(request: web.Request, session: Session) -> list[UnitRow]:
    grants = visit_of(request).grants
    return [unit for unit in (await offices(request, session)).seen if grants.over(WORK, unit.path)]


async def _chain(request: web.Request, unit_id: str = "") -> list[UnitRow]:
    """Return the unit that the address or the form names, else the first of one's own, and those above it."""
    async with runtime_of(request).database.reading() as session:
        own = await _own(request, session)
        wanted = unit_id or request.query.get("unit", "") or (own[0].id if own else "")
        chain = await dossier_settings.chain_of(session, wanted)
    if not chain:
        raise NotFoundError("unit")
    in_scope(request, WORK, chain[0].path)
    return chain


__all__ = ["HOME", "Form", "example", "save", "show"]

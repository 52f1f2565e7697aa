"""Show while one composes whom an announcement reaches, by which way, at what cost; nothing is saved by looking."""

from dataclasses import dataclass

from aiohttp import web

from bot.actions.announcement_checks import first_run
from bot.actions.announcement_senders import Prospect, prospect
from bot.domain.audience import CHAT_PRICE, Audience, Way
from bot.errors import InvalidInputError
from bot.store.announcements import AnnouncementRow
from bot.store.database import Session
from bot.store.units import UnitRow
from handlers.console import announcement_rules as rules
from handlers.console.announcement_access import able, calendar_of, tried, visible
from handlers.console.announcement_preview import part_of
from handlers.console.announcement_ways import templates_given
from handlers.console.page import Form, form_of, of, runtime_of


@dataclass(frozen=True, slots=True)
class WayLine:
    """How many people one way reaches, and what that costs in đồng; `name` is chat, open, template_user or _phone."""

    name: str
    number: int
    dong: int


async def show(request: web.Request) -> web.Response:
    """Answer with the figures of an announcement, with what is chosen on the page in place of what is saved."""
    form = Form(request.query) if request.method == "GET" else await form_of(request)
    async with runtime_of(request).database.reading() as session:
        row, home = await visible(request, session)
        try:
            row = await _as_chosen(request, session, row, home, form)
        except InvalidInputError as error:
            return part_of(request, "reach", {"row": row, "errors": of(error), "seen": None})
        at = first_run(row, await calendar_of(session, home), runtime_of(request).now())
        seen = await prospect(session, able, row, at)
        named = await rules.named(session, home, Audience.from_json(row.audience))
    return part_of(request, "reach", {"row": row, "seen": seen, "named": named, "lines": lines_of(seen)})


async def _as_chosen(
    request: web.Request, session: Session, row: AnnouncementRow, home: UnitRow, form: Form
) -> AnnouncementRow:
    step = form.text("step")
    if step == "audience":
        audience = rules.given(form)
        await rules.check(request, session, home, audience)
        return tried(row, audience=audience.to_json())
    if step == "ways":
        return tried(row, templates=await templates_given(session, row, form))
    return row


def lines_of(seen: Prospect) -> list[WayLine]:
    """Return what each way reaches and costs; chats inside a reply window and open ones stand apart."""
    by_id = {sender.account_id: sender for sender in seen.senders}
    numbers: dict[str, list[int]] = {name: [0, 0] for name in ("chat", "template_user", "template_phone", "open")}
    for (account, way), number in seen.reach.ways.items():
        sender = by_id[account]
        if way is Way.NONE:
            continue
        name = way.value if way is not Way.CHAT or sender.windowed else "open"
        price = {Way.TEMPLATE_USER: sender.price_user, Way.TEMPLATE_PHONE: sender.price_phone}.get(way, 0)
        numbers[name][0] += number
        numbers[name][1] += price * number
    numbers["chat"][1] = seen.reach.paid * CHAT_PRICE * seen.parts
    return [WayLine(name, number, dong) for name, (number, dong) in numbers.items() if number]

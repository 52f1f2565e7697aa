"""Keep bots: connect one by its token, which says itself which bot it is, and give one a new token."""

from aiohttp import web

from bot.actions import accounts as actions
from bot.channels.channel import AccountInfo, ConnectsByToken
from bot.domain.delivery import AccountStoppedError, SendError
from bot.errors import InvalidInputError
from bot.runtime import Runtime
from bot.secrets import new_webhook_key
from bot.store import accounts, units
from bot.store.unit_of_work import UnitOfWork
from handlers.console.accounts import account_list, own_unit, own_units, require_own
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing

PROVIDER = "telegram"
_FIELDS = ("name", "unit_id", "mode")


async def show_new(request: web.Request) -> web.Response:
    """Show the form that connects a bot."""
    return await _form(request, {}, None)


async def _form(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    visit = visit_of(request)
    async with runtime_of(request).database.reading() as session:
        tree = await units.all_units(session)
    typed = {name: form.text(name) if form else "" for name in _FIELDS}
    public = runtime_of(request).settings.server.public_url
    values = {
        "units": own_units(visit, tree),
        "errors": errors,
        "typed": typed,
        "reachable": public.startswith("https:"),
    }
    return render(request, "admin/bot_new", values, status)


async def add(request: web.Request) -> web.Response:
    """Connect a bot; Telegram is asked whose token it is before anything is stored."""
    form, runtime = await form_of(request), runtime_of(request)
    token = form.secret("token").strip()
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow, form.text("unit_id"))
        info = await _identify(runtime, token)
        async with writing(request) as uow:
            await _require_unknown(uow, info.external_id)
            await actions.add_bot(
                uow,
                runtime.box,
                provider=PROVIDER,
                external_id=info.external_id,
                name=form.text("name") or info.name,
                unit_code=unit.code,
                polling=form.text("mode") == actions.POLLING,
                secrets=actions.Secrets(token, webhook_key=new_webhook_key()),
                username=info.details.get("username", ""),
            )
    except InvalidInputError as error:
        return await _form(request, of(error), form, 422)
    await runtime.refresh_accounts()
    return see_other("/admin/accounts", done="added")


async def _require_unknown(uow: UnitOfWork, bot_id: str) -> None:
    if await accounts.by_external_id(uow.session, PROVIDER, bot_id) is not None:
        raise InvalidInputError("token", "already_known")


async def renew(request: web.Request) -> web.Response:
    """Give a bot a new token; what waited goes out."""
    form, runtime, account_id = await form_of(request), runtime_of(request), request.match_info["id"]
    token = form.secret("token").strip()
    try:
        async with writing(request) as uow:
            await require_own(request, uow, account_id)
        info = await _identify(runtime, token)
        async with writing(request) as uow:
            secrets = actions.Secrets(token, webhook_key=new_webhook_key())
            await actions.renew_bot(uow, runtime.box, account_id, info.external_id, secrets)
    except InvalidInputError as error:
        return await account_list(request, of(error), 422, account_id)
    await runtime.refresh_accounts()
    return see_other("/admin/accounts", done="connected")


async def _identify(runtime: Runtime, token: str) -> AccountInfo:
    """Ask whose token it is; raises InvalidInputError with what is wrong."""
    channel = runtime.channels.get(PROVIDER)
    if not isinstance(channel, ConnectsByToken):
        raise InvalidInputError("token", "unknown_provider")
    if not token:
        raise InvalidInputError("token", "empty")
    try:
        return await channel.identify(token)
    except AccountStoppedError:
        raise InvalidInputError("token", "wrong_token") from None
    except SendError:
        raise InvalidInputError("token", "provider_silent") from None

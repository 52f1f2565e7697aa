"""Keep Official Accounts: connect one on Zalo's own page or by its tokens, and start again one that was stopped."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from aiohttp import web

from bot.actions import accounts as actions
from bot.channels.channel import ConnectsByPage, ConnectsByToken, KnowsAccounts, ListsFollowers
from bot.domain.access import Permission
from bot.domain.delivery import SendError
from bot.errors import InvalidInputError, NotFoundError
from bot.runtime import Runtime, ref
from bot.store import accounts, credentials, follower_imports, receptions, units
from bot.store.accounts import AccountRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow
from handlers.console.page import Errors, Form, form_of, of, render, runtime_of, see_other, visit_of, writing
from handlers.keys import Visit

PROVIDER = "zalo"
CALLBACK = "/admin/accounts/connected"
_STATE_MINUTES = 30
_FIELDS = ("oa_id", "name", "unit_id", "kind")


async def show(request: web.Request) -> web.Response:
    """Show every account of one's own units with what it needs."""
    return await account_list(request, {})


async def account_list(request: web.Request, errors: Errors, status: int = 200, wrong_id: str = "") -> web.Response:
    """Answer with the list of accounts; `errors` belong to the form of the account `wrong_id`."""
    runtime, visit = runtime_of(request), visit_of(request)
    async with runtime.database.reading() as session:
        tree = {unit.id: unit for unit in await units.all_units(session)}
        rows = await accounts.all_accounts(session)
        secrets = {row.account_id: row for row in await credentials.all_credentials(session)}
        coming_in = await receptions.all_receptions(session)
        imports = await follower_imports.all_imports(session)
    values = {
        "accounts": [(row, tree[row.unit_id], secrets.get(row.id)) for row in rows if _owns(visit, tree[row.unit_id])],
        "receptions": coming_in,
        "imports": imports,
        "telling": {name for name, channel in runtime.channels.items() if isinstance(channel, ListsFollowers)},
        "can_add_bot": any(isinstance(channel, ConnectsByToken) for channel in runtime.channels.values()),
        "units": own_units(visit, list(tree.values())),
        "can_connect": isinstance(runtime.channels.get(PROVIDER), ConnectsByPage),
        "configured": PROVIDER in runtime.channels,
        "webhook": f"{runtime.settings.server.public_url}/webhooks/zalo",
        "callback": f"{runtime.settings.server.public_url}{CALLBACK}",
        "errors": errors,
        "wrong_id": wrong_id,
        "needs_grant": actions.NEEDS_GRANT,
    }
    return render(request, "admin/accounts", values, status)


def _owns(visit: Visit, unit: UnitRow) -> bool:
    return visit.grants.over(Permission.ADMIN, unit.path)


def own_units(visit: Visit, tree: list[UnitRow]) -> list[UnitRow]:
    """Return the units whose accounts whoever looks may keep."""
    return [unit for unit in tree if _owns(visit, unit) and unit.valid_to is None]


async def show_new(request: web.Request) -> web.Response:
    """Show the form that adds an account by its tokens."""
    return await _form(request, {}, None)


async def _form(request: web.Request, errors: Errors, form: Form | None, status: int = 200) -> web.Response:
    visit = visit_of(request)
    async with runtime_of(request).database.reading() as session:
        tree = await units.all_units(session)
    typed = {name: form.text(name) if form else "" for name in _FIELDS}
    typed["oa_id"] = typed["oa_id"] or request.query.get("oa_id", "")[:40]
    return render(
        request, "admin/account_new", {"units": own_units(visit, tree), "errors": errors, "typed": typed}, status
    )


async def add(request: web.Request) -> web.Response:
    """Add an account by its tokens; updates that waited for it go in at once."""
    form, runtime = await form_of(request), runtime_of(request)
    secrets = actions.Secrets(
        form.secret("access_token").strip(), form.secret("refresh_token").strip(), form.secret("webhook_key").strip()
    )
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow, form.text("unit_id"))
            await _require_unknown(uow, form.text("oa_id"))
            await actions.add_account(
                uow,
                runtime.box,
                oa_id=form.text("oa_id"),
                name=form.text("name"),
                unit_code=unit.code,
                kind=form.text("kind"),
                secrets=secrets,
            )
    except InvalidInputError as error:
        return await _form(request, of(error), form, 422)
    await runtime.refresh_accounts()
    return see_other("/admin/accounts", done="added")


async def own_unit(request: web.Request, uow: UnitOfWork, unit_id: str) -> UnitRow:
    """Return a unit whose accounts whoever asks may keep; raises InvalidInputError for any other."""
    unit = await units.unit(uow.session, unit_id)
    if unit is None or not _owns(visit_of(request), unit):
        raise InvalidInputError("unit_id", "unknown_unit")
    return unit


async def _require_unknown(uow: UnitOfWork, oa_id: str) -> None:
    if await accounts.by_external_id(uow.session, PROVIDER, oa_id) is not None:
        raise InvalidInputError("oa_id", "already_known")


async def restart(request: web.Request) -> web.Response:
    """Let a stopped account work again."""
    account_id = request.match_info["id"]
    try:
        async with writing(request) as uow:
            await require_own(request, uow, account_id)
            await actions.restart(uow, account_id)
    except InvalidInputError as error:
        return await account_list(request, of(error), 422, account_id)
    return see_other("/admin/accounts", done="restarted")


async def reconnect(request: web.Request) -> web.Response:
    """Give an account new tokens; what waited goes out."""
    form, runtime, account_id = await form_of(request), runtime_of(request), request.match_info["id"]
    secrets = actions.Secrets(form.secret("access_token").strip(), form.secret("refresh_token").strip())
    try:
        async with writing(request) as uow:
            await require_own(request, uow, account_id)
            await actions.reconnect(uow, runtime.box, account_id, secrets)
    except InvalidInputError as error:
        return await account_list(request, of(error), 422, account_id)
    await runtime.refresh_accounts()
    return see_other("/admin/accounts", done="connected")


async def require_own(request: web.Request, uow: UnitOfWork, account_id: str) -> None:
    """Raise NotFoundError for an account that whoever asks may not keep."""
    row = await accounts.account(uow.session, account_id)
    unit = await units.unit(uow.session, row.unit_id) if row else None
    if unit is None or not _owns(visit_of(request), unit):
        raise NotFoundError("account")


async def connect(request: web.Request) -> web.Response:
    """Send the administrator to Zalo's page; which unit it is for travels in a signed state."""
    form, runtime = await form_of(request), runtime_of(request)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow, form.text("unit_id"))
    except InvalidInputError as error:
        return await account_list(request, of(error), 422)
    page = _connecting(runtime)
    until = int((runtime.now() + timedelta(minutes=_STATE_MINUTES)).timestamp())
    claim = f"{unit.id}.{visit_of(request).session.id[:16]}.{until}"
    state = f"{claim}.{runtime.box.sign(f'connect:{claim}')}"
    challenge = _base64url(hashlib.sha256(_verifier(runtime, state).encode()).digest())
    raise web.HTTPSeeOther(page.oauth.permission_url(runtime.settings.server.public_url + CALLBACK, state, challenge))


def _connecting(runtime: Runtime) -> ConnectsByPage:
    channel = runtime.channels.get(PROVIDER)
    if not isinstance(channel, ConnectsByPage):
        raise InvalidInputError("unit_id", "unknown_provider")
    return channel


def _verifier(runtime: Runtime, state: str) -> str:
    """Derive the PKCE verifier from the state, so that nothing has to be kept meanwhile: 43 characters."""
    return _base64url(bytes.fromhex(runtime.box.fingerprint(f"pkce:{state}")))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def connected(request: web.Request) -> web.Response:
    """Take the code that Zalo sends back, turn it into tokens, and add the account or give it new tokens."""
    runtime = runtime_of(request)
    state, oa_id = request.query.get("state", ""), request.query.get("oa_id", "")
    unit_id = _unit_of_state(request, state)
    page = _connecting(runtime)
    try:
        granted = await page.oauth.exchange_code(request.query.get("code", ""), _verifier(runtime, state))
    except SendError as error:
        return await account_list(
            request, of(InvalidInputError("connect", "provider_refused", reason=error.reason)), 422
        )
    secrets = actions.Secrets(granted.access_token, granted.refresh_token, expires_at=granted.expires_at)
    try:
        async with writing(request) as uow:
            unit = await own_unit(request, uow, unit_id)
            known = await accounts.by_external_id(uow.session, PROVIDER, oa_id)
            if known is not None:
                unit = await own_unit(request, uow, known.unit_id)
            name, kind = (known.name, known.kind) if known else (f"OA {oa_id}", "state")
            row = await actions.add_account(
                uow, runtime.box, oa_id=oa_id, name=name, unit_code=unit.code, kind=kind or "state", secrets=secrets
            )
    except InvalidInputError as error:
        return await account_list(request, of(error), 422)
    await _learn_identity(request, row)
    await runtime.refresh_accounts()
    return see_other("/admin/accounts", done="connected")


def _unit_of_state(request: web.Request, state: str) -> str:
    """Return the unit that a connection is for; raises InvalidInputError for a state that is not this session's."""
    runtime = runtime_of(request)
    claim, _, signature = state.rpartition(".")
    parts = claim.split(".")
    expected = runtime.box.sign(f"connect:{claim}")
    if not hmac.compare_digest(expected.encode(), signature.encode()) or len(parts) != 3:  # noqa: PLR2004 - the parts `connect` put together
        raise InvalidInputError("connect", "stale_page")
    unit_id, session_start, until = parts
    fresh = datetime.fromtimestamp(int(until), UTC) > runtime.now()
    if not fresh or session_start != visit_of(request).session.id[:16]:
        raise InvalidInputError("connect", "stale_page")
    return unit_id


async def _learn_identity(request: web.Request, row: AccountRow) -> None:
    """Ask Zalo what the account is called; when it does not say now, the name can wait."""
    channel = runtime_of(request).channels.get(PROVIDER)
    if not isinstance(channel, KnowsAccounts):
        return
    try:
        info = await channel.account_info(ref(row))
    except SendError:
        return
    async with writing(request) as uow:
        await actions.describe(uow, row.id, info.name, info.kind)

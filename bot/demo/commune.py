"""Enter the commune: units, villages, categories, topics, routing rules, calendar, people, accounts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.actions.accounts import MODE, WEBHOOK
from bot.actions.case_trail import audit
from bot.actions.staff import add_staff, grant_role
from bot.actions.topics import save_topic
from bot.demo.data import AccountData, CommuneData, PersonData
from bot.demo.holidays import Holidays
from bot.secrets import SecretBox
from bot.store.accounts import AccountRow
from bot.store.credentials import CredentialRow
from bot.store.marks import TopicRow
from bot.store.staff import StaffRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import AreaRow, CategoryRow, RoutingRuleRow, UnitRow

HOME = "xa"
"""Key of the unit that owns accounts, villages, categories and rules."""
EMAIL_DOMAIN = "thanhoai.example"
_TOKEN_LIFE = timedelta(hours=25)


@dataclass(frozen=True, slots=True)
class Commune:
    """The rows that reports refer to, by key (units, people, accounts), code (categories) or name (areas, topics)."""

    units: dict[str, UnitRow]
    areas: dict[str, AreaRow]
    categories: dict[str, CategoryRow]
    people: dict[str, StaffRow]
    accounts: dict[str, AccountRow]
    topics: dict[str, TopicRow]


def email_of(person: PersonData) -> str:
    """Return the address a demo person signs in with."""
    return f"{person.key}@{EMAIL_DOMAIN}"


async def enter(
    uow: UnitOfWork, data: CommuneData, holidays: Holidays, password_hash: str, box: SecretBox, now: datetime
) -> Commune:
    """Enter everything at the moment of `uow`; tokens run from `now`, so that nothing is refreshed at once."""
    units = await _units(uow, data)
    home = units[HOME]
    areas = [
        AreaRow(id=uow.new_id(), unit_id=home.id, name=a.name, aliases=list(a.aliases), position=position)
        for position, a in enumerate(data.areas, 1)
    ]
    categories = [
        CategoryRow(
            id=uow.new_id(),
            unit_id=home.id,
            code=c.code,
            name=c.name,
            position=position,
            level=c.level,
            restricted=c.restricted,
            field_work=c.field_work,
            keywords=list(c.keywords),
        )
        for position, c in enumerate(data.categories, 1)
    ]
    uow.session.add_all([*areas, *categories, *holidays.rows(home.id, uow.now)])
    await uow.session.flush()
    by_code = {c.code: c for c in categories}
    _rules(uow, data, units, by_code)
    topics = {
        t.name: await save_topic(uow, home.id, None, t.name, default_on=t.default_on, advert=t.advert)
        for t in data.topics
    }
    people = {p.key: await _person(uow, p, units, password_hash) for p in data.people}
    accounts = {a.key: await _account(uow, a, home, box, now) for a in data.accounts}
    return Commune(units, {a.name: a for a in areas}, by_code, people, accounts, topics)


async def _units(uow: UnitOfWork, data: CommuneData) -> dict[str, UnitRow]:
    rows: dict[str, UnitRow] = {}
    for unit in data.units:
        parent = rows.get(unit.parent)
        row_id = uow.new_id()
        rows[unit.key] = UnitRow(
            id=row_id,
            code=unit.code,
            name=unit.name,
            kind=unit.kind,
            parent_id=parent.id if parent else None,
            path=f"{parent.path if parent else '/'}{row_id}/",
            valid_from=unit.valid_from,
            aliases=list(unit.aliases),
            settings=dict(unit.settings),
        )
        uow.session.add(rows[unit.key])
        await uow.session.flush()
        audit(uow, "unit.add", f"unit:{row_id}", {"code": unit.code, "name": unit.name})
    for unit in data.units:
        if unit.fallback:
            rows[unit.key].settings = {**unit.settings, "fallback": rows[unit.fallback].id}
    return rows


def _rules(uow: UnitOfWork, data: CommuneData, units: dict[str, UnitRow], categories: dict[str, CategoryRow]) -> None:
    uow.session.add_all(
        RoutingRuleRow(
            id=uow.new_id(),
            unit_id=units[HOME].id,
            position=position,
            category_id=categories[rule.category].id if rule.category else None,
            words=list(rule.words),
            kind=rule.kind or None,
            target_unit_id=units[rule.unit].id,
            note=rule.note,
        )
        for position, rule in enumerate(data.rules, 1)
    )


async def _person(uow: UnitOfWork, person: PersonData, units: dict[str, UnitRow], password_hash: str) -> StaffRow:
    (role, unit), *more = person.roles
    row = await add_staff(uow, email_of(person), person.name, password_hash, role, units[unit].id)
    for other_role, other_unit in more:
        await grant_role(uow, row.id, other_role, units[other_unit].id)
    return row


async def _account(uow: UnitOfWork, data: AccountData, home: UnitRow, box: SecretBox, now: datetime) -> AccountRow:
    row = AccountRow(
        id=uow.new_id(),
        provider=data.provider,
        external_id=data.external_id,
        name=data.name,
        kind=data.kind,
        unit_id=home.id,
        learnt={} if data.refresh_token else {MODE: WEBHOOK},
        created_at=uow.now,
    )
    uow.session.add(row)
    await uow.session.flush()
    uow.session.add(
        CredentialRow(
            account_id=row.id,
            access_token=box.seal(data.access_token),
            refresh_token=box.seal(data.refresh_token) if data.refresh_token else None,
            webhook_key=box.seal(data.webhook_key),
            expires_at=now + _TOKEN_LIFE if data.refresh_token else None,
            refreshed_at=now,
        )
    )
    audit(uow, "account.add", f"account:{row.id}", {"provider": data.provider, "external_id": data.external_id})
    return row

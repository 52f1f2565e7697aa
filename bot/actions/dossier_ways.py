"""Find by which ways a notice can reach whose dossier it is: their contacts, and the phone that it was filed with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.actions.contacts import BLOCKED
from bot.actions.dossier_notice_text import Said, merged_of
from bot.actions.dossier_settings import Choices
from bot.domain.audience import TEMPLATE_USER_WINDOW
from bot.domain.dossier_notice import Candidate, Way
from bot.domain.reach import reach
from bot.domain.template import ENABLED, filled, parameters_of
from bot.store import accounts, contacts, dossier_lookup, provider_templates
from bot.store.accounts import AccountRow
from bot.store.contacts import ContactRow
from bot.store.dossiers import DossierRow
from bot.store.unit_of_work import UnitOfWork
from bot.store.units import UnitRow

_BY_PHONE = "phone"
"""Who somebody is that is known by the phone of the dossier."""


@dataclass(slots=True)
class Ways:
    """What can be tried; `people` and `accounts` by id, `values` what fills each candidate's template, by its key.

    `who` says of each contact which person they are, as Candidate.person; `unfit` that a template was chosen which this
    notice does not fill.
    """

    candidates: list[Candidate] = field(default_factory=list)
    people: dict[str, ContactRow] = field(default_factory=dict)
    who: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, AccountRow] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    unfit: bool = False


async def people_of(uow: UnitOfWork, dossier: DossierRow) -> list[ContactRow]:
    """Return every contact of the people whose dossier it is: bound to it, or known by the phone it was filed with."""
    everybody: dict[str, ContactRow] = {}
    for row in await dossier_lookup.contacts_of(uow.session, dossier):
        everybody |= {one.id: one for one in await contacts.same_person(uow.session, row)}
    here = everybody.values()
    return [one for one in here if one.kind == "person" and not one.anonymous and one.erased_at is None]


async def ways_of(uow: UnitOfWork, dossier: DossierRow, chain: Sequence[UnitRow], choices: Choices, said: Said) -> Ways:
    """Return every way that is open now for a notice."""
    found = Ways(accounts={row.id: row for row in await accounts.all_accounts(uow.session)})
    people = await people_of(uow, dossier)
    # Who shares the phone that the dossier was filed with is one, at whichever account, with all that they linked.
    by_phone = {one.person for one in people if one.phone_hash and one.phone_hash == dossier.phone_hash}
    for person in people:
        found.people[person.id] = person
        who = found.who[person.id] = _BY_PHONE if person.person in by_phone else person.person
        await _to_person(uow, found, person, who, choices, said)
    if dossier.phone is not None and not _by_own_phone(found, dossier):
        await _to_phone(uow, found, chain, choices, said)
    return found


async def _to_person(uow: UnitOfWork, found: Ways, person: ContactRow, who: str, choices: Choices, said: Said) -> None:
    account = found.accounts[person.account_id]
    can = uow.capabilities(account)
    heard = person.last_interaction_at

    def candidate(way: Way, template_id: str = "") -> Candidate:
        return Candidate(way, account.id, person.id, who, heard, template_id)

    if reach(heard, bool(person.gone), can, uow.now).open:
        found.candidates.append(candidate(Way.CHAT if can.window_hours else Way.TELEGRAM))
    template = await _template(uow, found, account, choices, said)
    if template is None or person.gone == BLOCKED:
        return
    template_id, by_user, by_phone, values = template
    within = heard is not None and uow.now - heard < TEMPLATE_USER_WINDOW
    for way, opens in (
        (Way.TEMPLATE_USER, by_user and within and not person.gone),
        (Way.TEMPLATE_PHONE, by_phone and person.phone is not None),
    ):
        if opens:
            one = candidate(way, template_id)
            found.candidates.append(one)
            found.values[one.key] = values


def _by_own_phone(found: Ways, dossier: DossierRow) -> bool:
    phones = {found.people[one.contact_id].phone_hash for one in found.candidates if one.way is Way.TEMPLATE_PHONE}
    return dossier.phone_hash in phones


async def _to_phone(uow: UnitOfWork, found: Ways, chain: Sequence[UnitRow], choices: Choices, said: Said) -> None:
    """Add the phone that the dossier was filed with, by the nearest account that has a template for it."""
    depth = {unit.id: place for place, unit in enumerate(chain)}
    near = [account for account in found.accounts.values() if account.unit_id in depth]
    for account in sorted(near, key=lambda one: (one.state != "active", depth[one.unit_id], one.id)):
        template = await _template(uow, found, account, choices, said, bound=False)
        if template is not None and template[2]:
            one = Candidate(Way.TEMPLATE_PHONE, account.id, person=_BY_PHONE, template_id=template[0])
            found.candidates.append(one)
            found.values[one.key] = template[3]
            return


async def _template(
    uow: UnitOfWork, found: Ways, account: AccountRow, choices: Choices, said: Said, *, bound: bool = True
) -> tuple[str, bool, bool, dict[str, str]] | None:
    """Return the template chosen for an account: its id, by which ways it may go, what fills it; None for none."""
    chosen = choices.templates.get(said.kind.value, {}).get(account.id)
    template_id = str(chosen.get("template_id", "")) if chosen else ""
    row = await provider_templates.template(uow.session, account.id, template_id) if template_id else None
    if chosen is None or row is None or row.status != ENABLED or row.gone_at is not None:
        return None
    given: Mapping[str, str] = {str(name): str(value) for name, value in dict(chosen.get("parameters", {})).items()}
    made = filled(parameters_of(row.parameters), given, merged_of(said, bound=bound))
    if made.problems:
        found.unfit = True
        return None
    return template_id, row.by_user, row.by_phone, {name: value for name, value in made.values.items() if value}

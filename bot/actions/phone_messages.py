"""Send a provider's approved template to a phone, whoever it belongs to and whether or not they have a chat with us."""

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.audience import Way
from bot.domain.message import Lane, Message
from bot.domain.template import ENABLED
from bot.secrets import SecretBox
from bot.store import contacts, provider_templates
from bot.store.accounts import AccountRow
from bot.store.contacts import PHONE, ContactRow
from bot.store.messages import MessageRow
from bot.store.outbox import LANES, OutboxRow
from bot.store.provider_templates import ProviderTemplateRow
from bot.store.unit_of_work import UnitOfWork


def usable(template: ProviderTemplateRow | None) -> bool:
    """Say whether a template may be sent by phone now, as its provider described it last."""
    return template is not None and template.by_phone and template.status == ENABLED and template.gone_at is None


async def to_phone(
    uow: UnitOfWork,
    box: SecretBox,
    account: AccountRow,
    phone: str,
    template_id: str,
    parameters: Mapping[str, str],
    *,
    purpose: str,
    unit_id: str = "",
    lane: Lane = Lane.NOTICE,
    lifetime: timedelta | None = None,
) -> str:
    """Queue a template for a phone (84…) and return the id in the outbox; what fills it was checked before.

    The phone becomes a contact of its own, which is no person's: it is in no audience, and nothing that is learnt of
    it says anything about a chat. After `lifetime` it is not sent any more.
    """
    to = await _contact(uow, box, account, phone)
    chosen = template_id, parameters
    return await queue_template(
        uow, account, to, chosen, way=Way.TEMPLATE_PHONE, purpose=purpose, unit_id=unit_id, lane=lane, lifetime=lifetime
    )


async def queue_template(
    uow: UnitOfWork,
    account: AccountRow,
    to: ContactRow,
    chosen: tuple[str, Mapping[str, str]],
    *,
    way: Way,
    purpose: str,
    unit_id: str = "",
    lane: Lane = Lane.NOTICE,
    lifetime: timedelta | None = None,
) -> str:
    """Queue a template, `chosen` with what fills it, for a contact by a way and return the id in the outbox."""
    template_id, parameters = chosen
    template = await provider_templates.template(uow.session, account.id, template_id)
    development = template is not None and template.development
    message = Message(template_id=template_id, parameters=dict(parameters), development=development)
    row = OutboxRow(
        id=uow.new_id(),
        account_id=account.id,
        contact_id=to.id,
        unit_id=unit_id or account.unit_id,
        purpose=purpose,
        way=way.value,
        lane=LANES[lane.value],
        body=message.to_json(),
        next_attempt_at=uow.now,
        expires_at=uow.now + lifetime if lifetime else None,
        created_at=uow.now,
    )
    uow.session.add(row)
    uow.session.add(
        MessageRow(
            id=row.id,
            account_id=account.id,
            contact_id=to.id,
            direction="out",
            author="bot",
            occurred_at=uow.now,
        )
    )
    await uow.session.flush()
    uow.after_commit("deliver_messages")
    return row.id


async def _contact(uow: UnitOfWork, box: SecretBox, account: AccountRow, phone: str) -> ContactRow:
    """Return what stands for a phone at an account, made on first sight.

    Its fingerprint is in its id alone: `phone_hash` is what persons share, by which they are found and compared.
    """
    known_as = contacts.phone_id(box.fingerprint(phone))
    row = await contacts.by_external_id(uow.session, account.id, known_as)
    if row is None:
        row = ContactRow(
            id=uow.new_id(),
            account_id=account.id,
            external_id=known_as,
            kind=PHONE,
            phone=box.seal(phone),
            created_at=uow.now,
        )
        uow.session.add(row)
        await uow.session.flush()
    return row


async def forget(uow: UnitOfWork, fingerprint: str) -> list[str]:
    """Blank what stands for a phone at every account, as its owner wishes to be forgotten; returns their ids."""
    found = await contacts.of_phone_alone(uow.session, fingerprint)
    for row in found:
        row.external_id, row.phone, row.erased_at, row.gone = f"erased:{row.id}", None, uow.now, "erased"
    return [row.id for row in found]
